"""Where a store lies, how it is opened safely, and what to do when that fails."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
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
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError

from automl_meta._utils.databases import database_file, parse_url, shown_url, without_secrets
from automl_meta.exceptions import (
    AutomlMetaWarning,
    MissingDependencyError,
    StoreError,
    StoreVersionError,
    UsageError,
)
from automl_meta.store.migrations import REVISIONS, current_revision, upgrade
from automl_meta.store.models import metadata

__all__ = [
    "STORE_VARIABLE",
    "default_store_path",
    "is_memory",
    "is_read_only",
    "make_engine",
    "patiently",
    "resolve_url",
    "shown_store",
    "translated",
    "writing",
]

T = TypeVar("T")

STORE_VARIABLE = "AUTOML_META_STORE"
"""Environment variable: the store to use where none is named."""

BUSY_SECONDS = 30.0
"""How long a store that is locked or does not answer is waited for."""

NOTICE_SECONDS = 5.0
"""How long a store is locked before the user is told."""

_MIGRATION_LOCK = 0x6D657461  # any number that others are unlikely to use as their advisory lock


def default_store_path() -> Path:
    """Find the store in the user's data folder, used unless another is named.

    Examples
    --------
    >>> default_store_path().name
    'store.db'
    """
    from platformdirs import user_data_path

    return user_data_path("automl_meta", appauthor=False) / "store.db"


def resolve_url(url: str | Path | URL | None) -> URL:
    """Turn what a user names into an SQLAlchemy URL.

    Parameters
    ----------
    url : str, Path, URL or None
        A URL, a path of an SQLite file, or None for the environment variable `STORE_VARIABLE`
        or else `default_store_path`.

    Raises
    ------
    UsageError
        If it looks like a URL and is none.

    Examples
    --------
    >>> str(resolve_url("sqlite://"))
    'sqlite://'
    >>> resolve_url("mine.db").drivername
    'sqlite'
    """
    if url is None:
        url = os.environ.get(STORE_VARIABLE) or default_store_path()
    if isinstance(url, URL):
        return url
    if isinstance(url, str) and "://" in url:
        return parse_url(url)
    return URL.create("sqlite", database=str(Path(url).expanduser().absolute()))


def is_memory(url: URL) -> bool:
    """Tell whether a store lives in this process only."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def make_engine(url: URL, *, create: bool = True) -> Engine:
    """Open a database: make it if it is new, migrate it if it is old.

    One that cannot be written to is opened for reading.

    Parameters
    ----------
    url : URL
        Where it is.
    create : bool
        Whether one that is not there is made.

    Raises
    ------
    StoreError
        If it cannot be opened, or is not a store; if it is not there and is not to be made.
    StoreVersionError
        If a newer automl_meta made it.
    UsageError
        If no such kind of database is known.
    MissingDependencyError
        If its driver is not installed.
    """
    path = database_file(url)
    if path is not None and not create and not path.exists():
        raise _no_store(url)
    opener = None if path is None else _Opener(path)
    with translated(url):
        engine = _connectable(url, opener)
        _bring_up_to_date(engine, opener, create)
    if opener is not None:
        opener.is_there = True
    return engine


def is_read_only(url: URL) -> bool:
    """Tell whether a store is a file that is there and that this process cannot write to."""
    path = database_file(url)
    return path is not None and _is_protected(path)


def writing(engine: Engine) -> Engine:
    """Announce the transactions of an engine as writing ones."""
    if engine.dialect.name == "postgresql":
        # Whoever has waited for the lock must see what the one before wrote.
        return engine.execution_options(automl_meta_writes=True, isolation_level="READ COMMITTED")
    return engine.execution_options(automl_meta_writes=True)


def _connectable(url: URL, opener: _Opener | None) -> Engine:
    try:
        # Without a pool, a forked process never shares a connection with its parent, and none is
        # ever stale: each transaction has one of its own.
        if url.get_backend_name() != "sqlite":
            return _server_engine(url)
        if opener is None:
            engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        else:
            opener.path.parent.mkdir(parents=True, exist_ok=True)
            wait = {"timeout": min(BUSY_SECONDS, NOTICE_SECONDS)}
            engine = create_engine(url, poolclass=NullPool, connect_args=wait)
            event.listen(engine, "do_connect", opener)
    except NoSuchModuleError as error:
        raise UsageError(
            f"There is no database of the kind {url.drivername!r}. Give a file, or a URL that begins "
            "with sqlite:// or postgresql+psycopg://."
        ) from error
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"A store at {url.drivername}:// needs the package {error.name}: pip install {error.name}"
        ) from error
    except OSError as error:
        raise StoreError(
            f"The folder of the store {url.database} cannot be made: {error.strerror}. {_ELSEWHERE}"
        ) from error
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


