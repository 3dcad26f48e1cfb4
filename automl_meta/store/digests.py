"""Digests, by which a store detects that rows were damaged or modified.

Each data set has a digest of every part of its records: its description, its meta-features, the
results of its runs, its scores by each metric. A digest is the sum, modulo 2^64, of one hash for
each row. So it does not depend on the order of the rows, and adding rows means adding their
hashes, without reading the others. Digests detect damage and manual changes, but not changes by
a program that updates them too.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, select

from automl_meta._utils.databases import shown_url
from automl_meta.exceptions import StoreError
from automl_meta.store.models import (
    datasets,
    digests,
    metafeature_costs,
    metafeature_values,
    run_folds,
    run_scores,
    runs,
)
from automl_meta.store.rows import as_columns, bulk_insert, columns_of, looked_up, numbers, placeholder

__all__ = [
    "COSTS",
    "DESCRIPTION",
    "METAFEATURES",
    "ORIGINS",
    "RESULTS",
    "Digests",
    "add",
    "changed",
    "damaged",
    "differing",
    "hashes",
    "renew",
    "score_part",
    "stored",
    "sums",
    "sums_of_columns",
    "sums_of_runs",
    "sums_of_store",
    "verify",
    "write_all",
]

Digests = Mapping[tuple[str, str], int]
"""Mapping of data set and part to digest."""

DESCRIPTION, METAFEATURES, COSTS = "description", "metafeatures", "costs"
RESULTS, ORIGINS, DETAILS, FOLDS = "results", "origins", "details", "folds"

RUN_PARTS = {
    RESULTS: ("run_id", "configuration_id", "fit_seconds", "seconds", "status"),
    ORIGINS: ("run_id", "protocol", "created_at"),
    DETAILS: ("run_id", "source", "environment", "reason", "predict_seconds", "peak_memory"),
}
"""Columns of each part of the runs; parts are separate since few readers need all."""

_OF_DATASETS: Mapping[str, tuple[Column[Any], ...]] = {
    DESCRIPTION: tuple(datasets.c),
    METAFEATURES: tuple(metafeature_values.c),
    COSTS: tuple(metafeature_costs.c),
}
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_TEXT = "{:016x}"


def score_part(metric: str) -> str:
    """Return the name of the part with the scores of a metric."""
    return f"score:{metric}"


def hashes(column: Sequence[Any] | NDArray[Any], is_text: bool) -> NDArray[np.uint64]:
    """Hash each value of a column: text by its UTF-8, numbers by their bits; None is a value too."""
    if not is_text:
        values = numbers(column) + 0.0  # one zero, and one NaN
        return np.where(np.isnan(values), np.nan, values).view(np.uint64)
    known = {
        value: 0 if value is None else 1 + zlib.crc32(str(value).encode("utf-8", "surrogatepass"))
        for value in set(column)
    }
    return np.fromiter((known[value] for value in column), np.uint64, len(column))


def sums(dataset_ids: Sequence[Any] | NDArray[Any], *columns: NDArray[np.uint64]) -> dict[str, int]:
    """Sum the hashes of rows, given as hashes of their columns, for each data set."""
    mixed = np.full(len(dataset_ids), _FACTOR, dtype=np.uint64)
    for column in columns:
        mixed = (mixed ^ column) * _FACTOR  # modulo 2^64, as below
        mixed ^= mixed >> _SHIFT
    codes, names = pd.factorize(np.asarray(dataset_ids, dtype=object))
    totals = np.zeros(len(names), dtype=np.uint64)
    known = codes >= 0
    np.add.at(totals, codes[known], mixed[known])
    return dict(zip(map(str, names), totals.tolist(), strict=True))


def _named(part: str, found: Mapping[str, int]) -> dict[tuple[str, str], int]:
    return {(dataset_id, part): value for dataset_id, value in found.items()}


def _is_text(column: Column[Any]) -> bool:
    return column.type.python_type is str


def sums_of_runs(
    columns: Mapping[str, Sequence[Any]],
    scores: Mapping[str, Sequence[float | None]],
    folds: Sequence[str | None],
) -> dict[tuple[str, str], int]:
    """Compute digests of runs given as columns of the table, scores by metric, and JSON texts of folds."""
    found, dataset_ids, run_ids = _sums_of_run_table(columns)
    optional = [(score_part(metric), given, False) for metric, given in scores.items()]
    for part, given, is_text in (*optional, (FOLDS, folds, True)):
        there = np.array([value is not None for value in given], dtype=bool)
        values = hashes([value for value in given if value is not None], is_text)
        found |= _named(part, sums(dataset_ids[there], run_ids[there], values))
    return found


def _sums_of_run_table(
    columns: Mapping[str, Sequence[Any] | NDArray[Any]],
) -> tuple[dict[tuple[str, str], int], NDArray[Any], NDArray[np.uint64]]:
    """Compute digests of the table of runs; also return the data set of each run and the hash of its id."""
    dataset_ids = np.array(columns["dataset_id"], dtype=object)
    hashed = {
        name: hashes(columns[name], _is_text(runs.c[name])) for names in RUN_PARTS.values() for name in names
    }
    found = {
        key: value
        for part, names in RUN_PARTS.items()
        for key, value in _named(part, sums(dataset_ids, *(hashed[name] for name in names))).items()
    }
    return found, dataset_ids, hashed["run_id"]


def sums_of_store(connection: Connection) -> dict[tuple[str, str], int]:
    """Compute the digests of a whole store from its rows."""
    table = columns_of(connection, select(runs), len(runs.c))
    found, dataset_ids, run_ids = _sums_of_run_table(dict(zip(runs.c.keys(), table, strict=True)))
    for part in _OF_DATASETS:
        found |= _sums_of_part(connection, part)
    position = {number: index for index, number in enumerate(table[0])}

    def of_runs(
        part: str, given: NDArray[Any], values: NDArray[Any], is_text: bool
    ) -> dict[tuple[str, str], int]:
        at = np.fromiter((position.get(number, -1) for number in given), np.intp, len(given))
        known = at >= 0
        return _named(part, sums(dataset_ids[at[known]], run_ids[at[known]], hashes(values[known], is_text)))

    metrics, scored, scores = columns_of(connection, select(run_scores), 3)
    codes, names = pd.factorize(metrics)
    for code, metric in enumerate(names):
        found |= of_runs(score_part(str(metric)), scored[codes == code], scores[codes == code], False)
    folded, folds = columns_of(connection, select(run_folds), 2)
    found |= of_runs(FOLDS, folded, folds, True)
    return found


def _sums_of_part(
    connection: Connection, part: str, dataset_ids: Collection[str] | None = None
) -> dict[tuple[str, str], int]:
    """Compute the digests of one part from the rows, for some or all data sets."""
    columns = _OF_DATASETS[part]
    if dataset_ids is None:
        values = columns_of(connection, select(*columns), len(columns))
    else:
        values = as_columns(list(looked_up(connection, columns[0], dataset_ids, *columns[1:])), len(columns))
    return _named(part, sums_of_columns(columns, values))


def sums_of_columns(columns: Iterable[Column[Any]], values: Sequence[Any] | NDArray[Any]) -> dict[str, int]:
    """Sum the hashes of rows given as columns, of which the first is the data set."""
    return sums(
        values[0], *(hashes(column, _is_text(about)) for column, about in zip(values, columns, strict=True))
    )


def stored(connection: Connection, parts: Collection[str] | None = None) -> dict[tuple[str, str], int]:
    """Read the stored digests of some or all parts."""
    query = select(digests)
    if parts is not None:
        query = query.where(digests.c.part.in_(parts))
    rows = columns_of(connection, query, 3).T
    return {(str(dataset_id), str(part)): _value(text) for dataset_id, part, text in rows}


def _value(text: Any) -> int:
    try:
        return int(text, 16)
    except (TypeError, ValueError):
        return -1  # damaged; no digest is negative


def add(connection: Connection, found: Digests) -> None:
    """Update the digests for new rows. The caller holds the write lock."""
    rows = looked_up(
        connection, digests.c.dataset_id, {key[0] for key in found}, digests.c.part, digests.c.value
    )
    written = {(dataset_id, part): _value(text) for dataset_id, part, text in rows}
    # A damaged digest remains damaged.
    _write(
        connection,
        {
            key: -1 if written.get(key, 0) < 0 else (written.get(key, 0) + value) % 2**64
            for key, value in found.items()
        },
    )


def renew(connection: Connection, part: str, dataset_ids: Collection[str]) -> None:
    """Recompute the digests of one part for some data sets. The caller holds the write lock."""
    if dataset_ids:
        found = _sums_of_part(connection, part, dataset_ids)
        _write(
            connection, {(dataset_id, part): found.get((dataset_id, part), 0) for dataset_id in dataset_ids}
        )


def write_all(connection: Connection) -> None:
    """Compute all digests of a store without any."""
    _write(connection, sums_of_store(connection))


def _write(connection: Connection, values: Digests) -> None:
    place = placeholder(connection)
    keys = sorted(values)
    if keys:
        connection.exec_driver_sql(f"DELETE FROM digests WHERE dataset_id = {place} AND part = {place}", keys)
    bulk_insert(connection, digests, digests.c.keys(), [(*key, _TEXT.format(values[key])) for key in keys])


def verify(
    connection: Connection, part: str, found: Mapping[str, int], dataset_ids: Collection[str] | None = None
) -> None:
    """Compare the digests of rows that were read with the stored digests, for some or all data sets.

    Raises
    ------
    StoreError
        If they differ; the message names a data set.
    """
    written = stored(connection, [part])
    if dataset_ids is not None:
        chosen = set(dataset_ids)
        written = {key: value for key, value in written.items() if key[0] in chosen}
    wrong = differing(_named(part, found), written)
    if wrong:
        raise changed(connection, wrong)


def changed(connection: Connection, wrong: Mapping[str, Sequence[str]]) -> StoreError:
    """Create the error of a store with modified data sets, given as a mapping of ids to parts."""
    dataset_id, parts = next(iter(wrong.items()))
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return damaged(
        connection,
        f"the records of data set {dataset_id}{more} do not match their digests ({', '.join(parts)})",
    )


def damaged(connection: Connection, detail: str) -> StoreError:
    """Create the error of a damaged store."""
    where = shown_url(connection.engine.url)
    return StoreError(
        f"The store {where} is damaged or was modified: {detail}. For all problems: automl-meta store "
        "check. To keep the rest: automl-meta store export FOLDER --skip-damaged, move the store away, "
        "automl-meta store import FOLDER."
    )


def differing(found: Digests, written: Digests) -> dict[str, list[str]]:
    """Return the data sets whose digests differ, with the differing parts."""
    wrong: dict[str, list[str]] = {}
    for dataset_id, part in sorted(found.keys() | written.keys()):
        # A part without rows has the sum zero.
        if found.get((dataset_id, part), 0) != written.get((dataset_id, part), 0):
            wrong.setdefault(dataset_id, []).append(part)
    return wrong
