"""Database: the transactions of a store."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine

from automl_meta._utils.databases import shown_url
from automl_meta.exceptions import StoreError
from automl_meta.store.engine import make_engine, writing
from automl_meta.store.failures import patiently
from automl_meta.store.inserts import begin_write
from automl_meta.store.location import is_memory

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """Database of a store, accessed in short transactions that are retried while it is locked or unreachable.

    Parameters
    ----------
    url : URL
        Location.
    create : bool
        Whether to create a missing database.

    Raises
    ------
    StoreError
        If it cannot be opened, or does not exist and `create` is false.
    """

    def __init__(self, url: URL, *, create: bool) -> None:
        self.url = url
        self._engine = make_engine(url, create=create)
        self._is_closed = False
        # A store in memory has a single connection, which threads use in turn.
        self._turn = threading.RLock() if is_memory(url) else contextlib.nullcontext()

    @property
    def path(self) -> Path | None:
        """The SQLite file; None for a store in memory or on a server."""
        is_file = self.url.get_backend_name() == "sqlite" and not is_memory(self.url)
        return Path(str(self.url.database)) if is_file else None

    def read(self, work: Callable[[Connection], T]) -> T:
        """Call a function within a read-only transaction."""
        return self._transact(self._engine, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Call a function within a transaction that excludes other writers.

        The function may be called again after a failure of the connection, so it must add only what is missing.
        """

        def locked(connection: Connection) -> T:
            begin_write(connection)
            return work(connection)

        return self._transact(writing(self._engine), locked)

    def close(self) -> None:
        """Release the connections; transactions fail from now on."""
        self._is_closed = True
        self._engine.dispose()

    def _transact(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with engine.begin() as connection:
                return work(connection)

        if self._is_closed:
            raise StoreError(f"The store {shown_url(self.url)} is closed. Open it again: MetadataStore(...).")
        with self._turn:
            return patiently(self.url, transaction)
