"""A metric that cannot work is found out on dummy predictions, with what to do about it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import fbeta_score, get_scorer_names, make_scorer
from sklearn.model_selection import LeaveOneOut

from automl_meta.automl.check_scoring import check_scoring
from automl_meta.automl.scoring import Scoring
from automl_meta.exceptions import UsageError
from automl_meta.experiments import Folds
from automl_meta.metrics import METRICS, Metric, nearest_metric
from automl_meta.records import Protocol
from automl_meta.task import TabularTask

RNG = np.random.default_rng(0)


def task_of(labels: np.ndarray, task_type: str = "classification") -> TabularTask:
    frame = pd.DataFrame({"x": RNG.normal(size=len(labels)), "z": RNG.normal(size=len(labels))})
    return TabularTask.from_frame(frame, labels, task_type=task_type)  # type: ignore[arg-type]


def two_classes(labels: object = ("no", "yes")) -> TabularTask:
    return task_of(np.array(labels)[np.arange(90) % 3 // 2])


YES = two_classes()
THREE = task_of(np.array(["a", "b", "c"])[np.arange(90) % 3])
RARE = task_of(np.array(["a"] * 50 + ["b"] * 40 + ["rare"] * 3))
COUNTS = task_of(RNG.poisson(1.0, 90).astype(float), "regression")
PRICES = task_of(RNG.lognormal(size=90), "regression")


def check(metric, task: TabularTask, positive: object = None, folds: Folds | None = None) -> Scoring:
    labels = np.asarray(task.classes)
    scoring = Scoring.of(metric, task.task_type).with_positive(positive, labels)
    check_scoring(scoring, task, folds or Folds.of_protocol(task, Protocol()), labels)
    return scoring


def fitting(task_type: str) -> list[str]:
    def fits(name: str) -> bool:
        try:
            return nearest_metric(name, task_type).task_type == task_type  # type: ignore[arg-type]
        except UsageError:
            return False

    return [name for name in {*get_scorer_names(), *(m.name for m in METRICS)} if fits(name)]


@pytest.mark.parametrize("positive", ["no", "yes"])
@pytest.mark.parametrize("name", sorted(fitting("classification")))
def test_every_scorer_for_classes_scores_two_of_them_with_a_positive_one(name: str, positive: str) -> None:
    check(name, YES, positive)


@pytest.mark.parametrize("name", sorted(fitting("regression")))
def test_every_scorer_for_numbers_scores_positive_ones(name: str) -> None:
    check(name, PRICES)


@pytest.mark.parametrize("labels", [[0, 1], [-1, 1], [False, True]])
@pytest.mark.parametrize("name", ["f1", "average_precision", "precision", "recall", "jaccard", "roc_auc"])
def test_labels_that_scikit_learn_understands_need_no_positive_one(name: str, labels: list) -> None:
    check(name, two_classes(labels))


@pytest.mark.parametrize("name", ["f1", "average_precision", "precision", "recall", "jaccard"])
def test_labels_of_text_need_one_and_the_error_says_how(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check(name, YES)
    message = str(caught.value)
    for words in (name, "'no'", "'yes'", "--positive yes", "positive='yes'"):
        assert words in message
    assert "\n" not in message


def test_the_label_that_is_proposed_is_quoted_for_a_shell() -> None:
    with pytest.raises(UsageError, match="--positive 'not so good' on the command line"):
        check("f1", two_classes(["good", "not so good"]))


def test_a_fold_that_lacks_a_class_is_told_with_the_remedy() -> None:
    with pytest.raises(UsageError) as caught:
        check("roc_auc_ovo", RARE)
    message = str(caught.value)
    for words in ("roc_auc_ovo", "2 of 5 test folds lack a class", "fewer folds (cv)", "such as roc_auc_ovr"):
        assert words in message
    check("roc_auc_ovo", RARE, folds=Folds.of_protocol(RARE, Protocol(n_folds=3)))
    check("roc_auc_ovr", RARE)


def test_a_metric_that_is_defined_on_no_fold_is_refused() -> None:
    alone = Folds.of_splitter(THREE, LeaveOneOut(), Protocol())
    with pytest.raises(UsageError, match=r"roc_auc_ovr.*fewer folds \(cv\).*such as balanced_accuracy"):
        check("roc_auc_ovr", THREE, folds=alone)


def test_a_scorer_of_two_classes_names_its_mean_over_more() -> None:
    with pytest.raises(UsageError, match=r"f1 is for two classes, and there are 3.*such as f1_macro"):
        check("f1", THREE)


def test_a_target_that_a_metric_does_not_take_is_told() -> None:
    with pytest.raises(UsageError, match=r"neg_mean_gamma_deviance.*such as neg_mean_absolute_error"):
        check("neg_mean_gamma_deviance", COUNTS)
    check("neg_mean_poisson_deviance", COUNTS)


def test_a_scorer_of_ones_own_is_tried_too() -> None:
    def broken(estimator, X, y) -> float:
        raise RuntimeError("no\nidea")

    with pytest.raises(UsageError, match=r"broken.*RuntimeError: no idea"):
        check(broken, YES)
    with pytest.raises(UsageError, match="--positive yes"):
        check(make_scorer(fbeta_score, beta=2), YES)
    assert check(make_scorer(fbeta_score, beta=2), YES, "yes").name.startswith("make_scorer(fbeta_score")
    check(Metric("own", "classification", "predict", lambda y, p: float(np.mean(y == p))), YES)


def test_a_scorer_that_is_sometimes_undefined_passes() -> None:
    calls = []

    def seldom(estimator, X, y) -> float:
        calls.append(1)
        return float("nan") if len(calls) % 5 else 1.0

    check(seldom, YES)


def test_nothing_is_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check("precision_macro", RARE)
