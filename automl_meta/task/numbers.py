"""Parsing of numbers with decimal commas, thousands separators, currencies, percent signs and units.

`number_pattern`, `read_number` and `to_numbers` do not depend on this library: ``recommend --code`` copies their
source into scripts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "MISSING_WORDS",
    "Decimal",
    "NumberFormat",
    "NumberReading",
    "is_missing_word",
    "number_pattern",
    "read_number",
    "read_numbers",
    "to_numbers",
]

Decimal = Literal[".", ","]

MISSING_WORDS = frozenset(
    {
        "", "?", "-", "--", "---", "–", "—", ".", "..", "...", "*", "n/a", "na", "n.a.", "n. a.", "nan", "-nan", "null",
        "none", "nil", "<na>", "#n/a", "#n/a n/a", "#na", "#value!", "#div/0!", "#ref!", "#null!", "1.#ind", "1.#qnan",
        "-1.#ind", "-1.#qnan", "nat", "unknown", "missing", "not available", "k.a.", "k. a.",
    }
)  # fmt: skip
"""Texts that denote a missing value among numbers and dates, in lower case."""

_MIN_SHARE = 0.9  # minimum share of numbers among the values of a numeric column
_MAX_FOREIGN = 0.02  # maximum share of numbers in units that cannot be converted
_OWN_UNIT = 0.5  # minimum share of the numbers with a unit, if it is not a common unit
_MAX_BOUNDS = 0.2  # maximum share of bounds such as ">20"
_SAMPLE = 300  # distinct texts that are parsed before all of them are

MONEY = frozenset(
    [
        "$",
        "€",
        "£",
        "¥",
        "₹",
        "₽",
        "₩",
        "₺",
        "₪",
        "₫",
        "฿",
        "₦",
        "chf",
        "cad",
        "aud",
        "nzd",
        "cny",
        "sek",
        "nok",
        "dkk",
        "pln",
        "czk",
        "huf",
        "rub",
        "brl",
        "mxn",
        "zar",
        "zł",
        "kč",
    ]
)

_POWERS = {
    "k": 1e3, "tsd": 1e3, "m": 1e6, "mio": 1e6, "mn": 1e6, "mm": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9,
}  # fmt: skip
_CLEAR_POWERS = frozenset({"k", "tsd", "mio", "b", "bn", "mrd"})  # not units as well
_DIMENSIONS: tuple[dict[str, float], ...] = (
    {"mg": 1e-3, "g": 1.0, "gr": 1.0, "kg": 1e3, "t": 1e6, "lb": 453.59237, "oz": 28.349523125},
    {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3, "in": 0.0254, "ft": 0.3048, "yd": 0.9144, "mi": 1609.344},
    {"ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "mn": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0,
     "d": 86400.0, "day": 86400.0},
    {"ml": 1e-3, "cl": 1e-2, "dl": 0.1, "l": 1.0},
    {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12},
    {"w": 1.0, "kw": 1e3, "mw": 1e6},
    {"wh": 1.0, "kwh": 1e3, "mwh": 1e6},
    {"%": 1.0, "‰": 0.1},
    {"°": 1.0},
)  # fmt: skip


class NumberFormat(NamedTuple):
    """Format of the numbers of a column.

    Parameters
    ----------
    decimal : {".", ","}
        Decimal mark.
    units : dict of str to float
        Units as returned by `read_number`, each with the factor that converts it to the most frequent unit; ``""``
        means no unit.
    """

    decimal: Decimal
    units: dict[str, float]


class NumberReading(NamedTuple):
    """Inferred number format of a column of text.

    Parameters
    ----------
    format : NumberFormat
        Most plausible format.
    share : float
        Share of numbers among the non-missing values.
    n_bounds : int
        Number of distinct values that are bounds, such as ``>20``.
    other : NumberFormat or None
        Format with the other decimal mark, if it parses as many values, but to different numbers.
    """

    format: NumberFormat
    share: float
    n_bounds: int
    other: NumberFormat | None


def is_missing_word(text: str) -> bool:
    """Whether a text denotes a missing value among numbers or dates."""
    return text.strip().lower() in MISSING_WORDS


def number_pattern(decimal: str) -> re.Pattern[str]:
    """Compile a pattern for a number with optional sign, bound, currency, unit or parentheses."""
    blank = r"\s'’_"  # apostrophes and any whitespace may separate thousands
    grouped = (
        rf"[1-9]\d{{0,2}}(?P<group>[{',' if decimal == '.' else '.'}{blank}])\d{{3}}(?:(?P=group)\d{{3}})*"
    )
    indian = r"|[1-9]\d?(?:,\d{2})+,\d{3}" if decimal == "." else ""
    money = (
        r"(?:[A-Z]{1,3})?[$€£¥₹₽₩₺₪₫₴฿₦]|USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RUB|BRL|MXN"
        r"|ZAR|KRW|TRY|SGD|HKD|ILS|THB|Rs\.?|kr\.?|Fr\.?|zł|Kč|Ft"
    )
    return re.compile(
        r"(?P<open>\()?\s*(?P<bound>[<>≤≥~≈]=?)?\s*(?P<sign>[-+−–])?\s*"
        rf"(?P<before>{money})?\s*(?P<second>[-+−–])?\s*"
        rf"(?P<whole>{grouped}{indian}|\d+)?(?:{re.escape(decimal)}(?P<fraction>\d+|[-–]{{1,2}}|))?(?P<exponent>[eE][+-]?\d+)?"
        rf"\s*(?P<times>(?:k|K|m|M|b|B|Mio\.?|Mn|mn|bn|Bn|Mrd\.?|Tsd\.?)(?=\s*(?:{money})))?"
        rf"\s*(?P<after>{money}|%|‰|°[CF]?|[^\W\d_][\w/²³^.%°]{{0,11}})?\s*(?P<close>\))?(?P<trail>[-+])?"
    )


def read_number(text: str, pattern: re.Pattern[str]) -> tuple[str, str, bool]:
    """Parse a number: its Python literal (empty if invalid), its unit, and whether it is a bound."""
    if not text.isascii():
        text = "".join(str(int(character)) if character.isdecimal() else character for character in text)
    found = pattern.fullmatch(text.strip())
    if found is None or not (found["whole"] or (found["fraction"] or "").isdigit()):
        return "", "", False
    whole = "".join(character for character in found["whole"] or "0" if character.isdigit())
    fraction = (found["fraction"] or "0").strip("-–") or "0"  # 20.- is 20.00
    signs = [sign for sign in (found["sign"], found["second"], found["open"], found["trail"]) if sign]
    is_mark = found["trail"] == "-" and found["fraction"] is None and len(whole) < 3  # 2- is a school grade
    is_grouped = (
        found["exponent"] is not None and found["group"] is not None
    )  # 1,340E+04 contains a decimal comma
    if bool(found["open"]) != bool(found["close"]) or len(signs) > 1 or is_mark or is_grouped:
        return "", "", False
    money, after, times = (
        found["before"] or "",
        found["after"] or "",
        (found["times"] or "").rstrip(".").lower(),
    )
    if money and after.rstrip(".").lower() in ("k", "tsd", "m", "mio", "mn", "mm", "b", "bn", "mrd"):
        times, after = after.rstrip(".").lower(), ""
    if money and after:
        return "", "", False
    unit = "mio" if after == "M" and not money else (money or after).rstrip(".").lower()
    names = {"usd": "$", "us$": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹"}
    unit = names.get(unit, unit.removesuffix("s") if len(unit) > 2 else unit)
    minus = "-" if signs and signs[0] in "-−–(" else ""
    number = f"{minus}{whole}.{fraction}{found['exponent'] or ''}"
    return number, f"{times} {unit}".strip(), bool(found["bound"] or found["trail"] == "+")


def to_numbers(column: pd.Series, decimal: str, units: Mapping[str, float]) -> pd.Series:
    """Parse text as numbers in the most frequent unit; invalid values and unknown units become missing."""
    pattern = number_pattern(decimal)
    texts = [text for text in column.dropna().unique() if isinstance(text, str)]
    read = [read_number(text, pattern) for text in texts]
    known = [
        (text, number, units[unit])
        for text, (number, unit, _) in zip(texts, read, strict=True)
        if number and unit in units
    ]
    numbers = pd.to_numeric(pd.Series([number for _, number, _ in known], dtype=object))
    values = dict(
        zip([text for text, _, _ in known], numbers * [factor for _, _, factor in known], strict=True)
    )
    return column.map(values).astype("float64")


def read_numbers(
    texts: NDArray[Any], counts: NDArray[Any], decimal: Decimal | None = None, *, force: bool = False
) -> NumberReading | None:
    """Infer the number format of a column.

    Parameters
    ----------
    texts : ndarray of str
        Distinct non-missing values.
    counts : ndarray of int64
        Number of occurrences of each value.
    decimal : {".", ","}, optional
        Preferred decimal mark if both marks parse equally many values.
    force : bool
        Whether to accept a column in which only some values are numbers.

    Returns
    -------
    NumberReading or None
        None if no value is a number or, unless `force` is set, if fewer than 90 % of the values are.
    """
    if len(texts) > 1 and all(text.startswith("(") for text in texts):
        return None  # (1), (2), (3) is an enumeration rather than negative numbers only
    if len(texts) > _SAMPLE and not force:
        chosen = np.linspace(0, len(texts) - 1, _SAMPLE).astype(int)
        if read_numbers(texts[chosen], np.ones(_SAMPLE), decimal) is None:
            return None
    attempts = [
        attempt for mark in (".", ",") if (attempt := _attempt(texts, counts, mark, force)) is not None
    ]
    if not attempts:
        return None
    attempts.sort(key=lambda attempt: (-attempt.share, attempt.format.decimal != (decimal or ".")))
    best = attempts[0]
    if len(attempts) > 1 and attempts[1].share == best.share:
        column = pd.Series(texts)
        first, second = (to_numbers(column, *attempt.format) for attempt in attempts)
        if not first.equals(second):
            return best._replace(other=attempts[1].format)
        return min(attempts, key=lambda attempt: attempt.format.decimal != ".")
    return best


def _attempt(
    texts: NDArray[Any], counts: NDArray[Any], decimal: Decimal, force: bool
) -> NumberReading | None:
    pattern = number_pattern(decimal)
    read = [read_number(text, pattern) for text in texts]
    by_unit: dict[str, int] = {}
    for (number, unit, _), count in zip(read, counts, strict=True):
        if number:
            by_unit[unit] = by_unit.get(unit, 0) + int(count)
    if not by_unit:
        return None
    sizes = {
        unit: [abs(float(number)) for number, own, _ in read if number and own == unit] for unit in by_unit
    }
    units = _factors(by_unit, sizes)
    if not force and not _are_units(units, by_unit):
        return None
    fits = np.array([bool(number) and unit in units for number, unit, _ in read])
    bounds = np.array([is_bound for _, _, is_bound in read]) & fits
    share = float(counts[fits].sum() / counts.sum())
    if not force and (share < _MIN_SHARE or counts[bounds].sum() > _MAX_BOUNDS * counts.sum()):
        return None
    if not force and (~fits).sum() >= max(fits.sum(), 1):
        return None  # at least as many distinct words as numbers
    return NumberReading(NumberFormat(decimal, units), share, int(bounds.sum()), None)


def _are_units(units: Mapping[str, float], by_unit: Mapping[str, int]) -> bool:
    """Whether the suffixes of the numbers are units rather than parts of names, as in 12a and 12b."""
    total = sum(by_unit.values())
    if sum(count for unit, count in by_unit.items() if unit not in units) > _MAX_FOREIGN * total:
        return False
    common = {*_POWERS, *MONEY, *(unit for dimension in _DIMENSIONS for unit in dimension)}
    named = [unit for unit in by_unit if unit and unit in units]
    return all(unit.split(" ")[-1] in common or by_unit[unit] >= _OWN_UNIT * total for unit in named)


def _factors(by_unit: Mapping[str, int], sizes: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Select units of one dimension, and compute the factor of each to the most frequent one."""
    named: Sequence[str] = sorted((unit for unit in by_unit if unit), key=lambda unit: (-by_unit[unit], unit))
    if not named:
        return {"": 1.0}
    bare = sizes.get("", ())
    are_millions = named == ["m"] and bool(bare) and np.median(bare) >= 1000 * np.median(sizes["m"])
    if set(named) <= _POWERS.keys() and (set(named) & _CLEAR_POWERS or are_millions):
        return {"": 1.0, **{unit: _POWERS[unit] for unit in named}}
    main = named[0].split(" ")[-1]
    dimension = next(
        (units for units in _DIMENSIONS if all(unit in units for unit in named)),
        next((units for units in _DIMENSIONS if main in units), {main: 1.0}),
    )
    factors = {}
    for unit in named:
        *times, last = unit.split(" ")
        if last in dimension:
            factors[unit] = dimension[last] / dimension[main] * (_POWERS[times[0]] if times else 1.0)
    # In a column with 10 % and 5 %, a bare 0.25 means 25 %.
    are_shares = main == "%" and bool(bare) and all(number <= 1 for number in bare)
    return {"": 100.0 if are_shares else 1.0, **factors}
