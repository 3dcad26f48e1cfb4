"""EvaluatorLike: what evaluates and fits configurations, in whatever process."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol as Interface
from typing import Self

from automl_meta.algorithms import Algorithm
from automl_meta.experiments.evaluate import OutOfFold
from automl_meta.experiments.fitting import Fitted
from automl_meta.experiments.folds import Folds
from automl_meta.records import Configuration, Protocol, Run
from automl_meta.task import TabularTask

__all__ = ["EvaluatorLike"]


class EvaluatorLike(Interface):
    """Evaluates and fits configurations one after another; a context manager that closes itself.

    Whatever an algorithm fails with is a result, not an exception. One evaluator serves one thread
    at a time; only `close` may be called by any thread.

    Attributes
    ----------
    start_seconds : float
        Wall seconds that the last start took; each evaluation that is stopped costs another start.
    """

    start_seconds: float

    def __init__(self) -> None: ...

    def out_of_fold(
        self,
        configuration: Configuration,
        task: TabularTask,
        protocol: Protocol | Folds = Protocol(),  # noqa: B008 - frozen
        *,
        algorithm: Algorithm | None = None,
        seconds: float | None = None,
    ) -> OutOfFold:
        """Evaluate one configuration on one task, and keep the predictions.

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
            Wall seconds that the evaluation may take, where the evaluator can stop it.

        Returns
        -------
        OutOfFold
            Run and out-of-fold predictions.
        """
        ...

    def fit(
        self,
        configuration: Configuration,
        task: TabularTask,
        folds: Folds,
        *,
        algorithm: Algorithm | None = None,
        seconds: float | None = None,
    ) -> Fitted:
        """Fit one configuration on all rows of a task.

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
            Wall seconds that the fit may take, where the evaluator can stop it.

        Returns
        -------
        Fitted
            Fitted pipeline, or how the fit failed.
        """
        ...

    def start(self) -> None:
        """Start what is needed, without waiting for it."""
        ...

    def wait(self) -> None:
        """Start what is needed, and wait until it is ready.

        Raises
        ------
        WorkerError
            If it cannot be started.
        """
        ...

    def close(self) -> None:
        """Stop what was started, whatever it is doing; the evaluator can be used again."""
        ...

    def evaluate(
        self,
        configuration: Configuration,
        task: TabularTask,
        protocol: Protocol | Folds = Protocol(),  # noqa: B008 - frozen
        *,
        algorithm: Algorithm | None = None,
        seconds: float | None = None,
    ) -> Run:
        """Evaluate as `out_of_fold` does, without keeping the predictions.

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
            Wall seconds that the evaluation may take, where the evaluator can stop it.

        Returns
        -------
        Run
            Status, scores and costs.
        """
        return self.out_of_fold(configuration, task, protocol, algorithm=algorithm, seconds=seconds).run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
