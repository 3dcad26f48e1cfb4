"""Columns: what each holds is decided once, when a task is made; new rows are read in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.exceptions import DataError
from automl_meta.task.dates import COMPACT, MIXED, from_numbers, read_dates, to_dates, to_seconds
from automl_meta.task.levels import colliding_levels, level_texts, match_levels
from automl_meta.task.numbers import NumberFormat, is_missing_word, read_numbers, to_numbers

__all__ = [
    "FILE_MISSING",
    "KINDS",
    "Column",
    "ColumnKind",
    "Conformed",
    "finite",
    "hashable",
    "listed",
    "plain_numbers",
    "present_texts",
    "without_zone",
]

ColumnKind = Literal["numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant"]
KINDS: tuple[ColumnKind, ...] = get_args(ColumnKind)

FILE_MISSING = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""Texts that pandas takes for missing when it reads a file."""

_MOSTLY = 0.5  # share of unseen levels from which a column is warned of
_FEW_MISFITS = 0.1  # share of new values that may be none of the column's numbers or dates


@dataclass(frozen=True)
class Column:
    """What a column holds and how its values are written, learnt from the rows of a task.

    Parameters
    ----------
    kind : ColumnKind
        ``"constant"`` is one value in every row, or none in any; ``"identifier"`` names a row, so nothing can
        be learnt from it.
    number : NumberFormat, optional
        How numbers were written, if they were text that Python does not read as numbers.
    date_format : str
        In which dates were written, if they were text or numbers; empty otherwise.
    is_duration : bool
        Whether the numbers are seconds of durations or times of the day.
    levels : tuple of str or None
        Of categorical and boolean columns, sorted. None in models of version 0.1.0, which took values by
        their text alone.
    range : tuple of float
        First and last of the dates, in seconds since 1970; NaN for other kinds.
    n_unfit : int
        Values that are none of the kind, and so count as missing.
    dropped : str
        Why nothing is learnt from it, in words; empty if something is.
    notes : tuple of str
        What was converted or guessed, in words.
    """

    kind: ColumnKind
    number: NumberFormat | None = None
    date_format: str = ""
    is_duration: bool = False
    levels: tuple[str, ...] | None = ()
    range: tuple[float, float] = (float("nan"), float("nan"))
    n_unfit: int = 0
    dropped: str = ""
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of_version_0_1(cls, kind: ColumnKind) -> Self:
        """The column of a model of version 0.1.0, which knew no more than its kind."""
        return cls(kind, date_format=MIXED if kind == "datetime" else "", levels=None)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Make a column of what `to_dict` gave."""
        number = content["number"]
        levels = content["levels"]
        return cls(
            **{
                **content,
                "number": None if number is None else NumberFormat(number["decimal"], dict(number["units"])),
                "levels": None if levels is None else tuple(levels),
                "range": tuple(content["range"]),
                "notes": tuple(content["notes"]),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, for files."""
        number = None if self.number is None else self.number._asdict()
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "number": number,
            "levels": None if self.levels is None else list(self.levels),
            "range": list(self.range),
            "notes": list(self.notes),
        }

    def conform(self, values: pd.Series) -> Conformed:
        """Bring a column of new rows into the form of the one that was learnt.

        Parameters
        ----------
        values : Series
            Any dtype; left unchanged.

        Returns
        -------
        Conformed
            float64 for numeric columns, datetime64 without time zone for datetime, object columns of `str` with
            NaN for missing for all others; and what the user should know.

        Raises
        ------
        DataError
            If the kind is numeric or datetime and more than a tenth of the values are neither missing nor one.
        """
        if self.kind in ("constant", "identifier"):
            return Conformed(values, "")  # nothing was learnt from it
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object)
        if self.kind == "numeric":
            return self._numbers(values)
        if self.kind == "datetime":
            return self._dates(values)
        if self.levels is None:
            texts = values.astype(object).map(str).str.strip()
            return Conformed(texts.mask(values.isna() | (texts == ""), np.nan).astype(object), "")
        if self.kind == "text":
            return Conformed(level_texts(hashable(values.astype(object))), "")
        return self._levels(values)

    def _levels(self, values: pd.Series) -> Conformed:
        texts = level_texts(hashable(values.astype(object)))
        matched = match_levels(texts, self.levels or (), FILE_MISSING)
        note = ""
        if matched.n_unseen > _MOSTLY * max(matched.n_present, 1):
            note = (
                f"{matched.n_unseen} of {matched.n_present} values of column {str(values.name)!r} were never seen in "
                f"training, such as {matched.unseen[0]!r}; known are {listed(self.levels or ())}"
            )
        elif pd.api.types.is_numeric_dtype(values.dtype) and (same := colliding_levels(self.levels or ())):
            note = (
                f"column {str(values.name)!r} has come as numbers, in which its levels {listed(same)} cannot be told "
                "apart: give it as text"
            )
        return Conformed(pd.Series(matched.values, index=values.index, name=values.name, dtype=object), note)

    def _numbers(self, values: pd.Series) -> Conformed:
        if pd.api.types.is_datetime64_any_dtype(values.dtype) or isinstance(values.dtype, pd.PeriodDtype):
            raise DataError(
                f"Column {str(values.name)!r} holds dates, and the model learnt from numbers there. Give it as numbers."
            )
        if pd.api.types.is_timedelta64_dtype(values.dtype):
            return Conformed(finite(values.dt.total_seconds()), "")
        if pd.api.types.is_numeric_dtype(values.dtype):
            return Conformed(finite(values), "")
        texts = present_texts(values)
        texts = texts.mask(np.isinf(pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)), np.nan)
        numbers, note = self._read_numbers(texts)
        return self._checked(values, texts, numbers, "a number", note)

    def _read_numbers(self, texts: pd.Series) -> tuple[pd.Series, str]:
        """In the format that was learnt, or in another one if that reads more of them."""
        if self.is_duration:
            seconds = to_seconds(texts)
            return seconds.fillna(plain_numbers(texts)), ""
        learnt = plain_numbers(texts) if self.number is None else to_numbers(texts, *self.number)
        missed = texts[learnt.isna() & texts.notna()]
        if len(missed) == 0:
            return learnt, ""
        words = missed.str.lower().map({"true": 1.0, "false": 0.0})
        if words.notna().all():
            return learnt.fillna(words), ""
        distinct = texts.dropna().value_counts()
        found = read_numbers(
            distinct.index.to_numpy(dtype=object), distinct.to_numpy(), self.number and self.number.decimal
        )
        if found is None:
            return learnt, ""
        again = to_numbers(texts, *found.format)
        if again.notna().sum() <= learnt.notna().sum():
            return learnt, ""
        if self.number is not None and self.number.decimal == found.format.decimal:
            return learnt, ""  # other units are no numbers here
        return again, (
            f"the numbers of column {str(texts.name)!r} are written otherwise than in training: they were read with "
            f"the decimal mark {found.format.decimal!r}"
        )

    def _dates(self, values: pd.Series) -> Conformed:
        if isinstance(values.dtype, pd.PeriodDtype):
            return Conformed(values.dt.to_timestamp(), "")
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            return Conformed(without_zone(values), "")
        if pd.api.types.is_numeric_dtype(values.dtype):
            return self._dates_from_numbers(values)
        texts = present_texts(values)
        if self.date_format == MIXED:
            moments = pd.to_datetime(texts, errors="coerce", utc=True, format="mixed").dt.tz_localize(None)
            return self._checked(values, texts, moments, "a date", "")
        learnt = to_dates(texts, self.date_format) if self.date_format else None
        if learnt is not None and not (learnt.isna() & texts.notna()).any():
            return Conformed(learnt, "")
        numbers = plain_numbers(texts)
        if texts.notna().any() and numbers[texts.notna()].notna().all():
            return self._dates_from_numbers(numbers)
        found = read_dates(texts)
        if found is None or (
            learnt is not None and found.share <= learnt.notna().sum() / texts.notna().sum()
        ):
            nothing = pd.Series(pd.NaT, index=texts.index, name=texts.name, dtype="datetime64[us]")
            return self._checked(values, texts, nothing if learnt is None else learnt, "a date", "")
        note = ""
        if self.date_format or found.others:
            note = f"the dates of column {str(values.name)!r} were read as {found.format}" + (
                f"; in training they were {self.date_format}" if self.date_format else ""
            )
        return self._checked(values, texts, to_dates(texts, found.format), "a date", note)

    def _dates_from_numbers(self, values: pd.Series) -> Conformed:
        numbers = finite(values)
        found = from_numbers(numbers, *self.range)
        if found is None and numbers.notna().any():
            raise DataError(
                f"Column {str(values.name)!r} holds numbers such as {numbers.dropna().iloc[0]:g}, and the model learnt "
                "from dates there; in no common unit are they near those dates. Give it as dates."
            )
        moments, unit = found or (pd.to_datetime(numbers), "")
        expected = COMPACT if self.date_format == COMPACT else "years"
        note = ""
        if unit not in ("", expected):
            note = f"column {str(values.name)!r} has come as numbers, which were read as {unit} since 1970"
            note = note.removesuffix(" since 1970") if unit.startswith(("days since", "%")) else note
        return Conformed(moments, note)

    def _checked(
        self, values: pd.Series, texts: pd.Series, read: pd.Series, wanted: str, note: str
    ) -> Conformed:
        """Few values that are not of the kind count as missing; many are an error."""
        wrong = texts.notna() & read.isna()
        if wrong.any():
            example = str(texts[wrong].iloc[0])
            if wrong.sum() > _FEW_MISFITS * texts.notna().sum():
                raise DataError(
                    f"Column {str(values.name)!r} holds {example!r}, which is not {wanted}; the model learnt from a "
                    "column that holds (nearly) nothing else. Fix these values or leave them empty."
                )
            note = "; ".join(
                part
                for part in (
                    note,
                    f"{wrong.sum()} values of column {str(values.name)!r}, such as {example!r}, are not {wanted} and "
                    "count as missing",
                )
                if part
            )
        return Conformed(read, note)


