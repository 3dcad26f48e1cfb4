import numpy as np

from automl_meta.transfer import matching_weights


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
