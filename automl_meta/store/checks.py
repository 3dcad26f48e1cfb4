"""Summary of a store's contents, and integrity checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, and_, func, or_, select

from automl_meta.metrics import METRICS
from automl_meta.records import run_digest
from automl_meta.store.contradictions import of_configurations
from automl_meta.store.digests import differing, stored, sums_of_store
from automl_meta.store.migrations import current_revision
from automl_meta.store.models import configurations, datasets, metadata, run_scores, runs
from automl_meta.store.rows import known
from automl_meta.store.seed import folder_digest, planted_seed, seed_folder, shipped_run_ids

__all__ = ["described", "problems"]


def described(connection: Connection) -> dict[str, Any]:
    """Count the contents; see `MetadataStore.info`."""
    of_configuration = runs.join(configurations, configurations.c.configuration_id == runs.c.configuration_id)
    of_dataset = runs.join(datasets, datasets.c.dataset_id == runs.c.dataset_id)
    return {
        "schema": current_revision(connection),
        "seed": planted_seed(connection),
        "datasets": connection.execute(select(func.count()).select_from(datasets)).scalar_one(),
        "runs": connection.execute(select(func.count()).select_from(runs)).scalar_one(),
        "datasets_by_task_type": _counts(connection, datasets.c.task_type, datasets),
        "configurations_by_algorithm": _counts(connection, configurations.c.algorithm, configurations),
        "runs_by_task_type": _counts(connection, datasets.c.task_type, of_dataset),
        "runs_by_algorithm": _counts(connection, configurations.c.algorithm, of_configuration),
        "runs_by_status": _counts(connection, runs.c.status, runs),
        "runs_by_source": _counts(connection, runs.c.source, runs),
        "runs_by_protocol": _counts(connection, runs.c.protocol, runs),
    }


def _counts(connection: Connection, column: Column[Any], table: Any) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).select_from(table).group_by(column))
    return dict(sorted((str(value), count) for value, count in rows))


def problems(connection: Connection) -> list[str]:
    """Run all integrity checks; see `MetadataStore.check`."""
    return [
        *_damage(connection),
        *_orphans(connection),
        *_impossible_sizes(connection),
        *_impossible_costs(connection),
        *_impossible_scores(connection),
        *_successes_without_scores(connection),
        *_scores_of_failures(connection),
        *_wrong_digests(connection),
        *_changed(connection),
        *_lost_seed(connection),
    ]


def _damage(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for (finding,) in connection.exec_driver_sql("PRAGMA integrity_check(10)"):
            if finding != "ok":
                yield f"The file is damaged: {finding}."


def _orphans(connection: Connection) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            child, parent = key.parent, key.column
            missing = (
                select(child)
                .select_from(table.outerjoin(parent.table, child == parent))
                .where(parent.is_(None), child.is_not(None))
                .distinct()
                .limit(10)
            )
            for value in connection.execute(missing).scalars():
                yield f"{table.name} refers to {child.name} {value!r}, which is missing from {parent.table.name}."


def _impossible_sizes(connection: Connection) -> Iterator[str]:
    table = datasets.c
    is_classes = table.task_type == "classification"
    possible = and_(
        table.n_rows > 0, table.n_features > 0, or_(and_(is_classes, table.n_classes > 1), ~is_classes)
    )
    query = select(table.dataset_id, table.n_rows, table.n_features, table.n_classes)
    for dataset_id, *sizes in connection.execute(query.where(~possible).order_by(table.dataset_id).limit(10)):
        shown = ", ".join(
            f"{size} {what}" for size, what in zip(sizes, ("rows", "columns", "classes"), strict=True)
        )
        yield f"Data set {dataset_id} has an impossible size: {shown}."


def _impossible_costs(connection: Connection) -> Iterator[str]:
    for column in (runs.c.fit_seconds, runs.c.predict_seconds, runs.c.seconds, runs.c.peak_memory):
        query = select(runs.c.run_id, column).where(column < 0.0).order_by(runs.c.number).limit(10)
        for run_id, value in connection.execute(query):
            yield f"Run {run_id} has a negative {column.name}: {value:g}."


def _successes_without_scores(connection: Connection) -> Iterator[str]:
    # Not by "exists" for each run: the index of scores begins with the metric, so that each would scan all.
    scored = select(run_scores.c.number).distinct().subquery()
    query = (
        select(runs.c.run_id)
        .select_from(runs.outerjoin(scored, scored.c.number == runs.c.number))
        .where(runs.c.status == "ok", scored.c.number.is_(None))
        .order_by(runs.c.number)
        .limit(10)
    )
    for run_id in connection.execute(query).scalars():
        yield f"Run {run_id} has the status ok but no score."


def _impossible_scores(connection: Connection) -> Iterator[str]:
    for metric in METRICS:
        query = (
            select(runs.c.run_id, run_scores.c.score)
            .select_from(runs.join(run_scores, run_scores.c.number == runs.c.number))
            # Rounding may increase a perfect score by the last digit.
            .where(run_scores.c.metric == metric.name, run_scores.c.score > metric.best + 1e-6)
            .order_by(runs.c.number)
            .limit(10)
        )
        for run_id, score in connection.execute(query):
            yield f"Run {run_id} has {metric.name} {score:g}, above the best possible score {metric.best:g}."


def _scores_of_failures(connection: Connection) -> Iterator[str]:
    query = (
        select(runs.c.run_id, runs.c.status)
        .select_from(runs.join(run_scores, run_scores.c.number == runs.c.number))
        .where(runs.c.status != "ok")
        .distinct()
        .limit(10)
    )
    for run_id, status in connection.execute(query):
        yield f"Run {run_id} has the status {status} but has scores."


def _wrong_digests(connection: Connection) -> Iterator[str]:
    rows = [tuple(row) for row in connection.execute(select(configurations))]
    for _, problem in of_configurations(rows):
        yield f"The {problem}: its id or its parameters were modified."
    query = select(runs.c.run_id, runs.c.dataset_id, runs.c.configuration_id, runs.c.protocol, runs.c.source)
    for run_id, *names in connection.execute(query):
        if (digest := run_digest(*map(str, names))) != run_id:
            yield f"Run {run_id} has the digest {digest}: its id or its fields were modified."


def _changed(connection: Connection) -> Iterator[str]:
    for dataset_id, parts in differing(sums_of_store(connection), stored(connection)).items():
        yield f"Data set {dataset_id}: modified or damaged ({', '.join(parts)})."


def _lost_seed(connection: Connection) -> Iterator[str]:
    """Compare with the shipped experience if the store contains this version of it."""
    folder, planted = seed_folder(), planted_seed(connection)
    if folder is None or planted is None or planted != folder_digest(folder):
        return
    shipped = shipped_run_ids(folder)
    lost = shipped - known(connection, runs.c.run_id, shipped)
    if lost:
        yield f"{len(lost)} runs of the shipped experience are missing, for example {min(lost)}."
