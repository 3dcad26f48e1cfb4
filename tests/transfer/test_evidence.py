import numpy as np
from scipy.stats import multivariate_normal, multivariate_t

from automl_meta.transfer import log_likelihood, matching_weights, posterior_weights


def test_without_two_values_all_tasks_weigh_the_same() -> None:
    np.testing.assert_allclose(matching_weights(np.ones((4, 1)), np.array([1.0]), 1.0), 0.25)


def test_the_task_whose_regrets_fall_as_the_values_rise_weighs_most() -> None:
    regrets = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    weights = matching_weights(regrets, np.array([0.9, 0.7]), scale=0.2)
    assert weights.argmax() == 0
    assert weights.argmin() == 1
    np.testing.assert_allclose(weights.sum(), 1.0)


def test_weights_do_not_depend_on_the_level_and_unit_of_the_values() -> None:
    regrets, values = np.random.default_rng(0).random((5, 3)), np.array([0.3, 0.9, 0.4])
    weights = matching_weights(regrets, values, scale=0.5)
    np.testing.assert_allclose(matching_weights(regrets, 100.0 + 7.0 * values, scale=3.5), weights)


def differences(logs: np.ndarray) -> np.ndarray:
    """Densities are known up to a constant."""
    return logs - logs[0]


def test_the_likelihood_is_that_of_scipys_normal_and_t_distributions() -> None:
    rng = np.random.default_rng(0)
    residuals, root = rng.normal(size=(5, 3)), rng.normal(size=(3, 3))
    covariance, width = root @ root.T + np.eye(3), rng.uniform(0.5, 2.0, 5)
    normal = [
        multivariate_normal(cov=covariance * factor).logpdf(row)
        for row, factor in zip(residuals, width, strict=True)
    ]
    student = [
        multivariate_t(shape=covariance * factor, df=4.0).logpdf(row)
        for row, factor in zip(residuals, width, strict=True)
    ]
    ours = log_likelihood(residuals, covariance, width=width)
    np.testing.assert_allclose(differences(ours), differences(np.array(normal)))
    ours = log_likelihood(residuals, covariance, width=width, degrees_of_freedom=4.0)
    np.testing.assert_allclose(differences(ours), differences(np.array(student)))


def test_without_a_width_all_rows_have_the_covariance_itself() -> None:
    residuals, covariance = np.array([[0.0, 0.0], [1.0, -2.0]]), np.array([[2.0, 0.5], [0.5, 1.0]])
    expected = multivariate_normal(cov=covariance).logpdf(residuals)
    np.testing.assert_allclose(differences(log_likelihood(residuals, covariance)), differences(expected))


def test_weights_follow_bayes_rule_for_each_prior() -> None:
    prior, likelihoods = np.array([[0.5, 0.25, 0.25], [0.0, 0.9, 0.1]]), np.array([0.2, 0.4, 0.8])
    expected = prior * likelihoods
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(posterior_weights(prior, np.log(likelihoods)), expected)
    np.testing.assert_allclose(posterior_weights(prior[0], np.log(likelihoods)), expected[0])
    np.testing.assert_allclose(posterior_weights(prior, np.log(likelihoods) - 5000.0), expected)


def test_matching_integrates_over_the_level_and_the_scale_of_the_scores() -> None:
    """The same by explicit loops: a normal error of 0.25, and scales that are log-normal about the usual one."""
    regrets, scores = np.random.default_rng(1).random((4, 3)), np.array([0.3, 0.9, 0.4])
    expected = np.zeros(4)
    levels = np.linspace(-30, 30, 20_001)
    for ratio in np.exp(np.linspace(-2.0, 2.0, 9)):
        scale = 0.5 * ratio
        for task, row in enumerate(regrets):
            errors = (scores[:, None] - (levels - scale * row[:, None])) / scale
            density = np.exp(-0.5 * (errors / 0.25) ** 2).prod(axis=0) / scale ** len(scores)
            expected[task] += np.exp(-0.5 * np.log(ratio) ** 2) * density.mean()
    np.testing.assert_allclose(matching_weights(regrets, scores, 0.5), expected / expected.sum(), rtol=1e-6)
