"""Parsing of dates: one format per column, inferred from all of its values.

`to_dates` and `to_seconds` do not depend on this library: ``recommend --code`` copies their source into scripts.
"""

from __future__ import annotations

import datetime
import re
import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from automl_meta.task.date_formats import COMPACT, date_formats, is_day_first

__all__ = [
    "DateReading",
    "are_durations",
    "compact_texts",
    "from_numbers",
    "is_compact_dates",
    "read_dates",
    "to_dates",
    "to_seconds",
]

_MIN_SHARE = 0.95  # minimum share of dates among the values of a datetime column
_SORTED = 0.1  # minimum difference in orderliness for an order of day and month to be preferred
_NARROWER = 0.5  # maximum ratio of date ranges for the narrower one to be preferred
_SAMPLE = 200  # texts checked before a regular expression is applied to all
_DURATION = (
    r"[+-]?(?:\d+ days?,? ?[+-]?)?(?:\d{1,3}:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?)?"
    r"|\d{1,2}:[0-5]\d(?::[0-5]\d)? ?[AaPp][Mm]|\d{1,2}:[0-5]\d\.\d+"
)


class DateReading(NamedTuple):
    """Inferred date format of a column of text.

    Parameters
    ----------
    format : str
        A `strptime` format, or ``"ISO8601"``, ``"quarter"``, ``"week"`` or ``"ISO week"``.
    share : float
        Share of dates among the non-missing values.
    others : tuple of str
        Other formats that parse as many values, but to different dates.
    """

    format: str
    share: float
    others: tuple[str, ...]


def to_dates(column: pd.Series, date_format: str) -> pd.Series:
    """Parse text as dates of one format, in UTC without time zone; invalid values become missing.

    A format may end in ``|1930``: two-digit years then range from 1930 to 2029.
    """
    text = column.astype("str").str.strip().where(column.notna())
    if date_format == "quarter":
        found = text.str.extract(
            r"(?P<a>\d{4})?[-/ ]?(?P<b>[1-4])?Q(?P<c>[1-4])?[-/ ]?(?P<d>\d{2}(?:\d{2})?)?$"
        )
        year, number = found["a"].fillna(found["d"]), found["c"].fillna(found["b"])
        text = (
            year.where(year.str.len() != 2, "20" + year)
            + "-"
            + number.map({"1": "1", "2": "4", "3": "7", "4": "10"})
        )
        date_format = "%Y-%m"
    elif date_format == "week":
        text, date_format = text.str.replace("/.*", "", regex=True), "%Y-%m-%d"
    elif date_format == "ISO week":
        text, date_format = text.str.replace("-?W", "-", regex=True) + "-1", "%G-%V-%u"
    text = text.str.replace(
        r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? | ?(?:UTC|GMT|Uhr|h)$|\[[\w/]+\]$", "", regex=True
    )
    text = text.str.replace(r"(:\d\d),(\d)", r"\1.\2", regex=True).str.replace(
        r"([AaPp])\.[Mm]\.", r"\1m", regex=True
    )
    if "%b" in date_format or "%B" in date_format:
        names = (
            "januar=jan janvier=jan enero=jan ene=jan januari=jan februar=feb février=feb fév=feb fev=feb febrero=feb "
            "märz=mar mär=mar mars=mar marzo=mar avril=apr avr=apr abril=apr abr=apr mai=may mayo=may juni=jun juin=jun "
            "junio=jun juli=jul juillet=jul juil=jul julio=jul august=aug août=aug agosto=aug ago=aug september=sep "
            "sept=sep septembre=sep septiembre=sep oktober=oct okt=oct octobre=oct octubre=oct november=nov novembre=nov "
            "noviembre=nov dezember=dec dez=dec décembre=dec déc=dec diciembre=dec dic=dec january=jan february=feb "
            "march=mar april=apr june=jun july=jul october=oct december=dec"
        )
        english = dict(name.split("=") for name in names.split())
        text = text.str.lower().str.replace(
            r"[^\W\d_]{3,}", lambda found: english.get(found.group(), found.group()), regex=True
        )
        date_format = date_format.replace("%B", "%b")
    date_format, _, first_year = date_format.partition("|")
    moments = pd.to_datetime(text, format=date_format, errors="coerce", utc=True)
    others = [
        date_format.replace(":%S", "") if ":%S" in date_format else date_format.replace(":%M", ":%M:%S")
    ]
    others.append(
        date_format.split("T%H")[0].split(", %H")[0].split(" %H")[0].split(" %I")[0]
    )  # midnight may be omitted
    for other in others:
        if other != date_format and moments.isna().any():
            moments = moments.fillna(pd.to_datetime(text, format=other, errors="coerce", utc=True))
    if first_year:
        late = moments.dt.year >= int(first_year) + 100
        moments = moments.mask(late, moments - pd.DateOffset(years=100))
    return moments.dt.tz_localize(None)


