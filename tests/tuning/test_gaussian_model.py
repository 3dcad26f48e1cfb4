import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern
from tuning.spaces import rows_of

from automl_meta.tuning.gaussian_model import (
    GaussianModel,
    Inputs,
    Prior,
    log_expected_improvement,
    model_misfit,
)
from automl_meta.tuning.matern import lengthscale_misfit, squared_distances

OWNERS = np.array([0, 1, 2, 2])


def _prior(informed: bool) -> Prior:
    return Prior(0.5, 0.7, 0.2, 0.5, 1e-3, 1.0, np.array([0.5, 0.8, 1.2]), 0.3, OWNERS, informed)


def _inputs(n: int, seed: int = 0) -> Inputs:
    rng = np.random.default_rng(seed)
    return Inputs(rng.random((n, 4)), rng.normal(size=n), 0.5 * rng.normal(size=(n, 3)))


def _values(inputs: Inputs) -> np.ndarray:
    return np.sin(4.0 * inputs.points[:, 0]) + inputs.points[:, 2] + 0.3 * inputs.mean


def test_the_gradient_of_the_target_model_is_that_of_its_likelihood() -> None:
    inputs = _inputs(12)
    squares = squared_distances(inputs.points, OWNERS, 3)
    explained = inputs.features @ inputs.features.T
    at = np.array([0.3, -1.0, -2.0, -0.5, 0.1, 0.4])

    def misfit(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        return model_misfit(parameters, squares, explained, _values(inputs), inputs.mean)

    np.testing.assert_allclose(
        misfit(at)[1], approx_fprime(at, lambda p: misfit(p)[0], 1e-7), rtol=1e-3, atol=1e-4
    )


def test_the_gradient_of_the_shared_lengthscales_is_that_of_their_likelihood() -> None:
    points = rows_of(3, 15)
    squares = squared_distances(points, np.arange(3), 3)
    values = np.sin(5.0 * points[:, 0]) + points[:, 1]
    values -= values.mean()
    at = np.array([-0.7, 0.2, 0.5, -3.0])

    def misfit(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        return lengthscale_misfit(parameters, squares, values)

    np.testing.assert_allclose(
        misfit(at)[1], approx_fprime(at, lambda p: misfit(p)[0], 1e-7), rtol=1e-3, atol=1e-4
    )


def test_predictions_are_those_of_an_independent_gaussian_process() -> None:
    inputs, asked = _inputs(20), _inputs(7, seed=1)
    values = _values(inputs)
    model = GaussianModel(inputs, values, _prior(informed=False))
    scale, residual, noise = np.exp(model.parameters[:3])
    kernel = ConstantKernel(residual) * Matern(np.exp(model.parameters[3:])[OWNERS], nu=2.5) + ConstantKernel(
        10.0
    )
    reference = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None)
    reference.fit(inputs.points, (values - values.mean()) / scale)
    mean, spread = reference.predict(asked.points, return_std=True)
    found_mean, found_spread = model.predict(asked)
    np.testing.assert_allclose(found_mean, values.mean() + scale * mean, rtol=1e-6)
    np.testing.assert_allclose(found_spread, scale * spread, rtol=1e-4)


def test_evidence_is_how_well_each_observation_is_foretold_by_the_others() -> None:
    inputs = _inputs(8)
    values = _values(inputs)
    model = GaussianModel(inputs, values, _prior(informed=True))
    total = 0.0
    for left_out in range(8):
        others = np.delete(np.arange(8), left_out)
        covariance = model.covariance_between(inputs[others], inputs[others])
        covariance += np.exp(model.parameters[2]) * np.eye(7)
        cross = model.covariance_between(inputs[[left_out]], inputs[others])[0]
        error = (values - values.mean()) / model.scale - (inputs.mean - inputs.mean.mean())
        mean = cross @ np.linalg.solve(covariance, error[others])
        own = model.covariance_between(inputs[[left_out]], inputs[[left_out]])[0, 0] + np.exp(
            model.parameters[2]
        )
        variance = own - cross @ np.linalg.solve(covariance, cross)
        total += norm.logpdf(error[left_out], mean, np.sqrt(variance)) - model.parameters[0]
    assert model.evidence == pytest.approx(total, rel=1e-6)


def test_a_history_that_explains_the_values_has_more_evidence_and_one_that_does_not_has_less() -> None:
    inputs = _inputs(15)
    helpful = 2.0 * inputs.mean + inputs.features @ np.array([1.0, -0.5, 0.2])
    unrelated = np.sin(9.0 * inputs.points[:, 0])
    for values, is_helpful in ((helpful, True), (unrelated, False)):
        informed = GaussianModel(inputs, values, _prior(informed=True)).evidence
        alone = GaussianModel(inputs, values, _prior(informed=False)).evidence
        assert (informed > alone) == is_helpful


def test_a_pending_configuration_is_believed_to_reach_what_is_expected() -> None:
    inputs, pending = _inputs(10), _inputs(1, seed=5)
    model = GaussianModel(inputs, _values(inputs), _prior(informed=True))
    before_mean, before_spread = model.predict(pending)
    mean, spread = model.believing(pending).predict(pending)
    np.testing.assert_allclose(mean, before_mean, atol=1e-3)
    assert spread < 0.5 * before_spread


@pytest.mark.parametrize("best", [-3.0, 0.0, 2.0])
def test_the_expected_improvement_is_that_of_a_simulation(best: float) -> None:
    draws = 0.3 + 1.5 * np.random.default_rng(0).normal(size=2_000_000)
    expected = np.log(np.maximum(draws - best, 0.0).mean())
    found = log_expected_improvement(np.array([0.3]), np.array([1.5]), best)[0]
    assert found == pytest.approx(expected, abs=0.01)


def test_the_expected_improvement_stays_finite_and_ordered_far_below_the_best() -> None:
    found = log_expected_improvement(-np.geomspace(0.1, 1e4, 200), np.ones(200), 0.0)
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0.0).all()
