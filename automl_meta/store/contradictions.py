"""Validation of imported records: contradictions are refused before anything is stored."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
from sqlalchemy import Column

from automl_meta.metrics import METRICS, TaskType
from automl_meta.records import Configuration, RunStatus, run_digest
from automl_meta.store.inserts import DATASET_COLUMNS, RUN_COLUMNS, RunRows
from automl_meta.store.models import configurations, datasets, runs

__all__ = ["of_cells", "of_configurations", "of_datasets", "of_runs", "size_problem"]

_STATUSES = get_args(RunStatus)
_TASK_TYPES = get_args(TaskType)
_BEST = {metric.name: metric.best for metric in METRICS}
_ROUNDING = 1e-6  # may increase a perfect score
_COSTS = ("fit_seconds", "predict_seconds", "seconds", "peak_memory")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")

Columns = Mapping[str, Sequence[Any]]
Contradiction = tuple[int, str]
"""Index of a row, and its problem."""


def size_problem(task_type: str, n_rows: int, n_features: int, n_classes: int) -> str | None:
    """Return the problem with the size of a data set, if any."""
    if task_type not in _TASK_TYPES:
        return f"has the task type {task_type!r}, which is not one of {', '.join(_TASK_TYPES)}"
    if n_rows > 0 and n_features > 0 and (task_type == "regression" or n_classes > 1):
        return None
    return f"has an impossible size: {n_rows} rows, {n_features} columns, {n_classes} classes"


def of_datasets(rows: Sequence[tuple[Any, ...]]) -> Iterator[Contradiction]:
    """Find invalid data sets among rows of `DATASET_COLUMNS`."""
    seen: set[str] = set()
    for position, row in enumerate(rows):
        values = dict(zip(DATASET_COLUMNS, row, strict=True))
        dataset_id = values["dataset_id"]
        problem = (
            _one(_misfit(column, values[column.name]) for column in datasets.c)
            or size_problem(*(values[name] for name in ("task_type", "n_rows", "n_features", "n_classes")))
            or ("is duplicated" if dataset_id in seen else None)
        )
        if problem is None and values["target_scale"] is not None and not _is_cost(values["target_scale"]):
            problem = f"has the target_scale {values['target_scale']}"
        if problem is not None:
            yield position, f"data set {dataset_id!r} {problem}"
        seen.add(dataset_id)


def of_configurations(rows: Sequence[tuple[str, str, str]]) -> Iterator[Contradiction]:
    """Find configurations, rows of id, algorithm and JSON text, whose content does not match their id."""
    for position, (configuration_id, algorithm, parameters) in enumerate(rows):
        problem = _one(
            _misfit(column, value) for column, value in zip(configurations.c, rows[position], strict=True)
        ) or _parameter_problem(configuration_id, algorithm, parameters)
        if problem is not None:
            yield position, f"configuration {configuration_id!r} {problem}"


def _one(problems: Iterable[str | None]) -> str | None:
    return next((problem for problem in problems if problem is not None), None)


def _parameter_problem(configuration_id: str, algorithm: str, parameters: str) -> str | None:
    try:
        content = json.loads(parameters)
    except (ValueError, RecursionError):
        return f"has the parameters {parameters[:60]!r}, which are not valid JSON"
    if not isinstance(content, dict):
        return f"has the parameters {parameters[:60]!r}, which are not a JSON object"
    digest = Configuration(algorithm, content).configuration_id
    return None if digest == configuration_id else f"has the digest {digest}"


def of_runs(rows: RunRows) -> Iterator[Contradiction]:
    """Find invalid runs: an unknown status, negative costs, scores out of range."""
    if not rows.runs:
        return
    columns = dict(zip(RUN_COLUMNS, zip(*rows.runs, strict=True), strict=True))
    for position in _first([row[2] not in rows.configurations for row in rows.runs]):
        run_id, _, configuration_id = rows.runs[position][:3]
        yield position, f"run {run_id!r} refers to the configuration {configuration_id!r}, which is missing"
    checks = (
        _wrong_values(columns),
        _wrong_costs(columns),
        _wrong_names(columns),
        _wrong_scores(rows, columns),
    )
    for position, problem in itertools.chain(*checks):
        yield position, f"run {columns['run_id'][position]!r} {problem}"


def of_cells(
    dataset_ids: Sequence[str],
    columns: Mapping[str, Sequence[float | None]],
    known: Collection[str],
    lowest: float,
) -> Iterator[Contradiction]:
    """Find invalid rows of numbers: of an unknown data set, infinite, or too small."""
    for i in _first([dataset_id not in known for dataset_id in dataset_ids]):
        yield i, f"data set {dataset_ids[i]!r} is missing from datasets.csv"
    for i in _first(pd.Series(dataset_ids, dtype=object).duplicated()):
        yield i, f"data set {dataset_ids[i]!r} is duplicated"
    for name, values in columns.items():
        given = np.array(values, dtype=np.float64)
        for i in _first((given < lowest) | np.isinf(given)):
            yield i, f"data set {dataset_ids[i]!r} has the {name} {given[i]:g}"


def _wrong_values(columns: Columns) -> Iterator[Contradiction]:
    for name, values in columns.items():
        # Except for the ids, few values are distinct.
        wrong = {value: problem for value in set(values) if (problem := _misfit(runs.c[name], value))}
        for i in _first([value in wrong for value in values]) if wrong else []:
            yield i, wrong[values[i]]
    status, made = columns["status"], columns["created_at"]
    for i in _first([value not in _STATUSES for value in status]):
        yield i, f"has the status {status[i]!r}, which is not one of {', '.join(_STATUSES)}"
    for i in _first([not _TIME.fullmatch(str(value)) for value in made]):
        yield i, f"has the time {made[i]!r}"


def _wrong_costs(columns: Columns) -> Iterator[Contradiction]:
    for name in _COSTS:
        cost = np.array(columns[name], dtype=np.float64)
        for i in _first((cost < 0.0) | np.isinf(cost)):
            yield i, f"has {name} {cost[i]:g}"


def _wrong_names(columns: Columns) -> Iterator[Contradiction]:
    parts = zip(
        *(columns[name] for name in ("dataset_id", "configuration_id", "protocol", "source")), strict=True
    )
    digests = [run_digest(*names) for names in parts]
    for i in _first([given != made for given, made in zip(columns["run_id"], digests, strict=True)]):
        yield i, f"has the digest {digests[i]}: its id or its fields were modified"


def _wrong_scores(rows: RunRows, columns: Columns) -> Iterator[Contradiction]:
    status = np.array(columns["status"], dtype=object)
    is_scored = np.zeros(len(status), dtype=bool)
    for metric, given in rows.scores.items():
        score = np.array(given, dtype=np.float64)
        is_scored |= ~np.isnan(score)
        best = _BEST.get(metric, math.inf)
        for i in _first((score > best + _ROUNDING) | np.isinf(score)):
            yield i, f"has {metric} {score[i]:g}, above the best possible score {best:g}"
    for i in _first((status == "ok") & ~is_scored):
        yield i, "has the status ok but no score"
    for i in _first((status != "ok") & is_scored):
        yield i, f"has the status {status[i]} but has scores"


def _is_cost(value: float) -> bool:
    return math.isnan(value) or 0.0 <= value < math.inf


def _first(is_wrong: Any) -> list[int]:
    """Index of the first wrong row, in a list; empty if there is none."""
    return np.flatnonzero(is_wrong)[:1].tolist()


def _misfit(column: Column[Any], value: Any) -> str | None:
    """Return how a value violates the type of a column, if it does."""
    if value is None:
        return None if column.nullable else f"has no {column.name}"
    kind = column.type.python_type
    if not isinstance(value, (int, float) if kind is float else kind):
        return f"has the {column.name} {value!r}, which is not of type {kind.__name__}"
    longest = getattr(column.type, "length", None)
    if longest is not None and isinstance(value, str) and len(value) > longest:
        return f"has a {column.name} of {len(value)} characters; the maximum is {longest}"
    return None