def to_seconds(column: pd.Series) -> pd.Series:
    """Parse durations and times of day to seconds: ``1 days 02:30:00``, ``02:30:00``, ``02:30`` or ``2:30 PM``."""
    text = column.astype("str").str.strip().where(column.notna())
    text = text.where(text.str.contains(":|day", regex=True, na=False))  # a bare number has no unit
    text = text.str.replace(r"^(\d{1,2}:\d\d\.\d+)$", r"00:\1", regex=True)  # 1:09.3 is a lap time
    text = text.str.replace(
        r"^([+-]?(?:\d+ days?,? ?[+-]?)?\d+:\d\d)(?= ?[AaPp][Mm]$|$)", r"\1:00", regex=True
    )
    clock = text.str.extract(r"^(?P<hour>\d+)(?P<rest>:\d\d:\d\d) ?(?P<half>[AaPp])[Mm]$")
    hour = pd.to_numeric(clock["hour"]) % 12 + 12 * clock["half"].str.lower().eq("p")
    text = text.where(clock["hour"].isna(), hour.astype("Int64").astype("str") + clock["rest"])
    return pd.to_timedelta(text, errors="coerce").dt.total_seconds().astype("float64")


def are_durations(texts: NDArray) -> bool:
    """Whether all texts are durations or times of day."""
    return (
        len(texts) > 0
        and all(":" in text[:25] or "day" in text for text in texts[:_SAMPLE])
        and all(text and re.fullmatch(_DURATION, text) for text in texts)
    )


def is_compact_dates(values: NDArray[np.float64]) -> bool:
    """Whether (nearly) all numbers are dates of the form 20221128 from 1900 to 2100, at least three distinct ones."""
    likely = values[(values >= 19000101) & (values <= 21001231)]
    if len(values) == 0 or len(likely) < _MIN_SHARE * len(values):
        return False
    distinct = np.unique(likely)
    if len(distinct) < 3 or (distinct != np.round(distinct)).any():
        return False
    days, months = likely % 100, likely // 100 % 100
    if ((months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)).sum() < _MIN_SHARE * len(values):
        return False
    return bool(to_dates(compact_texts(pd.Series(values)), COMPACT).notna().mean() >= _MIN_SHARE)


def compact_texts(numbers: pd.Series) -> pd.Series:
    """Format integral numbers such as 20221128 as text."""
    return numbers.map(lambda value: f"{value:.0f}", na_action="ignore").astype(object)


def read_dates(
    column: pd.Series, *, day_first: bool | None = None, force: bool = False
) -> DateReading | None:
    """Infer the date format of a column.

    Parameters
    ----------
    column : Series of str
        Values in row order, NaN where missing.
    day_first : bool, optional
        Whether other columns of the table put the day first; used for ambiguous dates.
    force : bool
        Whether to accept a column in which only some values are dates.

    Returns
    -------
    DateReading or None
        None unless one format parses (nearly) all values. Ties are resolved in favour of the order of day and
        month in other columns, of sorted rows, or of a narrower range of dates.
    """
    texts = column.dropna()
    distinct = pd.Series(texts.unique())
    formats = date_formats(distinct, force)
    if not formats:
        return None
    counts = texts.value_counts()
    shares = {}
    for date_format in formats:
        fits = to_dates(distinct, date_format).notna()
        shares[date_format] = float(counts[distinct[fits]].sum() / len(texts))
    best = max(shares.values())
    if best == 0 or (best < _MIN_SHARE and not force):
        return None
    fitting = [date_format for date_format in formats if shares[date_format] == best]
    usual = [date_format for date_format in fitting if not re.match("%Y.{1,2}%d", date_format)]
    fitting = usual or fitting  # the month follows the year if possible
    chosen = fitting[0] if len(fitting) == 1 else _most_plausible(texts, fitting, day_first)
    dates = to_dates(distinct, chosen)
    this_year = datetime.date.today().year
    if "%y" in chosen and (dates.dt.year > this_year).any():
        return DateReading(f"{chosen}|{this_year - 99}", best, ())
    others = [other for other in fitting if not to_dates(distinct, other).equals(dates)]
    return DateReading(chosen, best, tuple(others))


