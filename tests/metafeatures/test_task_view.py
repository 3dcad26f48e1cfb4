import numpy as np
import pandas as pd
import pytest

from automl_meta.metafeatures import TaskView
from automl_meta.metafeatures.encoded import encode
from automl_meta.task import TabularTask


def _task(n_rows: int = 400, seed: int = 0) -> TabularTask:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 4)), columns=list("abcd"))
    frame["e"] = rng.choice(["x", "y", "z"], n_rows)
    return TabularTask.from_frame(frame, rng.choice(["p", "q", "r"], n_rows, p=[0.7, 0.28, 0.02]))


def _shuffled(task: TabularTask) -> TabularTask:
    order = np.random.default_rng(9).permutation(task.n_rows)
    return TabularTask.from_frame(task.X.iloc[order, ::-1], task.y.iloc[order])


def test_samples_are_of_bounded_size() -> None:
    view = TaskView(_task(), max_rows=90, max_learner_rows=50, max_distance_rows=20)
    assert (len(view.rows), view.encoded.n_rows, view.points.n_rows) == (90, 50, 20)


def test_samples_are_stratified_and_keep_two_rows_of_small_classes() -> None:
    task = _task()
    view = TaskView(task, max_rows=100)
    shares = np.bincount(view.y) / 100
    np.testing.assert_allclose(shares, view.class_counts / task.n_rows, atol=0.02)
    assert np.bincount(view.y).min() >= 2


def test_a_class_of_one_row_stays_in_the_sample() -> None:
    task = TabularTask.from_frame(np.random.default_rng(0).normal(size=(301, 2)), ["a"] * 300 + ["lonely"])
    assert np.bincount(TaskView(task, max_rows=30).y).tolist() == [29, 1]


def test_more_classes_than_the_sample_has_rows_are_sampled_too() -> None:
    task = TabularTask.from_frame(
        np.random.default_rng(0).normal(size=(600, 2)), np.repeat(np.arange(200), 3).astype(str)
    )
    y = TaskView(task, max_rows=60).y
    assert len(y) == 60
    assert set(y) == set(range(y.max() + 1))


def test_samples_do_not_depend_on_the_order_of_the_file() -> None:
    task = _task()
    first, second = (TaskView(t, max_rows=90, max_distance_rows=20) for t in (task, _shuffled(task)))
    np.testing.assert_array_equal(first.numeric.values, second.numeric.values)
    np.testing.assert_array_equal(first.y, second.y)
    np.testing.assert_array_equal(first.points.X, second.points.X)


def test_another_seed_draws_another_sample() -> None:
    task = _task()
    first, second = (set(TaskView(task, seed=seed, max_rows=90).rows) for seed in (0, 1))
    assert first != second


def test_columns_above_the_limit_are_sampled_by_content() -> None:
    X = np.random.default_rng(0).normal(size=(50, 30))
    y = np.arange(50) % 2
    first = TaskView(TabularTask.from_frame(X, y), max_columns=7)
    second = TaskView(TabularTask.from_frame(X[:, ::-1], y), max_columns=7)
    assert first.numeric.n_columns == 7
    np.testing.assert_array_equal(first.numeric.values, second.numeric.values)


def test_classes_are_numbered_by_size() -> None:
    task = TabularTask.from_frame(
        np.random.default_rng(0).normal(size=(60, 2)), ["a"] * 10 + ["b"] * 30 + ["c"] * 20
    )
    assert TaskView(task).class_counts.tolist() == [30, 20, 10]


def test_equal_rows_with_different_columns_swapped_are_told_apart() -> None:
    X = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0]] * 5)
    view = TaskView(TabularTask.from_frame(X, [0, 1, 0, 1] * 5))
    values, y = view.numeric.values, view.y
    for row in np.unique(values, axis=0):
        assert len(set(y[(values == row).all(axis=1)])) == 1


def test_dates_are_numbers_for_learners_only() -> None:
    frame = pd.DataFrame(
        {"a": np.random.default_rng(0).normal(size=30), "day": pd.date_range("2020", periods=30)}
    )
    view = TaskView(TabularTask.from_frame(frame, np.arange(30) % 2))
    assert view.numeric.n_columns == 1
    assert view.encoded.n_columns == 2


def test_encoding_puts_numbers_and_levels_on_one_scale() -> None:
    numbers = np.array([[0.0], [2.0], [np.nan], [4.0]])
    categories = np.array([[0, 0], [1, 1], [2, 1], [2, 0]])
    block = encode(numbers, categories, np.zeros(4, dtype=np.int64), 20, np.random.default_rng(0))
    assert block.X.shape == (4, 1 + 3 + 1)
    np.testing.assert_allclose(block.X[:, 0], [-np.sqrt(1.5), 0.0, 0.0, np.sqrt(1.5)], atol=1e-12)
    different = ((block.X[:, 1:] - block.X[0, 1:]) ** 2).sum(axis=1)
    np.testing.assert_allclose(different, [0.0, 4.0, 4.0, 2.0])


def test_gower_distances_agree_with_a_loop() -> None:
    rng = np.random.default_rng(0)
    numbers, levels = rng.normal(size=(20, 3)), rng.integers(0, 4, (20, 2))
    block = encode(numbers, levels, np.zeros(20, dtype=np.int64), 50, rng)
    ranges = np.ptp(numbers, axis=0)
    for i, j in [(0, 1), (3, 17), (19, 5)]:
        expected = np.sum(np.abs(numbers[i] - numbers[j]) / ranges) + np.sum(levels[i] != levels[j])
        assert block.gower[i, j] == pytest.approx(expected / 5)


def test_ties_do_not_always_go_to_the_largest_class() -> None:
    """Ten copies of one row in each of twenty places, three of ten of the smaller class."""
    X = np.repeat(np.random.default_rng(0).normal(size=(20, 2)), 10, axis=0)
    block = TaskView(TabularTask.from_frame(X, list("aaaaaaabbb") * 20)).encoded
    first = [block.y[(row == block.X).all(axis=1)][0] for row in np.unique(block.X, axis=0)]
    assert set(first) == {0, 1}


def test_no_more_columns_are_encoded_than_allowed() -> None:
    rng = np.random.default_rng(0)
    block = encode(
        rng.normal(size=(30, 8)), rng.integers(0, 5, (30, 4)), np.zeros(30, dtype=np.int64), 11, rng
    )
    assert block.n_columns <= 11
    assert block.n_sources < 12
