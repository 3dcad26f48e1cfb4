"""Queries: conversion of rows to records and frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from automl_meta.metrics import TaskType
from automl_meta.records import Configuration, DatasetRecord, Run
from automl_meta.store import models
from automl_meta.store.digests import DESCRIPTION, METAFEATURES, damaged, sums_of_columns, verify
from automl_meta.store.models import configurations, datasets, metafeature_values, run_folds, run_scores, runs
from automl_meta.store.rows import as_columns, columns_of, numbers

__all__ = [
    "count_runs",
    "dataset_frame",
    "iterate_runs",
    "read_dataset",
    "read_parameters",
    "revision",
    "text_array",
]

_CHUNK = 1000


def revision(connection: Connection) -> int:
    """Return the number of writes so far: results read at one revision are valid until the next."""
    state = models.store_state
    text = connection.execute(select(state.c.value).where(state.c.key == "revision")).scalar()
    try:
        return int(str(text))
    except ValueError as error:
        raise damaged(connection, f"its revision is {text!r}") from error


def dataset_frame(connection: Connection, task_type: TaskType | None = None) -> pd.DataFrame:
    """Read all data sets, sorted by id; see `MetadataStore.datasets`, but for ``n_runs``.

    Raises
    ------
    StoreError
        If a data set is damaged.
    """
    columns = columns_of(connection, select(datasets), len(datasets.c))  # all, to verify them
    verify(connection, DESCRIPTION, sums_of_columns(datasets.c, columns))
    frame = pd.DataFrame(
        {
            about.name: text_array(values)
            if about.type.python_type is str
            else values.astype(np.int64)
            if about.type.python_type is int
            else numbers(values)
            for about, values in zip(datasets.c, columns, strict=True)
        }
    )
    if task_type is not None:
        frame = frame[frame["task_type"] == task_type]
    # Sorted here, since collations differ between servers.
    return frame.sort_values("dataset_id").set_index("dataset_id")


def count_runs(connection: Connection) -> dict[str, int]:
    """Count the runs of each data set that has any."""
    query = select(runs.c.dataset_id, func.count()).group_by(runs.c.dataset_id)
    return dict(connection.execute(query).all())


def read_dataset(connection: Connection, dataset_id: str) -> DatasetRecord | None:
    """Read one data set with its meta-features; None if the id is unknown."""
    row = connection.execute(select(datasets).where(datasets.c.dataset_id == dataset_id)).one_or_none()
    if row is None:
        return None
    table = metafeature_values
    rows = connection.execute(select(table).where(table.c.dataset_id == dataset_id)).all()
    verify(
        connection, DESCRIPTION, sums_of_columns(datasets.c, as_columns([row], len(datasets.c))), [dataset_id]
    )
    verify(connection, METAFEATURES, sums_of_columns(table.c, as_columns(rows, len(table.c))), [dataset_id])
    values = [(name, value) for _, name, value, _ in rows]
    return DatasetRecord(
        **{**row._mapping, "target_scale": _float(row.target_scale)},
        metafeatures={name: _float(value) for name, value in sorted(values)},
    )


def iterate_runs(
    connection: Connection, conditions: Mapping[str, str | None], after: int
) -> list[tuple[int, Run]]:
    """Read the next runs in the order of their arrival, at most a thousand, with their numbers.

    Parameters
    ----------
    connection : Connection
        Connection within a transaction.
    conditions : mapping of str to str or None
        Required values of columns of `runs` or `configurations`; None allows any.
    after : int
        Number of the last run read before.

    Returns
    -------
    list of (int, Run)
        Empty after the last run.
    """
    query = (
        select(*runs.c, configurations.c.algorithm, configurations.c.parameters, run_folds.c.fold_scores)
        .select_from(
            runs.join(configurations, configurations.c.configuration_id == runs.c.configuration_id).outerjoin(
                run_folds, run_folds.c.number == runs.c.number
            )
        )
        .where(runs.c.number > after)
        .order_by(runs.c.number)
        .limit(_CHUNK)
    )
    for name, value in conditions.items():
        if value is not None:
            query = query.where((configurations if name == "algorithm" else runs).c[name] == value)
    found = connection.execute(query).all()
    scores: dict[int, dict[str, float]] = {row.number: {} for row in found}
    # 500 at a time: databases limit the variables of one statement.
    for start in range(0, len(found), 500):
        numbers = [row.number for row in found[start : start + 500]]
        for number, metric, score in connection.execute(
            select(run_scores.c.number, run_scores.c.metric, run_scores.c.score).where(
                run_scores.c.number.in_(numbers)
            )
        ):
            scores[number][metric] = score
    return [(row.number, _checked_run(connection, row, scores[row.number])) for row in found]


def _checked_run(connection: Connection, row: Any, scores: Mapping[str, float]) -> Run:
    try:
        return _run_of(row, scores)
    except (AttributeError, RecursionError, TypeError, ValueError) as error:
        raise damaged(
            connection, f"the run {row.run_id} of the data set {row.dataset_id} cannot be read"
        ) from error


def _run_of(row: Any, scores: Mapping[str, float]) -> Run:
    folds = {} if row.fold_scores is None else json.loads(row.fold_scores)
    return Run(
        dataset_id=row.dataset_id,
        configuration=Configuration(row.algorithm, json.loads(row.parameters)),
        status=row.status,
        scores=scores,
        fold_scores={metric: tuple(map(_float, values)) for metric, values in folds.items()},
        fit_seconds=_float(row.fit_seconds),
        predict_seconds=_float(row.predict_seconds),
        seconds=_float(row.seconds),
        peak_memory=_float(row.peak_memory),
        reason=row.reason,
        protocol=row.protocol,
        source=row.source,
        environment=row.environment or "",
    )


def read_parameters(
    connection: Connection, configuration_id: str, algorithm: str, parameters: str
) -> Mapping[str, Any]:
    """Parse the parameters of a configuration, and compare them with its id."""
    try:
        configuration = Configuration(algorithm, json.loads(parameters))
        if configuration.configuration_id == configuration_id:
            return configuration.parameters
    except (AttributeError, RecursionError, TypeError, ValueError):
        pass  # damaged, like one with another id
    raise damaged(connection, f"the configuration {configuration_id} ({algorithm}) does not match its id")


def _float(value: float | None) -> float:
    return float("nan") if value is None else value


def text_array(values: NDArray[Any]) -> pd.api.extensions.ExtensionArray:
    """Create a text column from strings."""
    return pd.array(np.ascontiguousarray(values), dtype="str")
