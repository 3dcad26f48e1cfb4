"""Access to Optuna studies written elsewhere, possibly damaged; failures become one-line errors."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import NullPool, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from automl_meta._utils.databases import database_file, parse_url, shown_url, without_secrets
from automl_meta.exceptions import AutomlMetaError, UsageError

__all__ = ["database_address", "is_journal", "readable", "require_studies", "trials_of"]


def is_journal(storage: str) -> bool:
    """Whether the name of a storage is that of a journal file rather than a database."""
    return storage.endswith((".log", ".journal")) and "://" not in storage


def database_address(storage: str) -> str:
    """Convert the path of an SQLite file to a URL; a URL is returned unchanged."""
    if "://" in storage:
        return parse_url(storage).render_as_string(hide_password=False)
    return f"sqlite:///{quote(os.fsencode(storage))}"


def require_studies(storage: str) -> None:
    """Check that a storage of studies exists, without creating it.

    Raises
    ------
    UsageError
        If the storage does not exist or cannot be opened.
    """
    if is_journal(storage):
        path: Path | None = Path(storage)
    else:
        url = parse_url(database_address(storage))
        path = database_file(url)
    if path is not None and not path.is_file():
        raise UsageError(f"There are no studies at {shown_url(storage)}: the file does not exist.")
    if is_journal(storage):
        return
    try:
        engine = create_engine(url, poolclass=NullPool)
        with readable(f"The storage {shown_url(storage)}", SQLAlchemyError, ImportError):
            has_studies = inspect(engine).has_table("studies")
    except (SQLAlchemyError, ImportError) as error:
        reason = without_secrets(str(error).strip().splitlines()[0], url)
        raise UsageError(f"The storage {shown_url(storage)} cannot be opened: {reason}") from error
    if not has_studies:
        raise UsageError(f"There are no studies at {shown_url(storage)}: it has no Optuna tables.")


@contextlib.contextmanager
def readable(what: str, *others: type[Exception]) -> Iterator[None]:
    """Context manager that converts any error raised while reading a storage or study to a UsageError.

    Parameters
    ----------
    what : str
        Subject of the message, such as ``"The study 'a'"``.
    *others : type
        Exceptions that are raised unchanged, as are those of automl_meta.

    Raises
    ------
    UsageError
        If reading fails.
    """
    try:
        yield
    except Exception as error:  # each type of storage has its own errors, without a common base class
        if isinstance(error, (AutomlMetaError, *others)):
            raise
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
        raise UsageError(
            f"{what} cannot be read ({reason}). It may be damaged, or written by another version of Optuna."
        ) from error


def trials_of(study: optuna.Study, states: tuple[TrialState, ...] | None = None) -> list[FrozenTrial]:
    """Read the trials of a study.

    Raises
    ------
    UsageError
        If the trials cannot be read.
    """
    with readable(f"The study {study.study_name!r}"):
        return study.get_trials(deepcopy=False, states=states)
