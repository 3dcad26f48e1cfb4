"""Metrics: from out-of-fold predictions to scores, all of them greater-is-better.

Names are scikit-learn's scorer names, so that a score in the store can be compared with
``cross_val_score``; common short names are accepted as aliases. Runs are stored with the scores of
all `METRICS`; for each other scorer of scikit-learn, `nearest_metric` says which of them is nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automl_meta.exceptions import UsageError

__all__ = [
    "METRICS",
    "Metric",
    "TaskType",
    "default_metric",
    "get_metric",
    "is_known_name",
    "metrics_for",
    "nearest_metric",
    "stand_in_notes",
]

TaskType = Literal["classification", "regression"]


@dataclass(frozen=True)
class Metric:
    """A way to score predictions.

    Parameters
    ----------
    name : str
        The key in the store; scikit-learn's scorer name where there is one.
    task_type : {"classification", "regression"}
        The kind of task it scores.
    response : {"predict", "predict_proba"}
        What it is computed from.
    function : callable
        ``function(y_true, response) -> float``, greater is better. For classification
        ``y_true`` holds codes ``0 .. n_classes - 1`` and a ``predict_proba`` response has shape
        ``(n_samples, n_classes)``.
    best : float
        The score of perfect predictions.
    scale_free : bool
        False if the score carries the unit of the target, as the mean absolute error does;
        such scores are compared across data sets per standard deviation of the target.
    pooled : bool
        Whether a cross-validation scores all out-of-fold predictions at once, which is steadier on
        small folds. False for the area under the ROC curve, which would compare probabilities of
        different models with each other: there it is the mean over the folds.
    aliases : tuple of str
        Further names that `get_metric` accepts.
    """

    name: str
    task_type: TaskType
    response: Literal["predict", "predict_proba"]
    function: Callable[[NDArray, NDArray], float]
    best: float = 1.0
    scale_free: bool = True
    pooled: bool = True
    aliases: tuple[str, ...] = ()

    def score(self, y_true: ArrayLike, response: ArrayLike) -> float:
        """Score predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class codes ``0 .. n_classes - 1``, or the numeric target.
        response : array-like of shape (n_samples,) or (n_samples, n_classes)
            Predicted codes or values, or probabilities.

        Returns
        -------
        float
            Greater is better; NaN where the metric is not defined, as for the area under the
            ROC curve when ``y_true`` has one class.
        """
        return float(self.function(np.asarray(y_true), np.asarray(response)))


def _roc_auc(y_true: NDArray, probabilities: NDArray) -> float:
    """One-vs-rest, unweighted mean over the classes that are present and not alone."""
    from sklearn.metrics import roc_auc_score  # slow to import, and a store needs the names alone

    n_classes = probabilities.shape[1]
    columns = [1] if n_classes == 2 else range(n_classes)
    areas = []
    for code in columns:
        positive = y_true == code
        if positive.any() and not positive.all():
            areas.append(roc_auc_score(positive, probabilities[:, code]))
    return float(np.mean(areas)) if areas else float("nan")


def _neg_log_loss(y_true: NDArray, probabilities: NDArray) -> float:
    # Clipped as scikit-learn does, but by codes: a class that a fold never saw is no error.
    epsilon = np.finfo(np.float64).eps
    chosen = probabilities[np.arange(len(y_true)), y_true]
    return float(np.mean(np.log(np.clip(chosen, epsilon, 1.0))))


def _neg_brier(y_true: NDArray, probabilities: NDArray) -> float:
    """Brier (1950): mean squared distance to the one-hot truth; halved for two classes."""
    truth = np.eye(probabilities.shape[1])[y_true]
    scale = 0.5 if probabilities.shape[1] == 2 else 1.0
    return -scale * float(np.mean(np.sum((probabilities - truth) ** 2, axis=1)))


def _balanced_accuracy(y_true: NDArray, y_pred: NDArray) -> float:
    return float(np.mean([np.mean(y_pred[y_true == code] == code) for code in np.unique(y_true)]))


def _f1_macro(y_true: NDArray, y_pred: NDArray) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(y_true, y_pred, average="macro", zero_division=0.0))


def _spearman(y_true: NDArray, y_pred: NDArray) -> float:
    from scipy.stats import rankdata

    ranks = rankdata(y_true), rankdata(y_pred)
    if min(np.ptp(ranks[0]), np.ptp(ranks[1])) == 0:
        return 0.0  # a constant prediction orders nothing
    return float(np.corrcoef(*ranks)[0, 1])


def _r2(y_true: NDArray, y_pred: NDArray) -> float:
    from sklearn.metrics import r2_score

    return float(r2_score(y_true, y_pred)) if len(y_true) > 1 else float("nan")


METRICS: tuple[Metric, ...] = (
    Metric("balanced_accuracy", "classification", "predict", _balanced_accuracy, aliases=("bac",)),
    Metric(
        "accuracy",
        "classification",
        "predict",
        lambda y, p: float(np.mean(y == p)),
        aliases=("acc",),
    ),
    Metric("f1_macro", "classification", "predict", _f1_macro),
    Metric("neg_log_loss", "classification", "predict_proba", _neg_log_loss, best=0.0, aliases=("log_loss",)),
    Metric(
        "roc_auc_ovr", "classification", "predict_proba", _roc_auc, pooled=False, aliases=("roc_auc", "auc")
    ),
    Metric("neg_brier_score", "classification", "predict_proba", _neg_brier, best=0.0, aliases=("brier",)),
    Metric("r2", "regression", "predict", _r2),
    Metric(
        "neg_root_mean_squared_error",
        "regression",
        "predict",
        lambda y, p: -float(np.sqrt(np.mean((y - p) ** 2))),
        best=0.0,
        scale_free=False,
        aliases=("rmse",),
    ),
    Metric(
        "neg_mean_absolute_error",
        "regression",
        "predict",
        lambda y, p: -float(np.mean(np.abs(y - p))),
        best=0.0,
        scale_free=False,
        aliases=("mae",),
    ),
    Metric(
        "neg_median_absolute_error",
        "regression",
        "predict",
        lambda y, p: -float(np.median(np.abs(y - p))),
        best=0.0,
        scale_free=False,
        aliases=("medae", "median_absolute_error"),
    ),
    Metric("spearman", "regression", "predict", _spearman),
)

_NEAREST: Mapping[str, str] = MappingProxyType(
    {
        "average_precision": "roc_auc_ovr",
        "d2_absolute_error_score": "neg_mean_absolute_error",
        "d2_brier_score": "neg_brier_score",
        "d2_log_loss_score": "neg_log_loss",
        "explained_variance": "r2",
        "f1": "f1_macro",
        "f1_micro": "accuracy",  # the same, where each row has one label
        "f1_weighted": "f1_macro",
        "jaccard": "f1_macro",
        "jaccard_macro": "f1_macro",
        "jaccard_micro": "accuracy",
        "jaccard_weighted": "f1_macro",
        "matthews_corrcoef": "f1_macro",
        "neg_max_error": "neg_root_mean_squared_error",
        "neg_mean_absolute_percentage_error": "neg_mean_absolute_error",
        "neg_mean_gamma_deviance": "neg_mean_absolute_error",
        "neg_mean_poisson_deviance": "neg_root_mean_squared_error",
        "neg_mean_squared_error": "neg_root_mean_squared_error",
        "neg_mean_squared_log_error": "neg_mean_absolute_error",
        "neg_negative_likelihood_ratio": "balanced_accuracy",
        "neg_root_mean_squared_log_error": "neg_mean_absolute_error",
        "positive_likelihood_ratio": "balanced_accuracy",
        "precision": "f1_macro",
        "precision_macro": "f1_macro",
        "precision_micro": "accuracy",
        "precision_weighted": "f1_macro",
        "recall": "balanced_accuracy",
        "recall_macro": "balanced_accuracy",  # the same
        "recall_micro": "accuracy",
        "recall_weighted": "accuracy",  # the same
        "roc_auc_ovo": "roc_auc_ovr",
        "roc_auc_ovo_weighted": "roc_auc_ovr",
        "roc_auc_ovr_weighted": "roc_auc_ovr",
        "top_k_accuracy": "accuracy",
    }
)
"""Scorer of scikit-learn that no run is stored with: the stored metric whose ranking is nearest."""

_CLUSTERING = (
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "completeness_score",
    "fowlkes_mallows_score",
    "homogeneity_score",
    "mutual_info_score",
    "normalized_mutual_info_score",
    "rand_score",
    "v_measure_score",
)
_MULTILABEL = ("f1_samples", "jaccard_samples", "precision_samples", "recall_samples")


def metrics_for(task_type: TaskType) -> tuple[Metric, ...]:
    """All metrics of one kind of task, the default first."""
    return tuple(metric for metric in METRICS if metric.task_type == task_type)


def default_metric(task_type: TaskType) -> Metric:
    """Balanced accuracy for classification, R² for regression."""
    return metrics_for(task_type)[0]


def get_metric(name: str | Metric, task_type: TaskType | None = None) -> Metric:
    """Find a metric by its name or an alias.

    Raises
    ------
    UsageError
        If there is no such metric, or it does not score this kind of task.

    See Also
    --------
    nearest_metric : Also takes the other scorers of scikit-learn.

    Examples
    --------
    >>> get_metric("rmse").name
    'neg_root_mean_squared_error'
    """
    if isinstance(name, Metric):
        return name
    known = METRICS if task_type is None else metrics_for(task_type)
    for metric in known:
        if name == metric.name or name in metric.aliases:
            return metric
    choices = ", ".join(metric.name for metric in known)
    kind = f" for {task_type}" if task_type else ""
    raise UsageError(
        f"There is no metric {name!r}{kind}{_why_not(name, task_type)}. Choose one of: {choices}."
    )


def nearest_metric(name: str | Metric, task_type: TaskType) -> Metric:
    """The metric by whose stored scores experience can advise on another metric or scorer.

    Parameters
    ----------
    name : str or Metric
        A metric, or a scorer of scikit-learn by name.
    task_type : {"classification", "regression"}
        The kind of task it is to score.

    Returns
    -------
    Metric
        Itself if it is one of `METRICS`; the default for another `Metric`.

    Raises
    ------
    UsageError
        If there is no such name, or it does not score this kind of task.

    Examples
    --------
    >>> nearest_metric("average_precision", "classification").name
    'roc_auc_ovr'
    """
    if isinstance(name, Metric):
        if name.task_type != task_type:
            raise UsageError(f"{name.name} scores {name.task_type}, but this is {task_type}.")
        return name if name in METRICS else default_metric(task_type)
    nearest = next((metric for metric in METRICS if metric.name == _NEAREST.get(name)), None)
    if nearest is not None and nearest.task_type == task_type:
        return nearest
    return get_metric(name, task_type)


def stand_in_notes(name: str, metric: Metric) -> tuple[str, ...]:
    """Say that advice rests on another metric than the one asked for; nothing if it is the same."""
    if name == metric.name or name in metric.aliases:
        return ()
    return (
        f"No stored run was scored by {name}; the advice is ranked by {metric.name}, "
        f"and the expected scores are those of {metric.name}.",
    )


def is_known_name(name: str) -> bool:
    """Whether it is a metric, or a scorer of scikit-learn of which it is known what it scores."""
    return _scored_kind(name) is not None or name in _CLUSTERING or name in _MULTILABEL


def _scored_kind(name: str) -> TaskType | None:
    stored = _NEAREST.get(name, name)
    return next((m.task_type for m in METRICS if stored == m.name or stored in m.aliases), None)


def _why_not(name: str, task_type: TaskType | None) -> str:
    if name in _CLUSTERING:
        return ": it compares clusterings"
    if name in _MULTILABEL:
        return ": it scores several labels of each row"
    kind = _scored_kind(name)
    if task_type is not None and kind not in (None, task_type):
        return f": it scores {kind}"
    return f" in stored runs; the nearest is {_NEAREST[name]}" if name in _NEAREST else ""
