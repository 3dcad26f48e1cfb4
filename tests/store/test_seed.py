"""Experience as a folder: shipped, exported, imported."""

import csv
import gzip
import hashlib
import io
import json
import tomllib
from pathlib import Path

import pytest
from store.store_workers import configuration, connected, dataset, fill, run

from automl_meta.exceptions import StoreError, UsageError
from automl_meta.records import DatasetRecord, Environment, Source
from automl_meta.store import MetadataStore
from automl_meta.store.digests import write_all


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_an_export_comes_back_the_same_byte_for_byte(store: MetadataStore, tmp_path: Path) -> None:
    environment = Environment("3.11.7", 'Linux "x86"\\', {"numpy": "2.4", "scikit-learn": "1.9"})
    store.add_environment(environment)
    store.add_source(Source("paper", description="Größe\n\x7f", citation="Somebody (2024)"))
    fill(store, n_datasets=3, n_configurations=4)
    more = run(dataset(0), 3, source="paper", environment=environment.digest, scores={"accuracy": 1 / 3})
    store.add_runs([more, run(dataset(0), 4, environment="0" * 16)])
    store.export(tmp_path / "one")
    with MetadataStore(tmp_path / "other.db", seed=False) as other:
        assert other.import_folder(tmp_path / "one") == len(store.run_ids())
        other.export(tmp_path / "two")
        assert other.check() == []
        assert other.run_ids() == store.run_ids()
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_export_does_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    for name, order in (("one", (1, 2, 3)), ("two", (3, 1, 2))):
        with MetadataStore(tmp_path / f"{name}.db", seed=False) as store:
            for number in order:
                store.add_dataset(dataset(number))
                store.add_runs([run(dataset(number), k) for k in order])
            with connected(store.path) as connection:
                connection.exec_driver_sql("UPDATE runs SET created_at = '2026-01-01T00:00:00Z'")
                write_all(connection)
            store.export(tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_scores_keep_six_digits_and_those_of_folds_four(store: MetadataStore, tmp_path: Path) -> None:
    store.add_dataset(dataset(0, "regression", target_scale=1 / 3, metafeatures={"mean": 12345678.25}))
    folds = {"r2": (1 / 3, float("nan"), 2e-7)}
    store.add_runs([run(dataset(0, "regression"), 1, scores={"r2": 1 / 3}, fold_scores=folds)])
    store.export(tmp_path / "seed")
    with MetadataStore("sqlite://", seed=False) as other:
        other.import_folder(tmp_path / "seed")
        returned = next(other.runs())
        assert returned.scores == {"r2": 0.333333}
        assert repr(returned.fold_scores) == "{'r2': (0.3333, nan, 2e-07)}"
        assert other.dataset("regression-0").target_scale == 1 / 3
        assert other.dataset("regression-0").metafeatures["mean"] == pytest.approx(12345678.25, rel=1e-8)


def test_the_files_are_what_the_documentation_says(store: MetadataStore, tmp_path: Path) -> None:
    fill(store, n_datasets=2, n_configurations=4)
    store.export(tmp_path / "seed")
    files = contents(tmp_path / "seed")
    assert sorted(files) == [
        "checksums.json",
        "configurations.csv",
        "datasets.csv",
        "metafeature_seconds.csv",
        "metafeatures.csv",
        "runs/classification.csv.gz",
        "runs/regression.csv.gz",
        "sources.toml",
    ]
    assert files["metafeatures.csv"].splitlines()[:2] == [
        b"dataset_id,entropy,n_rows,skewness",
        b"classification-0,0,100,nan",
    ]
    assert tomllib.loads(files["sources.toml"].decode())["metafeature_versions"] == {
        "entropy": 2,
        "n_rows": 1,
        "skewness": 2,
    }
    header = gzip.decompress(files["runs/regression.csv.gz"]).splitlines()[0].decode().split(",")
    assert header[:4] == ["run_id", "dataset_id", "configuration_id", "protocol"]
    assert {"score:r2", "folds:r2"} <= set(header)


def test_an_export_replaces_what_an_earlier_one_left(tmp_path: Path) -> None:
    folder = tmp_path / "seed"
    with MetadataStore("sqlite://", seed=False) as store:
        fill(store, n_datasets=2, n_configurations=3)
        store.export(folder)
    (folder / "README.md").write_text("kept")
    with MetadataStore("sqlite://", seed=False) as store:
        store.add_dataset(dataset(0))
        store.add_runs([run(dataset(0), 0)])
        store.export(folder)
    assert [path.name for path in (folder / "runs").iterdir()] == ["classification.csv.gz"]
    assert (folder / "README.md").read_text() == "kept"
    with MetadataStore("sqlite://", seed=False) as store:
        assert store.import_folder(folder) == 1


def test_an_export_can_be_of_one_source_only(store: MetadataStore, tmp_path: Path) -> None:
    fill(store, n_datasets=2, n_configurations=3)
    store.add_dataset(dataset(9, source="other"))
    store.add_runs([run(dataset(0), 7, source="other")])
    store.export(tmp_path / "seed", source="other")
    with MetadataStore("sqlite://", seed=False) as other:
        assert other.import_folder(tmp_path / "seed") == 1
        assert list(other.datasets().index) == ["classification-0", "classification-9"]
        assert other.info()["configurations_by_algorithm"] == {configuration(7).algorithm: 1}
        assert other.check() == []
    with pytest.raises(UsageError, match=r"no source 'nobody'.*local, other"):
        store.export(tmp_path / "seed", source="nobody")


def test_an_empty_store_can_be_exported_and_imported(store: MetadataStore, tmp_path: Path) -> None:
    store.export(tmp_path / "seed")
    assert store.import_folder(tmp_path / "seed") == 0


def test_importing_twice_adds_once_and_keeps_what_was_there(store: MetadataStore, seed: Path) -> None:
    store.add_dataset(dataset(0))
    store.add_runs([run(dataset(0), 0, scores={"accuracy": 0.125})])
    n_new = store.import_folder(seed)
    assert n_new == 2 * 3 * 4 - 1
    assert store.import_folder(seed) == 0
    assert next(store.runs()).scores == {"accuracy": 0.125}


def test_a_new_store_starts_with_the_shipped_experience(url: str, seed: Path) -> None:
    with MetadataStore(url) as store:
        assert store.info()["runs"] == 24
        assert store.info()["seed"] is not None
        assert store.check() == []


def test_a_store_without_the_shipped_experience_can_be_asked_for(seed: Path) -> None:
    with MetadataStore("sqlite://", seed=False) as store:
        assert len(store.run_ids()) == 0


def test_the_shipped_experience_is_read_once(
    seed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MetadataStore(tmp_path / "store.db").close()
    monkeypatch.setattr("automl_meta.store.seed.import_experience", None)
    with MetadataStore(tmp_path / "store.db") as store:
        assert len(store.run_ids()) == 24


def test_newer_shipped_experience_is_added(seed: Path, tmp_path: Path) -> None:
    with MetadataStore(tmp_path / "store.db") as store:
        store.add_runs([run(dataset(0), 99)])
    with MetadataStore(tmp_path / "newer.db") as source:
        source.add_dataset(dataset(8, metafeatures={"entropy": 0.5}))
        source.add_dataset(dataset(0, metafeatures={"entropy": 0.75}), versions={"entropy": 3})
        source.add_runs([run(dataset(8), 1)])
        source.export(seed)
    with MetadataStore(tmp_path / "store.db") as store:
        assert len(store.run_ids()) == 26
        assert store.dataset("classification-0").metafeatures["entropy"] == 0.75
        assert store.info()["seed"] == hashlib.sha256((seed / "checksums.json").read_bytes()).hexdigest()


def test_a_checkout_without_shipped_experience_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl_meta.store.seed.seed_folder", lambda: None)
    with MetadataStore("sqlite://") as store:
        assert len(store.run_ids()) == 0


@pytest.mark.parametrize(
    "name",
    ["datasets.csv", "metafeatures.csv", "configurations.csv", "runs/regression.csv.gz", "sources.toml"],
)
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_file_is_named_and_nothing_is_stored(
    seed: Path, name: str, damage: str, tmp_path: Path
) -> None:
    path = seed / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else content[:-3] + b"xyz")
    with pytest.raises(StoreError, match=name):
        MetadataStore(tmp_path / "store.db")
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        assert len(store.datasets()) == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("checksums.json", b"{"),
        ("checksums.json", b"[]"),
        ("checksums.json", b"{}"),
        ("datasets.csv", b""),
        ("datasets.csv", b"dataset_id,name\na,b\n"),
        ("datasets.csv", b"\xff\xfe\x00"),
        ("metafeatures.csv", b"dataset_id,a\nclassification-0,many\n"),
        ("runs/regression.csv.gz", b"no gzip"),
        ("sources.toml", b"= nothing"),
        ("sources.toml", b"[[sources]]\ncolour = 'red'\n"),
    ],
)
def test_content_that_makes_no_sense_is_named_though_its_checksum_is_right(
    seed: Path, name: str, content: bytes
) -> None:
    (seed / name).write_bytes(content)
    if name != "checksums.json":
        checksums = json.loads((seed / "checksums.json").read_text())
        checksums[name] = hashlib.sha256(content).hexdigest()
        (seed / "checksums.json").write_text(json.dumps(checksums))
    with MetadataStore("sqlite://", seed=False) as store:
        with pytest.raises(StoreError, match=name if content != b"{}" else "sources.toml"):
            store.import_folder(seed)
        assert len(store.datasets()) == 0


