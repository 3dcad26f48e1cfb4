"""Describe a data set as the store keeps it: its sizes and meta-features, and what these cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from automl_meta._utils.budget import Budget
from automl_meta.metafeatures import EXTRACTORS, OUT_OF_TIME, MetaFeatures, extract_metafeatures
from automl_meta.records import LOCAL, LONGEST_NAME, DatasetRecord
from automl_meta.task import TabularTask

__all__ = ["DatasetDescription", "dataset_record", "describe_dataset"]


@dataclass(frozen=True, eq=False)
class DatasetDescription:
    """A data set as `MetadataStore.add_dataset` takes it.

    Parameters
    ----------
    record : DatasetRecord
        The data set. Meta-features that the time limit left out are not in it, so that they can be
        computed later.
    metafeatures : MetaFeatures
        All meta-features, with a reason for each NaN.
    versions : mapping of str to int
        Version of each meta-feature.
    """

    record: DatasetRecord
    metafeatures: MetaFeatures
    versions: Mapping[str, int]

    @property
    def seconds(self) -> Mapping[str, float]:
        """CPU seconds of each extractor."""
        return self.metafeatures.seconds


def describe_dataset(
    task: TabularTask, *, time_limit: float | Budget | None = None, family: str = "", source: str = LOCAL.name
) -> DatasetDescription:
    """Describe a task by its sizes and meta-features.

    Parameters
    ----------
    task : TabularTask
        Task to describe.
    time_limit : float or Budget, optional
        Seconds for all meta-features; those that it leaves out are NaN.
    family : str
        Family of the data set, if it shares rows or a simulator with others.
    source : str
        Name of the source of the record.

    Returns
    -------
    DatasetDescription
        Record, meta-features and their versions.
    """
    described = extract_metafeatures(task, time_limit=time_limit)
    values = {
        name: value for name, value in described.values.items() if described.reasons.get(name) != OUT_OF_TIME
    }
    versions = {name: e.version for e in EXTRACTORS for name in e.names(task.task_type)}
    return DatasetDescription(dataset_record(task, values, family=family, source=source), described, versions)


def dataset_record(
    task: TabularTask, metafeatures: Mapping[str, float], *, family: str = "", source: str = LOCAL.name
) -> DatasetRecord:
    """Make the record of a task from its meta-features.

    Parameters
    ----------
    task : TabularTask
        Task whose fingerprint becomes the id of the data set.
    metafeatures : mapping of str to float
        Meta-features by name.
    family : str
        Family of the data set, if it shares rows or a simulator with others.
    source : str
        Name of the source of the record.

    Returns
    -------
    DatasetRecord
        Record for `MetadataStore.add_dataset`.
    """
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
