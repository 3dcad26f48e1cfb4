import numpy as np
import pytest
from sklearn.metrics import get_scorer_names, make_scorer, precision_score

from automl_meta.automl.scoring import Scoring
from automl_meta.exceptions import UsageError
from automl_meta.experiments import Folds, evaluate_out_of_fold
from automl_meta.metrics import METRICS, Metric
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

TASK = TabularTask.bundled("breast_cancer")
FOLDS = Folds.of_protocol(TASK, Protocol(n_folds=3))
FOUND = evaluate_out_of_fold(Configuration("gaussian_nb"), TASK, FOLDS)


def score(metric, labels=TASK.classes) -> float:
    return Scoring.of(metric, "classification").score(TASK, FOLDS, FOUND.responses, labels)


@pytest.mark.parametrize("metric", [m.name for m in METRICS if m.task_type == "classification"])
def test_a_metric_scores_as_in_the_run(metric: str) -> None:
    assert score(metric) == pytest.approx(FOUND.run.scores[metric])


@pytest.mark.parametrize(
    "name", ["roc_auc_ovr_weighted", "precision_macro", "matthews_corrcoef", "average_precision"]
)
def test_scorers_of_scikit_learn_score_answers_by_fold(name: str) -> None:
    labels = np.array([0, 1]) if name == "average_precision" else TASK.classes
    if name == "roc_auc_ovr_weighted":
        assert score(name, labels) == pytest.approx(np.mean(FOUND.run.fold_scores["roc_auc_ovr"]))
    else:
        assert 0.7 < score(name, labels) <= 1.0


def test_a_scorer_sees_the_labels_and_may_look_at_some_rows_only() -> None:
    scorer = make_scorer(precision_score, pos_label="malignant")
    assert 0.8 < score(scorer) < 1.0

    def of_some(estimator, X, y) -> float:
        return float(np.mean(estimator.predict(X.iloc[5:9]) == y[5:9]))

    assert 0.5 < score(of_some) <= 1.0


def test_a_metric_of_ones_own_scores() -> None:
    own = Metric("own", "classification", "predict", lambda y, p: float(np.mean(y == p)))
    assert score(own) == pytest.approx(FOUND.run.scores["accuracy"])
    assert Scoring.of(own, "classification").advised.name == "balanced_accuracy"


def test_every_name_of_scikit_learn_is_known() -> None:
    of_regression = {name for m in METRICS if m.task_type == "regression" for name in (m.name, *m.aliases)}
    for name in set(get_scorer_names()) - of_regression:
        assert Scoring.of(name, "classification").name


def test_names_that_want_probabilities_say_so() -> None:
    wanting = {name for name in ("accuracy", "neg_log_loss", "roc_auc_ovr_weighted", "f1_micro")
               if Scoring.of(name, "classification").wants_probabilities}  # fmt: skip
    assert wanting == {"neg_log_loss", "roc_auc_ovr_weighted"}


def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="There is no metric 'acuracy'"):
        Scoring.of("acuracy", "classification")
