"""Extraction of meta-features: run groups of extractors, cheapest first, within a time budget."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from automl_meta._utils.budget import Budget
from automl_meta._utils.isolation import default_settings
from automl_meta._utils.random import RandomState, child_generator, seed_of
from automl_meta._utils.renaming import renamed
from automl_meta._utils.threads import single_threaded
from automl_meta.exceptions import UsageError
from automl_meta.metafeatures.complexity import Complexity
from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor
from automl_meta.metafeatures.information import Information
from automl_meta.metafeatures.landmarkers import Landmarkers
from automl_meta.metafeatures.model_based import ModelBased
from automl_meta.metafeatures.simple import Simple
from automl_meta.metafeatures.statistical import Statistical
from automl_meta.metafeatures.task_view import TaskView
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask

__all__ = ["EXTRACTORS", "OUT_OF_TIME", "MetaFeatures", "all_features", "all_names", "extract_metafeatures"]

EXTRACTORS: tuple[MetaFeatureExtractor, ...] = (
    Simple(),
    Statistical(),
    Information(),
    ModelBased(),
    Complexity(),
    Landmarkers(),
)
"""Built-in groups of meta-features, cheapest first."""

OUT_OF_TIME = "out of time"
"""Reason for a NaN that a larger time budget would avoid."""


@dataclass(frozen=True)
class MetaFeatures:
    """Meta-features of a task.

    Parameters
    ----------
    values : mapping of str to float
        Value of each meta-feature; NaN where it could not be computed.
    reasons : mapping of str to str
        Explanation of each NaN in `values`.
    seconds : mapping of str to float
        Wall-clock time of each group in seconds. Intermediate results shared by several groups
        are attributed to the first one that uses them.
    versions : mapping of str to int
        Version of each group.
    """

    values: Mapping[str, float]
    reasons: Mapping[str, str]
    seconds: Mapping[str, float]
    versions: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return (
            f"MetaFeatures({len(self.values)} values, {len(self.reasons)} of them undefined, "
            f"{sum(self.seconds.values()):.2g} s)"
        )


@default_settings()
def extract_metafeatures(
    X: TabularTask | pd.DataFrame | ArrayLike,
    y: ArrayLike | str | None = None,
    *,
    groups: Iterable[str] | None = None,
    extractors: Sequence[MetaFeatureExtractor] = EXTRACTORS,
    task_type: TaskType | Literal["auto"] = "auto",
    time_limit: float | Budget | None = None,
    random_state: RandomState = 0,
    time_budget: float | Budget | None = None,
) -> MetaFeatures:
    """Compute the meta-features of a task.

    Statistics are computed on at most 5,000 rows and at most 200 numeric and 200 categorical
    columns, models are fitted on at most 1,000 rows and 100 columns, and distances are computed
    between at most 500 rows; larger tables are subsampled, stratified by class. The result is
    invariant to the order of rows and columns and to class names.

    Parameters
    ----------
    X : TabularTask, DataFrame or array-like of shape (n_rows, n_features)
        Task or table to describe; not modified.
    y : array-like of shape (n_rows,), str or None, default=None
        Target values, or the name of the target column; None if `X` is a task.
    groups : iterable of str or None, default=None
        Names of the groups to compute; None means all.
    extractors : sequence of MetaFeatureExtractor
        Available groups, cheapest first; may include custom extractors.
    task_type : {"auto", "classification", "regression"}, default="auto"
        Type of task, see `TabularTask.from_frame`.
    time_limit : float, Budget or None, default=None
        Wall-clock time limit in seconds. The values of groups that are not reached are NaN, with
        `OUT_OF_TIME` as the reason; a running group may exceed the limit by a fraction of a second.
    random_state : int, Generator, RandomState or None, default=0
        Random seed of samples, folds and models; None gives different results on each call. Each
        group has a child seed, so that its values do not depend on which other groups are run.
    time_budget : float, Budget or None, default=None
        Old name of `time_limit`.

    Returns
    -------
    MetaFeatures
        Values, reasons for NaN, run times and versions.

    Raises
    ------
    UsageError
        If a group is unknown, or two groups define a meta-feature of the same name.
    DataError
        If the table cannot be used (see `TabularTask.from_frame`).

    Examples
    --------
    >>> described = extract_metafeatures(TabularTask.bundled("iris"), groups=["simple", "information"])
    >>> described.values["n_rows"], round(described.values["class_entropy"], 3)
    (150.0, 1.585)
    >>> described.reasons["n_levels_max"]
    'it needs a categorical or boolean column'
    """
    task = TabularTask.of(X, y, task_type=task_type)
    chosen = _choose(extractors, groups, task.task_type)
    limit = renamed("time_budget", time_budget, "time_limit", time_limit)
    budget = limit if isinstance(limit, Budget) else Budget(limit)
    seed = seed_of(random_state)
    view = TaskView(task, seed=seed, budget=budget)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for extractor in chosen:
        start = time.perf_counter()
        group_values, group_reasons = _run(extractor, view, seed)
        values |= group_values
        reasons |= group_reasons
        seconds[extractor.name] = time.perf_counter() - start
    return MetaFeatures(values, reasons, seconds, {extractor.name: extractor.version for extractor in chosen})


def all_features(
    task_type: TaskType, extractors: Sequence[MetaFeatureExtractor] = EXTRACTORS
) -> tuple[MetaFeature, ...]:
    """List the definitions of all meta-features for a type of task.

    Parameters
    ----------
    task_type : {"classification", "regression"}
        Type of task.
    extractors : sequence of MetaFeatureExtractor
        Groups of meta-features; the built-in ones by default.

    Returns
    -------
    tuple of MetaFeature
        In the order of their groups.
    """
    return tuple(
        feature
        for extractor in extractors
        for feature in extractor.features
        if task_type in feature.task_types
    )


def all_names(
    task_type: TaskType, extractors: Sequence[MetaFeatureExtractor] = EXTRACTORS
) -> tuple[str, ...]:
    """List the names of all meta-features for a type of task.

    Parameters
    ----------
    task_type : {"classification", "regression"}
        Type of task.
    extractors : sequence of MetaFeatureExtractor
        Groups of meta-features; the built-in ones by default.

    Returns
    -------
    tuple of str
        In the order of their groups.
    """
    return tuple(name for extractor in extractors for name in extractor.names(task_type))


def _choose(
    extractors: Sequence[MetaFeatureExtractor], groups: Iterable[str] | None, task_type: TaskType
) -> list[MetaFeatureExtractor]:
    known = [extractor.name for extractor in extractors]
    wanted = set(known if groups is None else [groups] if isinstance(groups, str) else groups)
    if unknown := sorted(wanted - set(known)):
        raise UsageError(
            f"There is no group of meta-features {unknown[0]!r}. Choose from: {', '.join(known)}."
        )
    chosen = [extractor for extractor in extractors if extractor.name in wanted]
    names = all_names(task_type, chosen)
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"More than one meta-feature is named {doubled[0]!r}; names must be unique.")
    return chosen


def _run(
    extractor: MetaFeatureExtractor, view: TaskView, seed: int
) -> tuple[dict[str, float], dict[str, str]]:
    """Compute the values of one group and the reasons for NaN; a failure is recorded, not raised."""
    found: dict[str, float] = {}
    absent = OUT_OF_TIME
    if not view.budget.exhausted:
        try:
            with np.errstate(all="ignore"), single_threaded():
                found = extractor.extract(view, child_generator(seed, extractor.name))
        except Exception as error:  # noqa: BLE001 - a failing group, possibly custom, must not affect the others
            absent = f"the group failed: {type(error).__name__}: {error}"
    needs = {feature.name: feature.needs for feature in extractor.features}
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for name in extractor.names(view.task_type):
        value = float(found.get(name, np.nan))
        values[name] = value if np.isfinite(value) else float("nan")
        if name not in found:
            reasons[name] = absent
        elif np.isnan(value):
            reasons[name] = (
                f"it needs {needs[name]}" if needs[name] else "the values are too large to compute it"
            )
        elif np.isinf(value):
            reasons[name] = "the result overflows"
    return values, reasons
