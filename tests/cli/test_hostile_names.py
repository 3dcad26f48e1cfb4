"""What users name is shown, kept and found again as it is, and is never obeyed."""

import csv
import io
import json
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hostile_names import HOSTILE_FILE_NAMES, HOSTILE_NAMES
from rich.console import Console

from automl_meta._utils.printable import printable
from automl_meta.automl.model import TabularModel
from automl_meta.cli.shared import print_json, say
from automl_meta.store import MetadataStore

N_ROWS = 60
DATASETS = (
    "[/x]",
    "e[red]x",
    "\x1b[31mred\x1b[0m",
    "a\nb",
    "nan",
    "True",
    "007",
    "{}",
    "../../x",
    "\u202etxt.exe",
)


def write(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(path, index=False, quoting=csv.QUOTE_ALL, encoding="utf-8")
    return path


def hostile_table(target: str) -> pd.DataFrame:
    """A column of each name: numbers, and some dates, texts, booleans and categories of hostile levels."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=N_ROWS).strftime("%Y-%m-%d").to_numpy()
    columns: dict[str, object] = {}
    for number, name in enumerate(HOSTILE_NAMES):
        if number % 5 == 1:
            columns[name] = rng.choice(HOSTILE_NAMES[number : number + 4] or HOSTILE_NAMES[:4], N_ROWS)
        elif number % 25 == 2:
            columns[name] = rng.permutation(days)
        elif number % 25 == 4:
            columns[name] = [f"{i} some words that {name} tells" for i in rng.permutation(N_ROWS)]
        elif number % 25 == 3:
            columns[name] = rng.choice(["yes", "no"], N_ROWS)
        else:
            columns[name] = rng.normal(size=N_ROWS)
    columns[target] = np.where(np.arange(N_ROWS) % 3 == 0, "[/a]", "{b}\x1b[0m")
    return pd.DataFrame(columns)


def assert_plain(text: str) -> None:
    """Nothing that a terminal obeys, hides or turns around."""
    odd = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
    assert odd | (set(text) & set("\u202e\u200b\ufeff")) == set()


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return hostile_table("tar[/x]get")


@pytest.fixture(scope="module")
def file(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("hostile") / "e[red]x \x1b[31m{}.csv", table)


def test_columns_are_described_and_advised_by_their_names(run, file: Path) -> None:
    described = run("describe", file, "--target", "tar[/x]get", "--json")
    assert (described.code, described.err) == (0, "")
    assert_plain(described.out)
    advised = run("recommend", file, "--target", "tar[/x]get", "--json")
    assert (advised.code, advised.err) == (0, "")
    assert list(advised.json["task"]["column_kinds"]) == list(HOSTILE_NAMES)
    assert advised.json["task"]["name"] == file.stem
    assert_plain(advised.out)


def test_the_text_of_the_advice_is_plain(run, file: Path) -> None:
    done = run("recommend", file, "--target", "tar[/x]get", "--no-landmarkers")
    assert (done.code, done.err) == (0, "")
    assert "'e[red]x \\x1b[31m{}'" in done.out
    assert_plain(done.out)


def test_a_tuned_model_finds_columns_by_their_names(
    run, file: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    out, predicted = tmp_path / "[x] $x$ 'a'.skops", tmp_path / "{0}.csv"
    options = ["--algorithms", "lightgbm,logistic_regression,decision_tree", "--cv", "2", "--seed", "0"]
    names = [
        "--study",
        "e[red]x' %s",
        "--storage",
        tmp_path / "a?b%41 [x].db",
        "--store",
        tmp_path / "s%41?.db",
    ]
    done = run("tune", file, "--target", "tar[/x]get", "--trials", 4, *options, *names, "--out", out)
    assert (done.code, done.err) == (0, "")
    assert "automl-meta predict '" in done.out
    assert_plain(done.out)
    model = TabularModel.load(out)
    assert list(model.column_kinds) == list(HOSTILE_NAMES)
    found = model.predict(table[[*reversed(table.columns)]])
    assert set(found) <= {"[/a]", "{b}\x1b[0m"}
    assert run("predict", out, file, "--out", predicted).code == 0
    read = pd.read_csv(predicted)
    assert list(read.columns) == ["tar[/x]get"]
    assert read["tar[/x]get"].tolist() == found.tolist()
    assert run("tune", file, "--target", "tar[/x]get", "--resume", "--trials", 5, *options, *names).code == 0


def test_labels_come_back_as_they_are(run, tmp_path: Path) -> None:
    missing = {"nan", "None", "NA", "null"}  # what pandas takes for missing in a file
    labels = [
        name for name in HOSTILE_NAMES if name == name.strip() and name not in missing and "\r" not in name
    ]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": np.repeat(np.arange(len(labels)), 4) + rng.normal(0, 0.01, 4 * len(labels))})
    path = write(tmp_path / "labels.csv", frame.assign(y=np.repeat(labels, 4)))
    out, predicted = tmp_path / "m.skops", tmp_path / "p.csv"
    done = run(
        "tune", path, "--target", "y", "--trials", 1, "--algorithms", "knn", "--cv", 2, "--out", out, "--json"
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert sorted(TabularModel.load(out).labels) == sorted(labels)
    assert run("predict", out, path, "--out", predicted).code == 0
    found = pd.read_csv(predicted, keep_default_na=False, dtype=str)["y"].tolist()
    assert found == TabularModel.load(out).predict(frame).tolist()
    assert len(set(found)) > 0.9 * len(labels)


def test_targets_of_any_name_are_found(run, tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {name: np.arange(20) % (2 + number % 2) for number, name in enumerate(HOSTILE_NAMES)}
    )
    path = write(tmp_path / "t.csv", frame.assign(x=np.random.default_rng(0).normal(size=20)))
    for target in HOSTILE_NAMES[::6]:
        done = run("describe", path, f"--target={target}", "--groups", "simple", "--json")
        assert (done.code, done.err) == (0, ""), target


def test_files_of_any_name_are_found(run, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=20), "y": ["a", "b"] * 10})
    for name in HOSTILE_FILE_NAMES[::6]:
        path = write(tmp_path / f"{name}.csv", frame)
        done = run("describe", path, "--target", "y", "--groups", "simple", "--json")
        assert (done.code, done.err) == (0, ""), name
        told = run("recommend", tmp_path / "none" / name, "--target", "y")
        assert told.code == 2
        assert told.err == f"automl-meta: There is no file {printable(tmp_path / 'none' / name)}.\n"


def test_an_index_names_data_sets(run, tmp_path: Path) -> None:
    rows = []
    for number, name in enumerate(DATASETS):
        frame = pd.DataFrame({"x": np.random.default_rng(number).normal(size=20), name: ["a", "b"] * 10})
        file = write(tmp_path / f"{number} [x].csv", frame).name
        rows.append({"file": file, "target": name, "name": name, "family": f"{name} family"})
    index, store = write(tmp_path / "index[x].csv", pd.DataFrame(rows)), tmp_path / "s.db"
    options = ["--only", "dummy", "--samples", 0, "--folds", 2, "--source", "so[/x]urce %s", "--no-shipped"]
    done = run("collect", "--index", index, *options, "--store", store)
    assert done.code == 0, done.err
    assert f"{len(DATASETS)} runs on {len(DATASETS)} data sets" in done.out
    assert_plain(done.out + done.err)
    with MetadataStore(store, seed=False) as opened:
        assert sorted(opened.datasets()["name"]) == sorted(DATASETS)
        assert sorted(opened.datasets()["family"]) == sorted(f"{name} family" for name in DATASETS)
    told = run("store", "info", "--store", store)
    assert "so[/x]urce %s" in told.out
    advised = run("recommend", tmp_path / rows[0]["file"], "--target", "[/x]", "--store", store)
    assert (advised.code, advised.err) == (0, "")
    assert_plain(advised.out)
    assert sum(printable(name) in advised.out for name in DATASETS) >= 5


def test_errors_are_one_plain_line(run, tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", pd.DataFrame({"[/x]\x1b[0m": [1, 2, 3], "a\nb": [4, 5, 6]}))
    for name in HOSTILE_NAMES[::4]:
        for command in (
            ["describe", path, f"--target={name}?"],
            ["recommend", "sklearn:iris", f"--metric={name}?"],
            ["tune", path, "--target", "a\nb", f"--groups={name}?"],
            ["evaluate", f"--recommenders=x{name}?"],
        ):
            done = run(*command)
            assert done.code == 2, (command, done.err)
            assert done.err.startswith("automl-meta: ")
            assert_plain(done.err)
            assert done.err.count("\n") == 1


def test_json_is_plain_and_reads_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    content = {name: [name, {"half": f"{name}\udcff\U000e0041"}] for name in HOSTILE_NAMES}
    print_json(content)
    out = capfd.readouterr().out
    assert_plain(out)
    assert json.loads(out) == content
    assert "größe" in out


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_a_line_is_printed_in_any_encoding(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    for name in (*HOSTILE_NAMES, "half\udcff"):
        say(name, Console(file=stream, width=40, force_terminal=True, legacy_windows=False))
    stream.flush()
    lines = raw.getvalue().decode(encoding).split("\n")[:-1]
    assert len(lines) == len(HOSTILE_NAMES) + 1
    assert_plain("".join(lines))
    assert lines[:2] == ["[/x]", "e[red]x"]
    assert ("größe" in lines) == (encoding != "ascii")
