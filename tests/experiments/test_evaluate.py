import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from automl_meta.algorithms import Algorithm, get_algorithm
from automl_meta.experiments import evaluate
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask
from automl_meta.testing.algorithms import mixed_task

LDA = get_algorithm("lda", "classification")


def test_scores_are_those_of_scikit_learns_out_of_fold_predictions() -> None:
    task = TabularTask.bundled("wine")
    run = evaluate(LDA.default_configuration, task)
    pipeline = LDA.build(LDA.default_configuration, task)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(pipeline, task.X, task.y_codes, cv=folds)
    assert run.scores["accuracy"] == pytest.approx(np.mean(predicted == task.y_codes))
    areas = cross_val_score(pipeline, task.X, task.y_codes, cv=folds, scoring="roc_auc_ovr")
    assert run.scores["roc_auc_ovr"] == pytest.approx(areas.mean())
    assert run.fold_scores["roc_auc_ovr"] == pytest.approx(tuple(areas))


def test_all_metrics_of_regression_are_scored() -> None:
    run = evaluate(Configuration("ridge"), TabularTask.bundled("diabetes"))
    assert set(run.scores) == {
        "r2", "neg_root_mean_squared_error", "neg_mean_absolute_error", "neg_median_absolute_error", "spearman"
    }  # fmt: skip
    assert 0.4 < run.scores["r2"] < 0.6
    assert all(len(scores) == 5 for scores in run.fold_scores.values())


def test_without_probabilities_their_metrics_are_left_out() -> None:
    run = evaluate(Configuration("linear_svm"), TabularTask.bundled("iris"))
    assert set(run.scores) == {"accuracy", "balanced_accuracy", "f1_macro"}


def test_the_stored_configuration_is_complete() -> None:
    run = evaluate(Configuration("knn", {"p": 1}), TabularTask.bundled("iris"))
    assert run.configuration.parameters == {"p": 1, "n_neighbors": 5, "weights": "uniform"}


def test_the_same_twice_scores_the_same() -> None:
    task = mixed_task("classification")
    first, second = (evaluate(Configuration("random_forest"), task) for _ in range(2))
    assert (first.scores, first.run_id) == (second.scores, second.run_id)


def test_a_class_with_one_row_is_no_crash() -> None:
    task = mixed_task("classification")
    labels = task.y.to_numpy(dtype=object, copy=True)
    labels[0] = "alone"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = evaluate(LDA.default_configuration, TabularTask.from_frame(task.X, labels))
    assert run.status == "ok", run.reason
    assert np.isfinite(list(run.scores.values())).all()


def test_training_folds_are_sampled_and_test_folds_are_not() -> None:
    seen: list[int] = []
    knn = get_algorithm("knn", "classification")

    class Counting(KNeighborsClassifier):
        def fit(self, X, y):
            seen.append(len(X))
            return super().fit(X, y)

    counting = replace(knn, estimator=lambda parameters, task, seed: Counting(**parameters))
    run = evaluate(
        Configuration("knn"), TabularTask.bundled("iris"), Protocol(max_train_rows=60), algorithm=counting
    )
    assert seen == [60] * 5
    assert run.status == "ok"
    assert run.protocol == "cv5-rows60-seed0"


def test_a_repeated_cross_validation_is_the_mean_of_single_ones() -> None:
    task = TabularTask.bundled("iris")
    repeated = evaluate(LDA.default_configuration, task, Protocol(n_repeats=2, seed=3))
    single = [evaluate(LDA.default_configuration, task, Protocol(seed=seed)) for seed in (3, 4)]
    assert repeated.protocol == "cv5x2-rows5000-seed3"
    for metric, score in repeated.scores.items():
        assert score == pytest.approx(np.mean([run.scores[metric] for run in single]))
        assert repeated.fold_scores[metric] == pytest.approx(
            single[0].fold_scores[metric] + single[1].fold_scores[metric]
        )


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (Configuration("no_such"), "UsageError: There is no algorithm 'no_such'"),
        (Configuration("knn", {"n_neighbors": 5000}), "outside"),
    ],
)
def test_a_failure_is_a_result_with_its_reason(configuration: Configuration, reason: str) -> None:
    run = evaluate(configuration, TabularTask.bundled("iris"))
    assert run.status == "crash"
    assert reason in run.reason
    assert run.scores == {}


def test_predictions_that_are_no_numbers_are_a_crash() -> None:
    class Broken(DummyRegressor):
        def predict(self, X):
            return np.full(len(X), np.nan)

    broken: Algorithm = replace(get_algorithm("dummy", "regression"), estimator=lambda p, t, s: Broken())
    run = evaluate(Configuration("dummy"), TabularTask.bundled("diabetes"), algorithm=broken)
    assert (run.status, run.reason) == ("crash", "FloatingPointError: a prediction is not a finite number")


def test_a_table_smaller_than_the_folds_is_evaluated() -> None:
    task = TabularTask.from_frame(pd.DataFrame({"a": [1.0, 2.0, 4.0]}), [1.5, 2.5, 3.7])
    run = evaluate(Configuration("dummy"), task)
    assert (run.status, len(run.fold_scores["r2"])) == ("ok", 3)
