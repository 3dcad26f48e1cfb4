"""DatasetRecord: a data set described by numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from automl_meta.metrics import TaskType
from automl_meta.records.identity import check_lengths
from automl_meta.records.provenance import LOCAL

__all__ = ["DatasetRecord"]


@dataclass(frozen=True)
class DatasetRecord:
    """A data set described by numbers; its rows are never stored.

    Parameters
    ----------
    dataset_id : str
        Content fingerprint of the task; an importer without the content uses an id of its own, such
        as ``"openml:31"``.
    name : str
        Human-readable name.
    task_type : {"classification", "regression"}
        Task type.
    n_rows, n_features : int
        Number of rows and of features.
    n_classes : int
        Number of classes; 0 for regression.
    target_scale : float
        Standard deviation of a numeric target; NaN for classification or if unknown. Scores in the
        unit of the target are divided by it before they are compared.
    family : str
        Group of data sets with the same rows, or from the same study or simulator; evaluations keep
        a family in one fold. The `dataset_id` by default.
    source : str
        Name of the `Source`.
    metafeatures : mapping of str to float
        Values of the meta-features; NaN where one could not be computed.
    """

    dataset_id: str
    name: str
    task_type: TaskType
    n_rows: int
    n_features: int
    n_classes: int = 0
    target_scale: float = float("nan")
    family: str = ""
    source: str = LOCAL.name
    metafeatures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_lengths(self.name, self.family, self.source)
        object.__setattr__(self, "metafeatures", dict(self.metafeatures))
        if not self.family:
            object.__setattr__(self, "family", self.dataset_id)
