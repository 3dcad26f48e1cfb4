"""Experience for one metric as a `MetaDataset`, read fast and cached."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, and_, func, select

from automl_meta.exceptions import NoExperienceError
from automl_meta.metrics import Metric, TaskType
from automl_meta.records import MetaDataset, Protocol
from automl_meta.store.digests import (
    METAFEATURES,
    ORIGINS,
    RESULTS,
    damaged,
    hashes,
    score_part,
    sums,
    sums_of_columns,
    verify,
)
from automl_meta.store.models import configurations, datasets, metafeature_values, run_scores, runs
from automl_meta.store.queries import dataset_frame, read_parameters, revision, text_array
from automl_meta.store.rows import columns_of, numbers

__all__ = ["ExperienceMemo", "nothing_left", "read_experience"]


def nothing_left(
    url: str,
    metric: Metric,
    task_type: TaskType,
    protocol: str | None,
    exclude: Collection[str],
    algorithms: Collection[str] | None,
) -> NoExperienceError:
    """Error for a query without any result: states the query and the remedy."""
    limits = [
        f"protocol {protocol}" if protocol is not None else "",
        f"{len(exclude)} data sets left out" if exclude else "",
        f"algorithms {', '.join(sorted(algorithms))}" if algorithms is not None else "",
    ]
    limited = "; ".join(limit for limit in limits if limit)
    return NoExperienceError(
        f"The store {url} knows no {task_type} run with {metric.name}{f' ({limited})' if limited else ''}. "
        "Make some with `automl-meta collect`, or open a store with the shipped experience."
    )


class ExperienceMemo:
    """Cache of the last result for each metric, valid until somebody writes to the store."""

    def __init__(self) -> None:
        self._known: dict[tuple[Metric, TaskType, str | None], tuple[int, MetaDataset]] = {}
        self._parsed: dict[str, Mapping[str, Any]] = {}

    def get(
        self, connection: Connection, metric: Metric, task_type: TaskType, protocol: str | None
    ) -> MetaDataset:
        """Read the experience, or return the cached one if it is still valid."""
        key = (metric, task_type, protocol)
        now = revision(connection)
        read_at, experience = self._known.get(key, (None, None))
        if experience is not None and read_at == now:
            return experience
        experience = read_experience(connection, metric, task_type, protocol, self._parsed)
        # A new dict, since another thread may be reading the old one.
        self._known = {k: entry for k, entry in self._known.items() if entry[0] == now} | {
            key: (now, experience)
        }
        return experience


def read_experience(
    connection: Connection,
    metric: Metric,
    task_type: TaskType,
    protocol: str | None,
    parsed: dict[str, Mapping[str, Any]],
) -> MetaDataset:
    """Read the experience for one metric; see `MetadataStore.meta_dataset`.

    Parameters
    ----------
    parsed : dict
        Cache from configuration id to parameters, to which new ones are added.
    """
    described = dataset_frame(connection, task_type)
    columns = columns_of(connection, _run_query(metric, task_type), 7)
    _verify_results(connection, metric, described.index, columns)
    run_id, dataset_id, configuration_id, score, fit, seconds, status = columns
    frame = pd.DataFrame(
        {
            "run_id": text_array(run_id),
            "dataset_id": text_array(dataset_id),
            "configuration_id": text_array(configuration_id),
            "score": numbers(score),
            "fit_seconds": numbers(fit),
            "seconds": numbers(seconds),
            "status": text_array(status),
        }
    )
    row = described.index.get_indexer(pd.Index(frame["dataset_id"]))
    codes, _ = pd.factorize(frame["configuration_id"], sort=True)
    is_ok = (frame["status"] == "ok").to_numpy()
    keep = ~(is_ok & frame["score"].isna().to_numpy())
    if not metric.scale_free:
        scale = described["target_scale"].to_numpy()[row]
        keep &= scale > 0  # without a scale, scores in the unit of the target cannot be compared
        frame["score"] = frame["score"].to_numpy() / np.where(scale > 0, scale, np.nan)
    has_rivals = frame.duplicated(["dataset_id", "configuration_id"]).any()
    if protocol is not None or has_rivals:  # rare
        origins = _origins(connection, described.index, task_type).loc[frame["run_id"]]
        keep &= (protocol is None) | (origins["protocol"] == protocol).to_numpy()
    candidates = pd.DataFrame({"row": row, "column": codes, "is_ok": is_ok, "run_id": frame["run_id"]})[keep]
    if has_rivals:
        chosen = _one_for_each_pair(candidates, origins)
    else:
        chosen = candidates.sort_values(["row", "column"]).index
    return _assembled(
        connection, metric, task_type, protocol, described, frame.iloc[chosen.to_numpy()], parsed
    )


def _one_for_each_pair(candidates: pd.DataFrame, origins: pd.DataFrame) -> pd.Index:
    """Positions of the representative run of each pair of data set and configuration, sorted by pair."""
    pair = ["row", "column"]
    candidates = candidates.join(origins, on="run_id")
    candidates["n_comparable"] = candidates.groupby(["row", "protocol"])["row"].transform("size")
    ranked = candidates.sort_values(
        [*pair, "is_ok", "n_comparable", "created_at", "run_id"],
        ascending=[True, True, False, False, False, False],
    )
    return ranked.drop_duplicates(pair).index


def _verify_results(
    connection: Connection, metric: Metric, dataset_ids: pd.Index, columns: NDArray[Any]
) -> None:
    """Verify the digests of the columns of `_run_query`."""
    run_id, dataset_id, configuration_id, score, fit, seconds, status = columns
    run_ids = hashes(run_id, is_text=True)
    results = sums(
        dataset_id,
        run_ids,
        hashes(configuration_id, is_text=True),
        hashes(fit, is_text=False),
        hashes(seconds, is_text=False),
        hashes(status, is_text=True),
    )
    verify(connection, RESULTS, results, dataset_ids)
    there = score != None  # noqa: E711 - elementwise
    scored = sums(dataset_id[there], run_ids[there], hashes(score[there], is_text=False))
    verify(connection, score_part(metric.name), scored, dataset_ids)


def _origins(connection: Connection, dataset_ids: pd.Index, task_type: TaskType) -> pd.DataFrame:
    """Protocol and creation time of each run."""
    query = (
        select(runs.c.run_id, runs.c.dataset_id, runs.c.protocol, runs.c.created_at)
        .select_from(runs.join(datasets, datasets.c.dataset_id == runs.c.dataset_id))
        .where(datasets.c.task_type == task_type)
    )
    run_id, dataset_id, *origin = columns_of(connection, query, 4)
    found = sums(dataset_id, *(hashes(column, is_text=True) for column in (run_id, *origin)))
    verify(connection, ORIGINS, found, dataset_ids)
    protocol, created_at = map(text_array, origin)
    return pd.DataFrame({"protocol": protocol, "created_at": created_at}, index=pd.Index(text_array(run_id)))


def _fit_rows(connection: Connection, n_rows: pd.Series, protocol: str | None) -> pd.Series:
    """Number of training rows of a fit by the most frequent protocol of each data set, shape (n_datasets,).

    The default protocol stands in for protocols of other sources, which do not tell.
    """
    query = select(runs.c.dataset_id, runs.c.protocol, func.count()).group_by(
        runs.c.dataset_id, runs.c.protocol
    )
    if protocol is not None:
        query = query.where(runs.c.protocol == protocol)
    most: dict[str, tuple[int, str]] = {}
    for dataset_id, name, count in connection.execute(query):
        most[dataset_id] = max(most.get(dataset_id, (0, "")), (count, str(name)))
    known = {name: Protocol.from_name(name) or Protocol() for _, name in most.values()}
    found = [known[most[str(key)][1]].fit_rows(float(n)) for key, n in n_rows.items()]
    return pd.Series(found, index=n_rows.index, dtype=np.float64)


def _assembled(
    connection: Connection,
    metric: Metric,
    task_type: TaskType,
    protocol: str | None,
    described: pd.DataFrame,
    chosen: pd.DataFrame,
    parsed: dict[str, Mapping[str, Any]],
) -> MetaDataset:
    ids = pd.Index(np.unique(chosen["configuration_id"]), dtype="str")
    index = pd.Index(np.unique(chosen["dataset_id"]), dtype="str", name="dataset_id")
    names = ["name", "family", "n_rows", "n_features", "n_classes", "target_scale"]
    datasets = described.loc[index, names]
    return MetaDataset(
        metric=metric,
        task_type=task_type,
        datasets=datasets.assign(fit_rows=_fit_rows(connection, datasets["n_rows"], protocol)),
        metafeatures=_metafeature_frame(connection, task_type, described.index, index),
        configurations=_configuration_frame(connection, ids, parsed),
        runs=chosen.reset_index(drop=True),
    )


def _configuration_frame(
    connection: Connection, ids: pd.Index, parsed: dict[str, Mapping[str, Any]]
) -> pd.DataFrame:
    rows = connection.execute(select(configurations)).all()
    algorithm_of = {}
    for configuration_id, algorithm, parameters in rows:
        algorithm_of[configuration_id] = algorithm
        if configuration_id not in parsed:
            parsed[configuration_id] = read_parameters(connection, configuration_id, algorithm, parameters)
    if not ids.isin(algorithm_of).all():
        raise damaged(connection, f"the configuration {ids[~ids.isin(algorithm_of)][0]} is missing")
    index = pd.Index(ids, dtype="str", name="configuration_id")
    return pd.DataFrame(
        {
            "algorithm": pd.Series([algorithm_of[i] for i in ids], index=index, dtype="str"),
            "parameters": pd.Series([parsed[i] for i in ids], index=index, dtype=object),
        }
    )


def _run_query(metric: Metric, task_type: TaskType) -> Select[Any]:
    scored = and_(run_scores.c.number == runs.c.number, run_scores.c.metric == metric.name)
    return (
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


def _metafeature_frame(
    connection: Connection, task_type: TaskType, described: pd.Index, dataset_ids: pd.Index
) -> pd.DataFrame:
    """Read the meta-features of data sets of one task type, one column for each name.

    If the versions of a meta-feature differ, only values of the newest are used: older values have
    another meaning and become NaN.
    """
    table = metafeature_values
    query = (
        select(table.c.dataset_id, table.c.name, table.c.value, table.c.version)
        .select_from(table.join(datasets, datasets.c.dataset_id == table.c.dataset_id))
        .where(datasets.c.task_type == task_type)
    )
    given, names, values, versions = columns = columns_of(connection, query, 4)
    verify(connection, METAFEATURES, sums_of_columns(table.c, columns), described)
    rows = dataset_ids.get_indexer(pd.Index(given, dtype=dataset_ids.dtype))
    codes, known_names = pd.factorize(names, sort=True)
    version = versions.astype(np.int64)
    newest = np.zeros(len(known_names), dtype=np.int64)
    np.maximum.at(newest, codes, version)
    kept = (rows >= 0) & (version == newest[codes])
    matrix = np.full((len(dataset_ids), len(known_names)), np.nan)
    matrix[rows[kept], codes[kept]] = numbers(values)[kept]
    present = np.zeros(len(known_names), dtype=bool)
    present[codes[kept]] = True
    return pd.DataFrame(
        matrix[:, present], index=dataset_ids, columns=pd.Index(known_names[present], dtype="str")
    )
