import numpy as np
import pytest
from sklearn.metrics import _scorer, get_scorer, make_scorer, precision_score

from automl_meta.automl.scoring import Scoring
from automl_meta.exceptions import UsageError
from automl_meta.experiments import Folds, evaluate_out_of_fold
from automl_meta.metrics import METRICS, Metric
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

TASK = TabularTask.bundled("breast_cancer")
FOLDS = Folds.of_protocol(TASK, Protocol(n_folds=3))
FOUND = evaluate_out_of_fold(Configuration("gaussian_nb"), TASK, FOLDS)

LABELS = np.asarray(TASK.classes)


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


def test_a_scorer_by_name_is_advised_by_the_nearest_metric() -> None:
    assert Scoring.of("f1", "classification").advised.name == "f1_macro"
    assert Scoring.of("neg_mean_squared_error", "regression").advised.name == "neg_root_mean_squared_error"
    assert Scoring.of("auc", "classification").advised.name == "roc_auc_ovr"
    assert Scoring.of(make_scorer(precision_score), "classification").advised.name == "balanced_accuracy"


def test_a_scorer_of_a_newer_scikit_learn_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_scorer._SCORERS, "brand_new", get_scorer("accuracy"))
    scoring = Scoring.of("brand_new", "classification")
    assert scoring.advised.name == "balanced_accuracy"


@pytest.mark.parametrize(
    ("name", "task_type", "message"),
    [
        ("rand_score", "classification", "it compares clusterings"),
        ("f1_samples", "classification", "multilabel predictions"),
        ("r2", "classification", "it applies to regression"),
        ("neg_max_error", "classification", "it applies to regression"),
        ("f1", "regression", "it applies to classification"),
    ],
)
def test_what_scores_something_else_is_refused_with_some_that_fit(name, task_type, message: str) -> None:
    with pytest.raises(UsageError, match=rf"{message}\. Choose one of: \w+, \w+, .*any other scorer"):
        Scoring.of(name, task_type)


PREDICTED = LABELS[FOUND.responses["predict"]]
TRUTH = LABELS[TASK.y_codes[FOLDS.tested]]
PARTS = [part for repeat in FOLDS.slices for part in repeat]


@pytest.mark.parametrize("positive", ["benign", "malignant"])
@pytest.mark.parametrize("name", ["f1", "precision", "recall", "jaccard", "average_precision"])
def test_scores_of_a_positive_label_are_those_of_scikit_learn(name: str, positive: str) -> None:
    scoring = Scoring.of(name, "classification").with_positive(positive, LABELS)
    truth = (positive == TRUTH).astype(int)
    if name == "average_precision":
        answers = FOUND.responses["predict_proba"][:, list(LABELS).index(positive)]
    else:
        answers = (positive == PREDICTED).astype(int)
    judge = get_scorer(name)._score_func
    expected = np.mean([judge(truth[part], answers[part]) for part in PARTS])
    assert scoring.score(TASK, FOLDS, FOUND.responses, LABELS) == pytest.approx(expected)


def test_an_area_and_a_brier_score_are_the_same_for_either_positive_label() -> None:
    for name in ("roc_auc", "neg_brier_score"):
        scores = [
            Scoring.of(name, "classification")
            .with_positive(positive, LABELS)
            .score(TASK, FOLDS, FOUND.responses, LABELS)
            for positive in (None, *LABELS)
        ]
        assert scores == [scores[0]] * 3


def test_a_scorer_with_a_positive_label_sees_0_and_1() -> None:
    def looks(estimator, X, y) -> float:
        assert set(y) <= {0, 1}
        assert list(estimator.classes_) == [0, 1]
        assert set(estimator.predict(X)) <= {0, 1}
        hits = estimator.predict_proba(X).argmax(axis=1) == estimator.predict(X)
        return float(np.mean(hits))

    scoring = Scoring.of(looks, "classification").with_positive("benign", LABELS)
    assert scoring.score(TASK, FOLDS, FOUND.responses, LABELS) > 0.99


def test_names_that_want_probabilities_say_so() -> None:
    wanting = {name for name in ("accuracy", "neg_log_loss", "roc_auc_ovr_weighted", "f1_micro")
               if Scoring.of(name, "classification").wants_probabilities}  # fmt: skip
    assert wanting == {"neg_log_loss", "roc_auc_ovr_weighted"}


def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="There is no metric 'acuracy'"):
        Scoring.of("acuracy", "classification")
