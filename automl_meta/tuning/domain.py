"""Domain: acquisition search over the rows of a search space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from automl_meta.tuning.activity import Activity
from automl_meta.tuning.encoded_space import EncodedSpace, Matrix
from automl_meta.tuning.matern import Vector

_STEPS = (0.2, 0.1, 0.05, 0.02)  # step sizes of successive rounds of local search
_STARTS, _CHILDREN = 12, 10
_SAME = 1e-6  # numbers that differ by less are equal
_TRIES = 20


class Domain:
    """Rows of a search space that may be suggested: active where they should be, some columns fixed.

    Parameters
    ----------
    space : EncodedSpace
        Search space of the rows.
    activity : Activity
        Conditions under which columns are active.
    fixed : ndarray of shape (n_columns,)
        Values fixed in advance; NaN for all others.
    """

    def __init__(self, space: EncodedSpace, activity: Activity, fixed: Vector) -> None:
        self.space, self._activity, self._fixed = space, activity, fixed

    def sample(self, n: int, rng: np.random.Generator) -> Matrix:
        """Random valid rows."""
        return self.valid(self.space.sample(n, rng), rng)

    def valid(self, rows: Matrix, rng: np.random.Generator) -> Matrix:
        """Nearest valid rows; missing values are sampled."""
        rows = np.where(np.isnan(self._fixed), rows, self._fixed)
        return self.space.snap(self._activity.apply(rows, rng, self.space))

    def mutated(self, rows: Matrix, step: float, rng: np.random.Generator) -> Matrix:
        """Neighbours: some columns changed by about `step`, occasionally another category."""
        categorical = self.space.categories > 0
        moved = rows + step * rng.normal(size=rows.shape)
        moved = np.where(moved < 0.0, -moved, moved)
        moved = np.clip(np.where(moved > 1.0, 2.0 - moved, moved), 0.0, 1.0)
        moved = np.where(categorical, self.space.sample(len(rows), rng), moved)
        chance = np.where(categorical, 0.15, 0.5)
        chosen = rng.random(rows.shape) < chance
        if rows.shape[1]:
            chosen[np.arange(len(rows)), rng.integers(rows.shape[1], size=len(rows))] = True
        return self.valid(np.where(chosen, moved, rows), rng)

    def search(
        self, score: Callable[[Matrix], Vector], starts: Matrix, taken: Matrix, rng: np.random.Generator
    ) -> Vector:
        """Find the row with the highest score that is not taken, by local search.

        Parameters
        ----------
        score : callable
            Rows of shape (n, n_columns) to scores of shape (n,).
        starts : ndarray of shape (n_starts, n_columns)
            Starting points.
        taken : ndarray of shape (n_taken, n_columns)
            Rows that must not be returned unless nothing else is left.
        rng : Generator
            Mutates the rows.

        Returns
        -------
        ndarray of shape (n_columns,)
        """
        rows, scores = starts, score(starts)
        for step in _STEPS:
            parents = rows[np.argsort(-scores, kind="stable")[:_STARTS]]
            children = self.mutated(np.repeat(parents, _CHILDREN, axis=0), step, rng)
            rows, scores = np.vstack([rows, children]), np.concatenate([scores, score(children)])
        for index in np.argsort(-scores, kind="stable"):
            if not is_among(rows[index], taken):
                return rows[index]
        return self.fresh(taken, rng)

    def fresh(self, taken: Matrix, rng: np.random.Generator) -> Vector:
        """Random row that is not taken; any row if the space seems exhausted."""
        for _ in range(_TRIES):
            rows = self.sample(16, rng)
            for row in rows:
                if not is_among(row, taken):
                    return row
        return rows[0]


def is_among(row: Vector, rows: Matrix) -> bool:
    """Whether a row is among others; inactive columns must agree."""
    if not len(rows):
        return False
    same: NDArray[np.bool_] = np.abs(rows - row) < _SAME
    same |= np.isnan(rows) & np.isnan(row)
    return bool(same.all(axis=1).any())
