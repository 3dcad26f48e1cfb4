"""The store looks at itself."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from store.store_workers import connected, dataset, fill, run

from automl_meta.store import MetadataStore


def test_a_store_in_order_has_no_problems(store: MetadataStore) -> None:
    fill(store, n_datasets=2, n_configurations=4)
    assert store.check() == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE run_scores SET score = 1.5 WHERE metric = 'accuracy' AND number = 1", "has accuracy 1.5"),
        ("UPDATE runs SET status = 'crash' WHERE number = 1", "has the status crash but has scores"),
        ("UPDATE runs SET protocol = 'other' WHERE number = 1", "its id or its fields were modified"),
        ("UPDATE configurations SET parameters = '{}'", "its id or its parameters were modified"),
        ("DELETE FROM datasets WHERE dataset_id = 'classification-0'", "which is missing from datasets"),
        ("DELETE FROM configurations", "which is missing from configurations"),
        ("DELETE FROM runs WHERE number = 1", "which is missing from runs"),
        ("DELETE FROM run_scores WHERE number = 1", "has the status ok but no score"),
        ("UPDATE runs SET fit_seconds = -1 WHERE number = 1", "has a negative fit_seconds: -1"),
        ("UPDATE datasets SET n_classes = 1", "an impossible size: 100 rows, 5 columns, 1 classes"),
    ],
)
def test_what_somebody_changed_by_hand_is_found(file_store: MetadataStore, change: str, problem: str) -> None:
    fill(file_store, n_datasets=1, n_configurations=2)
    with connected(file_store.path) as connection:
        connection.exec_driver_sql(change)
    assert any(problem in sentence for sentence in file_store.check())


def test_a_perfect_score_is_possible(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    store.add_runs([run(dataset(0), 1, scores={"accuracy": 1.0, "neg_log_loss": 0.0})])
    assert store.check() == []


def test_runs_of_the_shipped_experience_that_got_lost_are_counted(tmp_path: Path) -> None:
    with MetadataStore(tmp_path / "seeded.db") as seeded:
        assert seeded.check() == []
        with connected(seeded.path) as connection:
            for table in ("run_scores", "run_folds", "runs"):
                connection.exec_driver_sql(f"DELETE FROM {table} WHERE number <= 3")
        *changed, lost = seeded.check()
        assert lost.startswith("3 runs of the shipped experience are missing")
        assert all("modified or damaged" in problem for problem in changed)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET fit_seconds = 0, predict_seconds = 0, seconds = 0, peak_memory = 0",
        "UPDATE runs SET fit_seconds = NULL, peak_memory = NULL",
        "UPDATE run_scores SET score = 1.0000005 WHERE metric = 'accuracy'",
        "UPDATE datasets SET n_rows = 1, n_features = 1",
        "UPDATE datasets SET n_classes = 2 WHERE task_type = 'classification'",
    ],
)
def test_what_is_only_just_possible_is_no_problem(file_store: MetadataStore, change: str) -> None:
    fill(file_store, n_datasets=1, n_configurations=2)
    with contextlib.closing(sqlite3.connect(file_store.path)) as connection, connection:
        connection.execute(change)
    assert all("modified or damaged" in problem for problem in file_store.check())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE runs SET predict_seconds = -1e-9", "negative predict_seconds: -1e-09"),
        ("UPDATE runs SET peak_memory = -1", "negative peak_memory: -1"),
        ("UPDATE run_scores SET score = 1.000002 WHERE metric = 'accuracy'", "has accuracy"),
        ("UPDATE runs SET status = 'crash'", "the status crash"),
        ("UPDATE runs SET protocol = 'other'", "has the digest"),
        ("DELETE FROM run_scores", "but no score"),
        ("UPDATE datasets SET n_rows = 0", "0 rows"),
        ("UPDATE datasets SET n_features = 0", "0 columns"),
    ],
)
def test_each_of_a_few_problems_is_told_and_of_many_the_first_ten(
    file_store: MetadataStore, change: str, problem: str
) -> None:
    for number in range(12 if "datasets" in change else 1):
        file_store.add_dataset(dataset(number))
    file_store.add_runs(run(dataset(0), number) for number in range(12))
    with contextlib.closing(sqlite3.connect(file_store.path)) as connection, connection:
        connection.execute(change)
    found = [sentence for sentence in file_store.check() if problem in sentence]
    assert len(set(found)) == len(found) == (12 if "protocol" in change else 10)
