"""Activity: conditions under which parameters are active, learnt from examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl_meta.tuning.encoded_space import EncodedSpace, Matrix


@dataclass(frozen=True)
class _Rule:
    """A column is active where the value of its parent lies in one of the closed intervals."""

    column: int
    parent: int
    intervals: tuple[tuple[float, float], ...]

    def holds(self, values: Matrix) -> NDArray[np.bool_]:
        return np.logical_or.reduce([(values >= low) & (values <= high) for low, high in self.intervals])


class Activity:
    """Rules such as "degree is active where kernel is poly", learnt from rows with inactive values.

    A define-by-run space does not state its conditions. For each column that is missing in some rows,
    the parent is the column whose value best predicts whether it is present. Children count as
    inactive where the parent has a value that no row shows.

    Parameters
    ----------
    space : EncodedSpace
        Search space of the rows.
    past : ndarray of shape (n_past, n_columns)
        NaN where a parameter was inactive or unknown.
    observed : ndarray of shape (n_observed, n_columns)
        Rows in which NaN means inactive. They alone decide on a column that is missing in all past
        rows; a column that is missing in both counts as always active.
    """

    def __init__(self, space: EncodedSpace, past: Matrix, observed: Matrix) -> None:
        everything = np.vstack([past, observed])
        sources = [everything if (~np.isnan(past[:, j])).any() else observed for j in range(len(space))]
        share = np.array([_share(rows[:, column]) for column, rows in enumerate(sources)])
        # Parents are present more often than their children, so this order has no cycle.
        self._rules = [
            rule
            for column in np.argsort(-share, kind="stable")
            if share[column] < 1.0
            and (rule := _best_rule(space, sources[column], column, np.flatnonzero(share > share[column])))
        ]

    def expected(self, rows: Matrix) -> NDArray[np.bool_]:
        """Whether a value is expected, given the parents, shape (n, n_columns)."""
        there = np.ones(rows.shape, dtype=bool)
        for rule in self._rules:
            there[:, rule.column] = rule.holds(rows[:, rule.parent])
        return there

    def apply(self, rows: Matrix, rng: np.random.Generator, space: EncodedSpace) -> Matrix:
        """Set inactive columns to NaN, and sample missing values of active ones."""
        gaps = np.isnan(rows)
        filled = np.where(gaps, space.sample(len(rows), rng), rows) if gaps.any() else rows.copy()
        for rule in self._rules:
            filled[~rule.holds(filled[:, rule.parent]), rule.column] = np.nan
        return filled


def _share(values: Matrix) -> float:
    present = ~np.isnan(values)
    return float(present.mean()) if present.any() else 1.0


def _best_rule(space: EncodedSpace, rows: Matrix, column: int, parents: NDArray[np.int64]) -> _Rule | None:
    """Rule of the parent with the fewest errors; categorical parents win ties."""
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
    """Interval of the values at which it is active, unbounded where no value lies beyond."""
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
