"""Column kinds: decided once, when a task is made, and used by everyone after."""

from __future__ import annotations

import re
import warnings
from typing import Literal

import numpy as np
import pandas as pd

from automl_meta.exceptions import DataError

__all__ = ["ColumnKind", "canonical_column", "conform_column"]

ColumnKind = Literal["numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant"]

_BOOLEAN_WORDS = frozenset({"true", "false", "yes", "no", "t", "f", "y", "n"})
# Dates as ISO 8601 or with slashes or dots; numbers alone are never taken for dates.
_DATE = re.compile(
    r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*$"
)
_SAMPLE = 1000  # strings looked at where looking at all would be slow


def canonical_column(column: pd.Series) -> tuple[pd.Series, ColumnKind, str | None]:
    """Bring a column into the one form of its kind.

    Parameters
    ----------
    column : Series
        Any dtype; left unchanged.

    Returns
    -------
    column : Series
        float64 for numeric columns (infinities become missing), datetime64 without time zone for
        datetime, object columns of `str` with NaN for missing for all other kinds.
    kind : ColumnKind
        ``"constant"`` is one value in every row, or none in any; ``"identifier"`` names a row, so nothing can
        be learnt from it.
    note : str or None
        What was changed, in words, if the user should know.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        # What somebody declared to be categories stays so, also when they are numbers.
        return _strings_as_kind(_as_strings(column.astype(object)), declared=True)
    if pd.api.types.is_bool_dtype(column.dtype):
        return _strings_as_kind(_as_strings(column.astype(object)))
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _numeric(column)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _datetime(column)
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return _numeric(column.dt.total_seconds())
    return _objects(column.astype(object))


def conform_column(column: pd.Series, kind: ColumnKind) -> pd.Series:
    """Bring a column of new rows into the form of the kind that was decided before.

    Parameters
    ----------
    column : Series
        Any dtype; left unchanged.
    kind : ColumnKind
        Of the column that was learnt from.

    Returns
    -------
    Series
        As from `canonical_column`.

    Raises
    ------
    DataError
        If the kind is numeric or datetime and a value is neither missing nor one.
    """
    if kind in ("constant", "identifier"):
        return column  # nothing was learnt from it
    if kind == "datetime":
        moments = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
        _refuse(column, column.notna() & moments.isna() & (column.astype(str).str.strip() != ""), "a date")
        return moments.dt.tz_localize(None)
    if kind == "numeric":
        if pd.api.types.is_timedelta64_dtype(column.dtype):
            column = column.dt.total_seconds()
        numbers = pd.to_numeric(column, errors="coerce")
        _refuse(column, column.notna() & numbers.isna() & (column.astype(str).str.strip() != ""), "a number")
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        values[np.isinf(values)] = np.nan
        return pd.Series(values, index=column.index, name=column.name)
    return _as_strings(column.astype(object))


def _refuse(column: pd.Series, wrong: pd.Series, wanted: str) -> None:
    if wrong.any():
        raise DataError(
            f"Column {str(column.name)!r} holds {str(column[wrong].iloc[0])!r}, which is not {wanted}; "
            "the model learnt from a column that holds nothing else. Mend these values or leave them empty."
        )


def _numeric(column: pd.Series) -> tuple[pd.Series, ColumnKind, str | None]:
    if pd.api.types.is_complex_dtype(column.dtype):
        return _strings_as_kind(_as_strings(column.astype(object)))
    values = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    infinite = np.isinf(values)
    note = None
    if infinite.any():
        values[infinite] = np.nan
        note = f"{int(infinite.sum())} infinite values were taken as missing"
    numbers = pd.Series(values, index=column.index, name=column.name)
    present = values[~np.isnan(values)]
    if len(present) == 0 or (len(present) == len(values) and present.min() == present.max()):
        return numbers, "constant", note
    if _is_row_number(values):
        return numbers, "identifier", "it counts the rows, so it was left out"
    return numbers, "numeric", note


def _is_row_number(values: np.ndarray) -> bool:
    """0, 1, 2, … or 1, 2, 3, … in any row order, under 10 rows nothing is sure."""
    n = len(values)
    if n < 10 or np.isnan(values).any() or values.min() not in (0.0, 1.0):
        return False
    if values.max() - values.min() != n - 1:
        return False
    return bool(np.array_equal(np.sort(values), np.arange(n) + values.min()))


def _datetime(column: pd.Series) -> tuple[pd.Series, ColumnKind, str | None]:
    moments = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    kind: ColumnKind = "datetime" if moments.nunique(dropna=False) > 1 else "constant"
    return moments, kind, None


def _objects(column: pd.Series) -> tuple[pd.Series, ColumnKind, str | None]:
    present = column[column.notna()]
    if len(present) == 0:
        return column.astype(float), "constant", None
    is_string = present.map(lambda value: isinstance(value, str))
    if not is_string.all():
        numbers = present.map(
            lambda value: isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        )
        if numbers.all():
            return _numeric(pd.to_numeric(column, errors="coerce"))
        if not present.map(lambda value: isinstance(value, (bool, np.bool_))).all():
            moments = pd.to_datetime(present, errors="coerce", utc=True) if _all_dates(present) else None
            if moments is not None and moments.notna().all():
                return _datetime(moments.reindex(column.index))
            result, kind, _ = _strings_as_kind(_as_strings(column))
            return result, kind, "it mixes types, so its values were taken as text"
    strings = _as_strings(column)
    moments = _parse_dates(strings)
    if moments is not None:
        return _datetime(moments)
    return _strings_as_kind(strings)


def _all_dates(present: pd.Series) -> bool:
    import datetime

    return bool(present.map(lambda value: isinstance(value, (datetime.date, np.datetime64))).all())


def _as_strings(column: pd.Series) -> pd.Series:
    missing = column.isna()
    strings = column.map(str).astype(object)
    stripped = strings.str.strip()
    return stripped.mask(missing | (stripped == ""), np.nan)


def _parse_dates(strings: pd.Series) -> pd.Series | None:
    present = strings.dropna()
    if len(present) == 0 or not present.iloc[:_SAMPLE].map(lambda value: bool(_DATE.match(value))).all():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas says that it guesses the format
        moments = pd.to_datetime(strings, errors="coerce", utc=True, format="mixed")
    if moments.notna().sum() < len(present):
        return None
    return moments


def _strings_as_kind(strings: pd.Series, declared: bool = False) -> tuple[pd.Series, ColumnKind, str | None]:
    present = strings.dropna()
    n_present, n_distinct = len(present), present.nunique()
    if n_distinct == 0 or (n_distinct == 1 and n_present == len(strings)):
        return strings, "constant", None
    if n_distinct <= 2 and set(present.str.lower().unique()) <= _BOOLEAN_WORDS:
        return strings, "boolean", None
    if declared:
        return strings, "categorical", None
    sample = present.iloc[:_SAMPLE]
    if n_present >= 20 and n_distinct > 0.5 * n_present and sample.str.count(r"\s").mean() >= 3:
        return strings, "text", None
    if n_present >= 20 and n_distinct == n_present == len(strings):
        return strings, "identifier", "every row has another value, so it was left out"
    return strings, "categorical", None
