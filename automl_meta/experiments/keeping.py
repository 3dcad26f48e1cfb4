"""Keeper: where results go, the store or else a file beside it."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from automl_meta.exceptions import AutomlMetaWarning, StoreError
from automl_meta.metafeatures import EXTRACTORS, OUT_OF_TIME, MetaFeatures
from automl_meta.records import LOCAL, LONGEST_NAME, DatasetRecord, Run
from automl_meta.store import MetadataStore, how_to_add, spool
from automl_meta.task import TabularTask

__all__ = ["Keeper", "dataset_record", "describe_dataset"]


class Keeper:
    """Puts results into a store; from the first time that it cannot be written, into a file.

    The file lies beside the store, or else in the current folder or in that for temporary files. A
    warning says what went wrong, where the file is and how to add its results to the store.

    Parameters
    ----------
    store : MetadataStore
        That the results are for.

    Attributes
    ----------
    file : Path or None
        Where results are kept that could not be stored.
    n_kept : int
        Number of runs in it.
    """

    def __init__(self, store: MetadataStore) -> None:
        self.store = store
        self.file: Path | None = None
        self.n_kept = 0

    def describe(
        self, task: TabularTask, described: MetaFeatures, *, family: str = "", source: str = LOCAL.name
    ) -> None:
        """Do as `describe_dataset`."""
        record, details = _description(task, described, family, source)
        if self.file is None:
            try:
                self.store.add_dataset(record, **details)
            except StoreError as error:
                self._keep_first(error, [], {"dataset": record, **details})
        else:
            spool([], self.file, dataset=record, **details)

    def add_runs(self, runs: Iterable[Run]) -> None:
        """Do as `MetadataStore.add_runs`."""
        listed = list(runs)
        if self.file is None:
            try:
                self.store.add_runs(listed)
                return
            except StoreError as error:
                self._keep_first(error, listed, {})
        else:
            spool(listed, self.file)
        self.n_kept += len(listed)

    def _keep_first(self, problem: StoreError, runs: list[Run], about: Mapping[str, Any]) -> None:
        """Find a place for the file.

        Raises
        ------
        StoreError
            If there is none.
        """
        name = f"automl_meta-results-{os.getpid()}.jsonl"
        beside = (
            [] if self.store.path is None else [self.store.path.with_name(f"{self.store.path.name}-{name}")]
        )
        *others, last = [*beside, Path(name), Path(tempfile.gettempdir(), name)]
        for path in others:
            try:
                self.file = spool(runs, path, **about)
                break
            except StoreError:
                continue  # the next may lie on another disk
        else:
            self.file = spool(runs, last, **about)
        warnings.warn(f"{problem} {how_to_add(self.file)}", AutomlMetaWarning, stacklevel=4)


def dataset_record(
    task: TabularTask, metafeatures: Mapping[str, float], *, family: str = "", source: str = LOCAL.name
) -> DatasetRecord:
    """Describe a task as the store knows it."""
    is_numeric = task.task_type == "regression"
    return DatasetRecord(
        dataset_id=task.fingerprint,
        name=task.name[:LONGEST_NAME],
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
    record, details = _description(task, described, family, source)
    store.add_dataset(record, **details)


def _description(
    task: TabularTask, described: MetaFeatures, family: str, source: str
) -> tuple[DatasetRecord, dict[str, Any]]:
    """What `MetadataStore.add_dataset` and `spool` take: a record; versions and seconds of meta-features."""
    values = {
        name: value for name, value in described.values.items() if described.reasons.get(name) != OUT_OF_TIME
    }
    versions = {name: e.version for e in EXTRACTORS for name in e.names(task.task_type)}
    record = dataset_record(task, values, family=family, source=source)
    return record, {"versions": versions, "seconds": described.seconds}