class _Opener:
    """How SQLAlchemy opens a file, once it is there: never made anew, and only read if it cannot be written.

    A write-ahead log that others have left or are at work on is read along. Without one, SQLite
    would make one, so it is told that nobody writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_there = False

    def __call__(
        self, dialect: object, record: object, arguments: list[Any], options: dict[str, Any]
    ) -> sqlite3.Connection | None:
        if options.get("uri") or not (self.is_there or _is_protected(self.path)):
            return None  # as SQLAlchemy would
        how = "rw"
        if _is_protected(self.path):
            log = Path(f"{self.path}-wal")
            how = "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
        return sqlite3.connect(f"file:{quote(os.fsencode(self.path))}?mode={how}", uri=True, **options)


def _is_protected(path: Path) -> bool:
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _server_engine(url: URL) -> Engine:
    if url.get_backend_name() != "postgresql":
        return create_engine(url, poolclass=NullPool)
    wait = (
        {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    )  # seconds; else it may be for ever
    # A reader sees one moment, however many tables it reads.
    return create_engine(url, poolclass=NullPool, connect_args=wait, isolation_level="REPEATABLE READ")


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # this module begins transactions itself, see _begin
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")  # KiB: the shipped experience in one go
    # With a write-ahead log this loses at most the last writes when the power fails, never the store.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another writer: SQLite would
    # have to show it two different pasts. So writers say what they are.
    is_writing = connection.get_execution_options().get("automl_meta_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _bring_up_to_date(engine: Engine, opener: _Opener | None, create: bool) -> None:
    with engine.begin() as connection:
        current = current_revision(connection)
        if current == REVISIONS[-1]:
            return
        if current is None and not create and not is_memory(engine.url):
            _check_nobody_elses(connection)
            raise _no_store(engine.url)
    if opener is not None:
        if _is_protected(opener.path):
            raise StoreError(
                f"The store {shown_store(engine.url)} has schema {current}, and it or its folder is read-only, so "
                f"it cannot be brought up to {REVISIONS[-1]}. Copy it to where it can be written."
            )
        _use_write_ahead_log(engine)
    with writing(engine).begin() as connection:  # on SQLite this is the lock
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        current = current_revision(connection)
        if current is None:
            _check_nobody_elses(connection)
        elif current not in REVISIONS:
            raise StoreVersionError(
                f"The store {shown_store(engine.url)} has schema {current}; this version of automl_meta knows "
                f"{REVISIONS[-1]} and older. Update automl_meta, or name another "
                f"store (--store, or the environment variable {STORE_VARIABLE})."
            )
        if current != REVISIONS[-1]:
            upgrade(connection)


def _use_write_ahead_log(engine: Engine) -> None:
    """Let readers go on while somebody writes. The file remembers it, so once is enough."""
    deadline = time.monotonic() + BUSY_SECONDS
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        while driver is not None:
            try:
                # Where that is not possible, as on some network drives, SQLite keeps its other journal.
                driver.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # The switch does not wait for other processes that open the store at this moment.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def _check_nobody_elses(connection: Connection) -> None:
    tables = set(inspect(connection).get_table_names())
    if connection.dialect.name != "sqlite":
        tables &= set(metadata.tables)  # a server's database may be shared, under other names
    if tables:
        raise StoreError(
            f"{shown_store(connection.engine.url)} holds no store of automl_meta but tables of another program "
            f"({', '.join(sorted(tables)[:5])}). {_ELSEWHERE}"
        )


_ELSEWHERE = f"Name another store (--store, or the environment variable {STORE_VARIABLE})."


@contextlib.contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn a database's errors into one `StoreError` that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(_explained(url, error.orig or error)) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:  # names in a damaged file are no UTF-8
        raise StoreError(_explained(url, error)) from error


def patiently(url: URL, transaction: Callable[[], T]) -> T:
    """Do a whole transaction, again and again for a while if the store is locked or does not answer.

    Raises
    ------
    StoreError
        If it fails otherwise, or to the end.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    for attempt in itertools.count():
        try:
            with translated(url):
                return transaction()
        except StoreError as error:
            left = deadline - time.monotonic()
            if left <= 0 or not _may_pass(url, error.__cause__):
                raise
            if attempt == 0:
                warnings.warn(
                    f"The store {shown_store(url)} is locked or does not answer; trying again for {left:.0f} seconds.",
                    AutomlMetaWarning,
                    stacklevel=2,
                )
            time.sleep(min(left, 0.25 * 2 ** min(attempt, 3)))
    raise AssertionError


def _may_pass(url: URL, error: BaseException | None) -> bool:
    """Tell whether an error is likely to be gone soon."""
    if not isinstance(error, OperationalError):
        return False
    if url.get_backend_name() == "sqlite":
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    return True  # the server stops, starts, or cannot be reached


def shown_store(url: URL) -> str:
    """Show where a store is, as people call it."""
    return (url.database or "in memory") if url.get_backend_name() == "sqlite" else shown_url(url)


def _no_store(url: URL) -> StoreError:
    return StoreError(
        f"There is no store at {shown_store(url)}. Is the name right? `automl-meta collect`, `tune` and "
        "`store import` make one that is not there."
    )


def _explained(url: URL, error: BaseException) -> str:
    detail = without_secrets(" ".join(str(error).split()) or type(error).__name__, url)
    where = shown_store(url)
    if url.get_backend_name() != "sqlite":
        return (
            f"The store {where} cannot be used: {detail}. Check that the server runs and that host, "
            "database, user and password are right."
        )
    if "not a database" in detail or "malformed" in detail or isinstance(error, UnicodeDecodeError):
        return (
            f"{where} is damaged or not a store of automl_meta ({detail}). Move it aside "
            f"(mv {shlex.quote(where)} {shlex.quote(where + '.damaged')}), and the next use makes a new one; runs that were made "
            "here and not exported stay in the file that was moved."
        )
    if "unable to open" in detail:
        hint = "It is a folder." if Path(where).is_dir() else "Is its folder readable and writable?"
        return f"The store {where} cannot be opened ({detail}). {hint} {_ELSEWHERE}"
    if "readonly" in detail or "read-only" in detail:
        return f"The store {where} cannot be written: the file or its folder is read-only. {_ELSEWHERE}"
    if "full" in detail:
        return f"The store {where} cannot be written: the disk is full. Make room; what it holds is safe."
    if "locked" in detail or "busy" in detail:
        return (
            f"The store {where} has been locked by another process for {BUSY_SECONDS:.0f} seconds. "
            "Try again when that one is done."
        )
    return f"The store {where} cannot be used: {detail}."
