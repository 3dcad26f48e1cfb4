"""Levels of a categorical column: one text for each, whatever type a file or a frame gave it.

`level_texts` needs nothing of this library: ``recommend --code`` copies its source into its scripts.
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
"""What a column of two levels may be called to be one of booleans, in lower case."""


class Matched(NamedTuple):
    """Values as levels that were learnt.

    Parameters
    ----------
    values : ndarray of object
        The level of each value, its own text if it is none of them, NaN where missing.
    n_present : int
        How many are not missing.
    unseen : tuple of str
        Different texts that are no level.
    n_unseen : int
        How many values these are.
    """

    values: NDArray[Any]
    n_present: int
    unseen: tuple[str, ...]
    n_unseen: int


def level_texts(column: pd.Series) -> pd.Series:
    """Write each value as text without blanks around it: 10.0 as ``10``, and any writing of true as ``True``."""

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
    """Find the level that each text means, whatever form it came in.

    A text that is a level is that level. Others are compared as what they mean: ``10.0`` with ``10``, ``TRUE`` or
    ``1`` with ``true``, unless two levels mean the same (``007`` and ``7``).

    Parameters
    ----------
    texts : Series of str
        From `level_texts`.
    levels : sequence of str
        Those learnt from.
    missing_words : frozenset of str
        Texts that stand for a missing value if they are no level.
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
    """Levels that are told apart by their text alone: a reader that takes them for numbers merges them."""
    counts = Counter(map(_meaning, levels))
    return tuple(level for level in levels if counts[_meaning(level)] > 1)


def case_variants(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Texts that differ in upper and lower case, or in blanks around them, only."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(text.strip().casefold(), []).append(text)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]


def _meanings(levels: Sequence[str]) -> dict[Hashable, str]:
    """From what a level means to the level; what two levels mean is left out."""
    counts = Counter(map(_meaning, levels))
    meant = {_meaning(level): level for level in levels if counts[_meaning(level)] == 1}
    truths = {BOOLEAN_WORDS.get(level.lower()): level for level in levels}
    if len(levels) <= 2 and None not in truths and len(truths) == len(levels):
        for truth, level in truths.items():
            meant[float(bool(truth))] = level
            meant |= {word: level for word, meaning in BOOLEAN_WORDS.items() if meaning is truth}
    return meant


def _meaning(text: str) -> Hashable:
    """What a text means: a number (true is 1), or itself."""
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    if "_" in text:  # Python would read 1_000 as a number
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
