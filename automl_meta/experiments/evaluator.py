"""Evaluator: evaluations and fits in a process that is ended at its limits and whose death is a result."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple

import psutil

from automl_meta.algorithms import Algorithm
from automl_meta.exceptions import UsageError
from automl_meta.experiments.evaluate import OutOfFold
from automl_meta.experiments.fitting import Fitted
from automl_meta.experiments.folds import Folds
from automl_meta.records import Configuration, Environment, Protocol, Run, RunStatus
from automl_meta.task import TabularTask

__all__ = ["Evaluator", "Limits", "Question"]

_START_WORKER = str(Path(__file__).with_name("start_worker.py"))
_HEADER = struct.Struct("<Q")
_POLL_SECONDS = 0.05
_START_SECONDS = 120.0  # importing scikit-learn on a busy machine can take long


@dataclass(frozen=True)
class Limits:
    """What one evaluation may take.

    Parameters
    ----------
    seconds : float or None
        Wall seconds for all folds together.
    memory : int or None
        Bytes by which the worker's resident memory may grow.
    """

    seconds: float | None = 300.0
    memory: int | None = 4 << 30

    def __post_init__(self) -> None:
        for name, value in (("seconds", self.seconds), ("memory", self.memory)):
            if value is not None and value <= 0:
                raise UsageError(
                    f"The limit of {name} is {value}; it must be more than 0, or None for no limit."
                )


@dataclass(frozen=True)
class Question:
    """What the worker is asked: to evaluate a configuration, or to fit it on all rows.

    None for the task or the protocol is the one of the question before.
    """

    kind: Literal["evaluate", "fit"]
    configuration: Configuration
    task: TabularTask | None
    protocol: Protocol | Folds | None
    algorithm: Algorithm | None


class Evaluator:
    """Evaluate configurations in a worker process that is ended at its limits.

    The process is started when it is first needed, serves one evaluation after another, and is
    started anew after it was ended or died. Use it as a context manager. It is not safe to share
    between threads.

    Parameters
    ----------
    limits : Limits
        For each evaluation.

    Attributes
    ----------
    start_seconds : float
        Wall seconds that the last start of the process took, which comes after each that was ended.

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
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self.start_seconds = 0.0
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._task: TabularTask | None = None
        self._protocol: Protocol | Folds | None = None

    def evaluate(
        self,
        configuration: Configuration,
        task: TabularTask,
        protocol: Protocol | Folds = Protocol(),  # noqa: B008 - frozen
        *,
        algorithm: Algorithm | None = None,
        seconds: float | None = None,
    ) -> Run:
        """Evaluate one configuration on one task.

        Parameters
        ----------
        configuration, task, protocol, algorithm
            As in `automl_meta.experiments.evaluate`. An `algorithm` that is not of the catalogue
            has to be picklable.
        seconds : float, optional
            A shorter limit for this evaluation.

        Returns
        -------
        Run
            Its status is ``"timeout"`` or ``"memout"`` if the limit ended it, ``"crash"`` if the
            process died.
        """
        return self.out_of_fold(configuration, task, protocol, algorithm=algorithm, seconds=seconds).run

    def out_of_fold(
        self,
        configuration: Configuration,
        task: TabularTask,
        protocol: Protocol | Folds = Protocol(),  # noqa: B008 - frozen
        *,
        algorithm: Algorithm | None = None,
        seconds: float | None = None,
    ) -> OutOfFold:
        """Evaluate as `evaluate` does, and keep the predictions."""
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
        """Fit one configuration on all rows of a task; see `automl_meta.experiments.fit_whole`."""
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
        self.wait()
        limit = min((s for s in (seconds, self.limits.seconds) if s is not None), default=None)
        question = Question(
            kind,
            configuration,
            None if task is self._task else task,
            None if protocol is self._protocol else protocol,
            algorithm,
        )
        end = self._answered(question, limit)
        if end.answer is None:
            self.close()
            self.start()  # while others decide what comes next
        else:
            self._task, self._protocol = task, protocol
        return end

    def _answered(self, question: Question, limit: float | None) -> _End:
        """Wait for the answer, or for the end that a limit or death makes."""
        process = self._process
        if process is None or process.stdin is None:
            raise RuntimeError("The worker process is not running.")
        started = time.perf_counter()
        baseline = peak = _memory(process.pid)

        def end(status: RunStatus, reason: str, answer: Any = None) -> _End:
            return _End(status, reason, time.perf_counter() - started, float(max(peak - baseline, 0)), answer)

        with contextlib.suppress(BrokenPipeError):  # it died: the queue says so
            _send(process.stdin, question)
        while True:
            try:
                answer = self._answers.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                answer = None
            if isinstance(answer, EOFError):
                return end("crash", _death(process.wait()))
            if answer is not None:
                return end("ok", "", answer)
            peak = max(peak, _memory(process.pid))
            if self.limits.memory is not None and peak - baseline > self.limits.memory:
                return end("memout", f"ended at its limit of {self.limits.memory / 2**20:.0f} MiB")
            if limit is not None and time.perf_counter() - started > limit:
                return end("timeout", f"ended at its limit of {limit:.4g} s")

    def start(self) -> None:
        """Start the worker process now, so that it is ready when it is needed; do not wait for it."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        # One thread each: times are then comparable, and parallel evaluations do not fight.
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            # -P: neither the current folder nor that of the script comes before the standard library.
            [sys.executable, "-P", "-W", "ignore", _START_WORKER, *map(os.path.abspath, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **single},
        )
        self._is_ready = False
        self._answers = queue.SimpleQueue()
        threading.Thread(
            target=self._read_answers,
            args=(self._process.stdout, self._answers, time.perf_counter()),
            daemon=True,
        ).start()

    def wait(self) -> None:
        """Start the worker process if there is none, and wait until it is ready: no limit counts this."""
        self.start()
        if not self._is_ready:
            try:
                self._is_ready = self._answers.get(timeout=_START_SECONDS) == "ready"
            except queue.Empty:
                self._is_ready = False
        if not self._is_ready:
            self.close()
            raise RuntimeError("A worker process could not be started.")

    def _read_answers(self, stream: IO[bytes], answers: queue.SimpleQueue[Any], started: float) -> None:
        """In a thread: the queue can be waited for with a limit, and the pipe cannot."""
        try:
            answers.put(receive(stream))
            self.start_seconds = time.perf_counter() - started
            while True:
                answers.put(receive(stream))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            answers.put(EOFError())

    def close(self) -> None:
        """End the worker process, whatever it is doing."""
        process, self._process, self._task, self._protocol = self._process, None, None, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _End(NamedTuple):
    """How a question ended: wall seconds, bytes of memory, and the answer unless it was ended."""

    status: RunStatus
    reason: str
    seconds: float
    memory: float
    answer: Any


def _send(stream: IO[bytes], message: Any) -> None:
    # Pickle is safe here: both ends are this library, and nothing comes from elsewhere.
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_HEADER.pack(len(content)) + content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message of the pipe between an evaluator and its worker.

    Raises
    ------
    EOFError
        If the other side has closed it.
    """
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise EOFError
    (size,) = _HEADER.unpack(header)
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return pickle.loads(content)


def _memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _death(code: int) -> str:
    if code >= 0:
        return f"the process ended with exit code {code}"
    import signal

    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
    return f"the process was ended by {name}{hint}"
