"""Estimates with their uncertainty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap

__all__ = ["Interval", "expected_best_of_random", "expected_best_within", "paired_bootstrap"]


class Interval(NamedTuple):
    """Mean with its confidence interval.

    Parameters
    ----------
    mean : float
        Estimate.
    low, high : float
        Ends of the interval.
    """

    mean: float
    low: float
    high: float


def paired_bootstrap(
    differences: ArrayLike,
    families: ArrayLike,
    *,
    level: float = 0.95,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> Interval:
    """Compute a mean difference with its percentile bootstrap interval over families.

    Families are drawn with replacement, each with all its data sets: data sets of one family are
    not independent, and drawing them individually would make the interval too narrow.

    Parameters
    ----------
    differences : array-like of shape (n_datasets,)
        Difference on each data set; NaN values are ignored.
    families : array-like of shape (n_datasets,)
        Family of each data set.
    level : float, default=0.95
        Confidence level.
    n_resamples : int, default=2000
        Number of bootstrap samples.
    random_state : int, default=0
        Random seed of the samples.

    Returns
    -------
    Interval
        All NaN if there is no difference that is not NaN.

    References
    ----------
    Efron & Tibshirani (1993), An introduction to the bootstrap. Davison & Hinkley (1997),
    Bootstrap methods and their application, section 3.8, for clusters.

    Examples
    --------
    >>> paired_bootstrap([0.1, 0.1, 0.1], ["a", "b", "c"]).low
    0.1
    """
    values = np.asarray(differences, dtype=np.float64)
    present = np.isfinite(values)
    if not present.any():
        return Interval(np.nan, np.nan, np.nan)
    values, names = values[present], np.asarray(families)[present]
    _, codes = np.unique(names, return_inverse=True)
    totals, counts = np.bincount(codes, weights=values), np.bincount(codes)
    mean = low = high = values.mean()
    if len(totals) > 1:  # scipy refuses a single family, which can only be drawn as it is
        low, high = bootstrap(
            (totals, counts),
            lambda drawn, sizes, axis: drawn.sum(axis=axis) / sizes.sum(axis=axis),
            paired=True,
            method="percentile",
            confidence_level=level,
            n_resamples=n_resamples,
            rng=np.random.default_rng(random_state),
        ).confidence_interval
    return Interval(*(round(float(value), 12) for value in (mean, low, high)))


def expected_best_of_random(regrets: ArrayLike, k: int) -> float:
    """Compute the expected smallest of `k` regrets drawn without replacement, in closed form.

    Parameters
    ----------
    regrets : array-like of shape (n_configurations,)
        Regret of each configuration that can be drawn.
    k : int
        Number of draws, at most all.

    Returns
    -------
    float
        Expected value.

    Examples
    --------
    >>> round(expected_best_of_random([0.0, 0.3, 0.6], 1), 9), expected_best_of_random([0.0, 0.3, 0.6], 2)
    (0.3, 0.1)
    """
    ordered = np.sort(np.asarray(regrets, dtype=np.float64))
    return float(ordered @ _chance_of_being_smallest(len(ordered), k))


def _chance_of_being_smallest(n_values: int, k: int) -> NDArray[np.float64]:
    """Probability that the i-th smallest of all is the smallest of k drawn ones."""
    k = min(k, n_values)
    chances = np.zeros(n_values)
    left = 1.0  # probability that no smaller value was drawn
    for position in range(n_values - k + 1):
        drawn = k / (n_values - position)
        chances[position] = left * drawn
        left *= 1.0 - drawn
    return chances


def expected_best_within(
    regrets: ArrayLike, seconds: ArrayLike, budget: float, *, n_orders: int = 200, random_state: int = 0
) -> float:
    """Estimate the expected smallest regret that trials in random order reach within a time budget.

    Parameters
    ----------
    regrets, seconds : array-like of shape (n_configurations,)
        Regret and duration of each trial; a trial counts if it ends within the budget.
    budget : float
        Seconds; the regret is 1 if no trial ends within it.
    n_orders : int, default=200
        Number of random orders to average over.
    random_state : int, default=0
        Random seed of the orders.

    Returns
    -------
    float
        Mean over the orders; NaN without configurations.

    Examples
    --------
    >>> expected_best_within([0.2, 0.2], [3.0, 4.0], 5.0), expected_best_within([0.2], [3.0], 2.0)
    (0.2, 1.0)
    """
    values, costs = np.asarray(regrets, dtype=np.float64), np.asarray(seconds, dtype=np.float64)
    if not len(values):
        return float("nan")
    rng = np.random.default_rng(random_state)
    orders = rng.permuted(np.tile(np.arange(len(values)), (n_orders, 1)), axis=1)
    in_time = costs[orders].cumsum(axis=1) <= budget
    best = np.where(in_time, values[orders], 1.0).min(axis=1)
    return round(float(best.mean()), 12)
