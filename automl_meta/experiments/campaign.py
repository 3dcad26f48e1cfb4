"""Campaign: resumable evaluation of many configurations on many tasks."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace

import joblib

from automl_meta._utils.budget import Budget
from automl_meta.algorithms import Algorithm
from automl_meta.exceptions import WorkerError
from automl_meta.experiments.describe import describe_dataset
from automl_meta.experiments.evaluator import Evaluator, Limits
from automl_meta.experiments.fitting import reason_of
from automl_meta.experiments.folds import Folds
from automl_meta.experiments.keeping import Keeper
from automl_meta.metafeatures import all_names
from automl_meta.records import LOCAL, Configuration, Environment, Protocol, Run, Source
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

__all__ = ["Campaign", "CampaignProgress"]


_THREADS = "threading"
_SAFE_PATH = "PYTHONSAFEPATH"  # for processes that a backend starts, what -P is for ours
_LOOK_SECONDS = 0.5  # interval of checks whether the campaign is alive
_FEW_ROWS = 300  # with fewer rows, one cross-validation is too noisy


@dataclass(frozen=True)
class CampaignProgress:
    """Progress of a campaign.

    Parameters
    ----------
    task : str
        Name of the task of the last runs.
    done, total : int
        Number of finished runs, and of all runs of the campaign.
    failed : int
        Number of runs of this call that timed out, ran out of memory or crashed.
    kept_aside : int
        Number of finished runs that the store could not take, and that were written to a file.
    """

    task: str
    done: int
    total: int
    failed: int
    kept_aside: int = 0


@dataclass(frozen=True)
class _Batch:
    """Configurations of one algorithm on one task, which are dispatched and stored together.

    Threads get one configuration at a time, so that a kill loses only what is running. Other
    backends start an evaluator for each batch, which is expensive, and so get all of them.
    """

    task: TabularTask
    protocol: Protocol | Folds
    configurations: tuple[Configuration, ...]


@dataclass(frozen=True)
class Campaign:
    """Evaluate many configurations on many tasks and store every result.

    Tasks are processed one after another, the smallest first, so that finished results are always
    usable. Runs that are already stored are not repeated: after an interruption, the same call
    continues.

    Parameters
    ----------
    store : MetadataStore
        Store of the runs.
    algorithms : sequence of Algorithm
        Algorithms to evaluate, each with its default and `n_sampled` configurations, which are the
        same for every task.
    n_sampled : int
        Number of sampled configurations of each algorithm, besides the default.
    protocol : Protocol
        Cross-validation and sampling of each evaluation.
    small_repeats : int
        Number of repeated cross-validations on data sets with fewer than 300 rows.
    limits : Limits
        Limits of each evaluation.
    source : Source
        Source of the runs.
    n_jobs : int
        Number of parallel evaluations; -1 uses all cores.
    backend : str
        Joblib backend. The default, threads, suits one machine, since each evaluation has a
        process of its own anyway; ``"dask"`` and others use several machines.
    """

    store: MetadataStore
    algorithms: Sequence[Algorithm]
    n_sampled: int = 5
    protocol: Protocol = Protocol()  # noqa: RUF009 - frozen
    small_repeats: int = 1
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    source: Source = LOCAL
    n_jobs: int = 1
    backend: str = _THREADS

    def run(
        self,
        tasks: Sequence[TabularTask],
        *,
        families: Mapping[str, str] | None = None,
        time_limit: float | None = None,
        progress: Callable[[CampaignProgress], None] | None = None,
    ) -> CampaignProgress:
        """Run the evaluations that the store does not hold yet.

        Results that the store cannot take are written to a file, and a warning says how to add
        them later.

        Parameters
        ----------
        tasks : sequence of TabularTask
            Tasks in any order.
        families : mapping of str to str, optional
            Family by task name, for tasks that share rows or a simulator with others.
        time_limit : float, optional
            Wall seconds for the whole call. No evaluation is started after that; those that are
            running end within their own limit.
        progress : callable, optional
            Called after each batch of runs is stored.

        Returns
        -------
        CampaignProgress
            State at the end; ``done`` is less than ``total`` if the time limit was reached.

        Raises
        ------
        StoreError
            If the store cannot be read, or neither it nor a file can be written.
        WorkerError
            If no process can be started for the evaluations. Finished runs are stored.
        """
        budget = Budget(time_limit)
        self.store.add_source(self.source)
        self.store.add_environment(Environment.current())
        ordered = sorted(tasks, key=lambda task: (task.n_rows * task.n_features, task.name))
        batches, n_done = [], 0
        for task in ordered:
            missing, n_known = self._missing(task)
            batches += missing
            n_done += n_known
        state = CampaignProgress("", n_done, n_done + sum(len(batch.configurations) for batch in batches), 0)
        keeper = Keeper(self.store)
        undescribed = self._undescribed(ordered)

        def describe(task: TabularTask) -> None:
            if task.fingerprint in undescribed:
                undescribed.remove(task.fingerprint)
                family = (families or {}).get(task.name, "")
                limit = None if time_limit is None else budget
                keeper.add_dataset(
                    describe_dataset(task, time_limit=limit, family=family, source=self.source.name)
                )

        for task in ordered:
            if not any(batch.task is task for batch in batches):
                describe(task)
        with contextlib.closing(self._results(batches, budget)) as results:
            for task, runs in results:
                if not runs:
                    continue  # the time limit was reached
                describe(task)
                keeper.add_runs(replace(run, source=self.source.name) for run in runs)
                failed = state.failed + sum(run.status != "ok" for run in runs)
                state = CampaignProgress(
                    task.name, state.done + len(runs), state.total, failed, keeper.n_kept
                )
                if progress is not None:
                    progress(state)
        return state

    def _protocol(self, task: TabularTask) -> Protocol | Folds:
        """Protocol of a task, or folds if their name, under which runs are stored, differs from its."""
        repeats = self.small_repeats if task.n_rows < _FEW_ROWS else 1
        protocol = replace(self.protocol, n_repeats=max(self.protocol.n_repeats, repeats))
        folds = Folds.of_protocol(task, protocol)
        return protocol if folds.name == protocol.name else folds

    def _missing(self, task: TabularTask) -> tuple[list[_Batch], int]:
        """Missing runs of a task, and the number of those that are already stored."""
        protocol = self._protocol(task)
        known = self.store.run_ids(dataset_id=task.fingerprint, protocol=protocol.name)
        batches, n_known = [], 0
        for algorithm in self.algorithms:
            if not algorithm.supports(task):
                continue
            configurations = algorithm.configurations(self.n_sampled)
            missing = tuple(c for c in configurations if self._run_id(task, c, protocol) not in known)
            n_known += len(configurations) - len(missing)
            size = 1 if self.backend == _THREADS else max(len(missing), 1)
            batches += [
                _Batch(task, protocol, missing[start : start + size])
                for start in range(0, len(missing), size)
            ]
        return batches, n_known

    def _run_id(self, task: TabularTask, configuration: Configuration, protocol: Protocol | Folds) -> str:
        return Run(
            task.fingerprint, configuration, "ok", protocol=protocol.name, source=self.source.name
        ).run_id

    def _undescribed(self, tasks: Sequence[TabularTask]) -> set[str]:
        """Fingerprints of tasks with meta-features that the store lacks."""
        known = set(self.store.datasets().index)
        return {
            task.fingerprint
            for task in tasks
            if task.fingerprint not in known
            or not set(all_names(task.task_type)) <= set(self.store.dataset(task.fingerprint).metafeatures)
        }

    def _results(self, batches: Sequence[_Batch], budget: Budget) -> Generator[tuple[TabularTask, list[Run]]]:
        with contextlib.ExitStack() as stack:
            pool: queue.SimpleQueue[Evaluator] | None = None
            if self.backend == _THREADS:
                pool = queue.SimpleQueue()  # threads can share the worker processes, which are slow to start
                for _ in range(joblib.effective_n_jobs(self.n_jobs)):
                    pool.put(stack.enter_context(Evaluator(self.limits)))
            else:
                stack.enter_context(_safe_path())
            watched = (
                {"initializer": end_with_parent, "initargs": (os.getpid(),)} if self.backend == "loky" else {}
            )
            parallel = joblib.Parallel(
                self.n_jobs, self.backend, batch_size=1, return_as="generator_unordered", **watched
            )
            with _interrupts_wait():
                deadline = time.time() + budget.remaining  # comparable between processes
                results = parallel(
                    joblib.delayed(_evaluate)(batch, self.limits, pool, deadline) for batch in batches
                )
            try:
                yield from results
            except BrokenExecutor as error:
                raise WorkerError(
                    f"A process of the {self.backend} backend, which runs evaluations, has died: {reason_of(error)}"
                ) from error


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Processes that start within do not search the current folder for modules first."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Defer Ctrl-C, so that processes that start within never receive it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(parent: int) -> None:
    """End this worker process of a backend once its parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _evaluate(
    batch: _Batch, limits: Limits, pool: queue.SimpleQueue[Evaluator] | None, deadline: float
) -> tuple[TabularTask, list[Run]]:
    evaluator = Evaluator(limits) if pool is None else pool.get()
    try:
        return batch.task, [
            evaluator.evaluate(configuration, batch.task, batch.protocol)
            for configuration in batch.configurations
            if time.time() < deadline
        ]
    finally:
        if pool is None:
            evaluator.close()
        else:
            pool.put(evaluator)
