"""Evidence: how well each known task explains what was observed on a new one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_likelihood", "matching_weights", "posterior_weights"]

_ERROR = 0.25  # standard deviation of a task's regrets around those of the known task it is like
_SCALE_RATIOS = np.exp(np.linspace(-2.0, 2.0, 9))  # grid over which an unknown scale is integrated


def log_likelihood(
    residuals: NDArray[np.float64],
    covariance: NDArray[np.float64],
    *,
    width: NDArray[np.float64] | float = 1.0,
    degrees_of_freedom: float = np.inf,
) -> NDArray[np.float64]:
    """Log density of residuals, up to a constant, under a normal or a Student t distribution.

    Parameters
    ----------
    residuals : ndarray of shape (n_rows, n_observed)
        What was observed minus what each row predicts.
    covariance : ndarray of shape (n_observed, n_observed)
        Covariance, or the scale matrix of the t distribution.
    width : ndarray of shape (n_rows,) or float, default=1.0
        Variance factor of each row.
    degrees_of_freedom : float, default=inf
        Of the t distribution; infinity is the normal distribution. Few of them keep a single
        strange observation from ruling out a row.

    Returns
    -------
    ndarray of shape (n_rows,)
        Log densities.
    """
    n_observed = residuals.shape[1]
    distances = np.einsum("ij,ji->i", residuals, np.linalg.solve(covariance, residuals.T))
    log_width = -0.5 * n_observed * np.log(width)
    if np.isinf(degrees_of_freedom):
        return log_width - 0.5 * distances / width
    exponent = 0.5 * (degrees_of_freedom + n_observed)
    return log_width - exponent * np.log1p(distances / (width * degrees_of_freedom))


def posterior_weights(
    prior: NDArray[np.float64], log_likelihoods: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights after the evidence, by Bayes' rule.

    Parameters
    ----------
    prior : ndarray of shape (..., n_tasks)
        Weights before.
    log_likelihoods : ndarray of shape (n_tasks,)
        Of `log_likelihood`.

    Returns
    -------
    ndarray of shape (..., n_tasks)
        They sum to one along the last axis.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(prior) + log_likelihoods
    weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def matching_weights(
    regrets: NDArray[np.float64], scores: NDArray[np.float64], scale: float
) -> NDArray[np.float64]:
    """Probability that each known task is like the new one, where nothing relates their scores.

    A known task explains the scores if they fall as its regrets rise:
    ``scores = level - scale * regrets`` with any level, a scale about the usual one and a normal
    error. Level and scale are integrated out.

    Parameters
    ----------
    regrets : ndarray of shape (n_tasks, n_observed)
        Normalised regrets of the known tasks for the candidates that were tried on the new one.
    scores : ndarray of shape (n_observed,)
        What these reached on the new task, greater is better.
    scale : float
        Usual change of the score where the regret changes by one.

    Returns
    -------
    ndarray of shape (n_tasks,)
        They sum to one.
    """
    n_tasks, n_observed = regrets.shape
    uniform = np.full(n_tasks, 1.0 / n_tasks)
    if n_observed < 2:
        return uniform
    scales = scale * _SCALE_RATIOS[:, None, None]
    residuals = (scores - scores.mean()) / scales + regrets - regrets.mean(axis=1, keepdims=True)
    logs = log_likelihood(residuals.reshape(-1, n_observed), _ERROR**2 * np.eye(n_observed))
    # Of each scale: the density of the scores in their own unit, and a log-normal prior.
    logs = logs.reshape(-1, n_tasks) - (n_observed - 1) * np.log(scales[:, :, 0])
    logs -= 0.5 * np.log(_SCALE_RATIOS)[:, None] ** 2
    return posterior_weights(uniform, np.logaddexp.reduce(logs, axis=0))
