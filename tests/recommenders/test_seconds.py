import numpy as np
import pytest

from automl_meta.recommenders._seconds import SecondsModel


def test_power_laws_are_found_for_each_configuration() -> None:
    rng = np.random.default_rng(0)
    n_rows, n_features = 10 ** rng.uniform(2, 4, 50), 10 ** rng.uniform(0.5, 2, 50)
    seconds = np.column_stack([1e-4 * n_rows, 1e-7 * n_rows**2 * n_features])
    predicted = SecondsModel(n_rows, n_features, seconds).predict(1000.0, 30.0)
    assert predicted == pytest.approx([0.1, 3.0], rel=0.2)


def test_what_was_never_timed_takes_what_others_take() -> None:
    seconds = np.column_stack([np.full(20, 2.0), np.full(20, np.nan)])
    predicted = SecondsModel(np.full(20, 100.0), np.full(20, 5.0), seconds).predict(np.nan, np.nan)
    assert predicted == pytest.approx([2.0, 2.0], rel=1e-3)


def test_without_any_time_a_placeholder_is_given_and_known_as_such() -> None:
    model = SecondsModel(np.array([10.0]), np.array([2.0]), np.array([[np.nan, np.nan]]))
    assert not model.has_times
    assert model.predict(1e6, 10.0).tolist() == [1.0, 1.0]
