"""KnownTasks: what the scores of all candidates on a new task may be, going by the known tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from automl_meta.transfer.evidence import log_likelihood, posterior_weights

__all__ = ["NOISE", "KnownTasks", "shares_of_best"]

NOISE = 0.05
"""Standard deviation of a cross-validated score, as a share of the regret scale."""

_BANDWIDTH = 0.4  # standard deviation of a task around the known task it is like, as a share of that of all
_DEGREES_OF_FREEDOM = 4.0  # of the likelihood: one strange score must not rule out a known task
_SECONDS_POWER = 0.5  # an improvement is divided by this power of the seconds it takes
_PRIOR_CORRELATION = 0.95  # of two candidates before any data: the difficulty of the task
_PRIOR_TASKS = 4.0  # number of known tasks that the prior correlation counts as
# Score differences within this share of the regret scale are chance; of 0.01 to 0.2 the likeliest on real runs.
_TEMPERATURE = 0.05
_UNIFORM_VOTE = 0.3  # share of a voter's weight that is spread over all known tasks before it weighs evidence


@dataclass(frozen=True, eq=False)
class KnownTasks:
    """Known tasks x candidates, with the probability that the new task is like each known task.

    Expected scores, their spread, the probability of being the best and the greedy portfolio are all
    computed from these rows. The new task is like one of the known tasks up to an error: a mixture
    of normal distributions, as in a kernel density estimate. Scores observed on the task itself then
    have two effects, both by Bayes' rule: known tasks that explain them gain weight, and every row is
    moved towards them (an ensemble Kalman filter if the kernel were as wide as the ensemble; row
    matching if it had no width).

    Parameters
    ----------
    rows : ndarray of shape (n_tasks, n_candidates)
        Scores, greater is better.
    scale : ndarray of shape (n_tasks,)
        Regret scale of each known task, in the unit of the scores; see `regret_scales`.
    weights : ndarray of shape (n_tasks,)
        Probabilities of the known tasks. They sum to one.
    reached : float, default=-inf
        Best score observed on the new task so far; -inf if none.
    within : ndarray of shape (n_candidates,) or float, default=0.0
        Variance of each score given the known task that the new task is like.
    voters : ndarray of shape (n_voters, n_tasks), optional
        Weights of the known tasks according to each of several voters. The first place of a
        portfolio goes to the candidate with the best mean rank among the voters: a row with one
        disastrous score spoils the mean of that candidate, but not the vote. Each voter weighs
        observations by itself.
    scale_power : float, default=1.0
        Regrets are divided by the scale to this power: with 1 all known tasks count alike, with 0
        regrets are not normalised.

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
        """Mean score of each candidate, shape (n_candidates,)."""
        return self.weights @ self.rows

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation of each candidate's score, shape (n_candidates,)."""
        variance = self.weights @ (self.rows - self.expected) ** 2
        return np.sqrt(variance + self.within + (NOISE * self.typical_scale) ** 2)

    @property
    def typical_scale(self) -> float:
        """Weighted mean of the regret scales."""
        return float(self.weights @ self.scale)

    def chance_of_best(self) -> NDArray[np.float64]:
        """Probability of each candidate to be the best.

        Returns
        -------
        ndarray of shape (n_candidates,)
            They sum to one.
        """
        return self.weights @ shares_of_best(self.rows, self.scale)

    def observe(self, columns: NDArray[np.int64], scores: NDArray[np.float64]) -> KnownTasks:
        """Weigh and move all rows by scores observed on the new task.

        Parameters
        ----------
        columns : int ndarray of shape (n_observed,)
            Positions of the candidates that were tried.
        scores : ndarray of shape (n_observed,)
            Their scores; the score of a diverged run should be clipped before.

        Returns
        -------
        KnownTasks
            The posterior.
        """
        total, covariance = self._kernel(columns)  # (n_candidates,), (n_candidates, n_observed)
        noise = (NOISE * self.typical_scale) ** 2
        observed = covariance[columns] + noise * np.eye(len(columns))
        gain = np.linalg.solve(observed, covariance.T).T
        residuals = scores - self.rows[:, columns]
        # Where all scores differ more, so do those of similar tasks: a wider kernel for such a row.
        width = self.scale / self.typical_scale
        logs = log_likelihood(residuals, observed, width=width, degrees_of_freedom=_DEGREES_OF_FREEDOM)
        voters = self.voters
        if voters is not None:
            prior = (1.0 - _UNIFORM_VOTE) * voters + _UNIFORM_VOTE / len(self.rows)
            voters = posterior_weights(prior, logs)
        return replace(
            self,
            rows=self.rows + residuals @ gain.T,
            weights=posterior_weights(self.weights, logs),
            reached=max(self.reached, float(scores.max())),
            within=np.maximum(total - (gain * covariance).sum(axis=1), 0.0),
            voters=voters,
        )

    def improvements(self, best_so_far: NDArray[np.float64]) -> NDArray[np.float64]:
        """Improvement of each candidate over the best score so far, in each row.

        Parameters
        ----------
        best_so_far : ndarray of shape (n_tasks,)
            Best score among the candidates that were tried.

        Returns
        -------
        ndarray of shape (n_tasks, n_candidates)
            In units of the scale to the power `scale_power`.
        """
        return np.maximum(self.rows - best_so_far[:, None], 0.0) / self._unit

    def expected_improvement(self, best_so_far: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weighted mean of the `improvements`.

        Parameters
        ----------
        best_so_far : ndarray of shape (n_tasks,)
            Best score among the candidates that were tried.

        Returns
        -------
        ndarray of shape (n_candidates,)
            In units of the scale to the power `scale_power`.
        """
        return self.weights @ self.improvements(best_so_far)

    def best_on_average(self, candidates: NDArray[np.int64], n: int) -> list[int]:
        """Choose the `n` candidates with the smallest expected normalised regret, best first.

        Parameters
        ----------
        candidates : int ndarray
            Columns to choose from.
        n : int
            Maximum number of columns.

        Returns
        -------
        list of int
            Chosen columns.
        """
        regrets = _rounded((self.weights / self.scale) @ (self.rows.max(axis=1, keepdims=True) - self.rows))
        return [int(column) for column in candidates[np.argsort(regrets[candidates], kind="stable")][:n]]

    def greedy_portfolio(
        self, candidates: NDArray[np.int64], n: int, seconds: NDArray[np.float64] | None = None
    ) -> list[int]:
        """Choose `n` candidates, each of which maximises the expected improvement over those before it.

        The first is the best on average, or has the greatest expected improvement over the best
        score observed, by the vote if there are voters. Ties go to the better average, then to the
        earlier column.

        Parameters
        ----------
        candidates : int ndarray
            Columns to choose from.
        n : int
            Maximum number of columns.
        seconds : ndarray of shape (n_candidates,), optional
            Expected duration of each candidate. If given, each place goes to the greatest expected
            improvement per square root of a second; before any score is reached, the improvement is
            over a useless score.

        Returns
        -------
        list of int
            Chosen columns, in the order of the portfolio.
        """
        best_so_far = np.full(len(self.rows), self.reached)
        average = _rounded(self.weights @ (self.rows / self._unit))
        if seconds is not None and not np.isfinite(self.reached):
            best_so_far = self.rows.max(axis=1) - self.scale
        chosen: list[int] = []
        left = list(candidates)
        while left and len(chosen) < n:
            worth, value = self.rows, average
            if np.isfinite(best_so_far).all():
                worth = self.improvements(best_so_far)
                if seconds is not None:
                    worth = worth / seconds**_SECONDS_POWER
                value = _rounded(self.weights @ worth)
            if self.voters is not None and not chosen:
                value = _mean_ranks(self.voters, worth)
            pick = max(left, key=lambda column: (value[column], average[column], -column))
            left.remove(pick)
            chosen.append(int(pick))
            best_so_far = np.maximum(best_so_far, self.rows[:, pick])
        return chosen

    @property
    def _unit(self) -> NDArray[np.float64]:
        return self.scale[:, None] ** self.scale_power

    def _kernel(self, columns: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Variances of the new task around its row, and covariances with `columns`.

        The covariance of so few rows is shrunk, the more the fewer of them count, towards one with
        equal variances and correlations.
        """
        anomalies = self.rows - self.expected
        weighted = anomalies * self.weights[:, None]
        covariance, total = weighted.T @ anomalies[:, columns], (weighted * anomalies).sum(axis=0)
        variance = max(float(total.mean()), (NOISE * self.typical_scale / _BANDWIDTH) ** 2)
        target = np.full(covariance.shape, _PRIOR_CORRELATION * variance)
        target[columns, np.arange(len(columns))] = variance
        n_effective = 1.0 / float(self.weights @ self.weights)
        shrinkage = _PRIOR_TASKS / (_PRIOR_TASKS + n_effective)
        covariance = (1.0 - shrinkage) * covariance + shrinkage * target
        total = (1.0 - shrinkage) * total + shrinkage * variance
        return _BANDWIDTH**2 * total, _BANDWIDTH**2 * covariance


def shares_of_best(rows: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each candidate to be the best on each task, if differences within the noise are chance.

    Parameters
    ----------
    rows : ndarray of shape (n_tasks, n_candidates)
        Scores, greater is better.
    scale : ndarray of shape (n_tasks,)
        Regret scale of each task.

    Returns
    -------
    ndarray of shape (n_tasks, n_candidates)
        Each row sums to one.
    """
    shares = np.exp((rows - rows.max(axis=1, keepdims=True)) / (_TEMPERATURE * scale[:, None]))
    return shares / shares.sum(axis=-1, keepdims=True)


def _mean_ranks(voters: NDArray[np.float64], worth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean rank of the candidates among the voters, greater is better, shape (n_candidates,).

    `worth` has the shape of the rows; each voter ranks the candidates by its expectation of it.
    """
    expected = np.round((voters @ worth) / max(float(np.abs(worth).max()), 1e-300), 9)
    return _rounded(rankdata(expected, axis=1).mean(axis=0))


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values without the last digits, which depend on the order of summation: equal columns stay equal."""
    return np.round(values / max(float(np.abs(values).max()), 1e-300), 11)
