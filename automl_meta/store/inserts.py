"""Inserts: conversion of records to rows. Every function works within the caller's write transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import compress
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from automl_meta._utils.plain import number_or_none
from automl_meta.exceptions import UsageError
from automl_meta.records import DatasetRecord, Environment, Run, Source
from automl_meta.store import digests, models
from automl_meta.store.rows import bulk_insert, known, looked_up, placeholder

__all__ = [
    "DATASET_COLUMNS",
    "RUN_COLUMNS",
    "RunRows",
    "begin_write",
    "insert_runs",
    "put_costs",
    "put_dataset",
    "put_datasets",
    "put_environment",
    "put_metafeatures",
    "put_source",
    "rows_of",
    "write_state",
]

RUN_COLUMNS = tuple(column.name for column in models.runs.columns if column.name != "number")
"""Columns of runs, in the order of the values in a row."""

DATASET_COLUMNS = tuple(column.name for column in models.datasets.columns)
"""Columns of data sets, in the order of the values in a row."""


@dataclass
class RunRows:
    """Rows of runs to insert.

    Parameters
    ----------
    runs : list of tuple
        Values of `RUN_COLUMNS`.
    scores : dict of str to list
        One score for each run, by metric; None if missing.
    folds : list
        Fold scores of each run as JSON, or None.
    configurations : dict of str to tuple
        Algorithm and parameters as JSON, by id.
    """

    runs: list[tuple[Any, ...]] = field(default_factory=list)
    scores: dict[str, list[float | None]] = field(default_factory=dict)
    folds: list[str | None] = field(default_factory=list)
    configurations: dict[str, tuple[str, str]] = field(default_factory=dict)


def begin_write(connection: Connection) -> None:
    """Increase the revision, which locks out other writers until the transaction ends.

    Since all writers wait here, on any database, rows that are looked up as missing can safely be
    inserted afterwards.
    """
    state = models.store_state
    number = connection.execute(
        select(state.c.value).where(state.c.key == "revision").with_for_update()
    ).scalar_one()
    connection.execute(update(state).where(state.c.key == "revision").values(value=str(int(number) + 1)))


def write_state(connection: Connection, key: str, value: str) -> None:
    """Set a value of the store's own state."""
    state = models.store_state
    if key in known(connection, state.c.key, [key]):
        connection.execute(update(state).where(state.c.key == key).values(value=value))
    else:
        connection.execute(insert(state).values(key=key, value=value))


def put_source(connection: Connection, source: Source) -> None:
    """Add a source, or update the description of a known one."""
    values = {name: _clean(getattr(source, name)) for name in ("description", "url", "licence", "citation")}
    table = models.sources
    if source.name not in known(connection, table.c.name, [source.name]):
        connection.execute(insert(table).values(name=source.name, **values))
    elif any(values.values()):
        connection.execute(update(table).where(table.c.name == source.name).values(**values))


def put_environment(connection: Connection, environment: Environment) -> None:
    """Add an environment, or describe one of which only the digest is known."""
    table = models.environments
    values = {
        "python": environment.python,
        "platform": environment.platform,
        "versions": json.dumps(dict(environment.versions), sort_keys=True),
    }
    if environment.digest in known(connection, table.c.digest, [environment.digest]):
        connection.execute(update(table).where(table.c.digest == environment.digest).values(**values))
    else:
        connection.execute(insert(table).values(digest=environment.digest, **values))


def put_dataset(
    connection: Connection,
    record: DatasetRecord,
    versions: Mapping[str, int],
    seconds: Mapping[str, float],
) -> None:
    """Add or update a data set; see `MetadataStore.add_dataset`."""
    highest = max(versions.values(), default=1)
    row = tuple(getattr(record, column) for column in DATASET_COLUMNS)
    put_datasets(connection, [row])
    put_metafeatures(
        connection,
        [
            (record.dataset_id, name, number_or_none(value), versions.get(name, highest))
            for name, value in record.metafeatures.items()
        ],
    )
    put_costs(connection, [(record.dataset_id, name, number_or_none(cost)) for name, cost in seconds.items()])


