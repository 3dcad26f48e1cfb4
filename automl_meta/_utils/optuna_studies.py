"""Studies that others may have written, or damaged: found and read, with one line where that fails."""

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
    """Tell a journal from a database, by how it is called."""
    return storage.endswith((".log", ".journal")) and "://" not in storage


def database_address(storage: str) -> str:
    """Make a URL of the name of an SQLite file; a URL stays one."""
    if "://" in storage:
        return parse_url(storage).render_as_string(hide_password=False)
    return f"sqlite:///{quote(os.fsencode(storage))}"


def require_studies(storage: str) -> None:
    """See that a storage of studies is there, without making it.

    Raises
    ------
    UsageError
        If it is not, or cannot be opened.
    """
    if is_journal(storage):
        path: Path | None = Path(storage)
    else:
        url = parse_url(database_address(storage))
        path = database_file(url)
    if path is not None and not path.is_file():
        raise UsageError(f"There are no studies at {shown_url(storage)}: there is no such file.")
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
        raise UsageError(f"There are no studies at {shown_url(storage)}: it has no tables of Optuna.")


@contextlib.contextmanager
def readable(what: str, *others: type[Exception]) -> Iterator[None]:
    """Blame a storage or a study for whatever Optuna fails with when it reads it, but for some `others`.

    Raises
    ------
    UsageError
        In the place of other errors.
    """
    try:
        yield
    except Exception as error:  # each kind of storage has its own errors, and they share no base
        if isinstance(error, (AutomlMetaError, *others)):
            raise
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
        raise UsageError(
            f"{what} cannot be read ({reason}). Is it damaged, or of another version?"
        ) from error


def trials_of(study: optuna.Study, states: tuple[TrialState, ...] | None = None) -> list[FrozenTrial]:
    """Read the trials of a study.

    Raises
    ------
    UsageError
        If they cannot be read.
    """
    with readable(f"The study {study.study_name!r}"):
        return study.get_trials(deepcopy=False, states=states)
