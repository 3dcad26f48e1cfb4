"""GaussianModel: a Gaussian process whose prior mean and covariance may come from past tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import erfcx, log_ndtr

from automl_meta.tuning.encoded_space import Matrix
from automl_meta.tuning.matern import Vector, matern, matern_of, normal_misfit, squared_distances

_OFFSET = 10.0  # prior variance of the level, in units of the squared scale: nearly flat
_FITTED_ROWS = 120  # maximum number of observations to which the parameters are fitted
_MAX_ITERATIONS = 25


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of the model: embedded configurations with the predictions of the past tasks.

    Parameters
    ----------
    points : ndarray of shape (n, n_dimensions)
        Embedded configurations.
    mean : ndarray of shape (n,)
        Mean prediction of the past tasks, greater is better, in units of regret; 0 without a history.
    features : ndarray of shape (n, n_tasks)
        Deviation of each past task from the mean, divided by the root of their number: the prior
        covariance is ``features @ features.T``. No column without a history.
    """

    points: Matrix
    mean: Vector
    features: Matrix

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, chosen: NDArray[np.int64]) -> Inputs:
        return Inputs(self.points[chosen], self.mean[chosen], self.features[chosen])

    def without_history(self) -> Inputs:
        """Copy without the past tasks."""
        return Inputs(self.points, np.zeros(len(self)), np.zeros((len(self), 0)))

    def joined(self, other: Inputs) -> Inputs:
        """Concatenation with other inputs."""
        return Inputs(
            np.vstack([self.points, other.points]),
            np.concatenate([self.mean, other.mean]),
            np.vstack([self.features, other.features]),
        )


@dataclass(frozen=True, eq=False)
class Prior:
    """Log-normal prior of the parameters of the model.

    Parameters
    ----------
    scale, scale_spread : float
        Change of the value where the regret changes by one.
    residual, residual_spread : float
        Variance that past tasks do not explain, in squared units of regret.
    noise, noise_spread : float
        Noise variance, in the same unit.
    lengthscales : ndarray of shape (n_columns,)
        Lengthscales of the residual, in shares of the range.
    lengthscale_spread : float
        Spread of all log lengthscales.
    owners : ndarray of int of shape (n_dimensions,)
        Column that each dimension belongs to.
    informed : bool
        Whether the model uses the past tasks.
    """

    scale: float
    scale_spread: float
    residual: float
    residual_spread: float
    noise: float
    noise_spread: float
    lengthscales: Vector
    lengthscale_spread: float
    owners: NDArray[np.int64]
    informed: bool

    @property
    def means(self) -> Vector:
        """Means of the log parameters."""
        return np.log(np.concatenate([[self.scale, self.residual, self.noise], self.lengthscales]))

    @property
    def spreads(self) -> Vector:
        """Standard deviations of the log parameters."""
        return np.concatenate(
            [
                [self.scale_spread, self.residual_spread, self.noise_spread],
                np.full(len(self.lengthscales), self.lengthscale_spread),
            ]
        )


