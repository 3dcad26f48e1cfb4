"""How rows become records and frames."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, and_, func, select

from automl_meta.metrics import Metric, TaskType
from automl_meta.records import Configuration, DatasetRecord, MetaDataset, Run
from automl_meta.store import models
from automl_meta.store.models import configurations, datasets, metafeature_values, run_folds, run_scores, runs

__all__ = [
    "Experience",
    "count_runs",
    "dataset_frame",
    "iterate_runs",
    "metafeature_frame",
    "read_dataset",
    "read_experience",
    "revision",
]

_CHUNK = 1000


def revision(connection: Connection) -> int:
    """Count the writes that the store has seen: what was read at one revision holds until the next."""
    state = models.store_state
    return int(connection.execute(select(state.c.value).where(state.c.key == "revision")).scalar_one())


def dataset_frame(connection: Connection, task_type: TaskType | None = None) -> pd.DataFrame:
    """Read all data sets, sorted by id; see `MetadataStore.datasets`, but for ``n_runs``."""
    query = select(datasets)
    if task_type is not None:
        query = query.where(datasets.c.task_type == task_type)
    columns = _columns(connection, query, len(datasets.c))
    frame = pd.DataFrame(
        {
            name: _text(values)
            if name in ("dataset_id", "name", "task_type", "family", "source")
            else values.astype(np.int64 if name.startswith("n_") else np.float64)
            for name, values in zip(datasets.c.keys(), columns, strict=True)
        }
    )
    # Sorted here: the order of a server's collation is not Python's, and differs between servers.
    return frame.sort_values("dataset_id").set_index("dataset_id")


def count_runs(connection: Connection) -> dict[str, int]:
    """Count the runs on each data set that has any."""
    query = select(runs.c.dataset_id, func.count()).group_by(runs.c.dataset_id)
    return dict(connection.execute(query).tuples().all())


def read_dataset(connection: Connection, dataset_id: str) -> DatasetRecord | None:
    """Read one data set with its meta-features; None if there is none of that id."""
    row = connection.execute(select(datasets).where(datasets.c.dataset_id == dataset_id)).one_or_none()
    if row is None:
        return None
    table = metafeature_values
    values = connection.execute(select(table.c.name, table.c.value).where(table.c.dataset_id == dataset_id))
    return DatasetRecord(
        **{**row._mapping, "target_scale": _float(row.target_scale)},
        metafeatures={name: _float(value) for name, value in sorted(values.tuples())},
    )


def metafeature_frame(connection: Connection, task_type: TaskType, dataset_ids: pd.Index) -> pd.DataFrame:
    """Read the meta-features of some data sets of one kind, one column for each name that any of them has.

    Where the versions of a name differ, only the newest counts: a value of an older one has
    another meaning and becomes NaN.
    """
    table = metafeature_values
    query = (
        select(table.c.dataset_id, table.c.name, table.c.value, table.c.version)
        .select_from(table.join(datasets, datasets.c.dataset_id == table.c.dataset_id))
        .where(datasets.c.task_type == task_type)
    )
    given, names, values, versions = _columns(connection, query, 4)
    rows = dataset_ids.get_indexer(pd.Index(given, dtype=dataset_ids.dtype))
    codes, known_names = pd.factorize(names, sort=True)
    version = versions.astype(np.int64)
    newest = np.zeros(len(known_names), dtype=np.int64)
    np.maximum.at(newest, codes, version)
    kept = (rows >= 0) & (version == newest[codes])
    matrix = np.full((len(dataset_ids), len(known_names)), np.nan)
    matrix[rows[kept], codes[kept]] = _numbers(values)[kept]
    present = np.zeros(len(known_names), dtype=bool)
    present[codes[kept]] = True
    return pd.DataFrame(
        matrix[:, present], index=dataset_ids, columns=pd.Index(known_names[present], dtype="str")
    )


@dataclass(frozen=True, eq=False)
class Experience:
    """A `MetaDataset` of all data sets, with the positions that make leaving some out cheap.

    Parameters
    ----------
    meta : MetaDataset
        Everything there is for one metric.
    rows, columns : ndarray of shape (n_runs,), int64
        Position of each run's data set in ``meta.datasets`` and of its configuration in
        ``meta.configurations``.
    """

    meta: MetaDataset
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    def without(self, exclude: Collection[str], algorithms: Collection[str] | None) -> MetaDataset:
        """Leave out data sets, and all but some algorithms; no frame is shared with `meta`."""
        meta = self.meta
        keep = np.ones(len(meta.runs), dtype=bool)
        if exclude:
            keep &= ~meta.datasets.index.isin(list(exclude))[self.rows]
        if algorithms is not None:
            keep &= meta.configurations["algorithm"].isin(list(algorithms)).to_numpy()[self.columns]
        # Copies share their values until somebody writes to one: pandas copies on write.
        if keep.all():
            return MetaDataset(
                meta.metric,
                meta.task_type,
                meta.datasets.copy(deep=False),
                meta.metafeatures.copy(deep=False),
                meta.configurations.copy(deep=False),
                meta.runs.copy(deep=False),
            )
        used_rows = np.bincount(self.rows[keep], minlength=len(meta.datasets)) > 0
        used_columns = np.bincount(self.columns[keep], minlength=len(meta.configurations)) > 0
        return MetaDataset(
            meta.metric,
            meta.task_type,
            meta.datasets[used_rows],
            meta.metafeatures[used_rows],
            meta.configurations[used_columns],
            meta.runs[keep].reset_index(drop=True),
        )


def read_experience(
    connection: Connection,
    metric: Metric,
    task_type: TaskType,
    protocol: str | None,
    parsed: dict[str, Mapping[str, Any]],
) -> Experience:
    """Read all that is known for one metric; see `MetadataStore.meta_dataset`.

    Parameters
    ----------
    parsed : dict
        Configuration id to parameters; those read here are added, so that none is parsed twice.
    """
    described = dataset_frame(connection, task_type)
    run_id, dataset_id, configuration_id, score, fit, seconds, status = _columns(
        connection, _run_query(metric, task_type, protocol), 7
    )
    frame = pd.DataFrame(
        {
            "run_id": _text(run_id),
            "dataset_id": _text(dataset_id),
            "configuration_id": _text(configuration_id),
            "score": _numbers(score),
            "fit_seconds": _numbers(fit),
            "seconds": _numbers(seconds),
            "status": _text(status),
        }
    )
    row = described.index.get_indexer(pd.Index(frame["dataset_id"]))
    codes, _ = pd.factorize(frame["configuration_id"], sort=True)
    is_ok = (frame["status"] == "ok").to_numpy()
    keep = ~(is_ok & frame["score"].isna().to_numpy())
    if not metric.scale_free:
        scale = described["target_scale"].to_numpy()[row]
        keep &= scale > 0  # per nothing, or per something unknown, there is nothing to compare
        frame["score"] = frame["score"].to_numpy() / np.where(scale > 0, scale, np.nan)
    candidates = pd.DataFrame({"row": row, "column": codes, "is_ok": is_ok, "run_id": frame["run_id"]})[keep]
    if candidates.duplicated(["row", "column"]).any():
        chosen = _one_for_each_pair(candidates, _origins(connection, task_type))
    else:
        chosen = candidates.sort_values(["row", "column"]).index
    return _assembled(connection, metric, task_type, described, frame.iloc[chosen.to_numpy()], parsed)


def _one_for_each_pair(candidates: pd.DataFrame, origins: pd.DataFrame) -> pd.Index:
    """Positions of the run that speaks for each pair of data set and configuration, in their order."""
    pair = ["row", "column"]
    candidates = candidates.join(origins, on="run_id")
    candidates["n_comparable"] = candidates.groupby(["row", "protocol"])["row"].transform("size")
    ranked = candidates.sort_values(
        [*pair, "is_ok", "n_comparable", "created_at", "run_id"],
        ascending=[True, True, False, False, False, False],
    )
    return ranked.drop_duplicates(pair).index


def _origins(connection: Connection, task_type: TaskType) -> pd.DataFrame:
    """Protocol and time of each run: read only where runs compete, which is seldom."""
    query = (
        select(runs.c.run_id, runs.c.protocol, runs.c.created_at)
        .select_from(runs.join(datasets, datasets.c.dataset_id == runs.c.dataset_id))
        .where(datasets.c.task_type == task_type)
    )
    run_id, protocol, created_at = map(_text, _columns(connection, query, 3))
    return pd.DataFrame({"protocol": protocol, "created_at": created_at}, index=pd.Index(run_id))


def _assembled(
    connection: Connection,
    metric: Metric,
    task_type: TaskType,
    described: pd.DataFrame,
    chosen: pd.DataFrame,
    parsed: dict[str, Mapping[str, Any]],
) -> Experience:
    columns, ids = pd.factorize(chosen["configuration_id"], sort=True)
    rows, dataset_ids = pd.factorize(chosen["dataset_id"], sort=True)
    index = pd.Index(dataset_ids, dtype="str", name="dataset_id")
    names = ["name", "family", "n_rows", "n_features", "n_classes", "target_scale"]
    meta = MetaDataset(
        metric=metric,
        task_type=task_type,
        datasets=described.loc[index, names],
        metafeatures=metafeature_frame(connection, task_type, index),
        configurations=_configuration_frame(connection, ids, parsed),
        runs=chosen.reset_index(drop=True),
    )
    return Experience(meta, rows, columns)


def _configuration_frame(
    connection: Connection, ids: pd.Index, parsed: dict[str, Mapping[str, Any]]
) -> pd.DataFrame:
    rows = connection.execute(select(configurations)).all()
    algorithm_of = {}
    for configuration_id, algorithm, parameters in rows:
        algorithm_of[configuration_id] = algorithm
        if configuration_id not in parsed:
            parsed[configuration_id] = json.loads(parameters)
    index = pd.Index(ids, dtype="str", name="configuration_id")
    return pd.DataFrame(
        {
            "algorithm": pd.Series([algorithm_of[i] for i in ids], index=index, dtype="str"),
            "parameters": pd.Series([parsed[i] for i in ids], index=index, dtype=object),
        }
    )


def _run_query(metric: Metric, task_type: TaskType, protocol: str | None) -> Select[Any]:
    scored = and_(run_scores.c.number == runs.c.number, run_scores.c.metric == metric.name)
    query = (
        select(
            runs.c.run_id,
            runs.c.dataset_id,
            runs.c.configuration_id,
            run_scores.c.score,
            runs.c.fit_seconds,
            runs.c.seconds,
            runs.c.status,
        )
        .select_from(
            runs.join(datasets, datasets.c.dataset_id == runs.c.dataset_id).outerjoin(run_scores, scored)
        )
        .where(datasets.c.task_type == task_type)
    )
    return query if protocol is None else query.where(runs.c.protocol == protocol)


def iterate_runs(
    connection: Connection, conditions: Mapping[str, str | None], after: int
) -> list[tuple[int, Run]]:
    """Read the next runs in the order of their arrival, at most a thousand, with their numbers.

    Parameters
    ----------
    conditions : mapping of str to str or None
        Column of `runs` or `configurations` to the value it must have; None is any.
    after : int
        The number of the last run that was read.
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
    return [(row.number, _run_of(row, scores[row.number])) for row in found]


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


def _columns(connection: Connection, query: Select[Any], n_columns: int) -> NDArray[Any]:
    """Columns of a result, of shape (n_columns, n_rows), object.

    Straight from the driver, and as one array: with an object for each row or cell, the garbage
    collector would take longer than the database.
    """
    with connection.execute(query) as result:
        rows = result.cursor.fetchall()
    return np.array(rows, dtype=object).reshape(len(rows), n_columns).T


def _float(value: float | None) -> float:
    return float("nan") if value is None else value


def _text(values: NDArray[Any]) -> pd.api.extensions.ExtensionArray:
    return pd.array(np.ascontiguousarray(values), dtype="str")


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    return values.astype(np.float64)  # None becomes NaN
