"""Evaluate one configuration on one task: cross-validation, all metrics, time and memory."""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold, StratifiedShuffleSplit
from sklearn.pipeline import Pipeline

from automl_meta.algorithms import Algorithm, get_algorithm
from automl_meta.metrics import metrics_for
from automl_meta.records import Configuration, Environment, Protocol, Run
from automl_meta.task import TabularTask

__all__ = ["cross_validate", "evaluate"]


def evaluate(
    configuration: Configuration,
    task: TabularTask,
    protocol: Protocol = Protocol(),  # noqa: B008 - frozen
    *,
    algorithm: Algorithm | None = None,
) -> Run:
    """Evaluate one configuration on one task, in this process and without limits.

    `Evaluator` does the same in a process of its own that is ended at its limits.

    Parameters
    ----------
    configuration : Configuration
        What to try.
    task : TabularTask
        What to try it on.
    protocol : Protocol
        Folds, sample of the training rows, seed.
    algorithm : Algorithm, optional
        That the configuration is of; found in the catalogue by default.

    Returns
    -------
    Run
        With status ``"crash"`` and the reason if an exception was raised, ``"memout"`` for a
        MemoryError. Its configuration is complete: defaults stand where a parameter was left out.

    Examples
    --------
    >>> from automl_meta.task import TabularTask
    >>> run = evaluate(Configuration("lda", {"shrinkage_rule": "none"}), TabularTask.bundled("iris"))
    >>> run.status, round(run.scores["accuracy"], 2)
    ('ok', 0.98)
    """
    started = time.process_time()
    try:
        algorithm = algorithm or get_algorithm(configuration.algorithm, task.task_type)
        configuration = algorithm.completed(configuration)
        pipeline = algorithm.build(configuration, task, protocol.seed)
        with warnings.catch_warnings():
            # Convergence, single-member classes, constant folds: what they do to the score is seen in it.
            warnings.simplefilter("ignore")
            result = cross_validate(pipeline, task, protocol)
    except Exception as error:  # noqa: BLE001 - whatever an algorithm fails with is a result
        status = "memout" if isinstance(error, MemoryError) else "crash"
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0][:500]
        result = {"status": status, "reason": reason}
    return Run(
        dataset_id=task.fingerprint,
        configuration=configuration,
        seconds=time.process_time() - started,
        protocol=protocol.name,
        environment=Environment.current().digest,
        **{"status": "ok", **result},  # type: ignore[arg-type]
    )


def cross_validate(pipeline: Pipeline, task: TabularTask, protocol: Protocol) -> dict[str, object]:
    """Out-of-fold predictions and what they score.

    Returns
    -------
    dict
        ``scores``, ``fold_scores``, ``fit_seconds``, ``predict_seconds`` as in `Run`.

    Raises
    ------
    FloatingPointError
        If a prediction is not a finite number.
    Exception
        Whatever the estimators raise.
    """
    y = task.y_codes
    fit_seconds: list[float] = []
    predict_seconds: list[float] = []
    totals: dict[str, list[float]] = defaultdict(list)
    fold_scores: dict[str, tuple[float, ...]] = defaultdict(tuple)
    for repeat in range(protocol.n_repeats):
        tests: list[NDArray[np.int64]] = []
        responses = _responses(pipeline, task)
        for train, test in _folds(task, protocol, repeat):
            fitted = clone(pipeline)
            start = time.process_time()
            fitted.fit(task.X.iloc[train], y[train])
            fit_seconds.append(time.process_time() - start)
            start = time.process_time()
            responses["predict"][test] = fitted.predict(task.X.iloc[test])
            predict_seconds.append(time.process_time() - start)
            if "predict_proba" in responses:
                # A class that this training fold never saw keeps probability 0.
                probabilities = fitted.predict_proba(task.X.iloc[test])
                responses["predict_proba"][np.ix_(test, fitted.classes_)] = probabilities
            tests.append(test)
        if not all(np.isfinite(response).all() for response in responses.values()):
            raise FloatingPointError("a prediction is not a finite number")
        for metric in metrics_for(task.task_type):
            if metric.response in responses:
                response = responses[metric.response]
                folds = tuple(metric.score(y[t], response[t]) for t in tests)
                fold_scores[metric.name] += folds
                totals[metric.name].append(metric.score(y, response) if metric.pooled else _mean(folds))
    return {
        "scores": {name: _mean(scores) for name, scores in totals.items()},
        "fold_scores": fold_scores,
        "fit_seconds": float(np.mean(fit_seconds)),
        "predict_seconds": float(np.mean(predict_seconds)),
    }


def _responses(pipeline: Pipeline, task: TabularTask) -> dict[str, NDArray]:
    """Room for what the metrics judge: predictions, and probabilities where there are any."""
    responses: dict[str, NDArray] = {"predict": np.zeros_like(task.y_codes)}
    if task.task_type == "classification" and hasattr(pipeline, "predict_proba"):
        responses["predict_proba"] = np.zeros((task.n_rows, len(task.classes)))
    return responses


def _mean(scores: Sequence[float]) -> float:
    known = [score for score in scores if not np.isnan(score)]
    return float(np.mean(known)) if known else float("nan")


def _folds(
    task: TabularTask, protocol: Protocol, repeat: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    n_folds, seed = min(protocol.n_folds, task.n_rows), protocol.seed + repeat
    y = task.y_codes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer members than folds
        if task.task_type == "classification" and np.bincount(y).max() >= n_folds:
            splits = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(task.X, y)
        else:
            splits = KFold(n_folds, shuffle=True, random_state=seed).split(task.X)
        for train, test in splits:
            yield _sampled(train, y, protocol, task), test


def _sampled(
    train: NDArray[np.int64], y: NDArray, protocol: Protocol, task: TabularTask
) -> NDArray[np.int64]:
    limit = protocol.max_train_rows
    if limit is None or len(train) <= limit:
        return train
    codes = y[train]
    if (
        task.task_type == "classification"
        and np.bincount(codes)[np.unique(codes)].min() >= 2
        and len(np.unique(codes)) <= limit
    ):
        splitter = StratifiedShuffleSplit(1, train_size=limit, random_state=protocol.seed)
        return train[next(splitter.split(train, codes))[0]]
    return np.random.default_rng(protocol.seed).permutation(train)[:limit]
