"""Activity: which parameters mean something beside which values of others, learnt from examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl_meta.tuning.encoded_space import EncodedSpace, Matrix


@dataclass(frozen=True)
class _Rule:
    """A column is active where the parent's value lies in one of the intervals, ends included."""

    column: int
    parent: int
    intervals: tuple[tuple[float, float], ...]

    def holds(self, values: Matrix) -> NDArray[np.bool_]:
        return np.logical_or.reduce([(values >= low) & (values <= high) for low, high in self.intervals])


class Activity:
    """Rules such as "degree is active where kernel is poly", from rows that say what was active.

    A define-by-run space never states its conditions. So for each column that some rows lack, that
    other column is taken as its parent whose value decides best whether it is there. Where a
    parent has a value that no row shows, its children count as inactive.

    Parameters
    ----------
    space : EncodedSpace
        Of the rows.
    past : ndarray of shape (n_past, n_columns)
        NaN where a parameter was not active, or not known.
    observed : ndarray of shape (n_observed, n_columns)
        Rows that know all parameters. They alone tell of a column that no past row has; one that
        they do not have either counts as always active.
    """

    def __init__(self, space: EncodedSpace, past: Matrix, observed: Matrix) -> None:
        everything = np.vstack([past, observed])
        sources = [everything if (~np.isnan(past[:, j])).any() else observed for j in range(len(space))]
        share = np.array([_share(rows[:, column]) for column, rows in enumerate(sources)])
        # Parents are there more often than their children, so this order has no circle.
        self._rules = [
            rule
            for column in np.argsort(-share, kind="stable")
            if share[column] < 1.0
            and (rule := _best_rule(space, sources[column], column, np.flatnonzero(share > share[column])))
        ]

    def expected(self, rows: Matrix) -> NDArray[np.bool_]:
        """Where rows should have a value, going by the parents that they do have; (n, n_columns)."""
        there = np.ones(rows.shape, dtype=bool)
        for rule in self._rules:
            there[:, rule.column] = rule.holds(rows[:, rule.parent])
        return there

    def apply(self, rows: Matrix, rng: np.random.Generator, space: EncodedSpace) -> Matrix:
        """The same rows with NaN where a column is inactive, and random values where one is missing."""
        gaps = np.isnan(rows)
        filled = np.where(gaps, space.sample(len(rows), rng), rows) if gaps.any() else rows.copy()
        for rule in self._rules:
            filled[~rule.holds(filled[:, rule.parent]), rule.column] = np.nan
        return filled


def _share(values: Matrix) -> float:
    present = ~np.isnan(values)
    return float(present.mean()) if present.any() else 1.0


def _best_rule(space: EncodedSpace, rows: Matrix, column: int, parents: NDArray[np.int64]) -> _Rule | None:
    """The parent with the fewest wrong rows; categories before numbers among equals."""
    target = ~np.isnan(rows[:, column])
    best, fewest = None, np.inf
    for parent in sorted(parents, key=lambda one: space.categories[one] == 0):
        values, learnt = rows[:, parent], _active_categories if space.categories[parent] else _active_range
        intervals = learnt(values, target)
        if not intervals:
            continue
        rule = _Rule(int(column), int(parent), intervals)
        wrong = int((rule.holds(values) != target).sum())
        if wrong < fewest:
            best, fewest = rule, wrong
    return best


def _active_categories(values: Matrix, target: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    found = np.unique(values[~np.isnan(values)])
    return tuple((value, value) for value in found.tolist() if target[values == value].mean() > 0.5)


def _active_range(values: Matrix, target: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """All from the smallest to the largest value at which it is active, open where no value is beyond."""
    known = ~np.isnan(values)
    active, inactive = values[known & target], values[known & ~target]
    if not len(active) or not len(inactive):
        return ()
    low, high = active.min(), active.max()
    below, above = inactive[inactive < low], inactive[inactive > high]
    return (
        (
            (low + below.max()) / 2 if len(below) else -np.inf,
            (high + above.min()) / 2 if len(above) else np.inf,
        ),
    )
