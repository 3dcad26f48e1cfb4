"""Inference of text columns: numbers, durations, dates, levels or free text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from automl_meta.task.columns import Column
from automl_meta.task.date_formats import is_day_first
from automl_meta.task.dates import are_durations, read_dates, to_dates, to_seconds
from automl_meta.task.kinds import (
    Inferred,
    date_column,
    large_numbers,
    level_column,
    merges_numbers,
    misfits_noted,
    noted,
    numeric_column,
)
from automl_meta.task.numbers import Decimal, NumberFormat, is_missing_word, read_numbers, to_numbers
from automl_meta.task.options import Hints, ReadingOptions
from automl_meta.task.values import FILE_MISSING, columns_option, counted, have_zones, listed, present_texts

__all__ = ["infer_texts", "plain_if_numbers", "read_as_dates", "read_as_numbers"]

_SAMPLE = 1000  # texts examined where examining all would be slow
_FEW_LEVELS = 15  # number of levels up to which no note on numbers or dates among them is given
_NEARLY = 0.7  # share of numbers or dates from which such a note is given
_FIRST = 20  # texts of which one must be a number before all are parsed
_CODES = 0.05  # share of integers with leading zeros from which they are codes, such as postcodes


def plain_if_numbers(values: pd.Series) -> pd.Series | None:
    """Parse text if all of it is plain numbers or words for missing values; None otherwise."""
    objects = values.to_numpy(dtype=object, na_value=np.nan)
    first = objects[:_FIRST]
    if not any(is_missing_word(str(text)) for text in first) and _none_is_a_number(first):
        return None
    read = pd.Series(pd.to_numeric(objects, errors="coerce"), index=values.index, name=values.name)
    failed = objects[read.isna().to_numpy()]
    others = pd.unique(failed[~pd.isna(failed)])
    if len(others) > 100 or not all(is_missing_word(str(text)) for text in others):
        return None
    return read.astype("float64")


def _none_is_a_number(texts: np.ndarray) -> bool:
    return bool(len(texts) and np.isnan(pd.to_numeric(texts, errors="coerce").astype(float)).all())


def infer_texts(column: pd.Series, options: ReadingOptions, hints: Hints) -> Inferred:
    """Infer whether text contains numbers, durations or dates, and otherwise levels or free text."""
    plain = plain_if_numbers(column)
    if plain is not None and plain.notna().any():
        return _plain(column, plain, options, hints)
    texts = present_texts(column)
    distinct = texts.value_counts(sort=False)
    written = distinct.index.to_numpy(dtype=object)
    if len(distinct) == 0:
        return Inferred(*level_column(column, options))
    if options.date_format is not None:
        moments = to_dates(texts, options.date_format)
        if moments.notna().sum() > 0.5 * texts.notna().sum():
            return Inferred(*read_as_dates(column, texts, moments, options.date_format, ""))
    if are_durations(written):
        note = "durations or times of day were read as seconds, 10:30 as hours and minutes"
        return Inferred(*numeric_column(to_seconds(texts), noted(Column("numeric", is_duration=True), note)))
    dates = read_dates(texts, day_first=hints.day_first)
    if dates is not None:
        doubt = (
            f"; {' or '.join(dates.others)} is also possible: choose by --date-format" if dates.others else ""
        )
        values, about = read_as_dates(column, texts, to_dates(texts, dates.format), dates.format, doubt)
        order = None if dates.others else is_day_first(dates.format)
        return Inferred(values, about, None, order, bool(dates.others) and hints.day_first is None)
    read = read_numbers(written, distinct.to_numpy(), hints.decimal)
    if read is not None:
        values, about = read_as_numbers(column, texts, read.format, n_bounds=read.n_bounds)
        ambiguous = read.other is not None
        if ambiguous and hints.decimal is None:
            about = noted(about, "the other decimal mark is also possible: choose by --decimal")
        return Inferred(values, about, None if ambiguous else _mark(written, read.format), None, ambiguous)
    found, about = level_column(column, options)
    return Inferred(found, _nearly_noted(about, texts, distinct, hints))


def _nearly_noted(about: Column, texts: pd.Series, distinct: pd.Series, hints: Hints) -> Column:
    """Note levels that are mostly numbers or dates, so that the user can override the kind."""
    if about.kind not in ("categorical", "identifier") or len(distinct) <= _FEW_LEVELS:
        return about
    sample = texts.dropna().drop_duplicates().iloc[:_SAMPLE]
    dates = read_dates(sample, day_first=hints.day_first, force=True)
    numbers_read = read_numbers(
        sample.to_numpy(dtype=object), np.ones(len(sample)), hints.decimal, force=True
    )
    for kind, read in (("datetime", dates), ("numeric", numbers_read)):
        if read is not None and read.share >= _NEARLY:
            what = "dates" if kind == "datetime" else "numbers"
            return noted(
                about,
                f"{read.share:.0%} of its values are {what}: {columns_option(str(texts.name), kind)} parses them",
            )
    return about


def _mark(written: np.ndarray, read: NumberFormat) -> Decimal | None:
    """Return the decimal mark if it occurs, or if the other mark separates thousands."""
    return read.decimal if any(mark in text for text in written[:_SAMPLE] for mark in ".,") else None


def _plain(column: pd.Series, values: pd.Series, options: ReadingOptions, hints: Hints) -> Inferred:
    """Infer a column of plain numbers; codes such as 01067, which begin with a zero, are levels."""
    if _are_codes(column):
        found, about = level_column(column, options)
        padded = next(
            text for text in column.dropna() if text.strip().startswith("0") and len(text.strip()) > 1
        )
        note = (
            f"values such as {padded!r} begin with a zero, so they were not treated as numbers "
            f"({columns_option(str(column.name), 'numeric')} does)"
        )
        return Inferred(found, about if about.dropped else noted(about, note))
    if merges_numbers(column, values):
        return Inferred(*large_numbers(column, options))
    same = _same_but_for_zeros(column)
    if same and values.nunique() == 1:
        return Inferred(*level_column(column, options))
    present = values.dropna().to_numpy()
    has_marks = bool((present != np.round(present)).any())
    if has_marks and hints.decimal == ",":
        # In a table with decimal commas, a point separates thousands if the whole column can be parsed so.
        texts = present_texts(column)
        distinct = texts.value_counts(sort=False)
        read = read_numbers(distinct.index.to_numpy(dtype=object), distinct.to_numpy(), ",")
        if read is not None and read.format.decimal == ",":
            return Inferred(*read_as_numbers(column, texts, read.format))
    numbers_found, about = numeric_column(values, Column("numeric"))
    if about.kind == "numeric":
        if not options.is_file:
            about = noted(about, "its numbers were stored as text")
        about = words_noted(about, column, values)
        if same:
            keep = columns_option(str(column.name), "categorical")
            about = noted(about, f"{listed(same, 2)} are equal as numbers ({keep} keeps them distinct)")
    grouped = has_marks and _may_be_grouped(column)
    mark: Decimal | None = "." if has_marks and not grouped else None
    return Inferred(numbers_found, about, mark, None, grouped and hints.decimal is None)


def _may_be_grouped(column: pd.Series) -> bool:
    """Whether all numbers with a point have exactly three digits after it."""
    import pyarrow.compute as pc

    texts = _arrow_texts(column)
    pointed = texts.filter(pc.match_substring(texts, "."))
    return bool(
        pc.all(pc.match_substring_regex(pointed, r"^\s*[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+\s*$")).as_py()
    )


def _same_but_for_zeros(column: pd.Series) -> tuple[str, ...]:
    """Find two texts that are equal as numbers but differ in trailing zeros, as versions and codes do."""
    texts = {text.strip() for text in column.dropna().unique() if "." in text}
    longer = next((text for text in sorted(texts) if text.endswith("0") and text[:-1] in texts), None)
    return () if longer is None else (longer[:-1], longer)


def _are_codes(column: pd.Series) -> bool:
    import pyarrow.compute as pc

    texts = _arrow_texts(column)
    texts = texts.filter(pc.match_substring_regex(texts, "[0-9]"))
    padded = pc.sum(pc.match_substring_regex(texts, r"^\s*0[0-9]+(\.[0-9]+)?\s*$")).as_py() or 0
    if padded == 0 or not pc.all(pc.match_substring_regex(texts, r"^\s*[0-9]+(\.[0-9]+)?\s*$")).as_py():
        return False
    widths = pc.min_max(pc.utf8_length(texts)).as_py()
    return bool(padded >= _CODES * len(texts) or widths["min"] == widths["max"])


def _arrow_texts(column: pd.Series) -> Any:
    import pyarrow as pa

    return pa.array(column.dropna(), type=pa.large_string())


def read_as_numbers(
    column: pd.Series, texts: pd.Series, written: NumberFormat, n_bounds: int = 0
) -> tuple[pd.Series, Column]:
    """Convert a column of numbers in a custom format."""
    values, about = numeric_column(to_numbers(texts, *written), Column("numeric", written))
    units = [unit for unit in written.units if unit]
    how = f"decimal mark {written.decimal!r}" + (f", units {listed(units)}" if units else "")
    odd = texts[texts.notna() & pd.to_numeric(texts, errors="coerce").isna() & values.notna()]
    example = str((odd if len(odd) else texts.dropna()).iloc[0])
    about = noted(about, f"text such as {example!r} was read as numbers ({how})")
    if written.units.get("") == 100.0:
        about = noted(about, "numbers without a % were treated as fractions: 0.25 as 25 %")
    if n_bounds:
        about = noted(about, "bounds such as '>20' were replaced by the number")
    return values, words_noted(misfits_noted(about, texts, values, "numbers"), column, texts)


def read_as_dates(
    column: pd.Series, texts: pd.Series, moments: pd.Series, date_format: str, doubt: str
) -> tuple[pd.Series, Column]:
    """Convert a column of dates given as text."""
    how = "" if date_format == "ISO8601" and not doubt else f"its dates were read as {date_format}{doubt}"
    values, about = date_column(moments, date_format, how)
    about = replace(about, has_zone=have_zones(texts))
    return values, words_noted(misfits_noted(about, texts, values, "dates"), column, texts)


def words_noted(about: Column, column: pd.Series, values: pd.Series) -> Column:
    """Note words for missing values that file readers do not recognise."""
    words = column[values.isna().to_numpy() & column.notna().to_numpy()].astype(object).map(str).str.strip()
    words = words[words.map(is_missing_word) & ~words.isin(FILE_MISSING)]
    if len(words) == 0:
        return about
    return noted(about, f"{counted(len(words))} treated as missing: {listed(sorted(words.unique()), 4)}")
