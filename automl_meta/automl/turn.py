"""Turn: the lock under which processes propose the next trial of a shared study."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import optuna
import sqlalchemy as sa
from filelock import FileLock
from optuna.storages import RDBStorage

from automl_meta.automl.retrying import STORAGE_ERRORS, patiently

__all__ = ["Turn"]

_POLL_SECONDS = 0.01


class Turn:
    """Lock of the processes and threads that share a study.

    Its holder sees all trials that others proposed, so that trials are counted exactly and none is
    proposed twice. The system releases the lock when a process dies: it is a lock on a file beside
    an SQLite database or a journal, or a session lock of a PostgreSQL or MySQL server. For other
    storages, it locks within one process only.

    Parameters
    ----------
    place : URL, Path or None
        Location of the database or the journal; None for threads of this process only.
    name : str
        Name of the lock.
    """

    def __init__(self, place: sa.URL | Path | None, name: str) -> None:
        self._threads = threading.Lock()
        self._file: Path | None = None
        self._server: sa.Engine | None = None
        self._key = f"automl_meta:{name}"
        if isinstance(place, sa.URL):
            if place.get_backend_name() in ("postgresql", "mysql", "mariadb"):
                self._server = sa.create_engine(place, poolclass=sa.NullPool)
            elif place.get_backend_name() == "sqlite" and place.database not in (None, "", ":memory:"):
                self._file = Path(f"{place.database}.turn")
        elif place is not None:
            self._file = Path(f"{place}.turn")

    @classmethod
    def of_study(cls, study: optuna.Study) -> Turn:
        """Lock of a study, by its storage."""
        storage = getattr(study._storage, "inner", study._storage)
        inner = getattr(storage, "_backend", storage)  # Optuna wraps databases and journals
        if isinstance(inner, RDBStorage):
            return cls(sa.make_url(inner.url), study.study_name)
        path = getattr(inner, "_file_path", None)
        return cls(None if path is None else Path(path), study.study_name)

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            self._held = patiently(self._entered)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, *error: object) -> None:
        try:
            with contextlib.suppress(*STORAGE_ERRORS):  # a lost session has released its lock
                self._held.__exit__(None, None, None)
        finally:
            self._threads.release()

    def _entered(self) -> AbstractContextManager[object]:
        held = self._hold()
        held.__enter__()
        return held

    def _hold(self) -> AbstractContextManager[object]:
        if self._file is not None:
            return FileLock(self._file, poll_interval=_POLL_SECONDS)
        if self._server is not None:
            return _server_held(self._server, self._key)
        return contextlib.nullcontext()


@contextlib.contextmanager
def _server_held(engine: sa.Engine, key: str) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
    with engine.connect() as connection:  # the lock belongs to the session and ends with it
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_lock(number)))
        else:
            connection.execute(sa.select(sa.func.get_lock(f"{number}", -1)))
        yield
