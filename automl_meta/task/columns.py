"""Columns: the kind and format of each are inferred once, when a task is created, and applied to new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.exceptions import DataError
from automl_meta.task.date_formats import COMPACT, MIXED, is_day_first
from automl_meta.task.dates import compact_texts, from_numbers, read_dates, to_dates, to_seconds
from automl_meta.task.levels import colliding_levels, level_texts, match_levels
from automl_meta.task.numbers import NumberFormat, read_numbers, to_numbers
from automl_meta.task.values import (
    FILE_MISSING,
    MANY_ROWS,
    counted,
    finite,
    hashable,
    have_zones,
    joined,
    listed,
    plain_numbers,
    present_texts,
    usual_dtype,
    without_zone,
)

__all__ = ["KINDS", "Column", "ColumnKind", "Conformed"]

ColumnKind = Literal["numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant"]
KINDS: tuple[ColumnKind, ...] = get_args(ColumnKind)
_MAX_UNSEEN = 0.5  # share of values with unseen levels above which a note is given
_MAX_INVALID = 0.1  # share of new values that may fail to parse as numbers or dates


@dataclass(frozen=True)
class Column:
    """Kind and format of a column, inferred from the rows of a task.

    Parameters
    ----------
    kind : ColumnKind
        Kind of the values. A ``"constant"`` column has the same value in every row, or none in any; an
        ``"identifier"`` is unique to each row and therefore not a feature.
    number : NumberFormat, optional
        Format of numbers given as text that Python does not parse.
    date_format : str
        Format of dates given as text or numbers; empty otherwise.
    is_duration : bool
        Whether the values are durations or times of day, represented in seconds.
    levels : tuple of str or None
        Sorted levels of categorical and boolean columns. None in models of version 0.1.0, which compared values
        by their text only.
    range : tuple of float
        Minimum and maximum of numbers, or of dates in seconds since 1970; NaN for other kinds.
    has_zone : bool
        Whether the dates had a time zone and were converted to UTC.
    mostly_missing : bool
        Whether more than half of the values were missing.
    n_unfit : int
        Number of values that could not be parsed as the kind and count as missing.
    dropped : str
        Reason why the column is not used; empty if it is.
    notes : tuple of str
        Messages about conversions and guesses.
    """

    kind: ColumnKind
    number: NumberFormat | None = None
    date_format: str = ""
    is_duration: bool = False
    levels: tuple[str, ...] | None = ()
    range: tuple[float, float] = (float("nan"), float("nan"))
    has_zone: bool = False
    mostly_missing: bool = False
    n_unfit: int = 0
    dropped: str = ""
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of_version_0_1(cls, kind: ColumnKind) -> Self:
        """Create the column of a model of version 0.1.0, which stored the kind only.

        Parameters
        ----------
        kind : ColumnKind
            Kind of the values.

        Returns
        -------
        Column
            Column that reads values as version 0.1.0 did.
        """
        return cls(kind, date_format=MIXED if kind == "datetime" else "", levels=None)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Create a column from the output of `to_dict`.

        Parameters
        ----------
        content : mapping of str to value
            Output of `to_dict`, possibly after a JSON round trip.

        Returns
        -------
        Column
            Equal to the original.
        """
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
        """Convert to built-in types for serialisation.

        Returns
        -------
        dict of str to value
            Input of `from_dict`.
        """
        number = None if self.number is None else self.number._asdict()
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "number": number,
            "levels": None if self.levels is None else list(self.levels),
            "range": list(self.range),
            "notes": list(self.notes),
        }

    def conform(self, values: pd.Series) -> Conformed:
        """Convert a column of new rows to the form of the training column.

        Parameters
        ----------
        values : Series
            Column of any dtype; not modified.

        Returns
        -------
        Conformed
            Converted values, float64 for numeric columns, datetime64 without time zone for datetime ones, `str`
            objects with NaN for missing values for all others; and a note to the user.

        Raises
        ------
        DataError
            If the kind is numeric or datetime and more than a tenth of the non-missing values cannot be parsed.
        """
        if self.kind in ("constant", "identifier"):
            return Conformed(values, "")  # not used by the model
        values = usual_dtype(values)
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object)
        found = self._conformed(values)
        if (
            self.levels is not None
            and len(values) >= MANY_ROWS
            and found.values.isna().all()
            and not self.mostly_missing
        ):
            return found._replace(
                note=joined(found.note, f"column {str(values.name)!r} is missing in every row")
            )
        return found

    def _conformed(self, values: pd.Series) -> Conformed:
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
        if matched.n_unseen > _MAX_UNSEEN * max(matched.n_present, 1):
            note = (
                f"{matched.n_unseen} of {matched.n_present} values of column {str(values.name)!r} were not seen in "
                f"training, such as {matched.unseen[0]!r}; known levels are {listed(self.levels or ())}"
            )
        elif same := self._merged_levels(values, matched.values):
            note = (
                f"column {str(values.name)!r} was passed as numbers, which cannot distinguish its levels "
                f"{listed(same)}: pass it as text"
            )
        return Conformed(pd.Series(matched.values, index=values.index, name=values.name, dtype=object), note)

    def _merged_levels(self, values: pd.Series, matched: NDArray[Any]) -> tuple[str, ...]:
        """Levels that are distinct as text only (007 and 7), if the values are or appear to have been numbers."""
        same = colliding_levels(self.levels or ())
        if not same or values.isna().all():
            return ()
        if pd.api.types.is_numeric_dtype(values.dtype):
            return same
        given = values.dropna()
        if not given.map(lambda value: isinstance(value, str)).all():
            return same
        of_these = [level for level in matched if level in same]
        # If none of many such values begins with a zero, they were probably parsed as numbers before.
        is_padded = [level.startswith("0") and level != "0" for level in of_these]
        return (
            same
            if len(of_these) >= MANY_ROWS and any(s.startswith("0") for s in same) and not any(is_padded)
            else ()
        )

    def _numbers(self, values: pd.Series) -> Conformed:
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            raise DataError(
                f"Column {str(values.name)!r} contains dates, but the model was fitted on numbers. Pass it as numbers."
            )
        if pd.api.types.is_timedelta64_dtype(values.dtype):
            return Conformed(finite(values.dt.total_seconds()), "")
        if pd.api.types.is_numeric_dtype(values.dtype):
            return self._durations(finite(values)) if self.is_duration else self._percents(finite(values))
        texts = present_texts(values)
        texts = texts.mask(np.isinf(pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)), np.nan)
        numbers, note = self._read_numbers(texts)
        if not note and self.number is not None and not texts.str.contains("%", na=False).any():
            numbers, note = self._percents(numbers)
        return self._checked(values, texts, numbers, "a number", note)

    def _percents(self, numbers: pd.Series) -> Conformed:
        """Convert fractions where there were percentages: 0.05 for 5 %, as stored by spreadsheets."""
        present = numbers.dropna().abs()
        if self.number is None or "%" not in self.number.units or len(present) == 0:
            return Conformed(numbers, "")
        name = str(numbers.name)
        if present.max() > 1 or self.range[1] <= 2 or (present % 1 == 0).all():
            return Conformed(numbers, "")
        if len(present) < MANY_ROWS:
            return Conformed(
                numbers, f"the numbers of column {name!r} may be fractions; in training they were percentages"
            )
        return Conformed(numbers * 100, f"the numbers of column {name!r} were read as fractions, 0.05 as 5 %")

    def _durations(self, numbers: pd.Series) -> Conformed:
        """Convert numbers where there were durations, in the unit that puts most into the training range."""
        units = {"seconds": 1.0, "milliseconds": 1e-3, "days": 86400.0, "nanoseconds": 1e-9, "microseconds": 1e-6,
                 "minutes": 60.0, "hours": 3600.0}  # fmt: skip
        inside = {unit: self._share_inside(numbers * factor) for unit, factor in units.items()}
        best = max(units, key=lambda unit: inside[unit])
        if not self._is_clear(numbers, inside["seconds"], inside[best]):
            doubt = f"column {str(numbers.name)!r} was passed as numbers, which were read as seconds"
            return Conformed(numbers, doubt if (inside["seconds"], inside[best]) == (0.0, 1.0) else "")
        return Conformed(
            numbers * units[best],
            f"column {str(numbers.name)!r} was passed as numbers, which were read as {best}",
        )

    @staticmethod
    def _is_clear(numbers: pd.Series, share: float, other: float) -> bool:
        """Whether there are many numbers, mostly outside the training range as read, but inside otherwise."""
        return numbers.notna().sum() >= MANY_ROWS and share < 0.2 and other > 0.8

    def _share_inside(self, numbers: pd.Series) -> float:
        """Share of the numbers with a magnitude in the training range, within a factor of 1,000."""
        present = numbers.dropna().abs()
        low, high = self.range
        largest = max(abs(low), abs(high))
        if len(present) == 0 or not largest > 0:
            return 0.0
        return float(((present <= 1.1 * largest) & ((present >= largest / 1000) | (present == 0))).mean())

    def _read_numbers(self, texts: pd.Series) -> tuple[pd.Series, str]:
        """Parse in the training format, or in another one that parses more values or fits the range better."""
        if self.is_duration:
            seconds = to_seconds(texts)
            numbers, note = self._durations(plain_numbers(texts)) if seconds.isna().any() else (seconds, "")
            return seconds.fillna(numbers), note
        learnt = plain_numbers(texts) if self.number is None else to_numbers(texts, *self.number)
        missed = texts[learnt.isna() & texts.notna()]
        if len(missed) and (words := missed.str.lower().map({"true": 1.0, "false": 0.0})).notna().all():
            return learnt.fillna(words), ""
        if len(missed) == 0 and self.number is None:
            return learnt, ""
        distinct = texts.dropna().value_counts()
        found = read_numbers(distinct.index.to_numpy(dtype=object), distinct.to_numpy())
        if found is None:
            return learnt, ""
        formats = [found.format, *([] if found.other is None else [found.other])]
        known = None if self.number is None else self.number.decimal
        again = {way.decimal: to_numbers(texts, *way) for way in formats if way.decimal != known}
        best = self._likeliest(list(again.values()), learnt)
        n_read, n_learnt = best.notna().sum(), learnt.notna().sum()
        shares = self._share_inside(learnt), self._share_inside(best)
        if n_read < n_learnt or (n_read == n_learnt and not self._is_clear(learnt, *shares)):
            doubt = f"the numbers of column {str(texts.name)!r} may be in another format than in training"
            return learnt, doubt if n_read == n_learnt and shares == (0.0, 1.0) else ""
        mark = next(mark for mark, numbers in again.items() if numbers is best)
        if known is None and self.number is None and mark == "." and len(formats) == 1:
            return best, ""  # only units or currencies are new
        return best, (
            f"the numbers of column {str(texts.name)!r} are in another format than in training: they were read with "
            f"the decimal mark {mark!r}"
        )

    def _likeliest(self, readings: list[pd.Series], learnt: pd.Series) -> pd.Series:
        """Return the first reading, unless it is far outside the training range and another one is inside."""
        if not readings:
            return learnt
        first = readings[0]
        is_far = first.abs().median() > 10 * max(abs(bound) for bound in self.range)
        inside = next((numbers for numbers in readings if self._share_inside(numbers) > 0.8), first)
        return inside if is_far else first

    def _dates(self, values: pd.Series) -> Conformed:
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            return Conformed(without_zone(values), self._zone_note(values, values.dt.tz is not None))
        if pd.api.types.is_numeric_dtype(values.dtype):
            return self._dates_from_numbers(values)
        if (
            values.dtype == object
            and values.dropna().map(type).map(lambda kind: issubclass(kind, date)).all()
        ):
            return self._dates(pd.to_datetime(values, utc=self.has_zone))
        texts = present_texts(values)
        if self.date_format == MIXED:
            moments = pd.to_datetime(texts, errors="coerce", utc=True, format="mixed").dt.tz_localize(None)
            return self._checked(values, texts, moments, "a date", "")
        zone_note = self._zone_note(values, have_zones(texts))
        learnt = to_dates(texts, self.date_format) if self.date_format else None
        if learnt is not None and not (learnt.isna() & texts.notna()).any():
            return Conformed(learnt, zone_note)
        numbers = plain_numbers(texts)
        if texts.notna().any() and numbers[texts.notna()].notna().all():
            return self._dates_from_numbers(numbers)
        found = read_dates(texts, day_first=is_day_first(self.date_format))
        if found is None or (
            learnt is not None and found.share <= learnt.notna().sum() / texts.notna().sum()
        ):
            nothing = pd.Series(pd.NaT, index=texts.index, name=texts.name, dtype="datetime64[us]")
            return self._checked(values, texts, nothing if learnt is None else learnt, "a date", zone_note)
        note = zone_note
        if self.date_format or found.others:
            before = f"; in training they were {self.date_format}" if self.date_format else ""
            note = joined(
                f"the dates of column {str(values.name)!r} were read as {found.format}{before}", note
            )
        return self._checked(values, texts, to_dates(texts, found.format), "a date", note)

    def _zone_note(self, values: pd.Series, has_zone: bool) -> str:
        if self.levels is None or has_zone is self.has_zone or values.isna().all():
            return ""
        have = (
            "have no time zone, but had one in training",
            "have a time zone, but had none in training",
        )
        return f"the dates of column {str(values.name)!r} {have[has_zone]}: they were read as UTC"

    def _dates_from_numbers(self, values: pd.Series) -> Conformed:
        numbers = finite(values)
        if self.date_format == COMPACT:
            texts = compact_texts(numbers)
            moments = to_dates(texts, COMPACT)
            if moments.notna().sum() > 0.5 * texts.notna().sum():
                return self._checked(values, texts, moments, "a date such as 20221128", "")
        if not numbers.notna().any():
            return Conformed(pd.to_datetime(numbers), "")
        found = from_numbers(numbers, *self.range)
        if found is None:
            raise DataError(
                f"Column {str(values.name)!r} contains numbers such as {numbers.dropna().iloc[0]:.10g}, but the model "
                "was fitted on dates; the numbers are not close to these dates in any common unit. Pass it as dates."
            )
        moments, unit = found
        are_years = all(
            pd.Timestamp(end, unit="s").strftime("%m%d%H%M%S") == "0101000000" for end in self.range
        )
        if unit == "years" and are_years:
            return Conformed(moments, "")
        since = "" if unit.startswith(("days since", "%", "years")) else " since 1970"
        return Conformed(
            moments, f"column {str(values.name)!r} was passed as numbers, which were read as {unit}{since}"
        )

    def _checked(
        self, values: pd.Series, texts: pd.Series, read: pd.Series, wanted: str, note: str
    ) -> Conformed:
        """Treat a few invalid values as missing; raise if there are many."""
        wrong = texts.notna() & read.isna()
        if wrong.any():
            example = str(texts[wrong].iloc[0])
            if wrong.sum() > _MAX_INVALID * texts.notna().sum():
                raise DataError(
                    f"Column {str(values.name)!r} contains {example!r}, which is not {wanted}, but it contained "
                    "(almost) nothing else in training. Fix these values or leave them empty."
                )
            note = joined(
                note,
                f"{counted(int(wrong.sum()))} of column {str(values.name)!r}, such as {example!r}: not {wanted}, treated "
                "as missing",
            )
        return Conformed(read, note)


class Conformed(NamedTuple):
    """Column of new rows in the form of the training column, and a note to the user (may be empty)."""

    values: pd.Series
    note: str
