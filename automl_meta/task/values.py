"""Conversions of column values, and formatting of notes."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.task.frames import native
from automl_meta.task.numbers import is_missing_word

__all__ = [
    "FILE_MISSING",
    "MANY_ROWS",
    "columns_option",
    "counted",
    "finite",
    "hashable",
    "have_zones",
    "joined",
    "listed",
    "plain_numbers",
    "present_texts",
    "usual_dtype",
    "without_zone",
]

MANY_ROWS = 10  # number of rows from which a pattern is not considered accidental
FILE_MISSING = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""Texts that pandas reads as missing values from files."""


def present_texts(values: pd.Series) -> pd.Series:
    """Convert values to stripped text; missing values, and words that denote them, become NaN."""
    codes, distinct = pd.factorize(hashable(values.astype(object)))
    texts = [str(value).strip() for value in distinct]
    cleaned = np.array([*(np.nan if is_missing_word(text) else text for text in texts), np.nan], dtype=object)
    return pd.Series(cleaned[codes], index=values.index, name=values.name, dtype=object)  # -1 is missing


def usual_dtype(column: pd.Series) -> pd.Series:
    """Convert sparse, Arrow and period columns to the default dtypes of pandas in native byte order."""
    if isinstance(column.dtype, pd.SparseDtype):
        return pd.Series(np.asarray(column.array), index=column.index, name=column.name)
    if isinstance(column.dtype, pd.PeriodDtype):
        return column.dt.to_timestamp()
    if isinstance(column.dtype, pd.ArrowDtype):
        dense = column.array.__arrow_array__().to_pandas(date_as_object=False)
        return pd.Series(
            dense.to_numpy() if dense.dtype == object else dense.array, column.index, name=column.name
        )
    return native(column)


def have_zones(texts: pd.Series) -> bool:
    """Whether dates given as text have a time zone."""
    first = texts.dropna().iloc[:MANY_ROWS].astype(str)
    return bool(
        len(first)
        and first.str.contains(r":\d\d.*(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)(?:\[|$)", regex=True).all()
    )


def plain_numbers(texts: pd.Series) -> pd.Series:
    """Parse plain numbers; other values become missing."""
    return finite(pd.to_numeric(texts, errors="coerce"))


def finite(values: pd.Series) -> pd.Series:
    """Convert to float64, with NaN in place of infinities."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    numbers[np.isinf(numbers)] = np.nan
    return pd.Series(numbers, index=values.index, name=values.name)


def without_zone(moments: pd.Series) -> pd.Series:
    """Convert dates to UTC and drop the time zone."""
    return moments if moments.dt.tz is None else moments.dt.tz_convert("UTC").dt.tz_localize(None)


def hashable(objects: pd.Series) -> pd.Series:
    """Convert a column with unhashable values, such as lists, to text."""
    try:
        objects.dropna().unique()
    except TypeError:
        return objects.map(str, na_action="ignore")
    return objects


def counted(n: int, noun: str = "value") -> str:
    """Format a count with its noun: 1 value, 2 values."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def columns_option(name: str, kind: str) -> str:
    """Format the command-line option that sets the kind of a column."""
    return f"--columns {shlex.quote(f'{name}:{kind}')}"


def joined(*notes: str) -> str:
    """Join notes, skipping empty ones."""
    return "; ".join(note for note in notes if note)


def listed(names: NDArray[Any] | tuple[Any, ...] | list[Any], n: int = 8) -> str:
    """Format at most `n` names, quoted."""
    return ", ".join(map(repr, names[:n])) + (", …" if len(names) > n else "")
