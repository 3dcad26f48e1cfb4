"""Scoring: score out-of-fold predictions by any metric or scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from automl_meta.automl.positive import positive_code
from automl_meta.exceptions import UsageError
from automl_meta.experiments import Folds, score_responses
from automl_meta.metrics import Metric, TaskType, default_metric, is_known_name, nearest_metric
from automl_meta.task import TabularTask

__all__ = ["Scorer", "Scoring"]

Scorer = Callable[[Any, Any, Any], float]
"""scikit-learn scorer: ``scorer(estimator, X, y) -> float``, greater is better."""


@dataclass(frozen=True, eq=False)
class Scoring:
    """Score out-of-fold predictions, greater is better.

    Parameters
    ----------
    name : str
        Name of the metric or scorer.
    task_type : {"classification", "regression"}
        Type of task.
    metric : Metric, optional
        Metric of this library, pooled over the folds as it defines.
    scorer : callable, optional
        Otherwise, a scikit-learn scorer: called for each test fold with an estimator that returns
        the out-of-fold predictions, and averaged over the folds.
    positive : int, optional
        Code of the positive one of two classes: a scorer then sees labels 0 and 1, and 1 is the
        positive one. The metrics of this library treat both classes alike.
    """

    name: str
    task_type: TaskType
    metric: Metric | None = None
    scorer: Scorer | None = None
    positive: int | None = None

    @classmethod
    def of(cls, metric: str | Metric | Scorer | None, task_type: TaskType) -> Scoring:
        """Resolve a ``metric`` argument: a metric of this library takes precedence over a scorer.

        Parameters
        ----------
        metric : str, Metric, callable or None
            Metric, scorer, or the name of either; None is the default metric.
        task_type : {"classification", "regression"}
            Type of task.

        Returns
        -------
        Scoring
            Scoring by that metric.

        Raises
        ------
        UsageError
            If the name is unknown, or the metric is for another type of task.
        """
        if metric is None or isinstance(metric, Metric):
            chosen = metric or default_metric(task_type)
            if chosen.task_type != task_type:
                raise UsageError(f"{chosen.name} scores {chosen.task_type}, but this is {task_type}.")
            return cls(chosen.name, task_type, metric=chosen)
        if not isinstance(metric, str):
            if not callable(metric):
                raise UsageError(f"metric is {metric!r}; it must be a name, a Metric or a scorer.")
            return cls(str(getattr(metric, "__name__", None) or repr(metric)), task_type, scorer=metric)
        if not is_known_name(metric) and metric in get_scorer_names():
            return cls(metric, task_type, scorer=get_scorer(metric))  # of a newer scikit-learn
        try:
            nearest = nearest_metric(metric, task_type)
        except UsageError as error:
            raise UsageError(f"{error} Or any other scorer of scikit-learn for {task_type}.") from None
        if metric == nearest.name or metric in nearest.aliases:
            return cls(nearest.name, task_type, metric=nearest)
        return cls(metric, task_type, scorer=get_scorer(metric))

    def with_positive(self, positive: Any, labels: NDArray) -> Scoring:
        """Return the same scoring with one of two labels as the positive one; see `positive_code`.

        Parameters
        ----------
        positive : label or None
            Positive label.
        labels : ndarray of shape (n_classes,)
            Labels of the task.

        Returns
        -------
        Scoring
            Scoring with that label.

        Raises
        ------
        UsageError
            If it is none of the labels, or there are not two of them.
        """
        if positive is None:
            return self
        code = positive_code(positive, labels)
        return self if self.scorer is None else replace(self, positive=code)

    @property
    def advised(self) -> Metric:
        """Metric for recommendations: this one, or the nearest one that stored runs have.

        For a scorer without a known name, it is the default metric.
        """
        if self.metric is None and not is_known_name(self.name):
            return default_metric(self.task_type)
        return nearest_metric(self.metric or self.name, self.task_type)

    @property
    def wants_probabilities(self) -> bool:
        """Whether algorithms without ``predict_proba`` cannot be scored."""
        if self.metric is not None:
            return self.metric.response == "predict_proba"
        wanted = getattr(self.scorer, "_response_method", "predict")
        return "predict" not in ((wanted,) if isinstance(wanted, str) else wanted)

    def score(
        self, task: TabularTask, folds: Folds, responses: Mapping[str, NDArray], labels: NDArray
    ) -> float:
        """Score predictions.

        Parameters
        ----------
        task : TabularTask
            Task that was predicted.
        folds : Folds
            Folds of the predictions.
        responses : mapping of str to ndarray
            Out-of-fold predictions as in `OutOfFold`.
        labels : ndarray of shape (n_classes,)
            Labels that a scorer sees instead of codes; not used for regression.

        Returns
        -------
        float
            Score; NaN if it is not defined.
        """
        if self.metric is not None:
            return score_responses(self.metric, task, folds, responses)[0]
        if self.scorer is None:
            raise UsageError("A scoring needs a metric or a scorer.")
        answers, truth, labels = self._as_seen(responses, task.y_codes[folds.tested], labels)
        scores = []
        for part in (part for repeat in folds.slices for part in repeat):
            X = task.X.iloc[folds.tested[part]].reset_index(drop=True)
            y = truth[part] if task.task_type == "regression" else labels[truth[part]]
            own = {name: answer[part] for name, answer in answers.items()}
            scores.append(float(self.scorer(_Predicted(task.task_type, own, labels), X, y)))
        known = [score for score in scores if not np.isnan(score)]
        return float(np.mean(known)) if known else float("nan")

    def _as_seen(
        self, responses: Mapping[str, NDArray], truth: NDArray, labels: NDArray
    ) -> tuple[dict[str, NDArray], NDArray, NDArray]:
        """Predictions, true codes and labels as a scorer sees them."""
        if self.positive is None:
            return dict(responses), truth, labels
        answers = {"predict": (responses["predict"] == self.positive).astype(np.int64)}
        if "predict_proba" in responses:
            answers["predict_proba"] = responses["predict_proba"][:, [1 - self.positive, self.positive]]
        return answers, (truth == self.positive).astype(np.int64), np.array([0, 1])


class _Predicted(BaseEstimator):
    """Estimator that looks up its predictions by the index of the rows."""

    def __init__(self, task_type: TaskType, answers: Mapping[str, NDArray], labels: NDArray) -> None:
        self.task_type, self.answers, self.labels = task_type, answers, labels
        if task_type == "classification":
            self.classes_ = labels

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier" if self.task_type == "classification" else "regressor"
        return tags

    def predict(self, X: pd.DataFrame) -> NDArray:
        """Predicted labels or numbers."""
        predicted = self.answers["predict"][_rows(X)]
        return self.labels[predicted] if self.task_type == "classification" else predicted

    @available_if(lambda self: "predict_proba" in self.answers)
    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Predicted probabilities."""
        return self.answers["predict_proba"][_rows(X)]


def _rows(X: pd.DataFrame) -> NDArray[np.int64]:
    return X.index.to_numpy()
