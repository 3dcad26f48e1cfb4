"""A store that does not hold what was written says so, and gives no other advice."""

import sqlite3
from pathlib import Path

import pytest
from store.store_workers import configuration, dataset, fill, run

from automl_meta.exceptions import StoreError
from automl_meta.records import Source
from automl_meta.store import MetadataStore


def changed(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


CHANGES = [
    "UPDATE run_scores SET score = 0.99 WHERE metric = 'accuracy' AND number = 1",
    "DELETE FROM run_scores WHERE metric = 'accuracy' AND number = 1",
    "UPDATE runs SET status = 'crash' WHERE number = 1",
    "UPDATE runs SET seconds = 0.001 WHERE number = 1",
    "UPDATE runs SET fit_seconds = x'00ff' WHERE number = 1",
    "UPDATE runs SET dataset_id = 'classification-1' WHERE number = 1",
    "UPDATE metafeature_values SET value = 1e9 WHERE dataset_id = 'classification-0'",
    "UPDATE metafeature_values SET name = 'n_rowz' WHERE dataset_id = 'classification-0' AND name = 'n_rows'",
    "UPDATE datasets SET n_rows = 7 WHERE dataset_id = 'classification-0'",
    "UPDATE datasets SET n_rows = 'many' WHERE dataset_id = 'classification-0'",
    "UPDATE datasets SET task_type = 'klassification' WHERE dataset_id = 'classification-0'",
    "UPDATE digests SET value = 'zz' WHERE dataset_id = 'classification-0'",
    "DELETE FROM digests WHERE dataset_id = 'classification-0' AND part = 'results'",
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_by_hand_does_not_advise(tmp_path: Path, change: str) -> None:
    path = tmp_path / "store.db"
    with MetadataStore(path, seed=False) as store:
        fill(store, n_datasets=2, n_configurations=4)
        store.meta_dataset("accuracy", "classification")
    changed(path, change)
    with MetadataStore(path, seed=False) as store:
        with pytest.raises(
            StoreError, match=r"data set classification-0.* do not match their digests"
        ) as caught:
            store.meta_dataset("accuracy", "classification")
        assert "\n" not in str(caught.value)
        assert any("classification-0" in problem for problem in store.check())
        with pytest.raises(StoreError, match="--skip-damaged"):
            store.export(tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE configurations SET parameters = '{}'", "does not match its id"),
        ("UPDATE configurations SET parameters = 'no json'", "does not match its id"),
        ("UPDATE configurations SET algorithm = 'tree'", "does not match its id"),
        ("DELETE FROM configurations", "is missing"),
    ],
)
def test_a_configuration_that_is_not_what_its_id_says_does_not_advise(
    tmp_path: Path, change: str, problem: str
) -> None:
    path = tmp_path / "store.db"
    with MetadataStore(path, seed=False) as store:
        fill(store, n_datasets=2, n_configurations=4)
    changed(path, change)
    with MetadataStore(path, seed=False) as store:
        with pytest.raises(StoreError, match=rf"the configuration .* {problem}"):
            store.meta_dataset("accuracy", "classification")
        assert any("onfiguration" in problem for problem in store.check())


def test_the_rest_of_a_damaged_store_can_be_taken_elsewhere(tmp_path: Path, cli) -> None:
    path = tmp_path / "store.db"
    with MetadataStore(path, seed=False) as store:
        fill(store, n_datasets=3, n_configurations=4)
    changed(path, "UPDATE runs SET seconds = 1e-3 WHERE number = 1")
    done = cli("store export --skip-damaged", tmp_path / "out", "--store", path)
    assert done.code == 0
    assert "Left out, since it is damaged: data set classification-0." in done.out
    with MetadataStore(tmp_path / "new.db", seed=False) as store:
        assert store.import_folder(tmp_path / "out") == 5 * 4
        assert store.check() == []


def test_runs_of_other_protocols_and_rivals_are_verified_too(file_store: MetadataStore) -> None:
    file_store.add_dataset(dataset(0))
    file_store.add_runs([run(dataset(0), 1), run(dataset(0), 1, protocol="other"), run(dataset(0), 2)])
    meta = file_store.meta_dataset("accuracy", "classification", protocol="other")
    assert list(meta.runs["configuration_id"]) == [configuration(1).configuration_id]
    changed(file_store.path, "UPDATE runs SET created_at = '2020-01-01T00:00:00Z' WHERE number = 1")
    file_store.add_source(Source("new"))  # so that it is read again
    with pytest.raises(StoreError, match=r"do not match their digests .*origins"):
        file_store.meta_dataset("accuracy", "classification")


NOT_JSON = ["'no json'", "'[1]'", "'7'", f"'{'[' * 100_000}'", "x'00ff'"]


@pytest.mark.parametrize("content", [*NOT_JSON, "'{\"accuracy\": 1}'"], ids=range(6))
def test_a_run_whose_folds_cannot_be_read_is_named(file_store: MetadataStore, content: str) -> None:
    file_store.add_dataset(dataset(0))
    file_store.add_runs([run(dataset(0), 1)])
    changed(file_store.path, f"UPDATE run_folds SET fold_scores = {content}")
    with pytest.raises(StoreError, match=f"the run {run(dataset(0), 1).run_id} of the data set"):
        list(file_store.runs())


@pytest.mark.parametrize("content", NOT_JSON, ids=range(5))
def test_parameters_that_cannot_be_read_are_damage(file_store: MetadataStore, content: str) -> None:
    file_store.add_dataset(dataset(0))
    file_store.add_runs([run(dataset(0), 1)])
    changed(file_store.path, f"UPDATE configurations SET parameters = {content}")
    for read in (lambda: list(file_store.runs()), lambda: file_store.export(file_store.path.parent / "out")):
        with pytest.raises(StoreError, match="is damaged"):
            read()


def test_a_configuration_that_is_lost_is_named(file_store: MetadataStore) -> None:
    file_store.add_dataset(dataset(0))
    file_store.add_runs(run(dataset(0), number) for number in range(3))
    lost = configuration(1).configuration_id
    changed(file_store.path, f"DELETE FROM configurations WHERE configuration_id = '{lost}'")
    with pytest.raises(StoreError, match=f"the configuration {lost} is missing"):
        file_store.meta_dataset("accuracy", "classification")
