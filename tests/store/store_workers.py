"""Made-up experience, and what other processes do with a store."""

import contextlib
import math
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine

from automl_meta.metrics import metrics_for
from automl_meta.records import Configuration, DatasetRecord, Run
from automl_meta.store import MetadataStore
from automl_meta.store.location import resolve_url

ALGORITHMS = ("forest", "knn", "ridge")


@contextlib.contextmanager
def connected(url: str | Path) -> Iterator[Connection]:
    """A transaction that does not go through the store, and commits."""
    with create_engine(resolve_url(url), poolclass=NullPool).begin() as connection:
        yield connection


def dataset(number: int, task_type: str = "classification", **changes) -> DatasetRecord:
    """A data set with three meta-features, one of them not computable."""
    values = {
        "dataset_id": f"{task_type}-{number}",
        "name": f"Data set {number}",
        "task_type": task_type,
        "n_rows": 100 + number,
        "n_features": 5,
        "n_classes": 2 if task_type == "classification" else 0,
        "target_scale": 2.0 if task_type == "regression" else math.nan,
        "metafeatures": {"n_rows": 100.0 + number, "skewness": math.nan, "entropy": number / 7},
    }
    return DatasetRecord(**{**values, **changes})


def configuration(number: int) -> Configuration:
    """One of some made-up configurations, with a parameter of each kind."""
    return Configuration(
        ALGORITHMS[number % len(ALGORITHMS)],
        {"depth": number, "rate": number / 3, "kernel": "rbf", "shrink": number % 2 == 0, "limit": None},
    )


def run(record: DatasetRecord, number: int, **changes) -> Run:
    """A good run, or a failed one if `changes` say so."""
    score = 0.5 + ((7 * number) % 11) / 23
    names = [metric.name for metric in metrics_for(record.task_type)]
    sign = {name: -1.0 if name.startswith("neg_") else 1.0 for name in names}
    values = {
        "dataset_id": record.dataset_id,
        "configuration": configuration(number),
        "status": "ok",
        "scores": {name: sign[name] * score for name in names},
        "fold_scores": {name: (sign[name] * score, math.nan, sign[name] * 0.25) for name in names},
        "fit_seconds": 0.5 + number,
        "predict_seconds": 0.1,
        "seconds": 3.0 + number,
        "peak_memory": 1e6,
    }
    return Run(**{**values, **changes})


def failed_run(record: DatasetRecord, number: int, **changes) -> Run:
    """A run that took too long."""
    lost = {"scores": {}, "fold_scores": {}, "fit_seconds": math.nan, "peak_memory": math.nan}
    return run(record, number, **{**lost, "status": "timeout", "reason": 'took 60 s,\n"too" long', **changes})


def fill(store: MetadataStore, n_datasets: int, n_configurations: int) -> list[Run]:
    """Experience on data sets of both kinds; the last configuration fails everywhere."""
    runs = []
    for task_type in ("classification", "regression"):
        for number in range(n_datasets):
            record = dataset(number, task_type)
            store.add_dataset(record, versions={"n_rows": 1, "entropy": 2}, seconds={"simple": 0.25})
            runs += [run(record, k) for k in range(n_configurations - 1)]
            runs.append(failed_run(record, n_configurations - 1))
    store.add_runs(runs)
    return runs


def open_store(worker: int, url: str) -> int:
    """Open a store that may not be there yet."""
    with MetadataStore(url, seed=False) as store:
        return len(store.run_ids())


def write_runs(worker: int, url: str, n_runs: int) -> int:
    """Add runs one at a time: half of them are this worker's own, half are everybody's."""
    with MetadataStore(url, seed=False) as store:
        record = dataset(0)
        store.add_dataset(record)
        new = 0
        for number in range(n_runs):
            source = f"worker-{worker}" if number % 2 else "everybody"
            new += store.add_runs([run(record, number, source=source)])
        return new


def write_until_killed(url: str, n_scores: int) -> None:
    """Be killed between the runs and their scores, in the middle of a transaction."""
    from automl_meta.store import inserts

    insert = inserts.bulk_insert

    def dying_insert(connection, table, columns, rows):
        insert(connection, table, columns, rows)
        if table.name == "runs":
            os.kill(os.getpid(), signal.SIGKILL)

    with MetadataStore(url, seed=False) as store:
        record = dataset(0)
        store.add_dataset(record)
        store.add_runs([run(record, number) for number in range(n_scores)])
        inserts.bulk_insert = dying_insert
        store.add_runs([run(record, number) for number in range(n_scores, 500 + n_scores)])
