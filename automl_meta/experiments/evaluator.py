"""Evaluator: evaluations and fits in a process that is stopped at its limits and whose death is a result."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Literal

from automl_meta.algorithms import Algorithm
from automl_meta.exceptions import UsageError, WorkerError
from automl_meta.experiments.evaluate import OutOfFold
from automl_meta.experiments.evaluator_like import EvaluatorLike
from automl_meta.experiments.fitting import Fitted
from automl_meta.experiments.folds import Folds
from automl_meta.experiments.messages import Question, Unreadable, packed
from automl_meta.experiments.worker_process import Gone, WorkerProcess
from automl_meta.records import Configuration, Environment, Protocol, Run, RunStatus
from automl_meta.task import TabularTask

__all__ = ["Evaluator", "Limits"]

_POLL_SECONDS = 0.05
_START_SECONDS = 120.0  # for all tries together: importing scikit-learn on a busy machine can take long
PAUSES = (0.1, 0.5, 2.0, 4.0, 0.0)  # seconds after each try to start a process


@dataclass(frozen=True)
class Limits:
    """Limits of one evaluation.

    Parameters
    ----------
    seconds : float or None
        Wall seconds for all folds together; None is no limit.
    memory : int or None
        Bytes by which the memory of the worker and of the processes that it starts may grow; None
        is no limit.
    """

    seconds: float | None = 300.0
    memory: int | None = 4 << 30

    def __post_init__(self) -> None:
        for name, value in (("seconds", self.seconds), ("memory", self.memory)):
            if value is not None and value <= 0:
                raise UsageError(
                    f"The limit of {name} is {value}; it must be more than 0, or None for no limit."
                )


class Evaluator(EvaluatorLike):
    """Evaluates configurations in a worker process that is stopped at its limits.

    The process is started when it is first needed, serves one evaluation after another, and is
    restarted after it was stopped or died. Processes that it has started itself end with it. Use
    it as a context manager. It is not safe to share between threads; only `close` may be called by
    any thread.

    Parameters
    ----------
    limits : Limits
        Limits of each evaluation.

    Attributes
    ----------
    start_seconds : float
        Wall seconds that the last start of the process took.

    Examples
    --------
    >>> from automl_meta.task import TabularTask
    >>> with Evaluator(Limits(seconds=60)) as evaluator:
    ...     run = evaluator.evaluate(Configuration("knn"), TabularTask.bundled("iris"))
    >>> run.status
    'ok'
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self.start_seconds = 0.0
        self._worker: WorkerProcess | None = None
        self._refusal = ""  # of the system, to start a process
        self._task: TabularTask | None = None
        self._protocol: Protocol | Folds | None = None

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
            Algorithm of the configuration; found in the catalogue by default. One that is not in
            the catalogue has to be picklable.
        seconds : float, optional
            Shorter time limit for this evaluation.

        Returns
        -------
        OutOfFold
            The status of the run is ``"timeout"`` or ``"memout"`` if a limit stopped it, and
            ``"crash"`` if the process died or could not read the algorithm.

        Raises
        ------
        WorkerError
            If no worker process can be started.
        """
        end = self._ask("evaluate", configuration, task, protocol, algorithm, seconds)
        if isinstance(end.answer, OutOfFold):
            run = end.answer.run
            return replace(end.answer, run=replace(run, peak_memory=max(run.peak_memory, end.memory)))
        run = Run(
            dataset_id=task.fingerprint,
            configuration=configuration,
            status=end.status,
            reason=end.reason,
            seconds=end.seconds,
            peak_memory=end.memory,
            protocol=protocol.name,
            environment=Environment.current().digest,
        )
        return OutOfFold(run)

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
            Algorithm of the configuration; found in the catalogue by default. One that is not in
            the catalogue has to be picklable.
        seconds : float, optional
            Shorter time limit for this fit.

        Returns
        -------
        Fitted
            Fitted pipeline, or how the fit failed.

        Raises
        ------
        WorkerError
            If no worker process can be started.
        """
        end = self._ask("fit", configuration, task, folds, algorithm, seconds)
        if isinstance(end.answer, Fitted):
            return end.answer
        return Fitted(None, end.status, end.reason, end.seconds)

    def _ask(
        self,
        kind: Literal["evaluate", "fit"],
        configuration: Configuration,
        task: TabularTask,
        protocol: Protocol | Folds,
        algorithm: Algorithm | None,
        seconds: float | None,
    ) -> _End:
        worker = self._ready()
        limit = min((s for s in (seconds, self.limits.seconds) if s is not None), default=None)
        question = packed(
            Question(
                kind,
                configuration,
                None if task is self._task else task,
                None if protocol is self._protocol else protocol,
                algorithm,
            )
        )
        if isinstance(question, Unreadable):
            return _End("crash", f"it cannot be sent to a process: {question.reason}")
        try:
            baseline = worker.memory()
            worker.ask(question)
            del question  # which can be as large as a table
            end = self._answered(worker, baseline, limit)
        except BaseException:
            self.close()  # what it is busy with is no answer to the next question
            raise
        if isinstance(end.answer, Unreadable):
            return replace(end, status="crash", reason=_unreadable(end.answer.reason), answer=None)
        if end.answer is not None:
            self._task, self._protocol = task, protocol
        elif self._worker is worker:  # else somebody has closed this evaluator meanwhile
            self.close()
            self.start()  # while others decide what comes next
        return end

    def _answered(self, worker: WorkerProcess, baseline: int, limit: float | None) -> _End:
        """Wait for the answer, or for the end that a limit or death makes."""
        started, peak = time.perf_counter(), baseline

        def end(status: RunStatus, reason: str, answer: Any = None) -> _End:
            return _End(status, reason, time.perf_counter() - started, float(max(peak - baseline, 0)), answer)

        while True:
            answer = worker.answer(_POLL_SECONDS)
            if isinstance(answer, Gone):
                return end("crash", worker.death())
            if answer is not None:
                return end("ok", "", answer)
            peak = max(peak, worker.memory())
            if self.limits.memory is not None and peak - baseline > self.limits.memory:
                return end("memout", f"ended at its limit of {self.limits.memory / 2**20:.0f} MiB")
            if limit is not None and time.perf_counter() - started > limit:
                return end("timeout", f"ended at its limit of {limit:.4g} s")

    def start(self) -> None:
        """Start the worker process without waiting for it."""
        if self._worker is not None and self._worker.is_alive:
            return
        self.close()
        try:
            self._worker = WorkerProcess()
        except OSError as error:
            self._refusal = str(error)

    def wait(self) -> None:
        """Start the worker process if there is none, and wait until it is ready; no limit applies.

        Raises
        ------
        WorkerError
            If it cannot be started in several attempts, or `close` is called meanwhile.
        """
        self._ready()

    def _ready(self) -> WorkerProcess:
        deadline = time.monotonic() + _START_SECONDS
        for pause in PAUSES:
            self.start()
            worker, reason = self._worker, self._refusal
            if worker is not None:
                reason = worker.not_ready(max(deadline - time.monotonic(), 0.0))
                if not reason:
                    self.start_seconds = worker.start_seconds
                    return worker
            if worker is not self._worker:
                raise WorkerError("The evaluator was closed while its process started.")
            self.close()
            if time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
        raise WorkerError(
            f"No process for evaluations could be started: {reason}. "
            "Where memory or processes are short, fewer jobs or fewer other programs help."
        )

    def close(self) -> None:
        """Stop the worker process, whatever it is doing; any thread may call this."""
        worker, self._worker, self._task, self._protocol = self._worker, None, None, None
        if worker is not None:
            worker.end()


@dataclass(frozen=True)
class _End:
    """How a question ended: wall seconds, bytes of memory, and the answer unless it was ended."""

    status: RunStatus
    reason: str
    seconds: float = 0.0
    memory: float = 0.0
    answer: Any = None


def _unreadable(reason: str) -> str:
    where = "; what an algorithm is made of has to lie in a module, not in __main__" * ("__main__" in reason)
    return f"it cannot be exchanged with a process: {reason}{where}"
