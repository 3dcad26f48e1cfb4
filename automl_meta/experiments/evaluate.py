"""Evaluate one configuration on one task: cross-validation, all metrics, time and memory."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from automl_meta._utils.isolation import default_settings
from automl_meta.algorithms import Algorithm, get_algorithm
from automl_meta.exceptions import UsageError
from automl_meta.experiments.fitting import fit_weighted, reason_of
from automl_meta.experiments.folds import Folds
from automl_meta.metrics import Metric, metrics_for
from automl_meta.records import Configuration, Environment, Protocol, Run
from automl_meta.task import TabularTask

__all__ = ["OutOfFold", "evaluate", "evaluate_out_of_fold", "score_responses"]

Responses = Mapping[str, NDArray]
"""``"predict"`` and, if available, ``"predict_proba"``: for the rows `Folds.tested`, as class codes."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Evaluation with its out-of-fold predictions.

    Parameters
    ----------
    run : Run
        Status, scores and costs.
    responses : mapping of str to ndarray
        ``"predict"`` of shape (n_tested,), class codes or numbers, and, if the algorithm has it,
        ``"predict_proba"`` of shape (n_tested, n_classes): one row for each of `Folds.tested`.
        Empty after a failure.
    """

    run: Run
    responses: Responses = field(default_factory=dict)


def evaluate(
    configuration: Configuration,
    task: TabularTask,
    protocol: Protocol | Folds = Protocol(),  # noqa: B008 - frozen
    *,
    algorithm: Algorithm | None = None,
) -> Run:
    """Evaluate one configuration on one task, in this process and without limits.

    `Evaluator` does the same in a worker process that is stopped at its limits.

    Parameters
    ----------
    configuration : Configuration
        Configuration to evaluate.
    task : TabularTask
        Task to evaluate it on.
    protocol : Protocol or Folds
        Folds, sample of the training rows, seed.
    algorithm : Algorithm, optional
        Algorithm of the configuration; found in the catalogue by default.

    Returns
    -------
    Run
        Status ``"crash"`` with the reason if an exception was raised, ``"memout"`` for a
        MemoryError. Its configuration is complete: omitted parameters have their defaults.

    Examples
    --------
    >>> from automl_meta.task import TabularTask
    >>> run = evaluate(Configuration("lda", {"shrinkage_rule": "none"}), TabularTask.bundled("iris"))
    >>> run.status, round(run.scores["accuracy"], 2)
    ('ok', 0.98)
    """
    return evaluate_out_of_fold(configuration, task, protocol, algorithm=algorithm).run


@default_settings()
def evaluate_out_of_fold(
    configuration: Configuration,
    task: TabularTask,
    protocol: Protocol | Folds = Protocol(),  # noqa: B008 - frozen
    *,
    algorithm: Algorithm | None = None,
) -> OutOfFold:
    """Evaluate as `evaluate` does, and keep the predictions.

    Parameters
    ----------
    configuration : Configuration
        Configuration to evaluate.
    task : TabularTask
        Task to evaluate it on.
    protocol : Protocol or Folds
        Folds, sample of the training rows, seed.
    algorithm : Algorithm, optional
        Algorithm of the configuration; found in the catalogue by default.

    Returns
    -------
    OutOfFold
        Run and out-of-fold predictions.
    """
    started = time.process_time()
    responses: Responses = {}
    try:
        protocol = folds = protocol if isinstance(protocol, Folds) else Folds.of_protocol(task, protocol)
        algorithm = algorithm or get_algorithm(configuration.algorithm, task.task_type)
        configuration = algorithm.completed(configuration)
        pipeline = algorithm.build(configuration, task, folds.seed)
        with warnings.catch_warnings():
            # Convergence, single-member classes, constant folds: their effect shows in the score.
            warnings.simplefilter("ignore")
            responses, result = _cross_validated(pipeline, task, folds)
    except Exception as error:  # noqa: BLE001 - whatever an algorithm fails with is a result
        status = "memout" if isinstance(error, MemoryError) else "crash"
        result = {"status": status, "reason": reason_of(error)}
    run = Run(
        dataset_id=task.fingerprint,
        configuration=configuration,
        seconds=time.process_time() - started,
        protocol=protocol.name,
        environment=Environment.current().digest,
        **{"status": "ok", **result},  # type: ignore[arg-type]
    )
    return OutOfFold(run, responses)


def score_responses(
    metric: Metric, task: TabularTask, folds: Folds, responses: Responses
) -> tuple[float, tuple[float, ...]]:
    """Score out-of-fold predictions: overall, as the mean over repeats, and for each fold.

    Parameters
    ----------
    metric : Metric
        Metric of the scores.
    task : TabularTask
        Task that was predicted.
    folds : Folds
        Folds of the predictions.
    responses : mapping of str to ndarray
        Out-of-fold predictions, as in `OutOfFold`.

    Returns
    -------
    score : float
        Overall score, greater is better.
    fold_scores : tuple of float
        Score of each fold.

    Raises
    ------
    UsageError
        If the metric needs probabilities and there are none.
    """
    if metric.response not in responses:
        raise UsageError(f"{metric.name} needs probabilities, which this algorithm does not provide.")
    y, response = task.y_codes[folds.tested], responses[metric.response]
    totals, fold_scores = [], []
    for repeat in folds.slices:
        scores = [metric.score(y[part], response[part]) for part in repeat]
        whole = slice(repeat[0].start, repeat[-1].stop)
        totals.append(metric.score(y[whole], response[whole]) if metric.pooled else _mean(scores))
        fold_scores += scores
    return _mean(totals), tuple(fold_scores)


def _cross_validated(
    pipeline: Pipeline, task: TabularTask, folds: Folds
) -> tuple[Responses, dict[str, object]]:
    """Out-of-fold predictions; scores and seconds as in `Run`."""
    responses: dict[str, NDArray] = {"predict": np.zeros(len(folds.tested), dtype=task.y_codes.dtype)}
    if task.task_type == "classification" and hasattr(pipeline, "predict_proba"):
        responses["predict_proba"] = np.zeros((len(folds.tested), len(task.classes)))
    fit_seconds: list[float] = []
    predict_seconds: list[float] = []
    parts = [part for repeat in folds.slices for part in repeat]
    for (train, test), part in zip(folds.all, parts, strict=True):
        start = time.process_time()
        fitted = fit_weighted(clone(pipeline), task, train, folds)
        fit_seconds.append(time.process_time() - start)
        start = time.process_time()
        responses["predict"][part] = fitted.predict(task.X.iloc[test])
        predict_seconds.append(time.process_time() - start)
        if "predict_proba" in responses:
            # A class that is missing in this training fold keeps probability 0.
            responses["predict_proba"][part, fitted.classes_] = fitted.predict_proba(task.X.iloc[test])
    if not all(np.isfinite(response).all() for response in responses.values()):
        raise FloatingPointError("a prediction is not a finite number")
    scored = {
        metric.name: score_responses(metric, task, folds, responses)
        for metric in metrics_for(task.task_type)
        if metric.response in responses
    }
    return responses, {
        "scores": {name: total for name, (total, _) in scored.items()},
        "fold_scores": {name: parts for name, (_, parts) in scored.items()},
        "fit_seconds": float(np.mean(fit_seconds)),
        "predict_seconds": float(np.mean(predict_seconds)),
    }


def _mean(scores: Sequence[float]) -> float:
    known = [score for score in scores if not np.isnan(score)]
    return float(np.mean(known)) if known else float("nan")
