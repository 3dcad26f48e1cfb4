"""Engine of a store: opening, migrations and transactions."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    StaticPool,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import NoSuchModuleError

from automl_meta._utils.databases import database_file
from automl_meta.exceptions import (
    MissingDependencyError,
    StoreError,
    StoreVersionError,
    UsageError,
)
from automl_meta.store.failures import (
    USE_ANOTHER,
    no_store,
    patiently,
    translated,
)
from automl_meta.store.location import is_memory, is_protected, shown_store
from automl_meta.store.migrations import REVISIONS, current_revision, upgrade
from automl_meta.store.models import metadata

__all__ = ["make_engine", "writing"]

_LOCK_SECONDS = 0.5  # one wait within SQLite, during which Python cannot react to Ctrl-C
_MIGRATION_LOCK = 0x6D657461  # an advisory lock that other programs are unlikely to use


def make_engine(url: URL, *, create: bool = True) -> Engine:
    """Open a database: create a missing one, migrate one with an older schema.

    A read-only file is opened for reading.

    Parameters
    ----------
    url : URL
        Location.
    create : bool
        Whether to create a missing database.

    Returns
    -------
    Engine
        Connects to a database with the current schema.

    Raises
    ------
    StoreError
        If the database cannot be opened, belongs to another program, or does not exist and
        `create` is false.
    StoreVersionError
        If it was created by a newer version of automl_meta.
    UsageError
        If the kind of database is unknown.
    MissingDependencyError
        If the database driver is not installed.
    """
    path = database_file(url)
    if path is not None and not create and not path.exists():
        raise no_store(url)
    opener = None if path is None else _Opener(path)
    with translated(url):
        engine = _connectable(url, opener)
        if opener is None:
            _bring_up_to_date(engine, opener, create)
    if opener is not None:
        patiently(url, lambda: _bring_up_to_date(engine, opener, create))
        opener.exists = True
    return engine


def writing(engine: Engine) -> Engine:
    """Mark the transactions of an engine as write transactions."""
    if engine.dialect.name == "postgresql":
        # A transaction that waited for the lock must see what the previous one wrote.
        return engine.execution_options(automl_meta_writes=True, isolation_level="READ COMMITTED")
    return engine.execution_options(automl_meta_writes=True)


def _connectable(url: URL, opener: _Opener | None) -> Engine:
    try:
        # Without a pool, each transaction has a connection of its own: forked processes never share
        # one with their parent, and none becomes stale.
        if url.get_backend_name() != "sqlite":
            return _server_engine(url)
        if opener is None:
            engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        else:
            opener.path.parent.mkdir(parents=True, exist_ok=True)
            wait = {"timeout": _LOCK_SECONDS}
            engine = create_engine(url, poolclass=NullPool, connect_args=wait)
            event.listen(engine, "do_connect", opener)
    except NoSuchModuleError as error:
        raise UsageError(
            f"There is no kind of database called {url.drivername!r}. Pass a file, or a URL that starts "
            "with sqlite:// or postgresql+psycopg://."
        ) from error
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"A store at {url.drivername}:// requires the package {error.name}: pip install {error.name}"
        ) from error
    except OSError as error:
        raise StoreError(
            f"The folder of the store {url.database} cannot be created: {error.strerror}. {USE_ANOTHER}"
        ) from error
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


class _Opener:
    """Opens an existing file for SQLAlchemy: never recreates it, and opens a protected file read-only.

    An existing write-ahead log is read too. Without one, SQLite would create one, so the file is
    declared immutable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.exists = False

    def __call__(
        self, dialect: object, record: object, arguments: list[Any], options: dict[str, Any]
    ) -> sqlite3.Connection | None:
        if options.get("uri") or not (self.exists or is_protected(self.path)):
            return None  # SQLAlchemy's own way
        mode = "rw"
        if is_protected(self.path):
            log = Path(f"{self.path}-wal")
            mode = "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
        return sqlite3.connect(f"file:{quote(os.fsencode(self.path))}?mode={mode}", uri=True, **options)


def _server_engine(url: URL) -> Engine:
    if url.get_backend_name() != "postgresql":
        return create_engine(url, poolclass=NullPool)
    wait = (
        {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    )  # seconds; the default is no limit
    # A reader sees one snapshot, however many tables it reads.
    return create_engine(url, poolclass=NullPool, connect_args=wait, isolation_level="REPEATABLE READ")


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions begin in _begin
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")  # KiB: the shipped experience in one go
    # With a write-ahead log, a power failure loses at most the last writes, never the store.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    # In SQLite, a transaction that reads first and writes later cannot wait for another writer, since
    # its snapshot would be outdated. So write transactions take the lock at their beginning.
    is_writing = connection.get_execution_options().get("automl_meta_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _bring_up_to_date(engine: Engine, opener: _Opener | None, create: bool) -> None:
    with engine.begin() as connection:
        current = current_revision(connection)
        if current == REVISIONS[-1]:
            return
        if current is None and not create and not is_memory(engine.url):
            _check_ownership(connection)
            raise no_store(engine.url)
    if opener is not None:
        if is_protected(opener.path):
            raise StoreError(
                f"The store {shown_store(engine.url)} has schema {current} and cannot be migrated to "
                f"{REVISIONS[-1]}, since it or its folder is read-only. Copy it to a writable folder."
            )
        _use_write_ahead_log(engine)
    with writing(engine).begin() as connection:  # takes the lock of SQLite
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        current = current_revision(connection)
        if current is None:
            _check_ownership(connection)
        elif current not in REVISIONS:
            raise StoreVersionError(
                f"The store {shown_store(engine.url)} has schema {current}; this version of automl_meta supports "
                f"{REVISIONS[-1]} and older. Update automl_meta. {USE_ANOTHER}"
            )
        if current != REVISIONS[-1]:
            upgrade(connection)


def _use_write_ahead_log(engine: Engine) -> None:
    """Allow reading while another process writes. The setting is stored in the file."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is not None:
            # Where this is impossible, as on some network drives, SQLite keeps its default journal.
            driver.execute("PRAGMA journal_mode = WAL")


def _check_ownership(connection: Connection) -> None:
    tables = set(inspect(connection).get_table_names())
    if connection.dialect.name != "sqlite":
        tables &= set(metadata.tables)  # a database on a server may contain other tables
    if tables:
        raise StoreError(
            f"{shown_store(connection.engine.url)} is not a store of automl_meta; it contains tables of another "
            f"program ({', '.join(sorted(tables)[:5])}). {USE_ANOTHER}"
        )
