"""Candidate date formats, suggested by the shape of a text."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = [
    "COMPACT",
    "ISO",
    "ISO_WEEK",
    "MIXED",
    "QUARTER",
    "WEEK",
    "check_date_format",
    "date_formats",
    "is_day_first",
]

ISO = "ISO8601"
COMPACT = "%Y%m%d"
QUARTER, WEEK, ISO_WEEK = "quarter", "week", "ISO week"  # 2022Q4, 2022-11-28/2022-12-04, 2022-W48
MIXED = "mixed"  # as in version 0.1.0: each value is parsed individually, month first
_SAMPLE = 200
_TIME = (
    r"(?:(?P<before>[T ]|, )(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2}(?P<fraction>[.,]\d{1,9})?)?"
    r"(?P<half> ?[AaPp]\.?[Mm]\.?)?(?P<zone> ?(?:Z|[+-]\d{2}(?::?\d{2})?))?(?: ?(?:UTC|GMT|Uhr|h)|\[[\w/]+\])?)?"
)
_SEPARATED = (
    rf"(?P<first>\d{{1,4}})(?P<separator>[-/.] ?| )(?P<second_part>\d{{1,2}})(?P=separator)(?P<last>\d{{1,4}})"
    rf"(?P<end>\.?){_TIME}"
)
_NAMED = (
    r"(?:(?P<day>\d{1,2})(?P<one>\.?[-/ ]|\. )(?P<month>[^\W\d_]{3,10})(?P<two>[-/ ]|\.? |, |\.)"
    r"|(?P<month_first>[^\W\d_]{3,10})(?P<three>\.?[ -])(?P<day_second>\d{1,2})(?P<four>,? |, ?|-))"
    rf"(?P<year>\d{{4}}|\d{{2}}){_TIME}"
)
_MONTHS = r"(?:(?P<year>\d{4})(?P<one>[-/.])\d{1,2}|\d{1,2}(?P<two>[-/.])\d{4})"
_NAMED_MONTHS = r"(?P<month>[^\W\d_]{3,10})(?P<one>\.?[- /])(?P<year>\d{4}|\d{2})"
_QUARTERS = r"\d{4}[-/ ]?Q[1-4]|Q[1-4][-/ ]?\d{4}|[1-4]Q(?:\d{2}|\d{4})"
_EAST_ASIAN = r"\d{4}年\d{1,2}月\d{1,2}日"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? "
_MONTH_NAMES = frozenset(
    [
        "jan",
        "feb",
        "mar",
        "apr",
        "may",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
        "mär",
        "mai",
        "okt",
        "dez",
        "fév",
        "fev",
        "avr",
        "jui",
        "aoû",
        "déc",
        "ene",
        "abr",
        "ago",
        "dic",
    ]
)


def check_date_format(date_format: str) -> bool:
    """Whether a text is a valid `strptime` format."""
    try:
        pd.to_datetime(pd.Series([pd.Timestamp("2022-11-28").strftime(date_format)]), format=date_format)
    except ValueError:
        return False
    return "%" in date_format


def is_day_first(date_format: str) -> bool | None:
    """Whether the day precedes the month; None for formats that begin with the year or use month names."""
    if date_format.startswith("%Y") or "%d" not in date_format or "%m" not in date_format:
        return None
    return date_format.index("%d") < date_format.index("%m")


def date_formats(distinct: pd.Series, force: bool) -> list[str]:
    """List at most eight candidate formats of a sample of the values, most frequent first."""
    chosen = distinct.iloc[
        np.unique(np.linspace(0, len(distinct) - 1, min(len(distinct), _SAMPLE)).astype(int))
    ]
    found: dict[str, int] = {}
    n_shaped = 0
    for text in chosen:
        candidates = _candidates(str(text).strip())
        n_shaped += bool(candidates)
        for candidate in candidates:
            found[candidate] = found.get(candidate, 0) + 1
    if not found or (n_shaped < 0.5 * len(chosen) and not force):
        return []
    return sorted(found, key=lambda date_format: -found[date_format])[:8]


def _candidates(text: str) -> list[str]:
    text = re.sub(_WEEKDAY, "", text, count=1)
    if len(text) > 60 or not text[:1].isalnum():
        return []
    if re.fullmatch(_QUARTERS, text):
        return [QUARTER]
    if re.fullmatch(_EAST_ASIAN, text):
        return ["%Y年%m月%d日"]
    if re.fullmatch(r"\d{4}-?W\d{2}", text):
        return [ISO_WEEK]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}", text):
        return [WEEK]
    if re.fullmatch(r"\d{8}", text):
        return [COMPACT] if "19000101" <= text <= "21001231" else []
    months = re.fullmatch(_MONTHS, text)
    if months:
        mark = months["one"] or months["two"]
        return [f"%Y{mark}%m" if months["year"] else f"%m{mark}%Y"]
    parts = re.fullmatch(_SEPARATED, text)
    if parts:
        return _separated(parts)
    named_month = re.fullmatch(_NAMED_MONTHS, text)
    if named_month and named_month["month"][:3].lower() in _MONTH_NAMES:
        return [f"%b{named_month['one']}{'%Y' if len(named_month['year']) == 4 else '%y'}"]
    named = re.fullmatch(_NAMED, text)
    if named and (named["month"] or named["month_first"])[:3].lower() in _MONTH_NAMES:
        return _named(named)
    return []


def _separated(parts: re.Match[str]) -> list[str]:
    first, middle, last = parts["first"], parts["second_part"], parts["last"]
    mark, time = parts["separator"], parts["end"] + _time_format(parts)
    if len(first) == 4 and len(last) <= 2:
        is_iso = mark == "-" and len(middle) == len(last) == 2 and not parts["half"] and not parts["end"]
        iso = [ISO] if is_iso else []
        return [*(iso or [f"%Y{mark}%m{mark}%d{time}"]), f"%Y{mark}%d{mark}%m{time}"]
    if len(last) == 4 and len(first) <= 2:
        return [f"%d{mark}%m{mark}%Y{time}", f"%m{mark}%d{mark}%Y{time}"]
    short = mark == "/" and max(len(first), len(middle)) <= 2 == len(
        last
    )  # 1/31/22, whereas 1.2.10 is a version
    if short or (len(first) == len(middle) == len(last) == 2 and mark != " "):
        return [f"%d{mark}%m{mark}%y{time}", f"%m{mark}%d{mark}%y{time}", f"%y{mark}%m{mark}%d{time}"]
    return []


def _named(parts: re.Match[str]) -> list[str]:
    year = "%Y" if len(parts["year"]) == 4 else "%y"
    if parts["day"]:
        return [f"%d{parts['one']}%b{parts['two']}{year}{_time_format(parts)}"]
    return [f"%b{parts['three']}%d{parts['four']}{year}{_time_format(parts)}"]


def _time_format(parts: re.Match[str]) -> str:
    if not parts["hour"]:
        return ""
    hour = "%I" if parts["half"] else "%H"
    second = ":%S" if parts["second"] else ""
    fraction = ".%f" if parts["fraction"] else ""
    half = " %p" if parts["half"] and parts["half"].startswith(" ") else "%p" if parts["half"] else ""
    zone = " %z" if parts["zone"] and parts["zone"].startswith(" ") else "%z" if parts["zone"] else ""
    return f"{parts['before']}{hour}:%M{second}{fraction}{half}{zone}"