def put_datasets(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add data sets, rows of `DATASET_COLUMNS`; of a known one, only the family can change."""
    table = models.datasets
    given = [dict(zip(DATASET_COLUMNS, row, strict=True)) for row in rows]
    for values in given:
        values.update(
            name=_clean(values["name"]),
            family=_clean(values["family"]),
            target_scale=number_or_none(values["target_scale"]),
        )
    _name_sources(connection, (values["source"] for values in given))
    wanted = [values["dataset_id"] for values in given]
    stored = {} if not wanted else dict(looked_up(connection, table.c.dataset_id, wanted, table.c.family))
    new = [tuple(values.values()) for values in given if values["dataset_id"] not in stored]
    bulk_insert(connection, table, DATASET_COLUMNS, new)
    for values in given:
        dataset_id, family = values["dataset_id"], values["family"]
        # The default family, the data set itself, carries no information.
        if dataset_id in stored and family not in (dataset_id, stored[dataset_id]):
            connection.execute(update(table).where(table.c.dataset_id == dataset_id).values(family=family))
    digests.renew(connection, digests.DESCRIPTION, wanted)


def put_metafeatures(connection: Connection, rows: Collection[tuple[str, str, float | None, int]]) -> None:
    """Add meta-features, rows of data set, name, value and version; replace those of an older version."""
    table = models.metafeature_values
    stored = {
        (dataset_id, name): version
        for dataset_id, name, version in looked_up(
            connection, table.c.dataset_id, {row[0] for row in rows}, table.c.name, table.c.version
        )
    }
    outdated = [row[:2] for row in rows if stored.get(row[:2], row[3]) < row[3]]
    if outdated:
        place = placeholder(connection)
        connection.exec_driver_sql(
            f"DELETE FROM metafeature_values WHERE dataset_id = {place} AND name = {place}", outdated
        )
    # In the order of the key, which is the fastest.
    fresh = sorted(row for row in rows if row[:2] not in stored or stored[row[:2]] < row[3])
    bulk_insert(connection, table, ("dataset_id", "name", "value", "version"), fresh)
    digests.renew(connection, digests.METAFEATURES, {row[0] for row in fresh})


def put_costs(connection: Connection, rows: Collection[tuple[str, str, float | None]]) -> None:
    """Set the costs of meta-features: rows of data set, extractor and seconds."""
    table = models.metafeature_costs
    if rows:
        place = placeholder(connection)
        connection.exec_driver_sql(
            f"DELETE FROM metafeature_costs WHERE dataset_id = {place} AND extractor = {place}",
            [row[:2] for row in rows],
        )
    bulk_insert(connection, table, ("dataset_id", "extractor", "seconds"), rows)
    digests.renew(connection, digests.COSTS, {row[0] for row in rows})


def rows_of(runs: Iterable[Run]) -> RunRows:
    """Convert runs to rows; of runs with the same id the first is kept."""
    rows = RunRows()
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metrics: set[str] = set()
    scores: list[Mapping[str, float]] = []
    seen: set[str] = set()
    for run in runs:
        if run.run_id in seen:
            continue
        seen.add(run.run_id)
        configuration = run.configuration
        rows.configurations[configuration.configuration_id] = (
            configuration.algorithm,
            _json(dict(configuration.parameters)),
        )
        rows.runs.append(
            (
                run.run_id,
                run.dataset_id,
                configuration.configuration_id,
                run.protocol,
                run.source,
                run.environment or None,
                run.status,
                _clean(run.reason),
                number_or_none(run.fit_seconds),
                number_or_none(run.predict_seconds),
                number_or_none(run.seconds),
                number_or_none(run.peak_memory),
                now,
            )
        )
        folds = {
            metric: [number_or_none(score) for score in values]
            for metric, values in run.fold_scores.items()
            if values
        }
        rows.folds.append(_json(folds) if folds else None)
        scores.append(run.scores)
        metrics.update(run.scores)
    rows.scores = {
        metric: [number_or_none(given.get(metric)) for given in scores] for metric in sorted(metrics)
    }
    return rows


def insert_runs(connection: Connection, rows: RunRows) -> int:
    """Insert new runs and what they refer to; see `MetadataStore.add_runs`."""
    table = models.runs
    present = known(connection, table.c.run_id, [row[0] for row in rows.runs])
    is_new = [row[0] not in present for row in rows.runs]
    new = list(compress(rows.runs, is_new))
    if not new:
        return 0
    columns = dict(zip(RUN_COLUMNS, zip(*new, strict=True), strict=True))
    _check_datasets(connection, set(columns["dataset_id"]))
    _name_sources(connection, columns["source"])
    _name_environments(connection, columns["environment"])
    _add_configurations(connection, set(columns["configuration_id"]), rows.configurations)
    first = (connection.execute(select(func.max(table.c.number))).scalar() or 0) + 1
    numbers = range(first, first + len(new))
    scores = {metric: list(compress(given, is_new)) for metric, given in sorted(rows.scores.items())}
    folds = list(compress(rows.folds, is_new))
    numbered = [(number, *row) for number, row in zip(numbers, new, strict=True)]
    bulk_insert(connection, table, ("number", *RUN_COLUMNS), numbered)
    for metric, given in scores.items():
        pairs = zip(numbers, given, strict=True)
        scored = [(metric, number, score) for number, score in pairs if score is not None]
        bulk_insert(connection, models.run_scores, ("metric", "number", "score"), scored)
    folded = [pair for pair in zip(numbers, folds, strict=True) if pair[1] is not None]
    bulk_insert(connection, models.run_folds, ("number", "fold_scores"), folded)
    digests.add(connection, digests.sums_of_runs(columns, scores, folds))
    return len(new)


def _check_datasets(connection: Connection, dataset_ids: set[str]) -> None:
    unknown = sorted(dataset_ids - known(connection, models.datasets.c.dataset_id, dataset_ids))
    if unknown:
        raise UsageError(
            f"Some runs belong to the data set {unknown[0]!r}"
            f"{f' and {len(unknown) - 1} others' if len(unknown) > 1 else ''}, which the store does not have. "
            "Add it first: store.add_dataset(record)."
        )


def _name_sources(connection: Connection, names: Iterable[str]) -> None:
    for name in sorted(set(names) - known(connection, models.sources.c.name, set(names))):
        put_source(connection, Source(name))


def _name_environments(connection: Connection, digests: Iterable[str | None]) -> None:
    wanted = {digest for digest in digests if digest}
    missing = sorted(wanted - known(connection, models.environments.c.digest, wanted))
    rows = [(digest, "", "", "{}") for digest in missing]
    bulk_insert(connection, models.environments, ("digest", "python", "platform", "versions"), rows)


def _add_configurations(
    connection: Connection, wanted: set[str], given: Mapping[str, tuple[str, str]]
) -> None:
    missing = sorted(wanted - known(connection, models.configurations.c.configuration_id, wanted))
    rows = [(configuration_id, *given[configuration_id]) for configuration_id in missing]
    bulk_insert(connection, models.configurations, ("configuration_id", "algorithm", "parameters"), rows)


def _clean(text: str) -> str:
    # The reason of a crash may be any text: PostgreSQL refuses NUL, all databases refuse surrogates.
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _json(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
