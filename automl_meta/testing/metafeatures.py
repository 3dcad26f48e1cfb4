"""Contract tests of a `MetaFeatureExtractor`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest

from automl_meta.metafeatures import OUT_OF_TIME, MetaFeatureExtractor, MetaFeatures, extract_metafeatures
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask

__all__ = ["AWKWARD_TASKS", "MetaFeatureExtractorContract", "described_task", "seed_sensitive_task"]

_TASK_TYPES: tuple[TaskType, ...] = ("classification", "regression")


def described_task(task_type: TaskType, n_rows: int = 120, seed: int = 0) -> TabularTask:
    """Create a task with numeric, categorical, boolean, datetime and constant columns and missing values."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "signal": signal + 0.3 * rng.normal(size=n_rows),
            "noise": rng.exponential(size=n_rows),
            "count": rng.poisson(3, n_rows).astype(float),
            "colour": np.where(signal > 0.4, "red", rng.choice(["green", "blue"], n_rows)),
            "member": rng.choice(["yes", "no"], n_rows),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D"),
            "same": 1.0,
        }
    )
    frame.loc[rng.random(n_rows) < 0.1, "noise"] = np.nan
    frame.loc[rng.random(n_rows) < 0.1, "colour"] = None
    if task_type == "regression":
        return TabularTask.from_frame(frame, 10.0 + 5.0 * signal, task_type="regression")
    return TabularTask.from_frame(frame, np.digitize(signal, [-0.7, 0.3]).astype(str))


def seed_sensitive_task(task_type: TaskType, n_rows: int = 60) -> TabularTask:
    """Create a task with many columns, two of each, in which samples and tie-breaks matter."""
    X = np.repeat(np.random.default_rng(0).integers(0, 3, size=(n_rows, 10)), 2, axis=1).astype(float)
    score = X[:, :8].sum(axis=1)
    y = score if task_type == "regression" else (score > np.median(score)).astype(str)
    return TabularTask.from_frame(X, y, task_type=task_type)


def _columns(columns: dict[str, object]) -> Callable[[TaskType], TabularTask]:
    """Return a factory of tasks with forty rows and the given columns."""

    def make(task_type: TaskType) -> TabularTask:
        frame = pd.DataFrame(columns, index=range(40))
        target = np.linspace(-1, 1, 40) ** 3 if task_type == "regression" else np.tile(["a", "b"], 20)
        return TabularTask.from_frame(frame, target, task_type=task_type)

    return make


def _shape(n_rows: int, n_columns: int) -> Callable[[TaskType], TabularTask]:
    def make(task_type: TaskType) -> TabularTask:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n_rows, n_columns))
        y = rng.normal(size=n_rows) if task_type == "regression" else np.arange(n_rows) % 2
        return TabularTask.from_frame(X, y, task_type=task_type)

    return make


