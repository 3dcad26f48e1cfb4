import numpy as np
import pytest

from automl_meta.experiments import Evaluator, Folds, InProcessEvaluator, Limits
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

TASK = TabularTask.bundled("iris")
FOLDS = Folds.of_protocol(TASK, Protocol(n_folds=3))
TREE = Configuration("decision_tree")


@pytest.fixture(scope="module")
def worker():
    with Evaluator(Limits(seconds=60)) as evaluator:
        yield evaluator


def test_it_finds_what_a_worker_finds(worker: Evaluator) -> None:
    here, there = (evaluator.out_of_fold(TREE, TASK, FOLDS) for evaluator in (InProcessEvaluator(), worker))
    assert here.run.scores == there.run.scores
    for name, response in here.responses.items():
        np.testing.assert_array_equal(response, there.responses[name])


def test_a_model_comes_back_from_a_worker_as_it_is_fitted_here(worker: Evaluator) -> None:
    here, there = (evaluator.fit(TREE, TASK, FOLDS) for evaluator in (InProcessEvaluator(), worker))
    assert here.pipeline is not None
    assert there.pipeline is not None
    np.testing.assert_array_equal(there.pipeline.predict(TASK.X), here.pipeline.predict(TASK.X))
    assert here.seconds > 0


def test_a_fit_that_fails_says_why(worker: Evaluator) -> None:
    wrong = Configuration("decision_tree", {"max_depth": -1})
    for evaluator in (InProcessEvaluator(), worker):
        found = evaluator.fit(wrong, TASK, FOLDS)
        assert (found.pipeline, found.status) == (None, "crash")
        assert "max_depth=-1 is outside" in found.reason


def test_a_fit_is_ended_at_its_limit() -> None:
    with Evaluator() as evaluator:
        evaluator.fit(TREE, TASK, FOLDS)
        found = evaluator.fit(
            Configuration("random_forest", {"n_estimators": 400}), TASK, FOLDS, seconds=0.01
        )
    assert (found.pipeline, found.status) == (None, "timeout")