def test_a_folder_that_is_no_export_is_told(store: MetadataStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"checksums.json cannot be read.*store export"):
        store.import_folder(tmp_path / "nowhere")


def test_an_export_to_an_impossible_place_is_told(store: MetadataStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        store.export(tmp_path / "file" / "seed")


def test_a_store_that_was_filled_without_the_seed_stays_without_it(seed: Path, tmp_path: Path) -> None:
    with MetadataStore(tmp_path / "own.db", seed=False) as store:
        store.add_dataset(DatasetRecord("mine", "Mine", "classification", 10, 2))
    with MetadataStore(tmp_path / "own.db") as store:
        assert store.info()["datasets"] == 1
        assert store.info()["seed"] is None


def test_what_cannot_be_computed_is_told_from_what_nobody_tried(store: MetadataStore, tmp_path: Path) -> None:
    store.add_dataset(dataset(0, metafeatures={"a": float("nan"), "b": 1 / 3}))
    store.add_dataset(dataset(1, metafeatures={"b": 2.0}))
    store.export(tmp_path / "out")
    lines = (tmp_path / "out" / "metafeatures.csv").read_text().splitlines()
    assert lines == ["dataset_id,a,b", "classification-0,nan,0.333333333", "classification-1,,2"]


def test_values_of_older_versions_are_not_exported(file_store: MetadataStore, tmp_path: Path) -> None:
    for number, version in ((0, 1), (1, 2)):
        file_store.add_dataset(dataset(number, metafeatures={"a": 1.0}), versions={"a": version})
    file_store.export(tmp_path / "out")
    lines = (tmp_path / "out" / "metafeatures.csv").read_text().splitlines()
    assert lines == ["dataset_id,a", "classification-0,", "classification-1,1"]
    assert '"a" = 2' in (tmp_path / "out" / "sources.toml").read_text()


def test_the_columns_of_an_export_are_those_of_its_rows(file_store: MetadataStore, tmp_path: Path) -> None:
    environment = Environment("3.11.7", "Linux x86_64", {"numpy": "2.4", "b": "1"})
    file_store.add_environment(environment)
    file_store.add_source(Source("paper", "About", "https://example.org", "CC0", "Somebody"))
    file_store.add_dataset(dataset(0, "regression"), seconds={"simple": 0.123456})
    folds = {"r2": (1 / 3, float("nan")), "spearman": (0.5,)}
    good = run(
        dataset(0, "regression"),
        1,
        source="paper",
        environment=environment.digest,
        fold_scores=folds,
        seconds=1 / 3,
    )
    file_store.add_runs([good])
    file_store.export(tmp_path / "out")
    table = list(
        csv.DictReader(
            io.StringIO(gzip.decompress((tmp_path / "out/runs/regression.csv.gz").read_bytes()).decode())
        )
    )
    assert len(table) == 1
    assert table[0]["folds:r2"] == "0.3333;nan"
    assert table[0]["folds:spearman"] == "0.5"
    assert table[0]["seconds"] == "0.3333"
    assert table[0]["environment"] == environment.digest
    assert (tmp_path / "out/metafeature_seconds.csv").read_text().splitlines()[1] == "regression-0,0.1235"
    described = tomllib.loads((tmp_path / "out/sources.toml").read_text())
    paper = next(source for source in described["sources"] if source["name"] == "paper")
    assert paper == {
        "name": "paper",
        "description": "About",
        "url": "https://example.org",
        "licence": "CC0",
        "citation": "Somebody",
    }
    assert described["environments"] == [
        {"python": "3.11.7", "platform": "Linux x86_64", "versions": {"numpy": "2.4", "b": "1"}}
    ]


def test_an_environment_that_nobody_described_is_not_exported(
    file_store: MetadataStore, tmp_path: Path
) -> None:
    file_store.add_dataset(dataset(0))
    file_store.add_runs([run(dataset(0), 1, environment="0" * 16)])
    file_store.export(tmp_path / "out")
    assert "environments" not in tomllib.loads((tmp_path / "out" / "sources.toml").read_text())
