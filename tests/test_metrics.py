import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as sklearn_metrics

from automl_meta.exceptions import UsageError
from automl_meta.metrics import (
    METRICS,
    Metric,
    default_metric,
    get_metric,
    is_known_name,
    metrics_for,
    nearest_metric,
    stand_in_notes,
)

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


OF_OTHER_KINDS = {"f1_samples", "jaccard_samples", "precision_samples", "recall_samples"} | {
    name
    for name in sklearn_metrics.get_scorer_names()
    if ".cluster." in sklearn_metrics.get_scorer(name)._score_func.__module__
}


@pytest.mark.parametrize("name", sklearn_metrics.get_scorer_names())
def test_every_scorer_of_scikit_learn_has_a_nearest_metric_of_its_type_or_is_refused(name: str) -> None:
    """A new scikit-learn scorer fails here until it is mapped to its nearest metric."""
    assert is_known_name(name)
    module = sklearn_metrics.get_scorer(name)._score_func.__module__
    task_type = "regression" if module.endswith("_regression") else "classification"
    other = "classification" if task_type == "regression" else "regression"
    if name in OF_OTHER_KINDS:
        for kind in ("classification", "regression"):
            with pytest.raises(UsageError, match=rf"'{name}' for {kind}: it .* Choose one of: \w+, "):
                nearest_metric(name, kind)
        return
    assert nearest_metric(name, task_type).task_type == task_type
    with pytest.raises(UsageError, match=f"'{name}' for {other}: it applies to {task_type}"):
        nearest_metric(name, other)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("f1", "f1_macro"),
        ("f1_micro", "accuracy"),
        ("recall", "balanced_accuracy"),
        ("average_precision", "roc_auc_ovr"),
        ("roc_auc_ovo", "roc_auc_ovr"),
        ("top_k_accuracy", "accuracy"),
        ("explained_variance", "r2"),
        ("neg_mean_squared_error", "neg_root_mean_squared_error"),
        ("rmse", "neg_root_mean_squared_error"),
        ("accuracy", "accuracy"),
    ],
)
def test_a_scorer_that_is_not_stored_has_a_nearest_one(name: str, nearest: str) -> None:
    task_type = get_metric(nearest).task_type
    assert nearest_metric(name, task_type).name == nearest


def test_f1_is_not_silently_another() -> None:
    with pytest.raises(UsageError, match=r"'f1' for classification.*nearest.*f1_macro"):
        get_metric("f1", "classification")


def test_a_metric_of_ones_own_is_nearest_to_the_default() -> None:
    own = Metric("own", "classification", "predict", lambda y, p: float(np.mean(y == p)))
    assert nearest_metric(own, "classification") is default_metric("classification")
    assert nearest_metric(get_metric("accuracy"), "classification") is get_metric("accuracy")
    with pytest.raises(UsageError, match="own applies to classification, but this is a regression task"):
        nearest_metric(own, "regression")


def test_a_stand_in_is_told_and_an_alias_is_none() -> None:
    (note,) = stand_in_notes("f1", get_metric("f1_macro"))
    assert note == (
        "No stored run was scored by f1; recommendations are ranked by f1_macro, "
        "and expected scores are f1_macro scores."
    )
    assert stand_in_notes("auc", get_metric("roc_auc_ovr")) == ()


def test_a_score_carries_the_unit_of_the_target_or_is_free_of_it() -> None:
    for metric in metrics_for("regression"):
        ratio = metric.score(10 * TARGET, 10 * GUESS) / metric.score(TARGET, GUESS)
        assert ratio == pytest.approx(1.0 if metric.scale_free else 10.0), metric.name
    assert all(metric.scale_free for metric in metrics_for("classification"))


def test_only_areas_are_means_over_the_folds() -> None:
    assert [metric.name for metric in METRICS if not metric.pooled] == ["roc_auc_ovr"]


def test_a_metric_of_ones_own_is_scale_free_pooled_and_at_best_one_unless_said_otherwise() -> None:
    own = Metric("own", "regression", "predict", lambda y, p: 0.0)
    assert (own.best, own.scale_free, own.pooled, own.aliases) == (1.0, True, True, ())
    with pytest.raises(AttributeError):
        own.best = 2.0  # type: ignore[misc]


def test_an_impossible_class_costs_as_much_as_scikit_learn_says() -> None:
    y, probabilities = [0, 1, 1], [[1.0, 0.0], [1.0, 0.0], [0.25, 0.75]]
    expected = -sklearn_metrics.log_loss(y, probabilities)
    assert get_metric("log_loss").score(y, probabilities) == pytest.approx(expected)


def test_a_class_that_is_never_predicted_has_an_f1_of_zero() -> None:
    assert get_metric("f1_macro").score([0, 0, 1], [0, 0, 0]) == pytest.approx(0.4)


def test_the_area_is_the_mean_over_the_classes_that_are_present() -> None:
    y = np.array([0, 1, 0, 1, 0])
    probabilities = np.array(
        [[0.5, 0.2, 0.3], [0.4, 0.5, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.7, 0.1, 0.2]]
    )
    areas = [sklearn_metrics.roc_auc_score(y == code, probabilities[:, code]) for code in (0, 1)]
    assert get_metric("roc_auc").score(y, probabilities) == pytest.approx(np.mean(areas))


@pytest.mark.parametrize(("y", "predicted"), [([1.0, 2.0, 3.0], [5.0] * 3), ([5.0] * 3, [1.0, 2.0, 3.0])])
def test_nothing_is_in_order_where_all_values_are_equal(y: list[float], predicted: list[float]) -> None:
    assert get_metric("spearman").score(y, predicted) == 0.0


def test_one_row_has_no_r2_and_two_have() -> None:
    assert np.isnan(get_metric("r2").score([1.0], [1.0]))
    assert get_metric("r2").score([1.0, 2.0], [1.0, 2.0]) == 1.0


def test_the_reason_for_a_refusal_is_told() -> None:
    with pytest.raises(
        UsageError, match=r"^There is no metric 'no'\. Choose one of: balanced_accuracy, .*spearman\.$"
    ):
        get_metric("no")
    with pytest.raises(
        UsageError, match=r"^There is no metric 'v_measure_score': it compares clusterings\. Choose"
    ):
        get_metric("v_measure_score")
    with pytest.raises(UsageError, match=r"'recall_samples': it scores multilabel predictions\. Choose"):
        get_metric("recall_samples")
    with pytest.raises(UsageError, match=r"'f1' in stored runs; the nearest metric is f1_macro\. Choose"):
        get_metric("f1")
    with pytest.raises(UsageError, match=r"'rmse' for classification: it applies to regression\. Choose"):
        get_metric("rmse", "classification")


def test_a_name_that_nobody_knows_is_not_known() -> None:
    assert not is_known_name("acuracy")


@pytest.mark.parametrize("kinds", [("classification", "regression"), ("regression", "classification")])
def test_a_metric_of_ones_own_scores_one_kind_of_task(kinds: tuple[str, str]) -> None:
    own = Metric("own", kinds[0], "predict", lambda y, p: 0.0)  # type: ignore[arg-type]
    assert nearest_metric(own, kinds[0]) is default_metric(kinds[0])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=kinds[1]):
        nearest_metric(own, kinds[1])  # type: ignore[arg-type]