class Conformed(NamedTuple):
    """A column of new rows in the form that was learnt, and what the user should know of it."""

    values: pd.Series
    note: str


def present_texts(values: pd.Series) -> pd.Series:
    """Values as text without blanks around them; missing ones, and words for missing, are NaN."""
    codes, distinct = pd.factorize(hashable(values.astype(object)))
    texts = [str(value).strip() for value in distinct]
    cleaned = np.array([*(np.nan if is_missing_word(text) else text for text in texts), np.nan], dtype=object)
    return pd.Series(cleaned[codes], index=values.index, name=values.name, dtype=object)  # -1 is missing


def plain_numbers(texts: pd.Series) -> pd.Series:
    """Numbers as Python writes them; the rest is missing."""
    return finite(pd.to_numeric(texts, errors="coerce"))


def finite(values: pd.Series) -> pd.Series:
    """As float64, with NaN in place of infinities."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    numbers[np.isinf(numbers)] = np.nan
    return pd.Series(numbers, index=values.index, name=values.name)


def without_zone(moments: pd.Series) -> pd.Series:
    """Moments in UTC, without saying so."""
    return moments if moments.dt.tz is None else moments.dt.tz_convert("UTC").dt.tz_localize(None)


def hashable(objects: pd.Series) -> pd.Series:
    """Lists and the like as text."""
    try:
        objects.dropna().unique()
    except TypeError:
        return objects.map(str, na_action="ignore")
    return objects


def listed(names: NDArray[Any] | tuple[Any, ...] | list[Any], n: int = 8) -> str:
    """Some names, quoted."""
    return ", ".join(map(repr, names[:n])) + (", …" if len(names) > n else "")
