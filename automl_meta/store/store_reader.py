"""StoreReader: read access to a store."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import select

from automl_meta._utils.databases import shown_url
from automl_meta.exceptions import UsageError
from automl_meta.metrics import Metric, TaskType, get_metric
from automl_meta.records import DatasetRecord, MetaDataset, Run, RunStatus
from automl_meta.store import models
from automl_meta.store.checks import described, problems
from automl_meta.store.database import Database
from automl_meta.store.export import export_experience
from automl_meta.store.queries import count_runs, dataset_frame, iterate_runs, read_dataset
from automl_meta.store.stored_experience import ExperienceMemo, nothing_left

__all__ = ["StoreReader"]


class StoreReader:
    """Read access to a store; `MetadataStore` adds write access.

    Parameters
    ----------
    database : Database
        Open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memo = ExperienceMemo()

    @property
    def url(self) -> str:
        """Location without the password."""
        return shown_url(self._database.url)

    @property
    def path(self) -> Path | None:
        """File of the store; None if it is in memory or on a server."""
        return self._database.path

    def run_ids(self, dataset_id: str | None = None, protocol: str | None = None) -> set[str]:
        """List the ids of the stored runs.

        Parameters
        ----------
        dataset_id, protocol : str, optional
            Restrict the result to one data set or protocol.

        Returns
        -------
        set of str
            Ids.
        """
        query = select(models.runs.c.run_id)
        if dataset_id is not None:
            query = query.where(models.runs.c.dataset_id == dataset_id)
        if protocol is not None:
            query = query.where(models.runs.c.protocol == protocol)
        return self._database.read(lambda connection: set(connection.execute(query).scalars()))

    def runs(
        self,
        dataset_id: str | None = None,
        *,
        configuration_id: str | None = None,
        algorithm: str | None = None,
        protocol: str | None = None,
        source: str | None = None,
        status: RunStatus | None = None,
    ) -> Iterator[Run]:
        """Iterate over the stored runs in the order of their arrival.

        Runs are read in batches, so those added during the iteration are included.

        Parameters
        ----------
        dataset_id, configuration_id, algorithm, protocol, source, status : str, optional
            Restrict the result to runs with these values.

        Yields
        ------
        Run
            With all its scores.
        """
        conditions = {
            "dataset_id": dataset_id,
            "configuration_id": configuration_id,
            "algorithm": algorithm,
            "protocol": protocol,
            "source": source,
            "status": status,
        }
        last = 0
        while True:
            numbered = self._database.read(functools.partial(iterate_runs, conditions=conditions, after=last))
            if not numbered:
                return
            yield from (run for _, run in numbered)
            last = numbered[-1][0]

    def dataset(self, dataset_id: str) -> DatasetRecord:
        """Read one data set with its meta-features.

        Parameters
        ----------
        dataset_id : str
            Id of the data set.

        Returns
        -------
        DatasetRecord
            Size, origin and meta-features.

        Raises
        ------
        UsageError
            If the store has no such data set.
        """
        record = self._database.read(lambda connection: read_dataset(connection, dataset_id))
        if record is None:
            raise UsageError(f"The store {self.url} has no data set {dataset_id!r}.")
        return record

    def datasets(self, task_type: TaskType | None = None) -> pd.DataFrame:
        """List the stored data sets.

        Parameters
        ----------
        task_type : {"classification", "regression"}, optional
            Restrict the result to one type of task.

        Returns
        -------
        DataFrame
            Index ``dataset_id``, sorted; columns ``name``, ``task_type``, ``family`` (str),
            ``n_rows``, ``n_features``, ``n_classes`` (int64), ``target_scale`` (float64),
            ``source`` (str) and ``n_runs`` (int64).
        """
        frame, counts = self._database.read(
            lambda connection: (dataset_frame(connection, task_type), count_runs(connection))
        )
        return frame.assign(n_runs=[counts.get(dataset_id, 0) for dataset_id in frame.index])

    def meta_dataset(
        self,
        metric: str | Metric,
        task_type: TaskType,
        *,
        exclude: Collection[str] = (),
        protocol: str | None = None,
        algorithms: Collection[str] | None = None,
    ) -> MetaDataset:
        """Read the experience for one metric in the form that recommenders expect.

        If a configuration has several runs on a data set, one of them is chosen: successful runs
        precede failed ones, then runs of the protocol that most runs on this data set have, so
        that scores are comparable, then later runs. Excluded are successful runs without this
        score, data sets without runs, and, for a metric in the unit of the target, data sets
        whose ``target_scale`` is unknown. Everything is sorted by id.

        The result is cached: further calls for the same metric are fast until the next write.

        Parameters
        ----------
        metric : str or Metric
            Metric, or its name or an alias.
        task_type : {"classification", "regression"}
            Type of task of the data sets.
        exclude : collection of str
            Ids of data sets to exclude, such as the fingerprint of the task at hand.
        protocol : str, optional
            Restrict the runs to one protocol.
        algorithms : collection of str, optional
            Restrict the runs to these algorithms.

        Returns
        -------
        MetaDataset
            Data sets, meta-features, configurations and runs.

        Raises
        ------
        NoExperienceError
            If no run is left.
        UsageError
            If there is no such metric for this type of task.
        """
        metric = get_metric(metric, task_type)
        if isinstance(exclude, str):
            exclude = (exclude,)
        if isinstance(algorithms, str):
            algorithms = (algorithms,)
        experience = self._database.read(
            lambda connection: self._memo.get(connection, metric, task_type, protocol)
        )
        chosen = experience.without(exclude, algorithms)
        if not len(chosen):
            raise nothing_left(self.url, metric, task_type, protocol, exclude, algorithms)
        return chosen

    def info(self) -> dict[str, Any]:
        """Summarise the contents of the store.

        Returns
        -------
        dict
            ``url``, ``path``, ``bytes`` (int or None), ``schema``, ``seed`` (checksum of the shipped
            experience it contains, or None), ``datasets`` and ``runs`` (int), and dicts of counts
            ``datasets_by_task_type``, ``configurations_by_algorithm``, ``runs_by_task_type``,
            ``runs_by_algorithm``, ``runs_by_status``, ``runs_by_source``, ``runs_by_protocol``.
        """
        path = self.path
        counts = self._database.read(described)
        return {
            "url": self.url,
            "path": None if path is None else str(path),
            "bytes": None if path is None else path.stat().st_size,
            **counts,
        }

    def check(self) -> list[str]:
        """Check the integrity of the store.

        The checks look for a damaged file, dangling references, sizes, scores or costs out of
        range, runs without the scores that their status implies, ids that are not the digest of
        their content, and missing runs of the shipped experience.

        Returns
        -------
        list of str
            One sentence for each problem.
        """
        return self._database.read(problems)

    def export(
        self, folder: str | Path, *, source: str | None = None, skip_damaged: bool = False
    ) -> list[str]:
        """Write the experience to a folder of CSV files (see `automl_meta.store.seed`).

        Scores are rounded to 6 significant digits, fold scores and durations to 4. The same
        experience gives the same bytes.

        Parameters
        ----------
        folder : str or Path
            Output folder, created if necessary. Files of an earlier export are replaced.
        source : str, optional
            Restrict the export to runs and data sets of one source, and what they refer to.
        skip_damaged : bool
            Whether to leave out damaged data sets instead of failing.

        Returns
        -------
        list of str
            Ids of the data sets that were left out.

        Raises
        ------
        StoreError
            If the folder cannot be written, or the store is damaged.
        UsageError
            If there is no such source.
        """
        return self._database.read(
            lambda connection: export_experience(connection, Path(folder), source, skip_damaged)
        )
