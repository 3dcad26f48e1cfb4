"""InProcessEvaluator: evaluations and fits in this process, where no limit asks for another one."""

from __future__ import annotations

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from automl_meta.algorithms import Algorithm
from automl_meta.experiments.evaluate import OutOfFold, evaluate_out_of_fold
from automl_meta.experiments.fitting import Fitted, fit_whole
from automl_meta.experiments.folds import Folds
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

__all__ = ["InProcessEvaluator"]


class InProcessEvaluator:
    """Evaluate and fit as an `Evaluator` does, in this process and without limits.

    It starts at once and shares memory; what hangs or dies takes the process with it. Libraries
    compute on one thread, as in a worker: more would fight over small matrices.
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
        """See `Evaluator.out_of_fold`; `seconds` limits nothing here."""
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
        """See `Evaluator.fit`; `seconds` limits nothing here."""
        with self._libraries.limit(limits=1):
            return fit_whole(configuration, task, folds, algorithm=algorithm)

    def start(self) -> None:
        """Do nothing: this process runs already."""

    def wait(self) -> None:
        """Do nothing: this process is ready."""

    def close(self) -> None:
        """Do nothing: there is nothing to end."""
