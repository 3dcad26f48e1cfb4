"""Inference of the kind and format of each column from all rows of a table."""

from __future__ import annotations

import datetime
import decimal as decimals
import numbers
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from automl_meta.exceptions import UsageError
from automl_meta.task.columns import Column, ColumnKind
from automl_meta.task.dates import read_dates, to_dates
from automl_meta.task.kinds import (
    INDEX_NAMES,
    Inferred,
    date_column,
    large_numbers,
    level_column,
    merges_numbers,
    noted,
    numeric_column,
)
from automl_meta.task.levels import level_texts
from automl_meta.task.numbers import Decimal, read_numbers
from automl_meta.task.options import Hints, ReadingOptions
from automl_meta.task.texts import infer_texts, plain_if_numbers, read_as_dates, read_as_numbers
from automl_meta.task.values import finite, hashable, listed, present_texts, usual_dtype, without_zone

__all__ = ["AS_REQUESTED", "TextNumbers", "decimal_mark", "infer_columns", "infer_numbers"]


AS_REQUESTED = "as requested"  # why a column is dropped that the user declared an identifier


class TextNumbers(NamedTuple):
    """Text parsed as numbers, the decimal mark if it is certain, and whether it is ambiguous."""

    values: pd.Series
    column: Column
    mark: Decimal | None
    is_ambiguous: bool


def infer_columns(
    frame: pd.DataFrame, options: ReadingOptions, mark: Decimal | None = None
) -> tuple[pd.DataFrame, dict[str, Column]]:
    """Infer the kind and format of each column, and convert the columns accordingly.

    Parameters
    ----------
    frame : DataFrame
        Table with column names of type `str`; not modified.
    options : ReadingOptions
        User-specified formats and kinds.
    mark : {".", ","}, optional
        Decimal mark of the target, if it is certain.

    Returns
    -------
    values : DataFrame
        float64 for numeric columns (infinities become missing), datetime64 without time zone for datetime columns,
        `str` objects with NaN for missing values for all other kinds.
    columns : dict of str to Column
        Description of each column.

    Raises
    ------
    UsageError
        If the options refer to an unknown column.
    """
    if unknown := [name for name in options.kinds if name not in frame.columns]:
        raise UsageError(
            f"There is no feature {listed(unknown)}; the features are {listed(list(frame.columns))}."
        )
    hints = Hints(options.decimal)
    inferred = {
        str(name): _plain_column(column, options) or _infer(column, str(name), options, hints)
        for name, column in frame.items()
    }
    if any(found.is_ambiguous for found in inferred.values()):
        marks = {mark, *(found.decimal for found in inferred.values())} - {None}
        orders = {found.day_first for found in inferred.values()} - {None}
        hints = Hints(
            options.decimal or (marks.pop() if len(marks) == 1 else None),
            orders.pop() if len(orders) == 1 else None,
        )
        inferred |= {
            name: _infer(frame[name], name, options, hints)
            for name, found in inferred.items()
            if found.is_ambiguous
        }
    values = pd.DataFrame({name: found.values for name, found in inferred.items()}, index=frame.index)
    columns = {name: found.column for name, found in inferred.items()}
    missing = values.isna().mean()
    for name in missing.index[missing > 0.5]:
        columns[name] = replace(columns[name], mostly_missing=True)
    return values, columns


def decimal_mark(frame: pd.DataFrame, options: ReadingOptions) -> Decimal | None:
    """Return the decimal mark of the unambiguous columns of a table; None if they disagree."""
    marks = {_infer(frame[name], name, options, Hints()).decimal for name in frame.columns} - {None}
    return marks.pop() if len(marks) == 1 else None


def infer_numbers(texts: pd.Series, options: ReadingOptions) -> TextNumbers | None:
    """Parse text as numbers in the same way as a feature column; None if it is of another kind."""
    found = infer_texts(texts, options, Hints(options.decimal))
    if (
        not isinstance(found.values, pd.Series)
        or found.values.dtype != np.float64
        or found.column.is_duration
        or found.values.isna().all()
    ):
        return None
    return TextNumbers(found.values, found.column, found.decimal, found.is_ambiguous)


def _plain_column(column: pd.Series, options: ReadingOptions) -> Inferred | None:
    """Fast path for a column of plain numbers without notes; None if the column is not one.

    Equivalent to `_infer`, but many times faster, for tables with tens of thousands of columns.
    """
    name = str(column.name)
    if name in options.kinds or name in INDEX_NAMES or options.decimal == ",":
        return None
    mark: Decimal | None = None
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
        values = column.to_numpy(dtype=np.float64, copy=True)
    elif options.is_file and isinstance(column.dtype, pd.StringDtype):
        texts = column.to_numpy(dtype=object, na_value="")
        try:
            values = np.asarray(pd.to_numeric(texts)).astype(np.float64)
        except (ValueError, TypeError):
            return None
        lines = "\n".join(["", *texts, ""])  # searching one string is much faster than many
        is_padded = re.search(r"\n0\d", lines) is not None
        has_zeros = "0\n" in lines and re.search(r"\.\d+0\n", lines) is not None
        has_points = "." in lines
        if is_padded or has_zeros or (has_points and re.search(r"\.(?!\d{3}\n)", lines) is None):
            return None  # codes, or points that separate thousands
        mark = "." if has_points else None
    else:
        return None
    low, high = (
        (float(bound) for bound in (np.fmin.reduce(values), np.fmax.reduce(values)))
        if len(values)
        else (0, 0)
    )
    is_count = low in (0.0, 1.0) and high - low == len(values) - 1
    may_be_dates = high >= 19000101 and low <= 21001231 and high < 1e9
    if (
        not (np.isfinite(low) and np.isfinite(high) and low < high)
        or is_count
        or may_be_dates
        or abs(high) >= 2**53
    ):
        return None
    if abs(low) >= 2**53:
        return None
    return Inferred(values, Column("numeric", range=(low, high)), mark)