def _unlike_targets(task_type: TaskType) -> TabularTask:
    """Create a task with a class of a single row among 26 classes, or an outlier in the target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(301, 3))
    y = np.append(np.repeat(np.arange(25), 12), 25)
    target = np.where(y == 25, 1e6, 0.0) if task_type == "regression" else y.astype(str)
    return TabularTask.from_frame(X, target, task_type=task_type)


_random = np.random.default_rng(0)
AWKWARD_TASKS: dict[str, Callable[[TaskType], TabularTask]] = {
    "two rows": _shape(2, 3),
    "three rows": _shape(3, 1),
    "more columns than rows": _shape(30, 400),
    "one numeric column": _columns({"a": _random.normal(size=40)}),
    "constant and empty columns": _columns({"a": _random.normal(size=40), "b": 1.0, "c": np.nan, "d": "x"}),
    "only categories": _columns({"a": list("xyzx") * 10, "b": list("uvvww") * 8}),
    "as many categories as rows": _columns({"a": [f"c{i // 2}" for i in range(40)], "b": list("uv") * 20}),
    "only booleans": _columns({"a": [True, False, False, True] * 10}),
    "only dates": _columns({"a": pd.date_range("2020-01-01", periods=40)}),
    "only text": _columns({"a": [f"the quick brown fox jumps over dog {i}" for i in range(40)]}),
    "mostly missing": _columns({"a": [1.0, 2.0] + [np.nan] * 38, "b": ["x"] + [None] * 39}),
    "huge numbers": _columns({"a": [1.7e308, -1.7e308] * 20, "b": _random.normal(size=40) * 1e200}),
    "tiny numbers": _columns({"a": _random.normal(size=40) * 1e-310, "b": [0.0] * 39 + [5e-324]}),
    "repeated rows": _columns({"a": [1.0, 2.0] * 20, "b": [1.0, 2.0] * 20}),
    "unlike targets": _unlike_targets,
}
"""Factories of edge cases that break careless arithmetic, by name; each creates a task of either type."""


class MetaFeatureExtractorContract:
    """Contract of every group of meta-features.

    Subclasses provide the member as the fixture or parameter ``extractor``. ``tolerance`` is the
    absolute and relative tolerance for values that must be equal.
    """

    tolerance = 1e-8

    def test_it_describes_each_value_with_a_source(self, extractor: MetaFeatureExtractor) -> None:
        assert extractor.name
        assert extractor.version >= 1
        for feature in extractor.features:
            assert feature.description.endswith("."), feature.name
            assert feature.source, feature.name
            assert set(feature.task_types) <= set(_TASK_TYPES)

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    def test_its_names_are_unique_and_all_that_it_returns(
        self, extractor: MetaFeatureExtractor, task_type: TaskType
    ) -> None:
        names = extractor.names(task_type)
        assert len(set(names)) == len(names)
        assert tuple(self.extract(extractor, described_task(task_type)).values) == names

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    def test_everything_is_defined_for_an_ordinary_table(
        self, extractor: MetaFeatureExtractor, task_type: TaskType
    ) -> None:
        described = self.extract(extractor, described_task(task_type))
        assert described.reasons == {}

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    def test_the_order_of_rows_does_not_matter(
        self, extractor: MetaFeatureExtractor, task_type: TaskType
    ) -> None:
        task = described_task(task_type)
        order = np.random.default_rng(1).permutation(task.n_rows)
        shuffled = TabularTask.from_frame(task.X.iloc[order], task.y.iloc[order], task_type=task_type)
        self.assert_alike(self.extract(extractor, task), self.extract(extractor, shuffled))

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    def test_the_order_and_names_of_columns_do_not_matter(
        self, extractor: MetaFeatureExtractor, task_type: TaskType
    ) -> None:
        task = described_task(task_type)
        frame = task.X[task.X.columns[::-1]]
        frame.columns = [f"renamed {i}" for i in range(frame.shape[1])]
        renamed = TabularTask.from_frame(frame, task.y, task_type=task_type)
        self.assert_alike(self.extract(extractor, task), self.extract(extractor, renamed))

    def test_the_names_of_classes_do_not_matter(self, extractor: MetaFeatureExtractor) -> None:
        task = described_task("classification")
        renamed = TabularTask.from_frame(task.X, task.y.map({"0": "z", "1": "a", "2": "m"}))
        self.assert_alike(self.extract(extractor, task), self.extract(extractor, renamed))

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    def test_the_seed_decides(self, extractor: MetaFeatureExtractor, task_type: TaskType) -> None:
        """A constant seed inside of the member is found, since it declares itself stochastic."""
        task = seed_sensitive_task(task_type)
        described = [self.extract(extractor, task, random_state=seed) for seed in (0, 0, 1, 2)]
        first, again, *others = [np.array(list(found.values.values())) for found in described]
        alike = partial(np.isclose, first, rtol=self.tolerance, atol=self.tolerance, equal_nan=True)
        assert alike(again).all()
        differs = any(not alike(other).all() for other in others)
        assert differs == extractor.stochastic

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    def test_the_task_is_left_as_it_was(self, extractor: MetaFeatureExtractor, task_type: TaskType) -> None:
        task = described_task(task_type)
        X, y = task.X.copy(deep=True), task.y.copy(deep=True)
        self.extract(extractor, task)
        pd.testing.assert_frame_equal(task.X, X)
        pd.testing.assert_series_equal(task.y, y)

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    @pytest.mark.parametrize("name", AWKWARD_TASKS)
    def test_an_awkward_table_gives_numbers_or_nan_with_a_reason(
        self, extractor: MetaFeatureExtractor, name: str, task_type: TaskType
    ) -> None:
        described = self.extract(extractor, AWKWARD_TASKS[name](task_type))
        for feature, value in described.values.items():
            assert np.isfinite(value) != (feature in described.reasons), feature
        reasons = set(described.reasons.values())
        assert not [reason for reason in reasons if not reason.startswith("it needs ")]

    @pytest.mark.parametrize("task_type", _TASK_TYPES)
    def test_without_time_nothing_is_computed(
        self, extractor: MetaFeatureExtractor, task_type: TaskType
    ) -> None:
        task = described_task(task_type)
        described = extract_metafeatures(task, extractors=[extractor], time_limit=0)
        assert described.reasons == dict.fromkeys(extractor.names(task_type), OUT_OF_TIME)

    def extract(
        self, extractor: MetaFeatureExtractor, task: TabularTask, random_state: int = 0
    ) -> MetaFeatures:
        """Run the extractor on its own, with warnings as errors."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return extract_metafeatures(task, extractors=[extractor], random_state=random_state)

    def assert_alike(self, first: MetaFeatures, second: MetaFeatures) -> None:
        """Assert that values are equal within the tolerance, and NaN in the same places."""
        for name, value in first.values.items():
            expected = pytest.approx(value, rel=self.tolerance, abs=self.tolerance, nan_ok=True)
            assert second.values[name] == expected, name
