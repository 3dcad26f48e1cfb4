"""From raw columns to columns of one kind each: what a table holds is found out once, over all of its rows."""

from __future__ import annotations

import datetime
import decimal as decimals
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.exceptions import UsageError
from automl_meta.task.columns import (
    FILE_MISSING,
    KINDS,
    Column,
    ColumnKind,
    finite,
    hashable,
    have_zones,
    listed,
    present_texts,
    usual_dtype,
    without_zone,
)
from automl_meta.task.dates import (
    COMPACT,
    are_durations,
    check_date_format,
    compact_texts,
    is_compact_dates,
    is_day_first,
    read_dates,
    to_dates,
    to_seconds,
)
from automl_meta.task.levels import BOOLEAN_WORDS, case_variants, colliding_levels, level_texts
from automl_meta.task.numbers import Decimal, NumberFormat, is_missing_word, read_numbers, to_numbers

__all__ = [
    "ReadingOptions",
    "TextNumbers",
    "decimal_mark",
    "infer_columns",
    "infer_numbers",
    "plain_if_numbers",
]

_INDEX_NAMES = frozenset({"", "Unnamed: 0", "index"})  # of an index that was written as a column
_SAMPLE = 1000  # texts looked at where looking at all would be slow
_FEW_LEVELS = 15  # of so few it is not told that many are numbers or dates
_NEARLY = 0.7  # share of numbers or dates from which that is told
_FIRST = 20  # texts of which one has to be a number before all are tried
_CODES = 0.05  # share of whole numbers that begin with a zero from which they are codes, as of places
_MANY_LEVELS = 1000  # more are not looked through for upper and lower case


@dataclass(frozen=True)
class ReadingOptions:
    """What the user says of a table, where the guess is wrong.

    Parameters
    ----------
    decimal : {".", ","}, optional
        The decimal mark of numbers that are text.
    date_format : str, optional
        Of `strptime`; for columns that can be read so.
    kinds : mapping of str to ColumnKind
        Column name to kind; ``"identifier"`` leaves a column out.
    is_file : bool
        Whether the table is text of a file, in which ``NA`` and the like stand for missing values.

    Raises
    ------
    UsageError
        If one of them is none of these.
    """

    decimal: Decimal | None = None
    date_format: str | None = None
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict)
    is_file: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise UsageError(f"The decimal mark is {self.decimal!r}; it must be '.' or ','.")
        if self.date_format is not None and not check_date_format(self.date_format):
            raise UsageError(
                f"The date format is {self.date_format!r}; it must be one of strptime, such as '%d.%m.%Y'."
            )
        for name, kind in self.kinds.items():
            if kind not in KINDS or kind == "constant":
                choices = ", ".join(repr(known) for known in KINDS if known != "constant")
                raise UsageError(f"Column {name!r} cannot be of the kind {kind!r}. Choose one of: {choices}.")


class TextNumbers(NamedTuple):
    """Text read as numbers; the decimal mark, where there is no doubt, and whether there is one."""

    values: pd.Series
    column: Column
    mark: Decimal | None
    is_ambiguous: bool


class _Hints(NamedTuple):
    """What the clear columns of a table tell of the others."""

    decimal: Decimal | None = None
    day_first: bool | None = None


class _Inferred(NamedTuple):
    """A column in the form of its kind; and what it tells of others, or needs to know of them."""

    values: pd.Series | NDArray[np.float64]
    column: Column
    decimal: Decimal | None = None  # its mark, where there is no doubt
    day_first: bool | None = None
    is_ambiguous: bool = False


