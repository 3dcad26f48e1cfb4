"""Campaign: many tasks times many configurations into the store, resumable."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import joblib
import numpy as np

from automl_meta.algorithms import Algorithm
from automl_meta.experiments.evaluator import Evaluator, Limits
from automl_meta.experiments.folds import Folds
from automl_meta.metafeatures import (
    EXTRACTORS,
    OUT_OF_TIME,
    MetaFeatures,
    all_names,
    extract_metafeatures,
)
from automl_meta.records import LOCAL, Configuration, DatasetRecord, Environment, Protocol, Run, Source
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

__all__ = ["Campaign", "Progress", "dataset_record", "describe_dataset"]


_THREADS = "threading"
_SAFE_PATH = "PYTHONSAFEPATH"  # for processes that others start, what -P is for our own
_FEW_ROWS = 300  # one cross-validation of fewer says little


@dataclass(frozen=True)
class Progress:
    """How far a campaign is.

    Parameters
    ----------
    task : str
        Name of the task that the last runs are of.
    done, total : int
        Runs that are in the store, of all runs of the campaign.
    failed : int
        Of those made now: how many timed out, ran out of memory or crashed.
    """

    task: str
    done: int
    total: int
    failed: int


@dataclass(frozen=True)
class _Batch:
    """Configurations of one algorithm on one task: what is handed out and stored at once.

    Threads get one at a time, so that a kill loses nothing but what is running. Other backends
    start an evaluator for each batch, which is dear, and so get all of them.
    """

    task: TabularTask
    protocol: Protocol | Folds
    configurations: tuple[Configuration, ...]


@dataclass(frozen=True)
class Campaign:
    """Evaluate many configurations on many tasks and store every result.

    Whole tasks come one after another, the smallest first, so that what is finished is always
    usable. What the store holds already is not run again: after an interruption, the same call
    goes on where it was.

    Parameters
    ----------
    store : MetadataStore
        Where the runs go.
    algorithms : sequence of Algorithm
        Each is tried with its default and `n_sampled` configurations, the same for every task.
    n_sampled : int
        Configurations of each search space besides the default.
    protocol : Protocol
        How each is judged.
    small_repeats : int
        On data sets of fewer than 300 rows the cross-validation is done so many times.
    limits : Limits
        For each evaluation.
    source : Source
        Whose runs these are.
    n_jobs : int
        Evaluations at a time.
    backend : str
        Any joblib backend. The default, threads, is right for one machine, since each
        evaluation has a process of its own anyway; ``"dask"`` and others go further.
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
        progress: Callable[[Progress], None] | None = None,
    ) -> Progress:
        """Run what is missing.

        Parameters
        ----------
        tasks : sequence of TabularTask
            In any order.
        families : mapping of str to str, optional
            Task name to family, for those that share rows or a simulator with others.
        progress : callable, optional
            Called after each batch of runs is stored.

        Returns
        -------
        Progress
            At the end.
        """
        self.store.add_source(self.source)
        self.store.add_environment(Environment.current())
        ordered = sorted(tasks, key=lambda task: (task.n_rows * task.n_features, task.name))
        batches, n_done = [], 0
        for task in ordered:
            missing, n_known = self._missing(task)
            batches += missing
            n_done += n_known
        state = Progress("", n_done, n_done + sum(len(batch.configurations) for batch in batches), 0)
        undescribed = self._undescribed(ordered)
        for task in ordered:
            if task.fingerprint in undescribed and not any(batch.task is task for batch in batches):
                self._describe(task, families or {})
        for task, runs in self._results(batches):
            if task.fingerprint in undescribed:
                undescribed.remove(task.fingerprint)
                self._describe(task, families or {})
            self.store.add_runs(replace(run, source=self.source.name) for run in runs)
            failed = sum(run.status != "ok" for run in runs)
            state = Progress(task.name, state.done + len(runs), state.total, state.failed + failed)
            if progress is not None:
                progress(state)
        return state

    def _protocol(self, task: TabularTask) -> Protocol | Folds:
        """How a task is judged; folds where their name, under which runs are stored, is not the protocol's."""
        repeats = self.small_repeats if task.n_rows < _FEW_ROWS else 1
        protocol = replace(self.protocol, n_repeats=max(self.protocol.n_repeats, repeats))
        folds = Folds.of_protocol(task, protocol)
        return protocol if folds.name == protocol.name else folds

    def _missing(self, task: TabularTask) -> tuple[list[_Batch], int]:
        """What is to be run on a task, and how much of it is there already."""
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
        """Fingerprints of those whose meta-features the store does not have, or not all of today's."""
        known = set(self.store.datasets().index)
        return {
            task.fingerprint
            for task in tasks
            if task.fingerprint not in known
            or not set(all_names(task.task_type)) <= set(self.store.dataset(task.fingerprint).metafeatures)
        }

    def _describe(self, task: TabularTask, families: Mapping[str, str]) -> None:
        describe_dataset(
            self.store,
            task,
            extract_metafeatures(task),
            family=families.get(task.name, ""),
            source=self.source.name,
        )

    def _results(self, batches: Sequence[_Batch]) -> Iterator[tuple[TabularTask, list[Run]]]:
        with contextlib.ExitStack() as stack:
            pool: queue.SimpleQueue[Evaluator] | None = None
            if self.backend == _THREADS:
                pool = queue.SimpleQueue()  # threads can share the worker processes, which are slow to start
                for _ in range(joblib.effective_n_jobs(self.n_jobs)):
                    pool.put(stack.enter_context(Evaluator(self.limits)))
            else:
                stack.enter_context(_safe_path())
            parallel = joblib.Parallel(
                n_jobs=self.n_jobs, backend=self.backend, batch_size=1, return_as="generator_unordered"
            )
            yield from parallel(joblib.delayed(_evaluate)(batch, self.limits, pool) for batch in batches)


@contextlib.contextmanager
def _safe_path() -> Iterator[None]:
    """Processes that start within do not look for modules in the current folder before anywhere else."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


def _evaluate(
    batch: _Batch, limits: Limits, pool: queue.SimpleQueue[Evaluator] | None
) -> tuple[TabularTask, list[Run]]:
    evaluator = Evaluator(limits) if pool is None else pool.get()
    try:
        return batch.task, [
            evaluator.evaluate(configuration, batch.task, batch.protocol)
            for configuration in batch.configurations
        ]
    finally:
        if pool is None:
            evaluator.close()
        else:
            pool.put(evaluator)


def dataset_record(
    task: TabularTask, metafeatures: Mapping[str, float], *, family: str = "", source: str = LOCAL.name
) -> DatasetRecord:
    """Describe a task as the store knows it."""
    is_numeric = task.task_type == "regression"
    return DatasetRecord(
        dataset_id=task.fingerprint,
        name=task.name,
        task_type=task.task_type,
        n_rows=task.n_rows,
        n_features=task.n_features,
        n_classes=len(task.classes),
        target_scale=float(np.std(task.y)) if is_numeric else float("nan"),
        family=family,
        source=source,
        metafeatures=metafeatures,
    )


def describe_dataset(
    store: MetadataStore,
    task: TabularTask,
    described: MetaFeatures,
    *,
    family: str = "",
    source: str = LOCAL.name,
) -> None:
    """Put a task into the store, with its meta-features; those that time did not allow are left out."""
    values = {
        name: value for name, value in described.values.items() if described.reasons.get(name) != OUT_OF_TIME
    }
    versions = {name: e.version for e in EXTRACTORS for name in e.names(task.task_type)}
    store.add_dataset(
        dataset_record(task, values, family=family, source=source),
        versions=versions,
        seconds=described.seconds,
    )
