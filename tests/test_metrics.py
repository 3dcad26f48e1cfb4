import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as sklearn_metrics

from automl_meta.exceptions import UsageError
from automl_meta.metrics import METRICS, default_metric, get_metric, metrics_for

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 4, 200)
PROBABILITIES = RNG.dirichlet(np.ones(4), 200)
PREDICTED = PROBABILITIES.argmax(axis=1)
TARGET = RNG.normal(size=200)
GUESS = TARGET + RNG.normal(size=200)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", sklearn_metrics.accuracy_score(Y, PREDICTED)),
        ("balanced_accuracy", sklearn_metrics.balanced_accuracy_score(Y, PREDICTED)),
        ("f1_macro", sklearn_metrics.f1_score(Y, PREDICTED, average="macro")),
        ("neg_log_loss", -sklearn_metrics.log_loss(Y, PROBABILITIES)),
        ("roc_auc_ovr", sklearn_metrics.roc_auc_score(Y, PROBABILITIES, multi_class="ovr")),
        ("neg_brier_score", -sklearn_metrics.brier_score_loss(Y, PROBABILITIES)),
        ("r2", sklearn_metrics.r2_score(TARGET, GUESS)),
        ("neg_root_mean_squared_error", -sklearn_metrics.root_mean_squared_error(TARGET, GUESS)),
        ("neg_mean_absolute_error", -sklearn_metrics.mean_absolute_error(TARGET, GUESS)),
        ("neg_median_absolute_error", -sklearn_metrics.median_absolute_error(TARGET, GUESS)),
        ("spearman", spearmanr(TARGET, GUESS).statistic),
    ],
)
def test_a_score_is_what_scikit_learn_and_scipy_say(name: str, expected: float) -> None:
    metric = get_metric(name)
    y = Y if metric.task_type == "classification" else TARGET
    response = PROBABILITIES if metric.response == "predict_proba" else PREDICTED if y is Y else GUESS
    assert metric.score(y, response) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["neg_brier_score", "neg_log_loss", "roc_auc_ovr"])
def test_two_classes_are_scored_as_scikit_learn_does(name: str) -> None:
    y, positive = (Y > 1).astype(int), PROBABILITIES[:, 0]
    expected = {
        "neg_brier_score": -sklearn_metrics.brier_score_loss(y, positive),
        "neg_log_loss": -sklearn_metrics.log_loss(y, positive),
        "roc_auc_ovr": sklearn_metrics.roc_auc_score(y, positive),
    }[name]
    assert get_metric(name).score(y, np.column_stack([1 - positive, positive])) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_perfect_predictions_score_best_and_others_less(metric) -> None:
    if metric.task_type == "regression":
        y, perfect, other = TARGET, TARGET, GUESS
    else:
        perfect, other = (
            (np.eye(4)[Y], PROBABILITIES) if metric.response == "predict_proba" else (Y, PREDICTED)
        )
        y = Y
    assert metric.score(y, perfect) == pytest.approx(metric.best)
    assert metric.score(y, other) < metric.best


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_every_alias_finds_its_metric_and_no_other(metric) -> None:
    assert all(get_metric(alias) is metric for alias in (metric.name, *metric.aliases))


def test_an_area_is_undefined_with_one_class() -> None:
    assert np.isnan(get_metric("roc_auc").score([1, 1], [[0.2, 0.8], [0.4, 0.6]]))


def test_a_constant_prediction_orders_nothing() -> None:
    assert get_metric("spearman").score([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) == 0.0


def test_an_unknown_metric_is_refused_with_the_choices() -> None:
    with pytest.raises(UsageError, match=r"'acuracy' for classification.*balanced_accuracy"):
        get_metric("acuracy", "classification")
    with pytest.raises(UsageError, match="'r2' for classification"):
        get_metric("r2", "classification")


def test_defaults_come_first() -> None:
    assert default_metric("classification").name == "balanced_accuracy"
    assert metrics_for("regression")[0] is default_metric("regression")
