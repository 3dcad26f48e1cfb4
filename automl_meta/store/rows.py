"""Reading and inserting of many rows by the database driver's own means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, Select, Table, select

__all__ = ["as_columns", "bulk_insert", "columns_of", "known", "looked_up", "numbers", "placeholder"]

_MAX_VARIABLES = 500  # of a statement, below the limit of every database


def placeholder(connection: Connection) -> str:
    """Return the driver's placeholder of a positional value."""
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def bulk_insert(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert tuples by the driver's ``executemany``, five times as fast as SQLAlchemy with dicts."""
    rows = rows if isinstance(rows, list) else list(rows)
    if not rows:
        return
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in columns)
    values = ", ".join([placeholder(connection)] * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {quote(table.name)} ({names}) VALUES ({values})", rows)


def known(connection: Connection, column: Column[Any], values: Collection[str]) -> set[str]:
    """Return those of the values that a column contains."""
    return {row[0] for row in looked_up(connection, column, values)}


def looked_up(
    connection: Connection, key: Column[Any], values: Collection[str], *columns: Column[Any]
) -> Iterator[Any]:
    """Yield the rows whose key is among the values: the key and the other columns."""
    wanted = sorted(set(values))
    if len(wanted) > 10 * _MAX_VARIABLES:  # reading the whole table is faster
        chosen = set(wanted)
        yield from (row for row in connection.execute(select(key, *columns)) if row[0] in chosen)
        return
    for start in range(0, len(wanted), _MAX_VARIABLES):
        chunk = wanted[start : start + _MAX_VARIABLES]
        yield from connection.execute(select(key, *columns).where(key.in_(chunk)))


def columns_of(connection: Connection, query: Select[Any], n_columns: int) -> NDArray[Any]:
    """Read the columns of a result, of shape (n_columns, n_rows), object.

    Rows come directly from the driver, as one array: with an object for each row, garbage collection
    would take longer than the query.
    """
    with connection.execute(query) as result:
        rows = result.cursor.fetchall()
    return as_columns(rows, n_columns)


def as_columns(rows: Sequence[Any], n_columns: int) -> NDArray[Any]:
    """Transpose rows to columns, of shape (n_columns, n_rows), object."""
    return np.array(rows, dtype=object).reshape(len(rows), n_columns).T


def numbers(values: Sequence[Any] | NDArray[Any]) -> NDArray[np.float64]:
    """Convert a column to numbers; None, and other values of a damaged store, become NaN."""
    column = np.asarray(values, dtype=object)
    try:
        return column.astype(np.float64)
    except (OverflowError, TypeError, ValueError):
        return np.array([float(value) if isinstance(value, float) else np.nan for value in column])
