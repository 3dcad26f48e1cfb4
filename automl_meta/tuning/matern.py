"""The Matérn kernel, and the lengthscales under which data are most probable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from automl_meta.tuning.encoded_space import Matrix

Vector = NDArray[np.float64]

_LENGTH, _LENGTH_SPREAD = np.log(0.7), 1.0  # prior of a lengthscale, in shares of the range
_NOISE, _NOISE_SPREAD = np.log(1e-2), 2.0  # prior of the noise's share of the signal's variance
_BOUNDS = (np.log(0.03), np.log(20.0))
_NOISE_BOUNDS = (np.log(1e-5), np.log(1.0))


def matern(left: Matrix, right: Matrix) -> Matrix:
    """Matérn 5/2 of points that are measured in lengthscales, shape (n_left, n_right)."""
    distance = np.sqrt(5.0) * cdist(left, right)
    return (1.0 + distance + distance**2 / 3.0) * np.exp(-distance)


def fit_lengthscales(
    samples: Sequence[tuple[Matrix, Vector]],
    owners: NDArray[np.int64],
    n_columns: int,
    max_iterations: int = 40,
) -> tuple[Vector, float]:
    """Lengthscales and noise that several samples share, by their likelihood with a weak prior.

    Each sample has a mean and a variance of its own, which are taken at their best.

    Parameters
    ----------
    samples : sequence of (points of shape (n, n_dimensions), values of shape (n,))
        The functions are different; what is shared is how fast they change along each column.
    owners : ndarray of int of shape (n_dimensions,)
        Which column each dimension belongs to; a column's dimensions share one lengthscale.
    n_columns : int
        Number of columns.
    max_iterations : int
        Of the optimiser.

    Returns
    -------
    lengthscales : ndarray of shape (n_columns,)
        In shares of the range.
    noise : float
        Variance of the noise, as a share of the signal's.
    """
    squares = [
        [_squared(points[:, owners == column]) for column in range(n_columns)] for points, _ in samples
    ]
    centred = [values - values.mean() for _, values in samples]
    weight = 1.0 / max(1.0, len(samples))

    def loss(parameters: Vector) -> tuple[float, Vector]:
        total, slope = 0.0, np.zeros_like(parameters)
        for square, values in zip(squares, centred, strict=True):
            one, one_slope = _misfit(parameters, square, values)
            total, slope = total + weight * one, slope + weight * one_slope
        off = np.append(parameters[:-1] - _LENGTH, parameters[-1] - _NOISE)
        spread = np.append(np.full(n_columns, _LENGTH_SPREAD), _NOISE_SPREAD)
        return total + 0.5 * float(((off / spread) ** 2).sum()), slope + off / spread**2

    start = np.append(np.full(n_columns, _LENGTH), _NOISE)
    bounds = [_BOUNDS] * n_columns + [_NOISE_BOUNDS]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": max_iterations}
    )
    return np.exp(found.x[:-1]), float(np.exp(found.x[-1]))


def _squared(points: Matrix) -> Matrix:
    return cdist(points, points, "sqeuclidean")


def _misfit(parameters: Vector, squares: list[Matrix], values: Vector) -> tuple[float, Vector]:
    """Negative log likelihood with the signal's variance at its best, and its gradient."""
    n = len(values)
    inverse = np.exp(-2.0 * parameters[:-1])
    noise = np.exp(parameters[-1])
    distance = np.sqrt(5.0 * np.tensordot(inverse, np.array(squares), 1))
    decay = np.exp(-distance)
    kernel = (1.0 + distance + distance**2 / 3.0) * decay
    kernel[np.diag_indices(n)] += noise
    factor = cho_factor(kernel, lower=True)
    weights = cho_solve(factor, values)
    variance = max(float(values @ weights) / n, 1e-12)
    misfit = 0.5 * n * np.log(variance) + float(np.log(np.diag(factor[0])).sum())
    # d misfit / d kernel = (inverse kernel - weights weights^T / variance) / 2
    outer = cho_solve(factor, np.eye(n)) - np.outer(weights, weights) / variance
    common = 0.5 * outer * (5.0 / 3.0) * (1.0 + distance) * decay
    slope = [float((common * square).sum()) * share for square, share in zip(squares, inverse, strict=True)]
    return misfit, np.append(slope, 0.5 * noise * float(np.trace(outer)))
