import numpy as np

from automl_meta.tuning.task_weights import portfolio_gain, task_weights


def test_without_two_values_all_tasks_weigh_the_same() -> None:
    np.testing.assert_allclose(task_weights(np.ones((4, 1)), np.array([1.0]), 1.0), 0.25)


def test_the_task_whose_regrets_fall_as_the_values_rise_weighs_most() -> None:
    regrets = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    weights = task_weights(regrets, np.array([0.9, 0.7]), scale=0.2)
    assert weights.argmax() == 0
    assert weights.argmin() == 1
    np.testing.assert_allclose(weights.sum(), 1.0)


def test_weights_do_not_depend_on_the_level_and_unit_of_the_values() -> None:
    regrets, values = np.random.default_rng(0).random((5, 3)), np.array([0.3, 0.9, 0.4])
    weights = task_weights(regrets, values, scale=0.5)
    np.testing.assert_allclose(task_weights(regrets, 100.0 + 7.0 * values, scale=3.5), weights)


def test_the_gain_is_what_a_configuration_adds_to_those_tried() -> None:
    predicted = np.array([[0.0, 0.5, 3.0], [0.9, -0.1, 1.0]])
    found = portfolio_gain(predicted, np.array([0.2, 1.0]), np.array([0.5, 0.5]))
    np.testing.assert_allclose(found, [0.5 * 0.2 + 0.5 * 0.1, 0.5 * 1.0, 0.0])
