"""An export that contradicts itself is refused with its file and line, and nothing of it is stored."""

import csv
import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from store.store_workers import fill

from automl_meta.exceptions import StoreError
from automl_meta.store import MetadataStore

RUNS, DATASETS, CONFIGURATIONS = "runs/classification.csv.gz", "datasets.csv", "configurations.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with MetadataStore("sqlite://", seed=False) as store:
        fill(store, n_datasets=2, n_configurations=4)
        store.export(tmp_path / "export")
    return tmp_path / "export"


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    listed = json.loads((folder / "checksums.json").read_text())
    listed[name] = hashlib.sha256(content).hexdigest()
    (folder / "checksums.json").write_text(json.dumps(listed))


def rewritten(folder: Path, name: str, change: Callable[[list[dict[str, str]]], object]) -> None:
    """Change the rows of a file, as somebody would who also corrects its checksum."""
    content = (folder / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    change(rows)
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    new = buffer.getvalue().encode()
    put(folder, name, gzip.compress(new) if name.endswith(".gz") else new)


def refused(folder: Path) -> str:
    with MetadataStore("sqlite://", seed=False) as store:
        with pytest.raises(StoreError) as caught:
            store.import_folder(folder)
        assert (len(store.datasets()), len(store.run_ids())) == (0, 0)
        assert store.info()["configurations_by_algorithm"] == {}
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "column", "value", "said"),
    [
        (RUNS, "status", "evil", "status 'evil', which is not one of ok, timeout, memout, crash"),
        (RUNS, "seconds", "-1", "seconds -1"),
        (RUNS, "peak_memory", "inf", "peak_memory inf"),
        (RUNS, "score:accuracy", "1.5", "accuracy 1.5, above the best possible score 1"),
        (RUNS, "protocol", "other", "its id or its fields were modified"),
        (RUNS, "protocol", "p" * 300, "300 characters"),
        (RUNS, "created_at", "yesterday", "time 'yesterday'"),
        (RUNS, "configuration_id", "0" * 12, "which is missing"),
        (DATASETS, "n_rows", "-5", "-5 rows"),
        (DATASETS, "n_classes", "1", "1 classes"),
        (DATASETS, "task_type", "ranking", "task type 'ranking'"),
        (DATASETS, "target_scale", "-2", "target_scale -2"),
        (DATASETS, "dataset_id", "regression-1", "is duplicated"),
        (CONFIGURATIONS, "parameters", "notjson", "'notjson', which are not valid JSON"),
        (CONFIGURATIONS, "parameters", "[1]", "not a JSON object"),
        (CONFIGURATIONS, "algorithm", "other", "has the digest"),
    ],
)
def test_a_row_that_cannot_be_is_refused(folder: Path, name: str, column: str, value: str, said: str) -> None:
    rewritten(folder, name, lambda rows: rows[1].update({column: value}))
    message = refused(folder)
    assert f"{folder / name}, line " in message
    assert said in message
    assert message.endswith("Nothing was added.")


def test_the_line_is_that_of_an_editor_though_reasons_span_lines(folder: Path) -> None:
    rewritten(folder, RUNS, lambda rows: rows[-1].update(seconds="-1"))
    lines = gzip.decompress((folder / RUNS).read_bytes()).decode().split("\n")
    number = int(refused(folder).partition(", line ")[2].partition(":")[0])
    assert ",-1," in "\n".join(lines[number - 1 : number + 1])


@pytest.mark.parametrize(
    ("name", "column", "value", "said"),
    [
        (RUNS, "folds:accuracy", "0.5;evil", "folds:accuracy contains more than numbers"),
        (DATASETS, "n_rows", "many", "many"),
        ("metafeatures.csv", "dataset_id", "nobody", "line 3: data set 'nobody' is missing"),
        ("metafeatures.csv", "dataset_id", "classification-0", "is duplicated"),
        ("metafeature_seconds.csv", "simple", "-1", "line 3: data set 'classification-1' has the simple -1"),
    ],
)
def test_what_fits_to_nothing_is_refused(folder: Path, name: str, column: str, value: str, said: str) -> None:
    rewritten(folder, name, lambda rows: rows[1].update({column: value}))
    message = refused(folder)
    assert str(folder / name) in message
    assert said in message


@pytest.mark.parametrize("name", ["../datasets.csv", "/etc/passwd", "runs/../../x.csv.gz", "notes.txt"])
def test_names_that_leave_the_folder_are_refused(folder: Path, name: str) -> None:
    listed = json.loads((folder / "checksums.json").read_text())
    (folder / "checksums.json").write_text(json.dumps({**listed, name: "0" * 64}))
    assert "is not a file of an export" in refused(folder)


def test_links_that_leave_the_folder_and_pipes_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / DATASETS).rename(tmp_path / "elsewhere.csv")
    (folder / DATASETS).symlink_to(tmp_path / "elsewhere.csv")
    assert "it is not a file of this folder" in refused(folder)
    for name in (DATASETS, "checksums.json"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert f"{name} cannot be read: it is not a file of this folder" in refused(folder)


def test_what_unpacks_to_more_than_an_export_is_refused(folder: Path) -> None:
    put(folder, RUNS, gzip.compress(b"run_id\n" + b"0" * (80 << 20)))
    assert "decompresses to more than" in refused(folder)


def test_runs_of_an_unknown_algorithm_are_kept_counted_and_never_recommended(
    folder: Path, tmp_path: Path, cli
) -> None:
    done = cli("store import", folder, "--store", tmp_path / "store.db")
    assert done.code == 0
    assert (
        "  8 of the algorithm 'forest', which is not in the catalogue: stored, but never recommended"
        in done.out
    )
    advice = cli("recommend sklearn:iris --store", tmp_path / "store.db")
    assert "forest(" not in advice.out
