"""Ensemble: what the scores of all configurations on a task may be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

NOISE = 0.05  # standard deviation of a cross-validated score, as a share of the regret scale
_BANDWIDTH = 0.4  # standard deviation of a task around the row it is like, as a share of that of all rows
_TAIL = 4.0  # degrees of freedom of the likelihood: one strange score must not rule out a row
_SECONDS_POWER = 0.5  # a gain is worth its value over this power of the seconds it takes
_SHARED = 0.95  # correlation of two configurations before any data: the data set's difficulty
_PRIOR_DATASETS = 4.0  # how many known data sets that correlation weighs against
# Within this share of the regret scale who is best is chance; of 0.01 to 0.2 the most likely on real runs.
_TEMPERATURE = 0.05
_DOUBT = 0.3  # what a voter spreads over all rows before it weighs evidence


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Plausible rows of scores, one from each known data set, with weights.

    Expected scores, spread, the chance to be the best and the greedy portfolio are all read off
    these rows. A task is taken to be like one of the rows, give or take: a mixture of normal
    distributions, as in a kernel density estimate. Scores observed on the task itself then do
    two things, both by Bayes' rule: rows that explain them count more, and every row is moved
    towards them (an ensemble Kalman filter if the kernel were as wide as the ensemble; row
    matching if it had no width).

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
    within : ndarray of shape (n_configurations,) or float
        Variance of each score that is left if it were known which row the task is like.
    voters : ndarray of shape (n_voters, n_datasets), optional
        Weights of the rows as each of several voters sees them. The first place of a portfolio
        goes to what the voters rank best in the mean: a row with one disastrous score spoils the
        average of that score, but not the vote. Each voter weighs observations for itself.
    scale_power : float
        Regrets are divided by the scale to this power: 1 makes all rows count alike, 0 counts
        a regret as it is.

    References
    ----------
    Evensen (1994), Sequential data assimilation with a nonlinear quasi-geostrophic model, JGR 99.
    Anderson & Anderson (1999), A Monte Carlo implementation of the nonlinear filtering problem,
    Monthly Weather Review 127, for the kernel mixture.
    """

    rows: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    reached: float = -np.inf
    within: NDArray[np.float64] | float = 0.0
    voters: NDArray[np.float64] | None = None
    scale_power: float = 1.0

    @property
    def expected(self) -> NDArray[np.float64]:
        """Mean score of each configuration, shape (n_configurations,)."""
        return self.weights @ self.rows

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation of each configuration's score, shape (n_configurations,)."""
        variance = self.weights @ (self.rows - self.expected) ** 2
        return np.sqrt(variance + self.within + (NOISE * self.typical_scale) ** 2)

    @property
    def typical_scale(self) -> float:
        """Weighted mean of the regret scales."""
        return float(self.weights @ self.scale)

    def chance_of_best(self) -> NDArray[np.float64]:
        """Probability of each configuration to be the best; shape (n_configurations,), sum one."""
        return self.weights @ shares_of_best(self.rows, self.scale)

    def observe(self, columns: NDArray[np.int64], scores: NDArray[np.float64]) -> Ensemble:
        """Weigh and move all rows by what was observed on the task itself.

        Parameters
        ----------
        columns : int ndarray of shape (n_observed,)
            Positions of the configurations that were tried.
        scores : ndarray of shape (n_observed,)
            What they reached; a diverged one should be clipped before.
        """
        total, covariance = self._kernel(columns)  # (n_configurations,), (n_configurations, n_observed)
        noise = (NOISE * self.typical_scale) ** 2
        observed = covariance[columns] + noise * np.eye(len(columns))
        gain = np.linalg.solve(observed, covariance.T).T
        surprise = scores - self.rows[:, columns]
        distances = np.einsum("ij,ji->i", surprise, np.linalg.solve(observed, surprise.T))
        # Where all scores differ more, so do those of its like: a wider kernel for such a row.
        width = self.scale / self.typical_scale
        logs = -0.5 * len(columns) * np.log(width)
        logs -= 0.5 * (_TAIL + len(columns)) * np.log1p(distances / (width * _TAIL))
        with np.errstate(divide="ignore"):
            posterior = np.log(self.weights) + logs
        voters = self.voters
        if voters is not None:
            open_minded = (1.0 - _DOUBT) * voters + _DOUBT / len(self.rows)
            voters = _shares(open_minded * np.exp(logs - logs.max()))
        return replace(
            self,
            rows=self.rows + surprise @ gain.T,
            weights=_shares(np.exp(posterior - posterior.max())),
            reached=max(self.reached, float(scores.max())),
            within=np.maximum(total - (gain * covariance).sum(axis=1), 0.0),
            voters=voters,
        )

    def best_on_average(self, candidates: NDArray[np.int64], n: int) -> list[int]:
        """Choose the `n` candidates with the smallest expected normalised regret, best first."""
        regrets = _rounded((self.weights / self.scale) @ (self.rows.max(axis=1, keepdims=True) - self.rows))
        return [int(column) for column in candidates[np.argsort(regrets[candidates], kind="stable")][:n]]

    def greedy_portfolio(
        self, candidates: NDArray[np.int64], n: int, seconds: NDArray[np.float64] | None = None
    ) -> list[int]:
        """Choose `n` candidates, each of which adds most to the best so far of those before it.

        The first is the best on average, or what promises most over the best observed, by the
        vote if there are voters; each further one minimises the expected regret of the best so
        far. Ties go to the better average, then to the earlier column.

        Parameters
        ----------
        candidates : int ndarray
            Columns to choose from.
        n : int
            How many at most.
        seconds : ndarray of shape (n_configurations,), optional
            Expected of each configuration. If given, each place goes to the greatest expected
            gain over the square root of the seconds; before anything is reached, what counts is
            the gain over a useless score.
        """
        unit = self.scale[:, None] ** self.scale_power
        best_so_far = np.full(len(self.rows), self.reached)
        average = _rounded(self.weights @ (self.rows / unit))
        if seconds is not None and not np.isfinite(self.reached):
            best_so_far = self.rows.max(axis=1) - self.scale
        chosen: list[int] = []
        left = list(candidates)
        while left and len(chosen) < n:
            worth, value = self.rows, average
            if np.isfinite(best_so_far).all():
                worth = np.maximum(self.rows - best_so_far[:, None], 0.0) / unit
                if seconds is not None:
                    worth = worth / seconds**_SECONDS_POWER
                value = _rounded(self.weights @ worth)
            if self.voters is not None and not chosen:
                value = _votes(self.voters, worth)
            pick = max(left, key=lambda column: (value[column], average[column], -column))
            left.remove(pick)
            chosen.append(int(pick))
            best_so_far = np.maximum(best_so_far, self.rows[:, pick])
        return chosen

    def _kernel(self, columns: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Variances of a task around its row, and covariances with `columns`.

        The covariance of so few rows is shrunk, the more the fewer of them count, towards one
        with equal variances and correlations.
        """
        anomalies = self.rows - self.expected
        weighted = anomalies * self.weights[:, None]
        covariance, total = weighted.T @ anomalies[:, columns], (weighted * anomalies).sum(axis=0)
        variance = max(float(total.mean()), (NOISE * self.typical_scale / _BANDWIDTH) ** 2)
        target = np.full(covariance.shape, _SHARED * variance)
        target[columns, np.arange(len(columns))] = variance
        n_effective = 1.0 / float(self.weights @ self.weights)
        shrinkage = _PRIOR_DATASETS / (_PRIOR_DATASETS + n_effective)
        covariance = (1.0 - shrinkage) * covariance + shrinkage * target
        total = (1.0 - shrinkage) * total + shrinkage * variance
        return _BANDWIDTH**2 * total, _BANDWIDTH**2 * covariance


def shares_of_best(rows: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """How probably each configuration is the best in each row, if differences within the noise are chance.

    Shape (n_datasets, n_configurations), like `rows`; each row sums to one.
    """
    shares = np.exp((rows - rows.max(axis=1, keepdims=True)) / (_TEMPERATURE * scale[:, None]))
    return shares / shares.sum(axis=1, keepdims=True)


def _votes(voters: NDArray[np.float64], worth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean rank of the columns in what each voter expects of them, greater is better, shape (n_configurations,).

    `worth` has the shape of an ensemble's rows.
    """
    expected = np.round((voters @ worth) / max(float(np.abs(worth).max()), 1e-300), 9)
    return _rounded(rankdata(expected, axis=1).mean(axis=0))


def _shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled to sum to one along the last axis."""
    return weights / weights.sum(axis=-1, keepdims=True)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without the last digits, which depend on the order of summation: equal columns stay equal."""
    return np.round(values / max(float(np.abs(values).max()), 1e-300), 11)
