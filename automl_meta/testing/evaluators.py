"""The contract of an `EvaluatorLike`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier

from automl_meta.algorithms import Algorithm, get_algorithm
from automl_meta.algorithms.preprocessing import ordinal_codes
from automl_meta.experiments import EvaluatorLike, Folds, evaluate_out_of_fold, fit_whole
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask
from automl_meta.testing.algorithms import mixed_task

__all__ = ["EvaluatorContract"]

PROTOCOL = Protocol(n_folds=2)
TREE = Configuration("decision_tree", {"max_depth": 3})


class Refusing(ClassifierMixin, BaseEstimator):
    """Fails when it is fitted, as estimators do."""

    def fit(self, X: Any, y: Any) -> Refusing:
        """Refuse.

        Parameters
        ----------
        X, y : array-like
            Ignored.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("no fit today")


def refusing(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    """Make an estimator that fails; a function of a module, so that it can be pickled."""
    return Refusing()


def _own_algorithm(**changes: Any) -> Algorithm:
    """An algorithm that is not in the catalogue."""
    dummy = get_algorithm("dummy", "classification")
    return replace(dummy, preprocessing=_no_preprocessing, **{"name": "own", "estimator": _tree, **changes})


def _no_preprocessing(task: TabularTask, seed: int) -> Any:
    return ordinal_codes(task, seed, keep_missing=True)


def _tree(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    return DecisionTreeClassifier(max_depth=2, random_state=seed)


class EvaluatorContract:
    """What every evaluator keeps; subclass it with a fixture ``evaluator`` that yields an open one."""

    @pytest.fixture
    def task(self) -> TabularTask:
        return mixed_task("classification", n_rows=80)

    @pytest.fixture
    def folds(self, task: TabularTask) -> Folds:
        return Folds.of_protocol(task, PROTOCOL)

    def test_an_evaluation_has_the_scores_and_predictions_that_its_folds_decide(
        self, evaluator: EvaluatorLike, task: TabularTask, folds: Folds
    ) -> None:
        found, expected = (
            evaluator.out_of_fold(TREE, task, folds),
            evaluate_out_of_fold(TREE, task, folds),
        )
        assert found.run.status == "ok"
        assert found.run.scores == expected.run.scores
        assert found.run.run_id == expected.run.run_id
        assert found.responses.keys() == expected.responses.keys()
        for name, response in expected.responses.items():
            np.testing.assert_array_equal(found.responses[name], response)

    def test_evaluate_gives_the_run_alone_and_takes_a_protocol(
        self, evaluator: EvaluatorLike, task: TabularTask
    ) -> None:
        run = evaluator.evaluate(TREE, task, PROTOCOL)
        assert run.scores == evaluate_out_of_fold(TREE, task, PROTOCOL).run.scores
        assert run.seconds > 0

    def test_a_fit_is_that_of_all_rows(
        self, evaluator: EvaluatorLike, task: TabularTask, folds: Folds
    ) -> None:
        found, expected = evaluator.fit(TREE, task, folds), fit_whole(TREE, task, folds)
        assert (found.status, found.reason) == ("ok", "")
        assert found.seconds > 0
        assert found.pipeline is not None
        assert expected.pipeline is not None
        np.testing.assert_array_equal(
            found.pipeline.predict_proba(task.X), expected.pipeline.predict_proba(task.X)
        )

    def test_tasks_and_configurations_may_alternate(
        self, evaluator: EvaluatorLike, task: TabularTask
    ) -> None:
        other = mixed_task("regression", n_rows=60)
        runs = [
            evaluator.evaluate(Configuration(name), one, PROTOCOL)
            for name, one in (("lda", task), ("ridge", other), ("dummy", task), ("ridge", other))
        ]
        assert [run.status for run in runs] == ["ok"] * 4
        assert [run.dataset_id for run in runs] == [task.fingerprint, other.fingerprint] * 2
        assert runs[1].scores == runs[3].scores

    def test_a_failure_is_a_result_with_its_reason_and_the_next_evaluation_works(
        self, evaluator: EvaluatorLike, task: TabularTask, folds: Folds
    ) -> None:
        algorithm, configuration = _own_algorithm(estimator=refusing), Configuration("own")
        run = evaluator.evaluate(configuration, task, folds, algorithm=algorithm)
        assert (run.status, run.reason) == ("crash", "ValueError: no fit today")
        fitted = evaluator.fit(configuration, task, folds, algorithm=algorithm)
        assert (fitted.pipeline, fitted.status, fitted.reason) == (None, "crash", "ValueError: no fit today")
        assert evaluator.evaluate(Configuration("nothing"), task, folds).status == "crash"
        assert evaluator.evaluate(TREE, task, folds).status == "ok"

    def test_an_algorithm_that_is_not_in_the_catalogue_can_be_given(
        self, evaluator: EvaluatorLike, task: TabularTask, folds: Folds
    ) -> None:
        algorithm, configuration = _own_algorithm(), Configuration("own")
        assert evaluator.evaluate(configuration, task, folds, algorithm=algorithm).status == "ok"
        assert evaluator.fit(configuration, task, folds, algorithm=algorithm).pipeline is not None

    def test_a_time_limit_that_is_not_reached_changes_nothing(
        self, evaluator: EvaluatorLike, task: TabularTask, folds: Folds
    ) -> None:
        limited = evaluator.evaluate(TREE, task, folds, seconds=300.0)
        assert limited.scores == evaluator.evaluate(TREE, task, folds).scores

    def test_the_data_are_left_as_they_are(
        self, evaluator: EvaluatorLike, task: TabularTask, folds: Folds
    ) -> None:
        X, y = task.X.copy(deep=True), task.y.copy(deep=True)
        evaluator.evaluate(TREE, task, folds)
        evaluator.fit(TREE, task, folds)
        pd.testing.assert_frame_equal(task.X, X)
        pd.testing.assert_series_equal(task.y, y)

    def test_it_can_be_started_awaited_and_closed_at_any_time_and_used_again(
        self, evaluator: EvaluatorLike, task: TabularTask, folds: Folds
    ) -> None:
        for _ in range(2):
            evaluator.start()
            evaluator.wait()
            assert 0 <= evaluator.start_seconds < 300
            assert evaluator.evaluate(TREE, task, folds).status == "ok"
            evaluator.close()
            evaluator.close()
        with evaluator as opened:
            assert opened is evaluator
            assert opened.evaluate(TREE, task, folds).status == "ok"
