"""Conversion of values to the form of a column kind, with notes to the user."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.task.columns import Column, ColumnKind
from automl_meta.task.date_formats import COMPACT
from automl_meta.task.dates import compact_texts, is_compact_dates, to_dates
from automl_meta.task.levels import BOOLEAN_WORDS, case_variants, colliding_levels, level_texts
from automl_meta.task.numbers import Decimal
from automl_meta.task.options import ReadingOptions
from automl_meta.task.values import FILE_MISSING, counted, finite, hashable, listed

__all__ = [
    "INDEX_NAMES",
    "Inferred",
    "date_column",
    "large_numbers",
    "level_column",
    "merges_numbers",
    "misfits_noted",
    "noted",
    "numeric_column",
]

INDEX_NAMES = frozenset({"", "Unnamed: 0", "index"})  # names of an index that was saved as a column
_SAMPLE = 1000  # texts examined where examining all would be slow
_MANY_LEVELS = 1000  # number of levels above which they are not checked for variants


class Inferred(NamedTuple):
    """Converted column, with hints for other columns, and whether it needs hints itself."""

    values: pd.Series | NDArray[np.float64]
    column: Column
    decimal: Decimal | None = None  # the decimal mark, if it is certain
    day_first: bool | None = None
    is_ambiguous: bool = False


def numeric_column(column: pd.Series, about: Column) -> tuple[pd.Series, Column]:
    """Convert a column of numbers, which may be dates such as 20221128, a constant or a row index."""
    raw = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    infinite = np.isinf(raw)
    values = finite(column)
    if infinite.any():
        about = noted(about, f"{counted(int(infinite.sum()), 'infinite value')} treated as missing")
    present = values.to_numpy()[~np.isnan(values.to_numpy())]
    if len(present) == 0:
        return values, replace(about, kind="constant", dropped="it is empty")
    if len(present) == len(values) and present.min() == present.max():
        return values, replace(about, kind="constant", dropped="it has a single value")
    if not about.is_duration and about.number is None and is_compact_dates(present):
        texts = compact_texts(values)
        note = "its numbers were read as dates, such as 20221128"
        moments, dates = date_column(to_dates(texts, COMPACT), COMPACT, note)
        return moments, misfits_noted(dates, texts, moments, "dates")
    about = replace(about, range=(float(present.min()), float(present.max())))
    if _is_row_number(values.to_numpy(), str(column.name)):
        return values, replace(about, kind="identifier", dropped="it numbers the rows")
    return values, about


def merges_numbers(exact: pd.Series, numbers: pd.Series) -> bool:
    """Whether integers are so large that some become equal in float64."""
    if not numbers.abs().max() >= 2**53:
        return False
    return bool(exact.nunique() > numbers.nunique())


def large_numbers(column: pd.Series, options: ReadingOptions | None = None) -> tuple[pd.Series, Column]:
    """Convert integers that are not distinct in float64 to text."""
    values, about = level_column(column.map(str, na_action="ignore"), options)
    return values, noted(
        about, "its integers are too large to be represented exactly, so they were treated as text"
    )


def _is_row_number(values: np.ndarray, name: str) -> bool:
    """Whether values are 0, 1, 2, … or 1, 2, 3, … in any order, or an index saved as an unnamed column."""
    n = len(values)
    if n < 10 or np.isnan(values).any():  # too few rows to be certain
        return False
    if name in INDEX_NAMES and (np.diff(values) > 0).all() and (values == np.round(values)).all():
        return True
    if values.min() not in (0.0, 1.0) or values.max() - values.min() != n - 1:
        return False
    return bool(np.array_equal(np.sort(values), np.arange(n) + values.min()))


def date_column(moments: pd.Series, date_format: str = "", note: str = "") -> tuple[pd.Series, Column]:
    """Describe a column of dates without time zone."""
    present = moments.dropna()
    about = Column("datetime", date_format=date_format)
    if len(present):
        first, last = (float(moment.timestamp()) for moment in (present.min(), present.max()))
        about = replace(about, range=(first, last))
    if note:
        about = noted(about, note)
    if moments.nunique(dropna=False) <= 1:
        about = replace(
            about, kind="constant", dropped="it has a single value" if len(present) else "it is empty"
        )
    return moments, about


def level_column(
    column: pd.Series,
    options: ReadingOptions | None = None,
    *,
    declared: bool = False,
    kind: ColumnKind | None = None,
) -> tuple[pd.Series, Column]:
    """Convert a column to levels or texts: categorical, boolean, free text or identifier."""
    column = hashable(column.astype(object))
    if options is not None and options.is_file:
        column = column.mask(column.isin(FILE_MISSING), np.nan)
    texts = level_texts(column)
    counts = texts.value_counts()
    levels = tuple(sorted(map(str, counts.index)))
    n_present, n_distinct = int(counts.sum()), len(levels)
    if n_distinct == 0:
        return texts, Column("constant", levels=(), dropped="it is empty")
    if n_distinct == 1 and n_present == len(texts) and kind is None:
        return texts, Column("constant", levels=levels, dropped="it has a single value")
    if kind == "text" or (kind is None and not declared and _is_free_text(texts, n_present, n_distinct)):
        return texts, Column("text")
    if kind is None and not declared and n_present >= 20 and n_distinct == n_present == len(texts):
        return texts, Column("identifier", dropped="every row has a distinct value")
    is_boolean = n_distinct <= 2 and {level.lower() for level in levels} <= BOOLEAN_WORDS.keys()
    about = Column(kind or ("boolean" if is_boolean else "categorical"), levels=levels)
    return texts, _levels_noted(about, column, levels)


def _is_free_text(texts: pd.Series, n_present: int, n_distinct: int) -> bool:
    if n_present < 20 or n_distinct <= 0.5 * n_present:
        return False
    return bool(texts.dropna().iloc[:_SAMPLE].str.count(r"\s").mean() >= 3)


def _levels_noted(about: Column, column: pd.Series, levels: tuple[str, ...]) -> Column:
    if len(levels) > _MANY_LEVELS:
        return about
    written = {str(value) for value in column.dropna().unique() if isinstance(value, str) and value.strip()}
    blank = next((text for text in sorted(written) if text != text.strip()), None)
    if blank is not None:
        about = noted(about, f"whitespace around levels, as in {blank!r}, is ignored")
    variants = case_variants(levels)
    if variants:
        n_alike = len(levels) - sum(len(group) - 1 for group in variants)
        shown = "; ".join(" and ".join(map(repr, group)) for group in variants[:3])
        about = noted(
            about,
            f"{len(levels)} levels, but only {n_alike} if case is ignored ({shown}): unify them",
        )
    if same := colliding_levels(levels):
        about = noted(
            about,
            f"levels {listed(same, 4)} are distinct as text only, and many programs read them as one number",
        )
    return about


def misfits_noted(about: Column, texts: pd.Series, values: pd.Series, wanted: str) -> Column:
    """Note how many values could not be parsed."""
    misfits = texts[texts.notna() & values.isna()]
    if len(misfits) == 0:
        return about
    about = replace(about, n_unfit=len(misfits))
    return noted(
        about, f"{counted(len(misfits))}, such as {misfits.iloc[0]!r}: not {wanted}, treated as missing"
    )


def noted(about: Column, note: str) -> Column:
    """Add a note."""
    return replace(about, notes=(*about.notes, note))
