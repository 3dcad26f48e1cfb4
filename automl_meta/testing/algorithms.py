"""Contract tests of an `Algorithm`."""

from __future__ import annotations

import json
import warnings

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from automl_meta.algorithms import Algorithm, SearchSpace
from automl_meta.exceptions import UsageError
from automl_meta.metrics import TaskType
from automl_meta.records import Configuration
from automl_meta.task import TabularTask

__all__ = ["AlgorithmContract", "ProbabilityContract", "mixed_task"]


def mixed_task(task_type: TaskType, n_rows: int = 90, seed: int = 0) -> TabularTask:
    """Create a task with every kind of column, missing values in each, and unsorted text labels."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "number": signal + 0.1 * rng.normal(size=n_rows),
            "whole": rng.integers(0, 40, n_rows).astype(float),
            "colour": np.where(signal > 0, "red", rng.choice(["green", "blue"], n_rows)),
            "town": [f"town {i}" for i in rng.integers(0, 60, n_rows)],
            "member": rng.choice(["yes", "no"], n_rows),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), unit="D"),
            "remark": [
                " ".join(rng.choice(["a", "good", "bad", "day", "out"], 9)) + str(i) for i in range(n_rows)
            ],
            "empty": np.nan,
        }
    )
    for column in frame.columns:
        if column != "empty":
            frame.loc[rng.random(n_rows) < 0.08, column] = None
    if task_type == "regression":
        return TabularTask.from_frame(frame, 1000 + 50 * signal, name="mixed")
    labels = np.where(signal > 0.5, "yes", np.where(signal < -0.5, "no", "maybe"))
    return TabularTask.from_frame(frame, labels, name="mixed")


class AlgorithmContract:
    """Contract of every algorithm; subclasses provide the member as the fixture ``algorithm``."""

    def test_its_default_lies_in_its_space(self, algorithm: Algorithm) -> None:
        assert algorithm.space.problems(algorithm.default_configuration.parameters) == []

    def test_its_samples_lie_in_its_space_and_are_all_different(self, algorithm: Algorithm) -> None:
        configurations = algorithm.configurations(8)
        assert len({c.configuration_id for c in configurations}) == len(configurations)
        for configuration in configurations:
            assert algorithm.space.problems(configuration.parameters) == []

    def test_a_longer_sample_begins_with_the_shorter_one(self, algorithm: Algorithm) -> None:
        assert algorithm.space.sample(11)[:5] == algorithm.space.sample(5)

    def test_what_optuna_suggests_lies_in_its_space(self, algorithm: Algorithm) -> None:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for _ in range(5):
            parameters = algorithm.space.suggest(study.ask())
            assert algorithm.space.problems(parameters) == []

    def test_its_space_survives_json(self, algorithm: Algorithm) -> None:
        assert SearchSpace.from_json(algorithm.space.to_json()) == algorithm.space

    def test_its_configurations_survive_json(self, algorithm: Algorithm) -> None:
        for configuration in algorithm.configurations(5):
            parameters = json.loads(json.dumps(dict(configuration.parameters)))
            again = Configuration(configuration.algorithm, parameters)
            assert again.configuration_id == configuration.configuration_id

    def test_default_and_sampled_configurations_fit_and_predict_a_mixed_table(
        self, algorithm: Algorithm
    ) -> None:
        task = mixed_task(algorithm.task_type)
        for configuration in algorithm.configurations(3):
            predicted = _fitted(algorithm, configuration, task).predict(task.X)
            assert predicted.shape == (task.n_rows,)
            if algorithm.task_type == "classification":
                assert set(predicted) <= set(task.classes)
            else:
                assert np.isfinite(predicted).all()

    def test_it_predicts_values_that_it_never_saw(self, algorithm: Algorithm) -> None:
        task = mixed_task(algorithm.task_type)
        strange = task.X.head(5).copy()
        strange["colour"] = "ultraviolet"
        strange["town"] = pd.Series(["nowhere", np.nan, "elsewhere", np.nan, "beyond"], dtype=object)
        strange["number"] = np.nan
        strange["day"] = pd.NaT
        pipeline = _fitted(algorithm, algorithm.default_configuration, task)
        assert len(pipeline.predict(strange)) == 5

    def test_columns_that_are_empty_in_a_training_fold_do_no_harm(self, algorithm: Algorithm) -> None:
        task = mixed_task(algorithm.task_type)
        columns = {"number": np.nan, "day": pd.NaT, "colour": np.nan, "town": np.nan}
        X = task.X.assign(
            **{name: task.X[name].where(task.X.index >= 45, empty) for name, empty in columns.items()}
        )
        partly = TabularTask.from_frame(X, task.y, task_type=task.task_type)
        pipeline = algorithm.build(algorithm.default_configuration, partly)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some algorithms do not converge on so few rows
            pipeline.fit(partly.X.head(45), partly.y_codes[:45])
        assert len(pipeline.predict(partly.X.tail(5))) == 5

    def test_the_seed_decides(self, algorithm: Algorithm) -> None:
        """Every ``random_state`` in the pipeline follows the seed, unless its value does not matter."""
        task = mixed_task(algorithm.task_type)
        pipelines = [algorithm.build(algorithm.default_configuration, task, seed) for seed in (0, 0, 1)]
        first, other = pipelines[0].get_params(), pipelines[2].get_params()
        expected = _output(pipelines[0], task)
        np.testing.assert_array_equal(_output(pipelines[1], task), expected)
        constant = [name for name in first if name.endswith("random_state") and first[name] == other[name]]
        for seed in (1, 2) if constant else ():
            changed = clone(pipelines[0]).set_params(**dict.fromkeys(constant, seed))
            np.testing.assert_array_equal(_output(changed, task), expected, err_msg=f"constant: {constant}")

    def test_its_pipeline_can_be_cloned(self, algorithm: Algorithm) -> None:
        task = mixed_task(algorithm.task_type)
        pipeline = algorithm.build(algorithm.default_configuration, task)
        assert repr(clone(pipeline)) == repr(pipeline)

    def test_it_leaves_the_table_as_it_was(self, algorithm: Algorithm) -> None:
        task = mixed_task(algorithm.task_type)
        before = task.X.copy()
        _fitted(algorithm, algorithm.default_configuration, task)
        pd.testing.assert_frame_equal(task.X, before)

    def test_an_unknown_parameter_is_refused(self, algorithm: Algorithm) -> None:
        wrong = Configuration(algorithm.name, {**algorithm.defaults, "no_such_parameter": 1})
        with pytest.raises(UsageError, match="no_such_parameter"):
            algorithm.build(wrong, mixed_task(algorithm.task_type))


class ProbabilityContract:
    """Contract of classification algorithms that predict probabilities, beside `AlgorithmContract`."""

    def test_probabilities_sum_to_one(self, algorithm: Algorithm) -> None:
        task = mixed_task("classification")
        probabilities = _fitted(algorithm, algorithm.default_configuration, task).predict_proba(task.X)
        assert probabilities.shape == (task.n_rows, len(task.classes))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)


def _fitted(algorithm: Algorithm, configuration: Configuration, task: TabularTask) -> Pipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some algorithms do not converge on so few rows
        return algorithm.build(configuration, task, seed=0).fit(task.X, task.y)


def _output(pipeline: Pipeline, task: TabularTask) -> np.ndarray:
    """Fit on most rows and predict the others: probabilities where there are any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(task.X.head(60), task.y[:60])
    predict = pipeline.predict_proba if hasattr(pipeline, "predict_proba") else pipeline.predict
    return np.asarray(predict(task.X.tail(30)))
