"""Failures of a database: retried where they may be temporary, and explained."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from automl_meta._utils.databases import without_secrets
from automl_meta.exceptions import AutomlMetaWarning, StoreError, UsageError
from automl_meta.store.location import STORE_VARIABLE, resolve_url, shown_store

__all__ = ["BUSY_SECONDS", "NOTICE_SECONDS", "USE_ANOTHER", "no_store", "patiently", "translated"]

T = TypeVar("T")

BUSY_SECONDS = 30.0
"""How long to wait for a store that is locked or unreachable."""

NOTICE_SECONDS = 5.0
"""How long a file may be locked before a warning."""

_CREATORS = "`automl-meta collect`, `tune` and `store import`"
USE_ANOTHER = f"Use another store (--store, or the environment variable {STORE_VARIABLE})."
"""What to do if a store cannot be used."""


@contextlib.contextmanager
def translated(url: URL) -> Iterator[None]:
    """Convert the errors of a database to a `StoreError` with a remedy."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(_explained(url, error.orig or error)) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names in a damaged file
        raise StoreError(_explained(url, error)) from error


def patiently(url: URL, transaction: Callable[[], T]) -> T:
    """Call a function, repeatedly for up to `BUSY_SECONDS` while the store is locked or unreachable.

    Raises
    ------
    StoreError
        If another error occurs, or the time has passed.
    """
    is_file = url.get_backend_name() == "sqlite"
    started, has_warned = time.monotonic(), False
    for attempt in itertools.count():
        try:
            with translated(url):
                return transaction()
        except StoreError as error:
            waited = time.monotonic() - started
            if waited >= BUSY_SECONDS or not _is_temporary(url, error.__cause__):
                raise
            if not has_warned and (waited >= NOTICE_SECONDS or not is_file):
                has_warned = True
                warnings.warn(
                    f"The store {shown_store(url)} is locked or does not answer; trying again for "
                    f"{BUSY_SECONDS - waited:.0f} seconds.",
                    AutomlMetaWarning,
                    stacklevel=2,
                )
            # SQLite has already waited for the lock.
            time.sleep(0.02 if is_file else min(BUSY_SECONDS - waited, 0.25 * 2 ** min(attempt, 3)))
    raise AssertionError


def _is_temporary(url: URL, error: BaseException | None) -> bool:
    if url.get_backend_name() == "sqlite":
        cause = getattr(error, "orig", error)
        is_locked = "locked" in str(cause) or "busy" in str(cause)
        return isinstance(cause, sqlite3.OperationalError) and is_locked
    return isinstance(error, OperationalError)  # the server stops, starts, or cannot be reached


def _is_default(url: URL) -> bool:
    try:
        return url == resolve_url(None)
    except UsageError:
        return False


def no_store(url: URL) -> StoreError:
    """Create the error of a store that does not exist."""
    return StoreError(
        f"There is no store at {shown_store(url)}. Check the name; {_CREATORS} create missing stores."
    )


def _explained(url: URL, error: BaseException) -> str:
    detail = without_secrets(" ".join(str(error).split()) or type(error).__name__, url)
    where = shown_store(url)
    if url.get_backend_name() != "sqlite":
        return (
            f"The store {where} cannot be used: {detail}. Check that the server is running and that host, "
            "database, user and password are correct."
        )
    if "not a database" in detail or "malformed" in detail or isinstance(error, UnicodeDecodeError):
        creators = "the next command creates" if _is_default(url) else f"{_CREATORS} then create"
        return (
            f"{where} is damaged or not a store of automl_meta ({detail}). Move it away "
            f"(mv {shlex.quote(where)} {shlex.quote(where + '.damaged')}); {creators} a new one. Runs that were "
            "not exported remain in the moved file."
        )
    if "unable to open" in detail:
        hint = "It is a folder." if Path(where).is_dir() else "Check the permissions of its folder."
        return f"The store {where} cannot be opened ({detail}). {hint} {USE_ANOTHER}"
    if "readonly" in detail or "read-only" in detail:
        return f"The store {where} cannot be written: the file or its folder is read-only. {USE_ANOTHER}"
    if "full" in detail:
        return f"The store {where} cannot be written: the disk is full. Free some space; the stored runs are safe."
    if "locked" in detail or "busy" in detail:
        return (
            f"The store {where} has been locked by another process for {BUSY_SECONDS:.0f} seconds. "
            "Try again when that process has finished."
        )
    return f"The store {where} cannot be used: {detail}."
