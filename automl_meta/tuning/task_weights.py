"""The first trials: configurations that complement each other over the past tasks."""

from __future__ import annotations

import numpy as np

from automl_meta.tuning.encoded_space import Matrix
from automl_meta.tuning.matern import Vector

_ERROR = 0.25  # how far the regrets of a task may be from those of the most similar past one
_SCALES = np.exp(np.linspace(-2.0, 2.0, 9))  # times the usual one


def task_weights(predicted: Matrix, values: Vector, scale: float) -> Vector:
    """Probability that each past task is like the one at hand.

    A task explains the values if they fall as its regrets rise: ``level - scale * regret`` with
    any level, a scale about the usual one and a normal error.

    Parameters
    ----------
    predicted : ndarray of shape (n_tasks, n_observed)
        Regrets where the values were observed.
    values : ndarray of shape (n_observed,)
        Greater is better.
    scale : float
        By how much values usually change where regret changes by one.

    Returns
    -------
    ndarray of shape (n_tasks,)
        They sum to one.
    """
    if len(values) < 2:
        return np.full(len(predicted), 1.0 / len(predicted))
    centred = values - values.mean()
    regrets = predicted - predicted.mean(axis=1, keepdims=True)
    scales = scale * _SCALES
    error = centred / scales[:, None, None] + regrets
    fits = -0.5 * (error**2).sum(axis=2) / _ERROR**2 - (len(values) - 1) * np.log(scales)[:, None]
    fits -= 0.5 * np.log(_SCALES)[:, None] ** 2
    fits = np.exp(fits - fits.max())
    weights = fits.sum(axis=0)
    return weights / weights.sum()


def portfolio_gain(predicted: Matrix, reached: Vector, weights: Vector) -> Vector:
    """How much each configuration would lower the regret of the past tasks, on average.

    Parameters
    ----------
    predicted : ndarray of shape (n_tasks, n_rows)
        Normalised regrets.
    reached : ndarray of shape (n_tasks,)
        The lowest regret among the configurations tried so far; 1 before any.
    weights : ndarray of shape (n_tasks,)
        Of the tasks.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    return weights @ np.maximum(reached[:, None] - np.clip(predicted, 0.0, 1.0), 0.0)
