"""MetaDataset: experience as the input of recommenders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from automl_meta.metrics import Metric, TaskType

__all__ = ["MetaDataset"]


@dataclass(frozen=True, eq=False)
class MetaDataset:
    """Experience as the input of recommenders: four frames for one metric and one task type.

    Parameters
    ----------
    metric : Metric
        Metric of ``runs["score"]``; in units of the target's standard deviation if the metric is not
        scale-free.
    task_type : {"classification", "regression"}
        Task type of all data sets.
    datasets : DataFrame
        Index ``dataset_id``; columns ``name`` (str), ``family`` (str), ``n_rows``, ``n_features``,
        ``n_classes`` (int64), ``target_scale`` (float64) and ``fit_rows`` (float64), the number of rows
        of one fit in the runs on it, from which times are predicted.
    metafeatures : DataFrame
        Index ``dataset_id`` as in `datasets`, one float64 column for each meta-feature; NaN where
        one could not be computed.
    configurations : DataFrame
        Index ``configuration_id``; columns ``algorithm`` (str) and ``parameters`` (dict).
    runs : DataFrame
        Columns ``run_id``, ``dataset_id``, ``configuration_id`` (str), ``score``, ``fit_seconds``,
        ``seconds`` (float64), ``status`` (str); at most one row for each pair of data set and
        configuration. ``score`` is NaN unless the status is ok.
    """

    metric: Metric
    task_type: TaskType
    datasets: pd.DataFrame
    metafeatures: pd.DataFrame
    configurations: pd.DataFrame
    runs: pd.DataFrame

    @cached_property
    def cells(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Row in `datasets` and row in `configurations` of each run, each of shape (n_runs,)."""
        return (
            self.datasets.index.get_indexer(pd.Index(self.runs["dataset_id"])),
            self.configurations.index.get_indexer(pd.Index(self.runs["configuration_id"])),
        )

    def arranged(self, values: ArrayLike, missing: Any) -> NDArray[Any]:
        """Arrange one value for each run as a matrix.

        Parameters
        ----------
        values : array-like of shape (n_runs,)
            In the order of `runs`.
        missing : object
            Value of pairs that were never tried.

        Returns
        -------
        ndarray of shape (n_datasets, n_configurations)
            Of the dtype of `values`.
        """
        given = np.asarray(values)
        matrix = np.full((len(self.datasets), len(self.configurations)), missing, dtype=given.dtype)
        matrix[self.cells] = given
        return matrix

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of shape (n_datasets, n_configurations), float64; NaN where unknown or failed."""
        return self._frame(self.runs["score"].to_numpy(np.float64), np.nan)

    @cached_property
    def fit_seconds(self) -> pd.DataFrame:
        """Seconds of one fit, of shape (n_datasets, n_configurations); NaN where unknown."""
        return self._frame(self.runs["fit_seconds"].to_numpy(np.float64), np.nan)

    @cached_property
    def seconds(self) -> pd.DataFrame:
        """Seconds of whole evaluations, of shape (n_datasets, n_configurations); NaN where unknown."""
        return self._frame(self.runs["seconds"].to_numpy(np.float64), np.nan)

    @cached_property
    def tried(self) -> pd.DataFrame:
        """Whether there is a run, successful or failed; bool of shape (n_datasets, n_configurations)."""
        return self._frame(np.ones(len(self), dtype=bool), False)

    def _frame(self, values: NDArray[Any], missing: Any) -> pd.DataFrame:
        matrix = self.arranged(values, missing)
        return pd.DataFrame(matrix, index=self.datasets.index, columns=self.configurations.index)

    def select(
        self,
        *,
        datasets: Collection[str] | None = None,
        configurations: Collection[str] | None = None,
    ) -> MetaDataset:
        """Select data sets and configurations by their ids, including those without a run.

        Parameters
        ----------
        datasets, configurations : collection of str, optional
            Ids; None selects all.

        Returns
        -------
        MetaDataset
            A copy with these data sets and configurations.
        """
        return self._subset(
            _is_in(self.datasets.index, datasets), _is_in(self.configurations.index, configurations)
        )

    def without(
        self, exclude: Collection[str] = (), algorithms: Collection[str] | None = None
    ) -> MetaDataset:
        """Leave out data sets and algorithms, and drop what has no run left.

        Parameters
        ----------
        exclude : collection of str
            Ids of the data sets to leave out.
        algorithms : collection of str, optional
            Names of the algorithms to keep; None keeps all.

        Returns
        -------
        MetaDataset
            A copy that shares no frame with this one.
        """
        rows, columns = self.cells
        kept_datasets = ~_is_in(self.datasets.index, exclude)
        kept_configurations = _is_in(self.configurations["algorithm"], algorithms)
        keep = kept_datasets[rows] & kept_configurations[columns]
        return self._subset(
            np.bincount(rows[keep], minlength=len(self.datasets)) > 0,
            np.bincount(columns[keep], minlength=len(self.configurations)) > 0,
        )

    def _subset(self, datasets: NDArray[np.bool_], configurations: NDArray[np.bool_]) -> MetaDataset:
        rows, columns = self.cells
        keep = datasets[rows] & configurations[columns]
        return replace(
            self,
            datasets=_masked(self.datasets, datasets),
            metafeatures=_masked(self.metafeatures, datasets),
            configurations=_masked(self.configurations, configurations),
            runs=_masked(self.runs, keep).reset_index(drop=True),
        )

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        return (
            f"MetaDataset({self.task_type}, {self.metric.name}: {len(self.datasets)} datasets x "
            f"{len(self.configurations)} configurations, {len(self.runs)} runs)"
        )


def _is_in(values: pd.Index | pd.Series, chosen: Collection[str] | None) -> NDArray[np.bool_]:
    if chosen is None:
        return np.ones(len(values), dtype=bool)
    return np.asarray(values.isin(list(chosen)), dtype=bool)


def _masked(frame: pd.DataFrame, mask: NDArray[np.bool_]) -> pd.DataFrame:
    """The rows of a mask. A shallow copy shares its values until one is written to, and takes no time."""
    return frame.copy(deep=False) if mask.all() else frame[mask]
