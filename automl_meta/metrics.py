"""Metrics that score out-of-fold predictions; greater is always better.

Names are those of scikit-learn's scorers, so that a stored score is comparable with
``cross_val_score``; common short names are accepted as aliases. Runs are stored with the scores of
all `METRICS`; `nearest_metric` maps every other scikit-learn scorer to the closest of these.
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
    """A metric that scores predictions.

    Parameters
    ----------
    name : str
        Key in the store; the name of the scikit-learn scorer where one exists.
    task_type : {"classification", "regression"}
        Type of task that the metric applies to.
    response : {"predict", "predict_proba"}
        Estimator method whose output is scored.
    function : callable
        ``function(y_true, response) -> float``, greater is better. For classification,
        ``y_true`` holds class codes ``0 .. n_classes - 1`` and a ``predict_proba`` response has
        shape ``(n_samples, n_classes)``.
    best : float, default=1.0
        Score of perfect predictions.
    scale_free : bool, default=True
        Whether the score is independent of the unit of the target. Scores that are not, such as
        the mean absolute error, are divided by the standard deviation of the target before they
        are compared across data sets.
    pooled : bool, default=True
        Whether cross-validation scores all out-of-fold predictions at once, which has a lower
        variance on small folds. The area under the ROC curve is averaged over the folds instead,
        since pooling would rank probabilities of different models against each other.
    aliases : tuple of str
        Other names that `get_metric` accepts.
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
            Predicted class codes, predicted values or class probabilities.

        Returns
        -------
        float
            Score, greater is better; NaN where the metric is undefined, such as the area under
            the ROC curve when ``y_true`` contains a single class.
        """
        return float(self.function(np.asarray(y_true), np.asarray(response)))


def _roc_auc(y_true: NDArray, probabilities: NDArray) -> float:
    """One-vs-rest AUC, unweighted mean over the classes for which it is defined."""
    from sklearn.metrics import roc_auc_score  # slow to import, and the store only needs the names

    n_classes = probabilities.shape[1]
    columns = [1] if n_classes == 2 else range(n_classes)
    areas = []
    for code in columns:
        positive = y_true == code
        if positive.any() and not positive.all():
            areas.append(roc_auc_score(positive, probabilities[:, code]))
    return float(np.mean(areas)) if areas else float("nan")


def _neg_log_loss(y_true: NDArray, probabilities: NDArray) -> float:
    # Clipped as in scikit-learn, but indexed by code: a class absent from a fold is not an error.
    epsilon = np.finfo(np.float64).eps
    chosen = probabilities[np.arange(len(y_true)), y_true]
    return float(np.mean(np.log(np.clip(chosen, epsilon, 1.0))))


def _neg_brier(y_true: NDArray, probabilities: NDArray) -> float:
    """Negative Brier (1950) score: mean squared distance to the one-hot labels; halved if binary."""
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
        return 0.0  # a constant prediction does not rank
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
        "f1_micro": "accuracy",  # identical for single-label classification
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
        "recall_macro": "balanced_accuracy",  # identical
        "recall_micro": "accuracy",
        "recall_weighted": "accuracy",  # identical
        "roc_auc_ovo": "roc_auc_ovr",
        "roc_auc_ovo_weighted": "roc_auc_ovr",
        "roc_auc_ovr_weighted": "roc_auc_ovr",
        "top_k_accuracy": "accuracy",
    }
)
"""Scikit-learn scorers that are not stored, each with the stored metric of the most similar ranking."""

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
    """List all metrics for a type of task, the default first.

    Parameters
    ----------
    task_type : {"classification", "regression"}
        Type of task.

    Returns
    -------
    tuple of Metric
        In the order of `METRICS`.
    """
    return tuple(metric for metric in METRICS if metric.task_type == task_type)


def default_metric(task_type: TaskType) -> Metric:
    """Return the default metric: balanced accuracy for classification, R² for regression.

    Parameters
    ----------
    task_type : {"classification", "regression"}
        Type of task.

    Returns
    -------
    Metric
        First of `metrics_for`.
    """
    return metrics_for(task_type)[0]


def get_metric(name: str | Metric, task_type: TaskType | None = None) -> Metric:
    """Look up a metric by name or alias.

    Parameters
    ----------
    name : str or Metric
        Name or alias; a `Metric` is returned unchanged.
    task_type : {"classification", "regression"}, optional
        Type of task that the metric must apply to; any by default.

    Returns
    -------
    Metric
        The metric of this name.

    Raises
    ------
    UsageError
        If there is no such metric, or it does not apply to this type of task.

    See Also
    --------
    nearest_metric : Also accepts the other scikit-learn scorers.

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
    """Return the stored metric that best substitutes for a metric or scorer.

    Parameters
    ----------
    name : str or Metric
        A metric, or the name of a metric or scikit-learn scorer.
    task_type : {"classification", "regression"}
        Type of task that the metric must apply to.

    Returns
    -------
    Metric
        The metric itself if it is one of `METRICS`; the default metric for any other `Metric`.

    Raises
    ------
    UsageError
        If the name is unknown, or the metric does not apply to this type of task.

    Examples
    --------
    >>> nearest_metric("average_precision", "classification").name
    'roc_auc_ovr'
    """
    if isinstance(name, Metric):
        if name.task_type != task_type:
            raise UsageError(
                f"The metric {name.name} applies to {name.task_type}, but this is a {task_type} task."
            )
        return name if name in METRICS else default_metric(task_type)
    nearest = next((metric for metric in METRICS if metric.name == _NEAREST.get(name)), None)
    if nearest is not None and nearest.task_type == task_type:
        return nearest
    return get_metric(name, task_type)


def stand_in_notes(name: str, metric: Metric) -> tuple[str, ...]:
    """Explain that recommendations are ranked by another metric than the requested one.

    Parameters
    ----------
    name : str
        Name of the requested metric or scorer.
    metric : Metric
        Metric that the recommendations are ranked by.

    Returns
    -------
    tuple of str
        One note; none if `name` is `metric`.
    """
    if name == metric.name or name in metric.aliases:
        return ()
    return (
        f"No stored run was scored by {name}; recommendations are ranked by {metric.name}, "
        f"and expected scores are {metric.name} scores.",
    )


def is_known_name(name: str) -> bool:
    """Whether a name is that of a metric or of a known scikit-learn scorer.

    Parameters
    ----------
    name : str
        Name or alias.

    Returns
    -------
    bool
        True also for scorers of clusterings and of multilabel tasks.
    """
    return _scored_kind(name) is not None or name in _CLUSTERING or name in _MULTILABEL


def _scored_kind(name: str) -> TaskType | None:
    stored = _NEAREST.get(name, name)
    return next((m.task_type for m in METRICS if stored == m.name or stored in m.aliases), None)


def _why_not(name: str, task_type: TaskType | None) -> str:
    if name in _CLUSTERING:
        return ": it compares clusterings"
    if name in _MULTILABEL:
        return ": it scores multilabel predictions"
    kind = _scored_kind(name)
    if task_type is not None and kind not in (None, task_type):
        return f": it applies to {kind}"
    return f" in stored runs; the nearest metric is {_NEAREST[name]}" if name in _NEAREST else ""
