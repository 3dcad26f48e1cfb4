"""Levels of a categorical column: a canonical text for each, whatever its type in the file or frame.

`level_texts` does not depend on this library: ``recommend --code`` copies its source into scripts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["BOOLEAN_WORDS", "Matched", "case_variants", "colliding_levels", "level_texts", "match_levels"]

BOOLEAN_WORDS = {
    "true": True, "t": True, "yes": True, "y": True,
    "false": False, "f": False, "no": False, "n": False,
}  # fmt: skip
"""Levels of boolean columns in lower case, with their truth values."""


class Matched(NamedTuple):
    """Values matched to the training levels.

    Parameters
    ----------
    values : ndarray of object
        Level of each value, its own text if it matches no level, NaN where missing.
    n_present : int
        Number of non-missing values.
    unseen : tuple of str
        Distinct texts that match no level.
    n_unseen : int
        Number of values that match no level.
    """

    values: NDArray[Any]
    n_present: int
    unseen: tuple[str, ...]
    n_unseen: int


def level_texts(column: pd.Series) -> pd.Series:
    """Convert values to stripped text, 10.0 to ``10`` and any spelling of true to ``True``."""

    def text_of(value: object) -> str:
        if (
            isinstance(value, (float, np.floating))
            and float(value).is_integer()
            and abs(float(value)) < 2**53
        ):
            return str(int(value))
        return str(value).strip()

    texts = {value: text_of(value) for value in column.dropna().unique()}
    if {text.lower() for text in texts.values()} <= {"true", "false"}:
        texts = {value: text.capitalize() for value, text in texts.items()}
    return column.map({value: text for value, text in texts.items() if text}).astype(object)


def match_levels(texts: pd.Series, levels: Sequence[str], missing_words: frozenset[str]) -> Matched:
    """Match each text to a level, regardless of its representation.

    Exact matches take precedence. Other texts are matched by meaning: ``10.0`` matches ``10``, and ``TRUE`` or ``1``
    matches ``true``, unless two levels have the same meaning (``007`` and ``7``).

    Parameters
    ----------
    texts : Series of str
        Output of `level_texts`.
    levels : sequence of str
        Training levels.
    missing_words : frozenset of str
        Texts that denote a missing value unless they are levels.

    Returns
    -------
    Matched
        Levels of the values, and the unseen texts.
    """
    known = set(levels)
    meant = _meanings(levels)
    codes, distinct = pd.factorize(texts)
    matched = np.empty(len(distinct) + 1, dtype=object)
    matched[-1] = np.nan  # the code of a missing value is -1
    unseen = np.zeros(len(distinct) + 1, dtype=bool)
    for position, text in enumerate(distinct):
        level = text if text in known else meant.get(_meaning(text))
        if level is None and text in missing_words:
            matched[position] = np.nan
            continue
        matched[position] = text if level is None else level
        unseen[position] = level is None
    values = matched[codes]
    return Matched(
        values,
        int(len(values) - pd.isna(values).sum()),
        tuple(str(text) for text in distinct[unseen[:-1]]),
        int(unseen[codes].sum()),
    )


def colliding_levels(levels: Sequence[str]) -> tuple[str, ...]:
    """Levels that are distinct as text only, and would be merged by parsing them as numbers."""
    counts = Counter(map(_meaning, levels))
    return tuple(level for level in levels if counts[_meaning(level)] > 1)


def case_variants(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Group texts that differ only in case or surrounding whitespace."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(text.strip().casefold(), []).append(text)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]


def _meanings(levels: Sequence[str]) -> dict[Hashable, str]:
    """Map the meanings of levels to the levels, omitting ambiguous meanings."""
    counts = Counter(map(_meaning, levels))
    meant = {_meaning(level): level for level in levels if counts[_meaning(level)] == 1}
    truths = {BOOLEAN_WORDS.get(level.lower()): level for level in levels}
    if len(levels) <= 2 and None not in truths and len(truths) == len(levels):
        for truth, level in truths.items():
            meant[float(bool(truth))] = level
            meant |= {word: level for word, meaning in BOOLEAN_WORDS.items() if meaning is truth}
    return meant


def _meaning(text: str) -> Hashable:
    """Return the number that a text denotes (1 for true), or the text itself."""
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    if "_" in text:  # Python parses 1_000 as a number
        return text
    try:
        whole = int(text)
    except ValueError:
        try:
            number = float(text)
        except ValueError:
            return text.lower() if text.lower() in BOOLEAN_WORDS else text
        return number if math.isfinite(number) else text
    return float(whole) if abs(whole) < 2**53 else whole
