"""Ensemble: what the scores of all configurations on a task may be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

NOISE = 0.05  # standard deviation of a cross-validated score, as a share of the regret scale
_SHARED = 0.9  # correlation of two configurations before any data: the data set's difficulty
_PRIOR_DATASETS = 10.0  # how many known data sets that correlation weighs against
# Within this share of the regret scale who is best is chance; of 0.01 to 0.2 the most likely on real runs.
_TEMPERATURE = 0.05


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Plausible rows of scores, one from each known data set, with weights.

    Expected scores, spread, the chance to be the best and the greedy portfolio are all read off
    these rows; scores observed on the task itself move them as in an ensemble Kalman filter
    (Evensen 1994).

    Parameters
    ----------
    rows : ndarray of shape (n_datasets, n_configurations)
        Scores, greater is better.
    scale : ndarray of shape (n_datasets,)
        Regret scale of each row, in the unit of the scores.
    weights : ndarray of shape (n_datasets,)
        They sum to one.
    reached : float
        Best score observed on the task so far; -inf if none.
    """

    rows: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    reached: float = -np.inf

    @property
    def expected(self) -> NDArray[np.float64]:
        """Mean score of each configuration, shape (n_configurations,)."""
        return self.weights @ self.rows

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation of each configuration's score, shape (n_configurations,)."""
        variance = self.weights @ (self.rows - self.expected) ** 2
        return np.sqrt(variance + (NOISE * self.typical_scale) ** 2)

    @property
    def typical_scale(self) -> float:
        """Weighted mean of the regret scales."""
        return float(self.weights @ self.scale)

    def chance_of_best(self) -> NDArray[np.float64]:
        """Probability of each configuration to be the best; shape (n_configurations,), sum one."""
        below = (self.rows - self.rows.max(axis=1, keepdims=True)) / (_TEMPERATURE * self.scale[:, None])
        shares = np.exp(below)
        return self.weights @ (shares / shares.sum(axis=1, keepdims=True))

    def observe(self, columns: NDArray[np.int64], scores: NDArray[np.float64]) -> Ensemble:
        """Move all rows towards what was observed on the task itself.

        The covariance of so few rows is shrunk, the more the fewer of them count, towards one
        with equal variances and correlations.

        Parameters
        ----------
        columns : int ndarray of shape (n_observed,)
            Positions of the configurations that were tried.
        scores : ndarray of shape (n_observed,)
            What they reached; a diverged one should be clipped before.
        """
        anomalies = self.rows - self.expected
        covariance = (anomalies * self.weights[:, None]).T @ anomalies[:, columns]
        noise = (NOISE * self.typical_scale) ** 2
        variance = max(float(self.weights @ (anomalies**2).mean(axis=1)), noise)
        target = np.full(covariance.shape, _SHARED * variance)
        target[columns, np.arange(len(columns))] = variance
        n_effective = 1.0 / float(self.weights @ self.weights)
        shrinkage = _PRIOR_DATASETS / (_PRIOR_DATASETS + n_effective)
        covariance = (1.0 - shrinkage) * covariance + shrinkage * target
        observed = covariance[columns] + noise * np.eye(len(columns))
        gain = np.linalg.solve(observed, covariance.T).T  # (n_configurations, n_observed)
        return replace(
            self,
            rows=self.rows + (scores - self.rows[:, columns]) @ gain.T,
            reached=max(self.reached, float(scores.max())),
        )

    def best_on_average(self, candidates: NDArray[np.int64], n: int) -> list[int]:
        """Choose the `n` candidates with the smallest expected normalised regret, best first."""
        regrets = _rounded((self.weights / self.scale) @ (self.rows.max(axis=1, keepdims=True) - self.rows))
        return [int(column) for column in candidates[np.argsort(regrets[candidates], kind="stable")][:n]]

    def greedy_portfolio(self, candidates: NDArray[np.int64], n: int) -> list[int]:
        """Choose `n` candidates, each of which adds most to the best so far of those before it.

        The first is the best on average unless something was observed; each further one
        minimises the expected normalised regret of the best so far. Ties go to the better
        average, then to the earlier column.
        """
        importance = self.weights / self.scale
        best_so_far = np.full(len(self.rows), self.reached)
        average = _rounded(importance @ self.rows)
        chosen: list[int] = []
        left = list(candidates)
        while left and len(chosen) < n:
            value = average
            if np.isfinite(best_so_far).all():
                value = _rounded(importance @ np.maximum(self.rows, best_so_far[:, None]))
            pick = max(left, key=lambda column: (value[column], average[column], -column))
            left.remove(pick)
            chosen.append(int(pick))
            best_so_far = np.maximum(best_so_far, self.rows[:, pick])
        return chosen


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the last digits, which depend on the order of summation: equal columns stay equal."""
    return np.round(values / max(float(np.abs(values).max()), 1e-300), 11)