def _infer(column: pd.Series, name: str, options: ReadingOptions, hints: Hints) -> Inferred:
    column = usual_dtype(column)
    kind = options.kinds.get(name)
    if kind is not None:
        return Inferred(*_forced(column, kind, options, hints))
    if isinstance(column.dtype, pd.CategoricalDtype):
        # Declared categories stay categorical, even if they are numbers.
        return Inferred(*level_column(column.astype(object), declared=True))
    if pd.api.types.is_bool_dtype(column.dtype):
        return Inferred(*level_column(column.astype(object)))
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments, about = date_column(without_zone(column))
        return Inferred(moments, replace(about, has_zone=column.dt.tz is not None))
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return Inferred(*numeric_column(column.dt.total_seconds(), Column("numeric", is_duration=True)))
    if pd.api.types.is_numeric_dtype(column.dtype):
        if pd.api.types.is_complex_dtype(column.dtype):
            return Inferred(*level_column(column.astype(object)))
        if pd.api.types.is_integer_dtype(column.dtype) and merges_numbers(column, finite(column)):
            return Inferred(*large_numbers(column.astype(object)))
        return Inferred(*numeric_column(column, Column("numeric")))
    return _objects(column, options, hints)


def _objects(column: pd.Series, options: ReadingOptions, hints: Hints) -> Inferred:
    """Infer a column of Python objects or text."""
    if pd.api.types.is_string_dtype(column.dtype) and column.dtype != object:
        return infer_texts(column, options, hints)
    column = hashable(column)
    present = column[column.notna()]
    types = set(present.map(type).unique())
    if not types:
        return Inferred(column.astype(float), Column("constant", dropped="it is empty"))
    if _all_of(types, str):
        return infer_texts(column, options, hints)
    if _all_of(types, bool, np.bool_):
        return Inferred(*level_column(column))
    if _all_of(types, numbers.Real, decimals.Decimal) and not types & {bool, np.bool_}:
        values = column.where(column.notna(), np.nan).map(float, na_action="ignore").astype(float)
        if merges_numbers(column, values):
            return Inferred(*large_numbers(column))
        return Inferred(*numeric_column(values, Column("numeric")))
    if _all_of(types, datetime.date, np.datetime64):
        moments, about = date_column(without_zone(pd.to_datetime(column, utc=True)))
        return Inferred(
            moments, replace(about, has_zone=getattr(present.iloc[0], "tzinfo", None) is not None)
        )
    if _all_of(types, pd.Period):
        return Inferred(*date_column(column.map(lambda period: period.to_timestamp(), na_action="ignore")))
    if _all_of(types, datetime.timedelta, np.timedelta64):
        seconds = pd.to_timedelta(column).dt.total_seconds()
        return Inferred(*numeric_column(seconds, Column("numeric", is_duration=True)))
    if _all_of(types, datetime.time):
        return infer_texts(column.map(str, na_action="ignore"), options, hints)
    found = infer_texts(level_texts(column), options, hints)
    return found._replace(
        column=noted(found.column, "it contains mixed types, so its values were treated as text")
    )


def _all_of(types: Iterable[type], *wanted: type) -> bool:
    return all(issubclass(kind, wanted) for kind in types)


def _forced(
    column: pd.Series, kind: ColumnKind, options: ReadingOptions, hints: Hints
) -> tuple[pd.Series, Column]:
    """Convert a column to the kind specified by the user."""
    if kind == "identifier":
        return column, Column("identifier", dropped=AS_REQUESTED)
    if kind in ("categorical", "boolean", "text"):
        return level_column(column, options, kind=kind)
    if kind == "numeric" and pd.api.types.is_numeric_dtype(column.dtype):
        return finite(column), Column("numeric")
    if kind == "datetime" and pd.api.types.is_datetime64_any_dtype(column.dtype):
        return date_column(without_zone(column))
    texts = present_texts(column)
    if kind == "numeric":
        plain = plain_if_numbers(column)
        if plain is not None:
            return finite(plain), Column("numeric")
        distinct = texts.value_counts(sort=False)
        read = read_numbers(
            distinct.index.to_numpy(dtype=object), distinct.to_numpy(), hints.decimal, force=True
        )
        if read is not None:
            return read_as_numbers(column, texts, read.format, read.n_bounds)
        raise UsageError(f"Column {str(column.name)!r} cannot be numeric: it contains no number.")
    moments, date_format = None, options.date_format
    if date_format is not None:
        moments = to_dates(texts, date_format)
    elif (found := read_dates(texts, day_first=hints.day_first, force=True)) is not None:
        moments, date_format = to_dates(texts, found.format), found.format
    if moments is None or date_format is None or moments.isna().all():
        raise UsageError(
            f"Column {str(column.name)!r} cannot be datetime: it contains no date that can be parsed."
        )
    return read_as_dates(column, texts, moments, date_format, "")
