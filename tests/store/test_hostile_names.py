"""Names go through the store, its exports and its addresses unchanged."""

import hashlib
import json
import pickle
import shlex
from pathlib import Path

import pytest
from hostile_names import HOSTILE_FILE_NAMES
from hostile_names import HOSTILE_NAMES as ALL_NAMES

from automl_meta.exceptions import StoreError, UsageError
from automl_meta.records import LONGEST_NAME, Configuration, DatasetRecord, Run, Source
from automl_meta.store import MetadataStore

HOSTILE_NAMES = [name for name in ALL_NAMES if len(name) <= LONGEST_NAME]


def filled(path: Path) -> MetadataStore:
    """A data set, a family, a source, a reason and a category of each name."""
    store = MetadataStore(path, seed=False)
    for number, name in enumerate(HOSTILE_NAMES):
        store.add_source(Source(name, description=name, url=name, licence=name, citation=name))
        store.add_dataset(
            DatasetRecord(str(number), name, "classification", 100, 5, 2, family=name, source=name)
        )
    store.add_runs(
        Run(
            str(number),
            Configuration("knn", {"weights": name, name: 1}),
            "crash",
            reason=name,
            source=name,
            protocol=name,
        )
        for number, name in enumerate(HOSTILE_NAMES)
    )
    return store


def test_an_export_is_imported_as_it_was(tmp_path: Path) -> None:
    folder, again = tmp_path / "{0} [x]", tmp_path / "again"
    with filled(tmp_path / "a.db") as store, MetadataStore(tmp_path / "b.db", seed=False) as other:
        store.export(folder)
        assert other.import_folder(folder) == len(HOSTILE_NAMES)
        assert other.check() == store.check() == []
        assert other.datasets().sort_index().equals(store.datasets().sort_index())
        key = lambda run: run.run_id  # noqa: E731
        for one, two in zip(sorted(store.runs(), key=key), sorted(other.runs(), key=key), strict=True):
            assert (one.reason, one.source, one.protocol) == (two.reason, two.source, two.protocol)
            assert one.configuration == two.configuration
        other.export(again)
    for name in ("datasets.csv", "configurations.csv", "sources.toml"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_the_runs_of_one_source_are_exported(tmp_path: Path) -> None:
    with filled(tmp_path / "a.db") as store:
        for name in HOSTILE_NAMES[::10]:
            store.export(tmp_path / "one", source=name)
            assert [run.reason for run in store.runs(source=name)] == [name]


def test_stores_of_any_file_name_are_opened_again(tmp_path: Path) -> None:
    for name in HOSTILE_FILE_NAMES[::4]:
        path = tmp_path / f"{name}.db"
        with MetadataStore(path, seed=False) as store:
            store.add_dataset(DatasetRecord("x", name, "classification", 100, 5, 2))
            with pickle.loads(pickle.dumps(store)) as again:
                assert again.path == path
                assert again.dataset("x").name == name
        assert path.is_file()


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside.csv", "runs/../../outside.csv"])
def test_an_import_reads_nothing_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    with filled(tmp_path / "a.db") as store:
        store.export(folder)
        (tmp_path / "outside.csv").write_text("secret")
        checksums = json.loads((folder / "checksums.json").read_text())
        checksums[name] = hashlib.sha256(b"secret").hexdigest()
        (folder / "checksums.json").write_text(json.dumps(checksums))
        with pytest.raises(StoreError, match="is not a file of an export"):
            store.import_folder(folder)


def test_a_command_that_is_proposed_holds_the_name_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a'; rm -rf x.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError) as caught:
        MetadataStore(path, seed=False)
    command = str(caught.value).partition("(mv ")[2].partition("); `automl")[0]
    assert shlex.split(command) == [str(path), f"{path}.damaged"]


def test_a_name_that_no_database_has_room_for_is_refused() -> None:
    name = "x" * 256
    with pytest.raises(UsageError, match="has 256 characters; 255 are the most"):
        Source(name)
    with pytest.raises(UsageError, match="255 are the most"):
        DatasetRecord("1", name, "classification", 100, 5, 2)
    with pytest.raises(UsageError, match="255 are the most"):
        Run("1", Configuration("knn"), "ok", source=name)