def infer_columns(
    frame: pd.DataFrame, options: ReadingOptions, mark: Decimal | None = None
) -> tuple[pd.DataFrame, dict[str, Column]]:
    """Find out what each column holds, and bring it into the form of its kind.

    Parameters
    ----------
    frame : DataFrame
        With names of type `str`; left unchanged.
    options : ReadingOptions
        What the user said.
    mark : {".", ","}, optional
        The decimal mark of the target, where there is no doubt.

    Returns
    -------
    values : DataFrame
        float64 for numeric columns (infinities become missing), datetime64 without time zone for datetime, object
        columns of `str` with NaN for missing for all other kinds.
    columns : dict of str to Column

    Raises
    ------
    UsageError
        If the user named a column that is not there.
    """
    if unknown := [name for name in options.kinds if name not in frame.columns]:
        raise UsageError(
            f"There is no feature {listed(unknown)}; the features are {listed(list(frame.columns))}."
        )
    hints = _Hints(options.decimal)
    inferred = {
        str(name): _plain_column(column, options) or _infer(column, str(name), options, hints)
        for name, column in frame.items()
    }
    if any(found.is_ambiguous for found in inferred.values()):
        marks = {mark, *(found.decimal for found in inferred.values())} - {None}
        orders = {found.day_first for found in inferred.values()} - {None}
        hints = _Hints(
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
    """The decimal mark of the clear columns of a table, if they agree."""
    marks = {_infer(frame[name], name, options, _Hints()).decimal for name in frame.columns} - {None}
    return marks.pop() if len(marks) == 1 else None


def infer_numbers(texts: pd.Series, options: ReadingOptions) -> TextNumbers | None:
    """Read text as numbers, as a column of features would be read; None if it is something else."""
    found = _texts(texts, options, _Hints(options.decimal))
    if (
        not isinstance(found.values, pd.Series)
        or found.values.dtype != np.float64
        or found.column.is_duration
        or found.values.isna().all()
    ):
        return None
    return TextNumbers(found.values, found.column, found.decimal, found.is_ambiguous)


def plain_if_numbers(values: pd.Series) -> pd.Series | None:
    """Text as numbers if all of it is, as Python writes them, or words for missing values; else None."""
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


def _plain_column(column: pd.Series, options: ReadingOptions) -> _Inferred | None:
    """A column of plain numbers, about which there is nothing to say; None if there is.

    It says no more than `_infer`, but is many times quicker, for tables of tens of thousands of columns.
    """
    name = str(column.name)
    if name in options.kinds or name in _INDEX_NAMES or options.decimal == ",":
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
        pointed = [text for text in texts if "." in text]
        is_padded = any(text[:1] == "0" and text[1:2].isdigit() for text in texts)
        if is_padded or (pointed and all(len(text.rpartition(".")[2]) == 3 for text in pointed)):
            return None  # codes, or thousands
        mark = "." if pointed else None
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
    return _Inferred(values, Column("numeric", range=(low, high)), mark)


def _none_is_a_number(texts: np.ndarray) -> bool:
    return bool(len(texts) and np.isnan(pd.to_numeric(texts, errors="coerce").astype(float)).all())


def _infer(column: pd.Series, name: str, options: ReadingOptions, hints: _Hints) -> _Inferred:
    column = usual_dtype(column)
    kind = options.kinds.get(name)
    if kind is not None:
        return _Inferred(*_forced(column, kind, options, hints))
    if isinstance(column.dtype, pd.CategoricalDtype):
        # What somebody declared to be categories stays so, also when they are numbers.
        return _Inferred(*_levels(column.astype(object), declared=True))
    if pd.api.types.is_bool_dtype(column.dtype):
        return _Inferred(*_levels(column.astype(object)))
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments, about = _dates(without_zone(column))
        return _Inferred(moments, replace(about, has_zone=column.dt.tz is not None))
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return _Inferred(*_numeric(column.dt.total_seconds(), Column("numeric", is_duration=True)))
    if pd.api.types.is_numeric_dtype(column.dtype):
        if pd.api.types.is_complex_dtype(column.dtype):
            return _Inferred(*_levels(column.astype(object)))
        if pd.api.types.is_integer_dtype(column.dtype) and _merges_numbers(column, finite(column)):
            return _Inferred(*_large_numbers(column.astype(object)))
        return _Inferred(*_numeric(column, Column("numeric")))
    return _objects(column, options, hints)


def _numeric(column: pd.Series, about: Column) -> tuple[pd.Series, Column]:
    raw = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    infinite = np.isinf(raw)
    values = finite(column)
    if infinite.any():
        about = _noted(about, f"{int(infinite.sum())} infinite values were taken as missing")
    present = values.to_numpy()[~np.isnan(values.to_numpy())]
    if len(present) == 0:
        return values, replace(about, kind="constant", dropped="it is empty")
    if len(present) == len(values) and present.min() == present.max():
        return values, replace(about, kind="constant", dropped="it has one value only")
    if not about.is_duration and about.number is None and is_compact_dates(present):
        texts = compact_texts(values)
        note = "its numbers were read as dates, such as 20221128"
        moments, dates = _dates(to_dates(texts, COMPACT), COMPACT, note)
        return moments, _misfits_noted(dates, texts, moments, "dates")
    about = replace(about, range=(float(present.min()), float(present.max())))
    if _is_row_number(values.to_numpy(), str(column.name)):
        return values, replace(about, kind="identifier", dropped="it counts the rows")
    return values, about


def _merges_numbers(exact: pd.Series, numbers: pd.Series) -> bool:
    """Whether whole numbers are so large that some become the same as float64."""
    if not numbers.abs().max() >= 2**53:
        return False
    return bool(exact.nunique() > numbers.nunique())


def _large_numbers(column: pd.Series, options: ReadingOptions | None = None) -> tuple[pd.Series, Column]:
    values, about = _levels(column.map(str, na_action="ignore"), options)
    return values, _noted(
        about, "its whole numbers are too large to be told apart as numbers, so they were taken as text"
    )


def _is_row_number(values: np.ndarray, name: str) -> bool:
    """0, 1, 2, … or 1, 2, 3, … in any row order; or the index of a table, written as a column without a name."""
    n = len(values)
    if n < 10 or np.isnan(values).any():  # under 10 rows nothing is sure
        return False
    if (
        name in ("", "Unnamed: 0", "index")
        and (np.diff(values) > 0).all()
        and (values == np.round(values)).all()
    ):
        return True
    if values.min() not in (0.0, 1.0) or values.max() - values.min() != n - 1:
        return False
    return bool(np.array_equal(np.sort(values), np.arange(n) + values.min()))


def _dates(
    moments: pd.Series, date_format: str = "", note: str = "", n_unfit: int = 0
) -> tuple[pd.Series, Column]:
    present = moments.dropna()
    about = Column("datetime", date_format=date_format, n_unfit=n_unfit)
    if len(present):
        first, last = (float(moment.timestamp()) for moment in (present.min(), present.max()))
        about = replace(about, range=(first, last))
    if note:
        about = _noted(about, note)
    if moments.nunique(dropna=False) <= 1:
        about = replace(
            about, kind="constant", dropped="it has one value only" if len(present) else "it is empty"
        )
    return moments, about


def _objects(column: pd.Series, options: ReadingOptions, hints: _Hints) -> _Inferred:
    """Columns of Python objects or text."""
    if pd.api.types.is_string_dtype(column.dtype) and column.dtype != object:
        return _texts(column, options, hints)
    column = hashable(column)
    present = column[column.notna()]
    types = set(present.map(type).unique())
    if not types:
        return _Inferred(column.astype(float), Column("constant", dropped="it is empty"))
    if _all_of(types, str):
        return _texts(column, options, hints)
    if _all_of(types, bool, np.bool_):
        return _Inferred(*_levels(column))
    if _all_of(types, numbers.Real, decimals.Decimal) and not types & {bool, np.bool_}:
        values = column.where(column.notna(), np.nan).map(float, na_action="ignore").astype(float)
        if _merges_numbers(column, values):
            return _Inferred(*_large_numbers(column))
        return _Inferred(*_numeric(values, Column("numeric")))
    if _all_of(types, datetime.date, np.datetime64):
        moments, about = _dates(without_zone(pd.to_datetime(column, utc=True)))
        return _Inferred(
            moments, replace(about, has_zone=getattr(present.iloc[0], "tzinfo", None) is not None)
        )
    if _all_of(types, pd.Period):
        return _Inferred(*_dates(column.map(lambda period: period.to_timestamp(), na_action="ignore")))
    if _all_of(types, datetime.timedelta, np.timedelta64):
        seconds = pd.to_timedelta(column).dt.total_seconds()
        return _Inferred(*_numeric(seconds, Column("numeric", is_duration=True)))
    if _all_of(types, datetime.time):
        return _texts(column.map(str, na_action="ignore"), options, hints)
    found = _texts(level_texts(column), options, hints)
    return found._replace(column=_noted(found.column, "it mixes types, so its values were taken as text"))


def _all_of(types: Iterable[type], *wanted: type) -> bool:
    return all(issubclass(kind, wanted) for kind in types)


def _texts(column: pd.Series, options: ReadingOptions, hints: _Hints) -> _Inferred:
    """Numbers, durations or dates, if that is what the text is; levels or free text otherwise."""
    plain = plain_if_numbers(column)
    if plain is not None and plain.notna().any():
        return _plain(column, plain, options, hints)
    texts = present_texts(column)
    distinct = texts.value_counts(sort=False)
    written = distinct.index.to_numpy(dtype=object)
    if len(distinct) == 0:
        return _Inferred(*_levels(column, options))
    if options.date_format is not None:
        moments = to_dates(texts, options.date_format)
        if moments.notna().sum() > 0.5 * texts.notna().sum():
            return _Inferred(*_read_as_dates(column, texts, moments, options.date_format, ""))
    if are_durations(written):
        note = "durations or times of the day were read as seconds"
        return _Inferred(*_numeric(to_seconds(texts), _noted(Column("numeric", is_duration=True), note)))
    dates = read_dates(texts, day_first=hints.day_first)
    if dates is not None:
        doubt = (
            f"; {' or '.join(dates.others)} is possible, too: --date-format says which"
            if dates.others
            else ""
        )
        values, about = _read_as_dates(column, texts, to_dates(texts, dates.format), dates.format, doubt)
        order = None if dates.others else is_day_first(dates.format)
        return _Inferred(values, about, None, order, bool(dates.others) and hints.day_first is None)
    read = read_numbers(written, distinct.to_numpy(), hints.decimal)
    if read is not None:
        values, about = _read_as_numbers(column, texts, read.format, n_bounds=read.n_bounds)
        ambiguous = read.other is not None
        if ambiguous and hints.decimal is None:
            about = _noted(
                about, "the mark could also separate decimals or thousands otherwise: --decimal says which"
            )
        return _Inferred(values, about, None if ambiguous else _mark(written, read.format), None, ambiguous)
    found, about = _levels(column, options)
    return _Inferred(found, _nearly_noted(about, texts, distinct, hints))


def _nearly_noted(about: Column, texts: pd.Series, distinct: pd.Series, hints: _Hints) -> Column:
    """Levels of which most are numbers or dates: the user may know better."""
    if about.kind not in ("categorical", "identifier") or len(distinct) <= _FEW_LEVELS:
        return about
    sample = texts.dropna().drop_duplicates().iloc[:_SAMPLE]
    dates = read_dates(sample, day_first=hints.day_first, anyhow=True)
    numbers_read = read_numbers(
        sample.to_numpy(dtype=object), np.ones(len(sample)), hints.decimal, anyhow=True
    )
    for kind, read in (("datetime", dates), ("numeric", numbers_read)):
        if read is not None and read.share >= _NEARLY:
            what = "dates" if kind == "datetime" else "numbers"
            return _noted(
                about, f"{read.share:.0%} of its values are {what}: --columns {texts.name}:{kind} takes it so"
            )
    return about


def _mark(written: np.ndarray, read: NumberFormat) -> Decimal | None:
    """The decimal mark, if it occurs or the other one separates thousands."""
    return read.decimal if any(mark in text for text in written[:_SAMPLE] for mark in ".,") else None


def _plain(column: pd.Series, values: pd.Series, options: ReadingOptions, hints: _Hints) -> _Inferred:
    """Numbers as Python writes them; codes such as 01067, which begin with a zero, are levels."""
    if _are_codes(column):
        found, about = _levels(column, options)
        note = "values such as '007' begin with a zero, so they are no numbers"
        return _Inferred(found, about if about.dropped else _noted(about, note))
    if _merges_numbers(column, values):
        return _Inferred(*_large_numbers(column, options))
    present = values.dropna().to_numpy()
    has_marks = bool((present != np.round(present)).any())
    if has_marks and hints.decimal == ",":
        # In a table with decimal commas, a point separates thousands, if all of the column can be read so.
        texts = present_texts(column)
        distinct = texts.value_counts(sort=False)
        read = read_numbers(distinct.index.to_numpy(dtype=object), distinct.to_numpy(), ",")
        if read is not None and read.format.decimal == ",":
            return _Inferred(*_read_as_numbers(column, texts, read.format))
    numbers_found, about = _numeric(values, Column("numeric"))
    if about.kind == "numeric":
        if not options.is_file:
            about = _noted(about, "its numbers were stored as text")
        about = _words_noted(about, column, values)
    grouped = has_marks and _may_be_grouped(column)
    mark: Decimal | None = "." if has_marks and not grouped else None
    return _Inferred(numbers_found, about, mark, None, grouped and hints.decimal is None)


def _may_be_grouped(column: pd.Series) -> bool:
    """Whether all numbers with a point have three digits behind it."""
    import pyarrow.compute as pc

    texts = _arrow_texts(column)
    pointed = texts.filter(pc.match_substring(texts, "."))
    return bool(
        pc.all(pc.match_substring_regex(pointed, r"^\s*[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+\s*$")).as_py()
    )


def _are_codes(column: pd.Series) -> bool:
    import pyarrow.compute as pc

    texts = _arrow_texts(column)
    texts = texts.filter(pc.match_substring_regex(texts, "[0-9]"))
    padded = pc.sum(pc.match_substring_regex(texts, r"^\s*0[0-9]+\s*$")).as_py() or 0
    if padded == 0 or not pc.all(pc.match_substring_regex(texts, r"^\s*[0-9]+\s*$")).as_py():
        return False
    widths = pc.min_max(pc.utf8_length(texts)).as_py()
    return bool(padded >= _CODES * len(texts) or widths["min"] == widths["max"])


def _arrow_texts(column: pd.Series) -> Any:
    import pyarrow as pa

    return pa.array(column.dropna(), type=pa.large_string())


def _read_as_numbers(
    column: pd.Series, texts: pd.Series, written: NumberFormat, n_bounds: int = 0
) -> tuple[pd.Series, Column]:
    values, about = _numeric(to_numbers(texts, *written), Column("numeric", written))
    units = [unit for unit in written.units if unit]
    how = f"decimal mark {written.decimal!r}" + (f", units {listed(units)}" if units else "")
    example = str(texts.dropna().iloc[0])
    about = _noted(about, f"text such as {example!r} was read as numbers ({how})")
    if written.units.get("") == 100.0:
        about = _noted(about, "numbers without a % were taken as shares: 0.25 as 25 %")
    if n_bounds:
        about = _noted(about, "bounds such as '>20' were taken as the number itself")
    return values, _words_noted(_misfits_noted(about, texts, values, "numbers"), column, texts)


def _read_as_dates(
    column: pd.Series, texts: pd.Series, moments: pd.Series, date_format: str, doubt: str
) -> tuple[pd.Series, Column]:
    how = "" if date_format == "ISO8601" and not doubt else f"its dates were read as {date_format}{doubt}"
    values, about = _dates(moments, date_format, how)
    about = replace(about, has_zone=have_zones(texts))
    return values, _words_noted(_misfits_noted(about, texts, values, "dates"), column, texts)


def _misfits_noted(about: Column, texts: pd.Series, values: pd.Series, wanted: str) -> Column:
    misfits = texts[texts.notna() & values.isna()]
    if len(misfits) == 0:
        return about
    about = replace(about, n_unfit=len(misfits))
    return _noted(
        about, f"{len(misfits)} values, such as {misfits.iloc[0]!r}, are no {wanted} and count as missing"
    )


def _words_noted(about: Column, column: pd.Series, values: pd.Series) -> Column:
    """Words for missing values that no reader of files takes for such."""
    words = column[values.isna().to_numpy() & column.notna().to_numpy()].astype(object).map(str).str.strip()
    words = words[words.map(is_missing_word) & ~words.isin(FILE_MISSING)]
    if len(words) == 0:
        return about
    return _noted(about, f"{len(words)} values {listed(sorted(words.unique()), 4)} were taken as missing")


def _levels(
    column: pd.Series,
    options: ReadingOptions | None = None,
    *,
    declared: bool = False,
    kind: ColumnKind | None = None,
) -> tuple[pd.Series, Column]:
    """Categories, booleans, free text, or what names a row."""
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
        return texts, Column("constant", levels=levels, dropped="it has one value only")
    if kind == "text" or (kind is None and not declared and _is_free_text(texts, n_present, n_distinct)):
        return texts, Column("text")
    if kind is None and not declared and n_present >= 20 and n_distinct == n_present == len(texts):
        return texts, Column("identifier", dropped="every row has another value")
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
        about = _noted(about, f"blanks around levels, as in {blank!r}, do not count")
    variants = case_variants(levels)
    if variants:
        n_alike = len(levels) - sum(len(group) - 1 for group in variants)
        shown = "; ".join(" and ".join(map(repr, group)) for group in variants[:3])
        about = _noted(
            about,
            f"{len(levels)} levels, but {n_alike} if upper and lower case did not count ({shown}): unify them",
        )
    if same := colliding_levels(levels):
        about = _noted(
            about, f"levels {listed(same, 4)} differ as text only, and many programs read them as one number"
        )
    return about


def _forced(
    column: pd.Series, kind: ColumnKind, options: ReadingOptions, hints: _Hints
) -> tuple[pd.Series, Column]:
    """A column of the kind that the user said."""
    if kind == "identifier":
        return column, Column("identifier", dropped="as you said")
    if kind in ("categorical", "boolean", "text"):
        return _levels(column, options, kind=kind)
    if kind == "numeric" and pd.api.types.is_numeric_dtype(column.dtype):
        return finite(column), Column("numeric")
    if kind == "datetime" and pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _dates(without_zone(column))
    texts = present_texts(column)
    if kind == "numeric":
        plain = plain_if_numbers(column)
        if plain is not None:
            return finite(plain), Column("numeric")
        distinct = texts.value_counts(sort=False)
        read = read_numbers(
            distinct.index.to_numpy(dtype=object), distinct.to_numpy(), hints.decimal, anyhow=True
        )
        if read is not None:
            return _read_as_numbers(column, texts, read.format, read.n_bounds)
        raise UsageError(f"Column {str(column.name)!r} cannot be numeric: it holds no number.")
    moments, date_format = None, options.date_format
    if date_format is not None:
        moments = to_dates(texts, date_format)
    elif (found := read_dates(texts, day_first=hints.day_first, anyhow=True)) is not None:
        moments, date_format = to_dates(texts, found.format), found.format
    if moments is None or date_format is None or moments.isna().all():
        raise UsageError(
            f"Column {str(column.name)!r} cannot be datetime: it holds no date that can be read."
        )
    return _read_as_dates(column, texts, moments, date_format, "")


def _noted(about: Column, note: str) -> Column:
    return replace(about, notes=(*about.notes, note))
