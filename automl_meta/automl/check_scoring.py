"""Check a metric on dummy predictions, before a budget is spent on it."""

from __future__ import annotations

import shlex
import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import get_scorer_names

from automl_meta.automl.positive import listed_labels, plain
from automl_meta.automl.scoring import Scoring
from automl_meta.exceptions import UsageError
from automl_meta.experiments import Folds
from automl_meta.metrics import metrics_for
from automl_meta.task import TabularTask

__all__ = ["check_scoring"]

_ATTEMPTS = 3  # one draw may be undefined by bad luck
_LONGEST_REASON = 200  # characters


def check_scoring(scoring: Scoring, task: TabularTask, folds: Folds, labels: NDArray) -> None:
    """Check that a metric can score predictions of a task on its folds.

    Dummy predictions are scored like those of a trial: for classification, permuted labels of each
    test fold with random probabilities; for regression, permuted targets shrunk halfway to their
    mean.

    Parameters
    ----------
    scoring : Scoring
        Metric to check.
    task : TabularTask
        Task to predict.
    folds : Folds
        Folds of the cross-validation.
    labels : ndarray of shape (n_classes,)
        Labels as for `Scoring.score`.

    Raises
    ------
    UsageError
        If the metric raises an exception or is not defined on any fold; the message gives a remedy.
    """
    problem = _problem(scoring, task, folds, labels)
    if problem is not None:
        raise UsageError(_with_remedy(scoring, task, folds, labels, problem))


def _problem(scoring: Scoring, task: TabularTask, folds: Folds, labels: NDArray) -> str | None:
    """Reason why dummy predictions cannot be scored; None if they can."""
    rng = np.random.default_rng(0)
    problem = ""
    for _ in range(_ATTEMPTS):
        responses = _dummy_responses(task, folds, rng)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                score = scoring.score(task, folds, responses, labels)
        except Exception as error:  # noqa: BLE001 - a scorer is the user's, and may raise anything
            reason = " ".join(f"{type(error).__name__}: {error}".removeprefix("ValueError: ").split())
            problem = reason[:_LONGEST_REASON].rstrip(".")
        else:
            if np.isfinite(score):
                return None
            problem = "it is not defined on any test fold"
    return problem


def _dummy_responses(task: TabularTask, folds: Folds, rng: np.random.Generator) -> dict[str, NDArray]:
    predicted = task.y_codes[folds.tested]
    for part in (part for repeat in folds.slices for part in repeat):
        predicted[part] = rng.permutation(predicted[part])
    if task.task_type == "regression":
        # Not the targets themselves: some metrics do not accept zeros as predictions.
        return {"predict": (predicted + predicted.mean()) / 2}
    probabilities = rng.dirichlet(np.ones(len(task.classes)), len(predicted))
    return {"predict": predicted, "predict_proba": probabilities}


def _with_remedy(scoring: Scoring, task: TabularTask, folds: Folds, labels: NDArray, problem: str) -> str:
    """One line: the problem and a remedy, which is found by trying."""
    if _needs_positive(scoring, task, folds, labels):
        rare = plain(labels[int(np.bincount(task.y_codes).argmin())])
        return (
            f"{scoring.name} has to know which of the labels {listed_labels(labels)} is the positive one: "
            f"give --positive {shlex.quote(str(rare))} on the command line, positive={rare!r} in Python, "
            "or the other label."
        )
    other = _another(scoring, task, folds, labels)
    rows = np.arange(task.n_rows)
    if _problem(scoring, task, Folds("undivided", (((rows, rows),),)), labels) is None:
        lacking = _folds_that_lack_a_class(task, folds)
        why = f" ({lacking} of {len(folds.all)} test folds lack a class)" if lacking else ""
        return (
            f"{scoring.name} cannot score these test folds: {problem}{why}. "
            f"Use fewer folds (cv), or another metric{other}."
        )
    if f"{scoring.name}_macro" in get_scorer_names() and len(labels) > 2:
        problem = f"{scoring.name} is for two classes, and there are {len(labels)}"
        return f"{problem}: choose another metric{other}."
    return f"{scoring.name} cannot score this task: {problem}. Choose another metric{other}."


def _needs_positive(scoring: Scoring, task: TabularTask, folds: Folds, labels: NDArray) -> bool:
    if len(labels) != 2 or scoring.scorer is None or scoring.positive is not None:
        return False
    return _problem(replace(scoring, positive=1), task, folds, labels) is None


def _folds_that_lack_a_class(task: TabularTask, folds: Folds) -> int:
    if task.task_type == "regression":
        return 0
    return sum(len(np.unique(task.y_codes[test])) < len(task.classes) for _, test in folds.all)


def _another(scoring: Scoring, task: TabularTask, folds: Folds, labels: NDArray) -> str:
    """Nearest metric that works, as text."""
    for metric in (scoring.advised, *metrics_for(task.task_type)):
        other = Scoring.of(metric, task.task_type)
        if metric.name != scoring.name and _problem(other, task, folds, labels) is None:
            return f", such as {metric.name}"
    return ""
