"""InProcessEvaluator: evaluations and fits in this process, where no limit requires another one."""

from __future__ import annotations

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from automl_meta.algorithms import Algorithm
from automl_meta.experiments.evaluate import OutOfFold, evaluate_out_of_fold
from automl_meta.experiments.evaluator_like import EvaluatorLike
from automl_meta.experiments.fitting import Fitted, fit_whole
from automl_meta.experiments.folds import Folds
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

__all__ = ["InProcessEvaluator"]


class InProcessEvaluator(EvaluatorLike):
    """Evaluates and fits in this process and without limits.

    It needs no start and shares memory; an algorithm that hangs or dies takes the process with it.
    Libraries compute on one thread, as in a worker: more would compete for small matrices.
    """

    start_seconds = 0.0

    def __init__(self) -> None:
        self._libraries = ThreadpoolController()

    def out_of_fold(
        self,
        configuration: Configuration,
        task: TabularTask,
        protocol: Protocol | Folds = Protocol(),  # noqa: B008 - frozen
        *,
        algorithm: Algorithm | None = None,
        seconds: float | None = None,
    ) -> OutOfFold:
        """Evaluate one configuration on one task, and keep the predictions; see `EvaluatorLike`.

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
        seconds : float, optional
            Ignored: nothing can stop this process.

        Returns
        -------
        OutOfFold
            Run and out-of-fold predictions.
        """
        with self._libraries.limit(limits=1):
            return evaluate_out_of_fold(configuration, task, protocol, algorithm=algorithm)

    def fit(
        self,
        configuration: Configuration,
        task: TabularTask,
        folds: Folds,
        *,
        algorithm: Algorithm | None = None,
        seconds: float | None = None,
    ) -> Fitted:
        """Fit one configuration on all rows of a task; see `EvaluatorLike`.

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
        seconds : float, optional
            Ignored: nothing can stop this process.

        Returns
        -------
        Fitted
            Fitted pipeline, or how the fit failed.
        """
        with self._libraries.limit(limits=1):
            return fit_whole(configuration, task, folds, algorithm=algorithm)

    def start(self) -> None:
        """Do nothing: this process runs already."""

    def wait(self) -> None:
        """Do nothing: this process is ready."""

    def close(self) -> None:
        """Do nothing: there is nothing to stop."""
