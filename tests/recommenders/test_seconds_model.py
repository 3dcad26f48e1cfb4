import numpy as np
import pytest
from numpy.typing import NDArray

from automl_meta.recommenders.seconds_model import SecondsModel, sizes_of


def sizes(
    rows: object, columns: object, encoded: object = np.nan, classes: object = 0.0
) -> NDArray[np.float64]:
    return np.column_stack(np.broadcast_arrays(rows, columns, encoded, classes)).astype(np.float64)


def test_power_laws_are_found_for_each_configuration() -> None:
    rng = np.random.default_rng(0)
    n_rows, n_features = 10 ** rng.uniform(2, 4, 50), 10 ** rng.uniform(0.5, 2, 50)
    seconds = np.column_stack([1e-4 * n_rows, 1e-7 * n_rows**2 * n_features])
    predicted = SecondsModel(sizes(n_rows, n_features), seconds).predict(
        np.array([1000.0, 30.0, np.nan, 0.0])
    )
    assert predicted == pytest.approx([0.1, 3.0], rel=0.2)


def test_classes_and_encoded_categories_count_where_they_matter() -> None:
    rng = np.random.default_rng(0)
    n_rows, classes, levels = 10 ** rng.uniform(2, 4, 80), rng.integers(2, 20, 80), rng.integers(5, 500, 80)
    seconds = np.column_stack([1e-4 * n_rows * classes, 1e-5 * n_rows * levels, 1e-3 * n_rows])
    model = SecondsModel(sizes(n_rows, 5.0, levels, classes), seconds)
    few, many = (model.predict(np.array([1000.0, 5.0, n, k])) for n, k in ((10.0, 2.0), (400.0, 20.0)))
    assert many / few == pytest.approx([10.0, 40.0, 1.0], rel=0.3)


def test_many_rows_may_have_a_power_of_their_own() -> None:
    n_rows = 10 ** np.linspace(1.5, 4, 100)
    seconds = np.maximum(1.0, n_rows / 1000.0)[:, None]  # a fixed cost dominates on few rows
    model = SecondsModel(sizes(n_rows, 5.0), seconds)
    for n in (100.0, 1_000.0, 8_000.0, 80_000.0):
        predicted = model.predict(np.array([n, 5.0, np.nan, 0.0]))[0]
        assert predicted == pytest.approx(max(1.0, n / 1000.0), rel=0.2)


def test_what_was_never_timed_takes_what_others_take() -> None:
    seconds = np.column_stack([np.full(20, 2.0), np.full(20, np.nan)])
    predicted = SecondsModel(sizes(np.full(20, 100.0), 5.0), seconds).predict(np.full(4, np.nan))
    assert predicted == pytest.approx([2.0, 2.0], rel=1e-3)


def test_without_any_time_a_placeholder_is_given_and_known_as_such() -> None:
    model = SecondsModel(sizes([10.0], 2.0), np.array([[np.nan, np.nan]]))
    assert not model.has_times
    assert model.predict(np.array([1e6, 10.0, np.nan, 2.0])).tolist() == [1.0, 1.0]


def test_sizes_are_read_from_metafeatures() -> None:
    known = {"n_rows": 10.0, "n_features": 3.0, "n_numeric": 1.0, "n_levels_sum": 7.0, "n_classes": 2.0}
    assert sizes_of(known).tolist() == [10.0, 3.0, 8.0, 2.0]
    assert sizes_of(known, 5.0)[0] == 5.0
    assert np.isnan(sizes_of({})).all()
