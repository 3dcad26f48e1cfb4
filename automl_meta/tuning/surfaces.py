"""Surfaces: response surfaces of the past tasks over the whole search space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from automl_meta.transfer import compress_tail, regret_scales
from automl_meta.tuning.encoded_space import EncodedSpace, Matrix
from automl_meta.tuning.matern import Vector, fit_lengthscales, matern

_MOST_ROWS = 300  # per task; the best half and a random sample of the others
_FITTED_TASKS, _FITTED_ROWS = 8, 120  # used to fit the lengthscales
_MOST_CENTRES = 500
_SMOOTHER = 3.0  # factor on the fitted lengthscales: fewer spurious optima between the few rows of a task
_JITTER = 1e-6


@dataclass(frozen=True, eq=False)
class PastRows:
    """Encoded configurations of one past task and their values, greater is better."""

    rows: Matrix
    values: Vector


class Surfaces:
    """One response surface for each past task, in normalised regret and on common centres.

    For each task, 0 is the minimum of its surface and 1 its median configuration; larger regrets are
    compressed (see `compress_tail`). The surfaces are posterior means of Gaussian processes (Matérn
    5/2) with shared lengthscales. They are projected onto common centres, so that all can be
    predicted at once, whatever rows each task has.

    Parameters
    ----------
    space : EncodedSpace
        Search space of the rows.
    tasks : sequence of PastRows
        At least one, each with at least one finite value; NaN counts as the worst value of the task.
    rng : Generator
        Subsamples large tasks, and the centres.

    Attributes
    ----------
    lengthscales : ndarray of shape (n_columns,)
        Shared lengthscale of each parameter, in shares of its range.
    noise : float
        Noise variance as a share of the signal variance.
    scale : float
        Median distance from the best to the median value of a task, in the unit of the history.
    best_rows : ndarray of shape (n, n_columns)
        The best configurations of each task.
    """

    def __init__(self, space: EncodedSpace, tasks: Sequence[PastRows], rng: np.random.Generator) -> None:
        self._space, self._owners = space, space.owners
        tasks = [_thinned(task, rng) for task in tasks]
        bests, scales = zip(
            *(regret_scales(task.values[None], n_medians=1.0, smallest_share=0.0) for task in tasks),
            strict=True,
        )
        regrets = [
            compress_tail((best - task.values) / scale)
            for task, best, scale in zip(tasks, bests, scales, strict=True)
        ]
        self.scale = float(np.median(scales))
        points = [space.embed(task.rows) for task in tasks]
        likeliest, self.noise = _shared_lengthscales(space, points, regrets, rng)
        self.lengthscales = _SMOOTHER * likeliest
        points = [self._stretched(one) for one in points]
        self._centres = _centres(np.vstack(points), rng)
        self._base = np.array([regret.mean() for regret in regrets])
        at_centres = np.array(
            [
                matern(self._centres, one) @ _weights(matern(one, one), self.noise, regret - base)
                for one, regret, base in zip(points, regrets, self._base, strict=True)
            ]
        )
        kernel = matern(self._centres, self._centres)
        self._weights = _weights(kernel, _JITTER, at_centres.T)
        self.best_rows = np.vstack(
            [task.rows[np.argsort(regret)[:3]] for task, regret in zip(tasks, regrets, strict=True)]
        )
        self._low, self._high = np.zeros(len(tasks)), np.ones(len(tasks))
        self._rescale(regrets)

    def __len__(self) -> int:
        return len(self._base)

    def predict(self, rows: Matrix) -> Matrix:
        """Predict normalised regrets, shape (n_tasks, n_rows); slightly negative if better than all known rows."""
        kernel = matern(self._stretched(self._space.embed(rows)), self._centres)
        raw = self._base + kernel @ self._weights
        return ((raw - self._low) / (self._high - self._low)).T

    def _stretched(self, points: Matrix) -> Matrix:
        return points / self.lengthscales[self._owners]

    def _rescale(self, regrets: Sequence[Vector]) -> None:
        """Shift each surface so that its minimum over the best rows of all tasks is 0."""
        self._low = np.minimum(0.0, self.predict(self.best_rows).min(axis=1))


def _thinned(task: PastRows, rng: np.random.Generator) -> PastRows:
    """Limit the number of rows: the best half, and a random sample of the others; failures count as the worst."""
    values = np.where(np.isnan(task.values), np.nanmin(task.values), task.values)
    if len(values) <= _MOST_ROWS:
        return PastRows(task.rows, values)
    order = np.argsort(-values, kind="stable")
    others = rng.choice(order[_MOST_ROWS // 2 :], _MOST_ROWS - _MOST_ROWS // 2, replace=False)
    chosen = np.concatenate([order[: _MOST_ROWS // 2], np.sort(others)])
    return PastRows(task.rows[chosen], values[chosen])


def _shared_lengthscales(
    space: EncodedSpace, points: Sequence[Matrix], regrets: Sequence[Vector], rng: np.random.Generator
) -> tuple[Vector, float]:
    enough = [index for index, regret in enumerate(regrets) if len(regret) >= 3 and np.ptp(regret) > 0.0]
    if not enough:
        return np.ones(len(space)), 0.01
    chosen = rng.permutation(enough)[:_FITTED_TASKS]
    samples = []
    for index in chosen:
        rows = rng.permutation(len(regrets[index]))[:_FITTED_ROWS]
        samples.append((points[index][rows], regrets[index][rows]))
    return fit_lengthscales(samples, space.owners, len(space))


def _centres(points: Matrix, rng: np.random.Generator) -> Matrix:
    distinct = np.unique(points, axis=0)
    chosen = rng.permutation(len(distinct))[:_MOST_CENTRES]
    return distinct[np.sort(chosen)]


def _weights(kernel: Matrix, noise: float, values: Matrix) -> Matrix:
    kernel = kernel + (noise + _JITTER) * np.eye(len(kernel))
    return cho_solve(cho_factor(kernel, lower=True), values)