def from_numbers(values: pd.Series, low: float, high: float) -> tuple[pd.Series, str] | None:
    """Convert numbers to dates: seconds, milli-, micro- or nanoseconds, days, years, or 20221128.

    Parameters
    ----------
    values : Series of float64
        Numbers, NaN where missing.
    low, high : float
        Range of the dates in training, in seconds since 1970.

    Returns
    -------
    (Series of datetime64, str) or None
        Dates, and the unit in which most of them, and at least half, lie in the training range extended by its
        width on both sides; None if there is no such unit.
    """
    present = values.dropna()
    if len(present) and present.between(1000, 2999).all() and (present == present.round()).all():
        return to_dates(compact_texts(values), "%Y"), "years"
    width = max(high - low, 366 * 86400.0)
    numbers = present.to_numpy(dtype=np.float64)
    best: tuple[float, str, float, float] | None = None
    for unit, factor, offset in (
        ("seconds", 1.0, 0.0), ("milliseconds", 1e-3, 0.0), ("microseconds", 1e-6, 0.0), ("nanoseconds", 1e-9, 0.0),
        ("days", 86400.0, 0.0), ("days since 1899-12-30", 86400.0, -25569 * 86400.0),
    ):  # fmt: skip
        seconds = numbers * factor + offset
        inside = float(np.mean((seconds >= low - width) & (seconds <= high + width)))
        if inside >= 0.5 and (best is None or inside > best[0]):
            best = (inside, unit, factor, offset)
    if best is None:
        if is_compact_dates(numbers) or (len(numbers) and _all_compact(numbers)):
            return to_dates(compact_texts(values), COMPACT), COMPACT
        return None
    _, unit, factor, offset = best
    microseconds = pd.Series((values * factor + offset) * 1e6).round()
    return pd.Series(pd.to_datetime(microseconds, unit="us", errors="coerce")), unit


def _all_compact(numbers: NDArray[np.float64]) -> bool:
    texts = compact_texts(pd.Series(numbers))
    return bool(pd.to_datetime(texts, format=COMPACT, errors="coerce").notna().all())


def _most_plausible(texts: pd.Series, formats: list[str], day_first: bool | None) -> str:
    if day_first is not None:
        alike = [date_format for date_format in formats if is_day_first(date_format) is day_first]
        if alike:
            return alike[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = {date_format: to_dates(texts, date_format).dropna().astype("int64") for date_format in formats}
    monthly = [f for f in formats if "%d" in f and (to_dates(texts, f).dropna().dt.day == 1).all()]
    if len(monthly) == 1 and len(texts) > 2:
        return monthly[0]
    order = {date_format: _orderliness(moments.to_numpy()) for date_format, moments in read.items()}
    best = max(formats, key=lambda date_format: order[date_format])
    others = [order[other] for other in formats if other != best]
    if order[best] - max(others) > _SORTED or (order[best] == 1.0 and max(others) < 1.0):
        return best
    width = {date_format: float(np.ptp(moments)) for date_format, moments in read.items()}
    narrowest = min(formats, key=lambda date_format: width[date_format])
    if all(width[narrowest] < _NARROWER * width[other] for other in formats if other != narrowest):
        return narrowest
    american = "/" in formats[0] and any(is_day_first(date_format) is False for date_format in formats)
    return next((f for f in formats if is_day_first(f) is (not american)), formats[0])


def _orderliness(moments: NDArray[Any]) -> float:
    """Share of the steps between rows in the more frequent direction; about one half for random order."""
    steps = np.diff(moments)
    steps = steps[steps != 0]
    return float(max((steps > 0).mean(), (steps < 0).mean())) if len(steps) else 0.5