class GaussianModel:
    """A Gaussian process fitted to the observations on the current task.

    ``value = level + scale * (mean + features @ weights + residual + noise)``, with standard normal
    weights, a Matérn 5/2 residual and an unknown level. Without features this is an ordinary
    Gaussian process. The parameters are maximum a posteriori estimates.

    Parameters
    ----------
    inputs : Inputs
        Inputs of the n_observed observations.
    values : ndarray of shape (n_observed,)
        Observed values, greater is better.
    prior : Prior
        Prior of the parameters.
    fitted : bool
        Whether the parameters are fitted, or left at the prior mean.
    """

    def __init__(self, inputs: Inputs, values: Vector, prior: Prior, *, fitted: bool = True) -> None:
        self._prior = prior
        inputs = self._heard(inputs)
        self.parameters = self._fitted(inputs, values) if fitted else prior.means
        self.evidence = 0.0
        self._condition(inputs, values)

    @property
    def scale(self) -> float:
        """Change of the value where the regret changes by one."""
        return float(np.exp(self.parameters[0]))

    def believing(self, pending: Inputs) -> GaussianModel:
        """Condition on the predicted means of pending configurations (kriging believer)."""
        if not len(pending):
            return self
        pending = self._heard(pending)
        believer = object.__new__(GaussianModel)
        believer._prior, believer.parameters, believer.evidence = self._prior, self.parameters, self.evidence
        values = np.concatenate([self._values, self.predict(pending)[0]])
        believer._condition(self._inputs.joined(pending), values)
        return believer

    def predict(self, inputs: Inputs) -> tuple[Vector, Vector]:
        """Posterior mean and standard deviation of the noiseless values, each of shape (n,)."""
        inputs = self._heard(inputs)
        cross = self.covariance_between(inputs, self._inputs)
        mean = self._level + self.scale * (inputs.mean - self._centre + cross @ self._weights)
        half = solve_triangular(self._factor[0], cross.T, lower=True)
        own = (inputs.features**2).sum(axis=1) + np.exp(self.parameters[1]) + _OFFSET
        variance = np.maximum(own - (half**2).sum(axis=0), 1e-10)
        return mean, self.scale * np.sqrt(variance)

    def log_improvement(self, inputs: Inputs) -> Vector:
        """Log expected improvement over the best posterior mean at the observations, shape (n,)."""
        mean, spread = self.predict(inputs)
        return log_expected_improvement(mean, spread, self.best)

    def _heard(self, inputs: Inputs) -> Inputs:
        return inputs if self._prior.informed else inputs.without_history()

    def _fitted(self, inputs: Inputs, values: Vector) -> Vector:
        means, spreads = self._prior.means, self._prior.spreads
        if len(values) < 2 or np.ptp(values) == 0.0:
            return means
        chosen = most_telling(values, _FITTED_ROWS)
        inputs, values = inputs[chosen], values[chosen]
        squares = squared_distances(inputs.points, self._prior.owners, len(self._prior.lengthscales))
        explained = inputs.features @ inputs.features.T + _OFFSET
        centred = (values - values.mean(), inputs.mean - inputs.mean.mean())

        def loss(parameters: Vector) -> tuple[float, Vector]:
            misfit, slope = model_misfit(parameters, squares, explained, *centred)
            off = (parameters - means) / spreads
            return misfit + 0.5 * float(off @ off), slope + off / spreads

        bounds = list(zip(means - 4.0 * spreads, means + 4.0 * spreads, strict=True))
        found = minimize(
            loss, means, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _MAX_ITERATIONS}
        )
        return found.x

    def _condition(self, inputs: Inputs, values: Vector) -> None:
        self._inputs, self._values = inputs, values
        self._level, self._centre = float(values.mean()), float(inputs.mean.mean())
        covariance = self.covariance_between(inputs, inputs)
        covariance[np.diag_indices(len(values))] += np.exp(self.parameters[2])
        self._factor = cho_factor(covariance, lower=True)
        error = (values - self._level) / self.scale - (inputs.mean - self._centre)
        self._weights = cho_solve(self._factor, error)
        self.evidence = self._left_out()
        self.best = float(self.predict(inputs)[0].max())

    def _left_out(self) -> float:
        """Leave-one-out log predictive density, summed over the observations."""
        variance = 1.0 / np.diag(cho_solve(self._factor, np.eye(len(self._weights))))
        error = self._weights * variance
        return float(
            -0.5 * (np.log(2.0 * np.pi * variance) + error**2 / variance).sum()
            - len(error) * self.parameters[0]
        )

    def covariance_between(self, left: Inputs, right: Inputs) -> Matrix:
        """Prior covariance of the noiseless values in units of the squared scale, shape (n_left, n_right)."""
        lengths = np.exp(self.parameters[3:])[self._prior.owners]
        residual = np.exp(self.parameters[1]) * matern(left.points / lengths, right.points / lengths)
        return left.features @ right.features.T + residual + _OFFSET


def log_expected_improvement(mean: Vector, spread: Vector, best: float) -> Vector:
    """Log expected improvement, accurate also where it is tiny (Ament et al. 2023).

    Examples
    --------
    >>> log_expected_improvement(np.array([0.0]), np.array([1.0]), 0.0).round(4).tolist()
    [-0.9189]
    """
    z = (mean - best) / spread
    log_density = -0.5 * z**2 - 0.5 * np.log(2.0 * np.pi)
    near = np.maximum(z, -30.0)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ratio = np.log1p(near * np.sqrt(np.pi / 2.0) * erfcx(-near / np.sqrt(2.0)))
    tail = np.where(z > -30.0, ratio, -2.0 * np.log(np.maximum(np.abs(z), 1.0)))
    plain = np.log(np.maximum(np.exp(log_density) + z * np.exp(log_ndtr(z)), 1e-300))
    return np.log(spread) + np.where(z > -1.0, plain, log_density + tail)


def most_telling(values: Vector, most: int) -> NDArray[np.int64]:
    """Positions of the best and the latest observations, at most `most`, in ascending order."""
    if len(values) <= most:
        return np.arange(len(values))
    order = np.argsort(-values, kind="stable")
    latest = np.sort(order[most // 2 :])[-(most - most // 2) :]
    return np.sort(np.concatenate([order[: most // 2], latest]))


def model_misfit(
    parameters: Vector, squares: Matrix, explained: Matrix, values: Vector, mean: Vector
) -> tuple[float, Vector]:
    """Negative log likelihood and its gradient by log scale, residual and noise variance and lengthscales."""
    n = len(values)
    scale, residual, noise = np.exp(parameters[:3])
    kernel, slopes = matern_of(squares, parameters[3:])
    covariance = explained + residual * kernel
    covariance[np.diag_indices(n)] += noise
    misfit, slope, solved = normal_misfit(covariance, values / scale - mean)
    gradient = [
        n - float(solved @ values) / scale,
        residual * float((slope * kernel).sum()),
        noise * float(np.trace(slope)),
        *(residual * np.tensordot(slopes, slope, 2)),
    ]
    return misfit + n * float(parameters[0]), np.array(gradient)
