"""Fit configurations on some rows with their weights, or on all rows."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from automl_meta._utils.isolation import default_settings
from automl_meta.algorithms import Algorithm, get_algorithm
from automl_meta.exceptions import UsageError
from automl_meta.experiments.folds import Folds
from automl_meta.records import Configuration, RunStatus
from automl_meta.task import TabularTask

__all__ = ["Fitted", "fit_weighted", "fit_whole", "reason_of", "takes_weights"]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Result of a fit on all rows.

    Parameters
    ----------
    pipeline : Pipeline or None
        Pipeline fitted on class codes; None if the fit failed.
    status : {"ok", "timeout", "memout", "crash"}
        Status of the fit.
    reason : str
        Reason of a failure.
    seconds : float
        Wall seconds of the fit.
    """

    pipeline: Pipeline | None
    status: RunStatus = "ok"
    reason: str = ""
    seconds: float = float("nan")


@default_settings()
def fit_whole(
    configuration: Configuration, task: TabularTask, folds: Folds, *, algorithm: Algorithm | None = None
) -> Fitted:
    """Fit one configuration on all rows, in this process and without limits.

    Parameters
    ----------
    configuration : Configuration
        Configuration to fit.
    task : TabularTask
        Task to fit it on.
    folds : Folds
        Folds whose seed and sample weights are used.
    algorithm : Algorithm, optional
        Algorithm of the configuration; found in the catalogue by default.

    Returns
    -------
    Fitted
        Fitted pipeline, or the reason of the failure.
    """
    started = time.perf_counter()
    try:
        algorithm = algorithm or get_algorithm(configuration.algorithm, task.task_type)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the cross-validation had the same warnings
            pipeline = fit_weighted(
                algorithm.build(configuration, task, folds.seed), task, slice(None), folds
            )
    except Exception as error:  # noqa: BLE001 - whatever an algorithm fails with is a result
        status: RunStatus = "memout" if isinstance(error, MemoryError) else "crash"
        return Fitted(None, status, reason_of(error), time.perf_counter() - started)
    return Fitted(pipeline, seconds=time.perf_counter() - started)


def reason_of(error: BaseException) -> str:
    """Describe an error in one line of at most 500 characters."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0][:500]


def takes_weights(pipeline: Pipeline) -> bool:
    """Tell whether the last step of a pipeline supports sample weights.

    Parameters
    ----------
    pipeline : Pipeline
        Pipeline of any algorithm.

    Returns
    -------
    bool
        True if it does.
    """
    model = pipeline[-1]
    if isinstance(model, TransformedTargetRegressor):
        model = model.regressor
    return bool(has_fit_parameter(model, "sample_weight"))


def fit_weighted(
    pipeline: Pipeline, task: TabularTask, rows: NDArray[np.int64] | slice, folds: Folds
) -> Pipeline:
    """Fit a pipeline on some rows of a task, with their weights if there are any.

    Raises
    ------
    UsageError
        If there are weights and the algorithm does not support them.
    """
    if folds.sample_weight is None:
        return pipeline.fit(task.X.iloc[rows], task.y_codes[rows])
    if not takes_weights(pipeline):
        raise UsageError(f"{type(pipeline[-1]).__name__} does not support sample weights.")
    return pipeline.fit(task.X.iloc[rows], task.y_codes[rows], model__sample_weight=folds.sample_weight[rows])
