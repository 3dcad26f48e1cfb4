"""RetryingStorage: a storage of studies that survives short outages of its backend."""

from __future__ import annotations

import json
import sqlite3
import time
import warnings
from collections.abc import Callable
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.storages import BaseStorage, InMemoryStorage

from automl_meta._utils.optuna_studies import readable
from automl_meta.exceptions import AutomlMetaWarning, DataError, StudyError, UsageError

__all__ = ["STORAGE_ERRORS", "RetryingStorage", "patiently"]

STORAGE_ERRORS = (optuna.exceptions.StorageInternalError, sa.exc.SQLAlchemyError, OSError)
"""Errors of a storage whose disk is full or whose server is unreachable."""

PATIENCE_SECONDS = 30.0
_PASSING = (  # of SQLite
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,  # also if the disk is too full for its shared memory
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)
_LISTS = ("get_all_studies", "get_all_trials")  # have no errors of their own: their errors mean damage
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds


def patiently(call: Callable[[], Any]) -> Any:
    """Call a function, and retry for half a minute while the storage of the study fails.

    Raises
    ------
    StudyError
        If it still fails after that, or its content is damaged.
    """
    started, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            return call()
        except DataError as error:
            raise StudyError(str(error)) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise StudyError(f"The storage of the study is damaged: {error}.") from error
        except STORAGE_ERRORS as error:
            problem = f"The storage of the study failed: {reason_of(error)}."
            if not _may_pass(error) or time.monotonic() - started > PATIENCE_SECONDS:
                raise StudyError(problem) from error
            if pause == _FIRST_PAUSE:
                warnings.warn(
                    f"{problem} Retrying for {PATIENCE_SECONDS:.0f} s.",
                    AutomlMetaWarning,
                    stacklevel=2,
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _may_pass(error: BaseException) -> bool:
    """Whether the error is an outage, as opposed to damage."""
    cause = error.__cause__ or error
    if isinstance(cause, sa.exc.DBAPIError) and isinstance(cause.orig, sqlite3.Error):
        return getattr(cause.orig, "sqlite_errorcode", 0) & 0xFF in _PASSING
    return isinstance(cause, (sa.exc.OperationalError, sa.exc.InterfaceError, OSError))


def reason_of(error: BaseException) -> str:
    """Message of the database driver or the system, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


class RetryingStorage(BaseStorage):
    """Storage of studies that survives short outages of its backend.

    Each call is retried until it succeeds, for at most half a minute; then a StudyError is raised.

    Parameters
    ----------
    inner : BaseStorage
        Optuna storage to wrap.
    """

    def __init__(self, inner: BaseStorage) -> None:
        self.inner = inner

    @classmethod
    def around(cls, storage: BaseStorage) -> BaseStorage:
        """Wrap a storage, at most once; a storage in memory has no outages."""
        return storage if isinstance(storage, (cls, InMemoryStorage)) else cls(storage)


def _retrying(name: str) -> Callable[..., Any]:
    def method(self: RetryingStorage, *arguments: Any, **options: Any) -> Any:
        def call() -> Any:
            return getattr(self.inner, name)(*arguments, **options)

        if name not in _LISTS:
            return patiently(call)
        try:
            with readable("The storage of the study"):
                return patiently(call)
        except UsageError as error:
            raise StudyError(str(error)) from error

    method.__name__ = name
    return method


# All operations, including those that are not abstract: a cache may override the base class.
for _name, _value in vars(BaseStorage).items():
    if not _name.startswith("_") and callable(_value):
        setattr(RetryingStorage, _name, _retrying(_name))
RetryingStorage.__abstractmethods__ = frozenset()
