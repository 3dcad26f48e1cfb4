"""Keeper: puts results into a store, or into a file where the store cannot be written."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automl_meta.exceptions import AutomlMetaWarning, StoreError
from automl_meta.experiments.describe import DatasetDescription
from automl_meta.records import Run
from automl_meta.store import MetadataStore, how_to_add, spool

__all__ = ["Keeper"]


class Keeper:
    """Puts results into a store and, once the store cannot be written, into a file.

    The file is created beside the store, or else in the current folder or the one for temporary
    files. A warning says what went wrong, where the file is and how to add its results to the store.

    Parameters
    ----------
    store : MetadataStore
        Store that the results are for.

    Attributes
    ----------
    file : Path or None
        File with the results that could not be stored.
    n_kept : int
        Number of runs in that file.
    """

    def __init__(self, store: MetadataStore) -> None:
        self.store = store
        self.file: Path | None = None
        self.n_kept = 0

    def add_dataset(self, description: DatasetDescription) -> None:
        """Add a data set with its meta-features.

        Parameters
        ----------
        description : DatasetDescription
            What `describe_dataset` returns.

        Raises
        ------
        StoreError
            If neither the store nor a file can be written.
        """
        details: dict[str, Any] = {"versions": description.versions, "seconds": description.seconds}
        if self.file is None:
            try:
                self.store.add_dataset(description.record, **details)
            except StoreError as error:
                self._spool_first(error, [], dataset=description.record, **details)
        else:
            spool([], self.file, dataset=description.record, **details)

    def add_runs(self, runs: Iterable[Run]) -> None:
        """Add runs, as `MetadataStore.add_runs` does.

        Parameters
        ----------
        runs : iterable of Run
            Runs to add.

        Raises
        ------
        StoreError
            If neither the store nor a file can be written.
        """
        listed = list(runs)
        if self.file is None:
            try:
                self.store.add_runs(listed)
                return
            except StoreError as error:
                self._spool_first(error, listed)
        else:
            spool(listed, self.file)
        self.n_kept += len(listed)

    def _spool_first(self, problem: StoreError, runs: list[Run], **about: Any) -> None:
        """Choose the file, write to it and warn; a StoreError is raised if no place can be written."""
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
                continue  # the next one may be on another disk
        else:
            self.file = spool(runs, last, **about)
        warnings.warn(f"{problem} {how_to_add(self.file)}", AutomlMetaWarning, stacklevel=4)
