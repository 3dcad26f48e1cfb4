"""The Matérn 5/2 kernel, and the likelihood of Gaussian processes that have it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from automl_meta.tuning.encoded_space import Matrix

Vector = NDArray[np.float64]

_LENGTH, _LENGTH_SPREAD = np.log(0.7), 1.0  # prior of a log lengthscale, in shares of the range
_NOISE, _NOISE_SPREAD = np.log(1e-2), 2.0  # prior of the log share of the noise in the signal's variance
_BOUNDS = (np.log(0.03), np.log(20.0))
_NOISE_BOUNDS = (np.log(1e-5), np.log(1.0))


def matern(left: Matrix, right: Matrix) -> Matrix:
    """Matérn 5/2 kernel of points in units of the lengthscales, shape (n_left, n_right)."""
    distance = np.sqrt(5.0) * cdist(left, right)
    return (1.0 + distance + distance**2 / 3.0) * np.exp(-distance)


def squared_distances(points: Matrix, owners: NDArray[np.int64], n_columns: int) -> Matrix:
    """Squared distances along each column of a search space, shape (n_columns, n, n).

    Parameters
    ----------
    points : ndarray of shape (n, n_dimensions)
        Embedded configurations.
    owners : ndarray of int of shape (n_dimensions,)
        Column that each dimension belongs to.
    n_columns : int
        Number of columns.
    """
    along = (points[:, None, :] - points[None, :, :]) ** 2
    squares = np.zeros((n_columns, len(points), len(points)))
    for dimension, column in enumerate(owners):
        squares[column] += along[:, :, dimension]
    return squares


def matern_of(squares: Matrix, log_lengthscales: Vector) -> tuple[Matrix, Matrix]:
    """Matérn 5/2 kernel from `squared_distances`, and its derivatives by the log lengthscales.

    Returns
    -------
    kernel : ndarray of shape (n, n)
    slopes : ndarray of shape (n_columns, n, n)
    """
    scaled = np.exp(-2.0 * log_lengthscales)[:, None, None] * squares
    distance = np.sqrt(5.0 * scaled.sum(axis=0))
    decay = np.exp(-distance)
    return (1.0 + distance + distance**2 / 3.0) * decay, (5.0 / 3.0) * (1.0 + distance) * decay * scaled


def normal_misfit(
    covariance: Matrix, error: Vector, *, free_scale: bool = False
) -> tuple[float, Matrix, Vector]:
    """Negative log likelihood of a normal error, up to a constant.

    Parameters
    ----------
    covariance : ndarray of shape (n, n)
        Of the error.
    error : ndarray of shape (n,)
        Values minus their mean.
    free_scale : bool, default=False
        Whether the covariance is known up to a factor only, which is then the likeliest.

    Returns
    -------
    misfit : float
    slope : ndarray of shape (n, n)
        Derivative of the misfit by the covariance.
    solved : ndarray of shape (n,)
        The error times the inverse covariance.
    """
    n = len(error)
    factor = cho_factor(covariance, lower=True)
    solved = cho_solve(factor, error)
    explained = float(error @ solved)
    variance = max(explained / n, 1e-12) if free_scale else 1.0
    misfit = 0.5 * n * np.log(variance) if free_scale else 0.5 * explained
    misfit += float(np.log(np.diag(factor[0])).sum())
    slope = 0.5 * (cho_solve(factor, np.eye(n)) - np.outer(solved, solved) / variance)
    return float(misfit), slope, solved


def fit_lengthscales(
    samples: Sequence[tuple[Matrix, Vector]],
    owners: NDArray[np.int64],
    n_columns: int,
    max_iterations: int = 40,
) -> tuple[Vector, float]:
    """Lengthscales and noise that several samples share, the most probable under a weak prior.

    Each sample has a mean and a variance of its own, which are the likeliest.

    Parameters
    ----------
    samples : sequence of (points of shape (n, n_dimensions), values of shape (n,))
        The functions differ; how fast they change along each column is shared.
    owners : ndarray of int of shape (n_dimensions,)
        Column that each dimension belongs to; the dimensions of a column share one lengthscale.
    n_columns : int
        Number of columns.
    max_iterations : int, default=40
        Maximum number of iterations of the optimiser.

    Returns
    -------
    lengthscales : ndarray of shape (n_columns,)
        In shares of the range.
    noise : float
        Variance of the noise, as a share of the signal's.
    """
    prepared = [
        (squared_distances(points, owners, n_columns), values - values.mean()) for points, values in samples
    ]
    weight = 1.0 / max(1.0, len(samples))
    means = np.append(np.full(n_columns, _LENGTH), _NOISE)
    spreads = np.append(np.full(n_columns, _LENGTH_SPREAD), _NOISE_SPREAD)

    def loss(parameters: Vector) -> tuple[float, Vector]:
        off = (parameters - means) / spreads
        total, slope = 0.5 * float((off**2).sum()), off / spreads
        for squares, values in prepared:
            misfit, misfit_slope = lengthscale_misfit(parameters, squares, values)
            total, slope = total + weight * misfit, slope + weight * misfit_slope
        return total, slope

    bounds = [_BOUNDS] * n_columns + [_NOISE_BOUNDS]
    found = minimize(
        loss, means, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": max_iterations}
    )
    return np.exp(found.x[:-1]), float(np.exp(found.x[-1]))


def lengthscale_misfit(parameters: Vector, squares: Matrix, values: Vector) -> tuple[float, Vector]:
    """Negative log likelihood with the likeliest variance, and its gradient by log lengthscales and log noise."""
    kernel, slopes = matern_of(squares, parameters[:-1])
    noise = np.exp(parameters[-1])
    kernel[np.diag_indices(len(values))] += noise
    misfit, slope, _ = normal_misfit(kernel, values, free_scale=True)
    return misfit, np.append(np.tensordot(slopes, slope, 2), noise * np.trace(slope))
