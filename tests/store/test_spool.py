"""Results that could not be stored are kept in a file, and added later."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from store.store_workers import dataset, failed_run, run

from automl_meta.exceptions import StoreError
from automl_meta.records import DatasetRecord, Environment, Run
from automl_meta.store import MetadataStore, how_to_add, spool


def content(one: Run | DatasetRecord) -> str:
    return json.dumps(dataclasses.asdict(one), sort_keys=True)


def test_what_was_spooled_comes_back_whole(store: MetadataStore, tmp_path: Path) -> None:
    made = [run(dataset(0), 1, environment=Environment.current().digest), failed_run(dataset(0), 2)]
    path = spool(made[:1], tmp_path / "kept.jsonl", dataset=dataset(0), versions={"entropy": 2})
    assert spool(made[1:], path) == path
    assert store.import_spooled(path) == 2
    assert store.import_spooled(path) == 0
    assert list(map(content, store.runs())) == list(map(content, made))
    assert content(store.dataset("classification-0")) == content(dataset(0))
    assert store.check() == []


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_one_clear_line(tmp_path: Path, cli, content: str) -> None:
    (tmp_path / "kept.jsonl").write_text(content)
    done = cli("store import", tmp_path / "kept.jsonl", "--store", tmp_path / "store.db")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"automl-meta: {tmp_path / 'kept.jsonl'} contains no results.\n"


def test_how_to_add_them_is_a_command_that_does(tmp_path: Path, cli) -> None:
    path = spool([run(dataset(0), 1)], tmp_path / "my results.jsonl", dataset=dataset(0))
    *_, command = how_to_add(path).partition("automl-meta ")
    done = cli(command, "--store", tmp_path / "store.db")
    assert (done.code, done.out.strip()) == (0, "1 new runs.")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "evil"},
        {"status": 3},
        {"seconds": -1.0},
        {"seconds": "long"},
        {"scores": {"accuracy": 2.0}},
        {"scores": {}},
        {"configuration": {"algorithm": None, "parameters": {}}},
        {"protocol": "p" * 300},
        {"more": 1},
        "no object",
    ],
    ids=str,
)
def test_a_contradiction_is_refused_with_its_line_and_nothing_is_added(
    file_store: MetadataStore, tmp_path: Path, change: object
) -> None:
    path = spool([run(dataset(0), 1), run(dataset(0), 2)], tmp_path / "kept.jsonl", dataset=dataset(0))
    lines = path.read_text().splitlines()
    record = json.loads(lines[2])
    record["run"] = {**record["run"], **change} if isinstance(change, dict) else change
    path.write_text("\n".join([*lines[:2], json.dumps(record)]))
    with pytest.raises(StoreError, match=r"kept\.jsonl, line 3: .*Nothing was added"):
        file_store.import_spooled(path)
    assert len(file_store.datasets()) == 0


def test_a_place_that_cannot_be_written_either_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be written to .* either: Is a directory"):
        spool([run(dataset(0), 1)], tmp_path)


def test_what_is_no_file_is_told(file_store: MetadataStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / "nowhere", tmp_path):
        with pytest.raises(StoreError, match="is neither a file of spooled results nor an exported folder"):
            file_store.import_spooled(path)


def test_numbers_of_numpy_and_missing_ones_are_kept(file_store: MetadataStore, tmp_path: Path) -> None:
    record = dataset(0, metafeatures={"a": np.float64(0.5), "b": np.int64(3), "c": float("nan")})
    one = run(
        record,
        1,
        scores={"accuracy": np.float64(0.25)},
        fold_scores={"accuracy": (np.float64(0.5), float("nan"))},
    )
    file_store.import_spooled(
        spool([one], tmp_path / "kept.jsonl", dataset=record, seconds={"simple": np.float64(1.5)})
    )
    (back,) = file_store.runs()
    assert back.scores == {"accuracy": 0.25}
    assert repr(back.fold_scores) == "{'accuracy': (0.5, nan)}"
    assert repr(dict(file_store.dataset(record.dataset_id).metafeatures)) == "{'a': 0.5, 'b': 3.0, 'c': nan}"


def test_versions_of_meta_features_are_kept(file_store: MetadataStore, tmp_path: Path) -> None:
    for value, version in ((1.0, 2), (2.0, 1), (3.0, 3)):
        record = dataset(0, metafeatures={"a": value})
        path = spool([], tmp_path / f"{version}.jsonl", dataset=record, versions={"a": version})
        file_store.import_spooled(path)
        expected = {2: 1.0, 1: 1.0, 3: 3.0}[version]
        assert file_store.dataset("classification-0").metafeatures["a"] == expected


def test_the_first_of_two_runs_with_one_id_counts(file_store: MetadataStore, tmp_path: Path) -> None:
    twice = [run(dataset(0), 1, scores={"accuracy": score}) for score in (0.25, 0.75)]
    path = spool(twice, tmp_path / "kept.jsonl", dataset=dataset(0))
    assert file_store.import_spooled(path) == 1
    assert next(file_store.runs()).scores == {"accuracy": 0.25}


def test_blank_lines_do_not_count_but_are_counted(file_store: MetadataStore, tmp_path: Path) -> None:
    path = spool([run(dataset(0), 1)], tmp_path / "kept.jsonl", dataset=dataset(0))
    path.write_text("\n\n" + path.read_text() + "\nno json\n")
    with pytest.raises(StoreError, match=r"kept\.jsonl, line 6: "):
        file_store.import_spooled(path)


def test_where_results_were_made_is_kept_if_they_say_so(file_store: MetadataStore, tmp_path: Path) -> None:
    here = Environment.current()
    plain = spool([run(dataset(0), 1)], tmp_path / "plain.jsonl", dataset=dataset(0))
    named = spool([run(dataset(0), 2, environment=here.digest)], tmp_path / "named.jsonl", dataset=dataset(0))
    assert [here.python in path.read_text() for path in (plain, named)] == [False, True]
    file_store.import_spooled(named)
    file_store.export(tmp_path / "out")
    assert here.python in (tmp_path / "out" / "sources.toml").read_text()
