import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from automl_meta.metafeatures import EXTRACTORS

COMMANDS = ["recommend", "describe", "collect", "tune", "predict", "evaluate", "store info", "store path", "store export", "store import", "store check", "fewshot train", "fewshot evaluate", "fewshot predict", "fewshot info"]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.code == 0
    assert "Usage: automl-meta" in done.out


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "automl_meta", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, version("automl_meta"))


def test_every_command_that_reports_has_json(run) -> None:
    silent = [command for command in COMMANDS if "--json" not in run(*command.split(), "--help").out]
    assert silent == []


def test_the_version_is_that_of_the_package(run) -> None:
    assert run("--version").out.strip() == version("automl_meta")


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_describe_gives_every_value_or_the_reason(run, name: str) -> None:
    content = run("describe", f"sklearn:{name}", "--json").json
    assert len(content["metafeatures"]) >= (100 if name == "iris" else 80)
    assert {key for key, value in content["metafeatures"].items() if value is None} == set(content["reasons"])
    assert list(content["seconds"]) == [extractor.name for extractor in EXTRACTORS]


def test_describe_is_readable(run) -> None:
    done = run("describe", "sklearn:iris")
    assert "n_rows" in done.out
    assert "150" in done.out


def test_collect_reads_an_index(run, tmp_path: Path) -> None:
    for i in range(2):
        pd.DataFrame({"a": range(3, 43), "b": [i, 1, 2, 5] * 10, "t": ["p", "q"] * 20}).to_csv(
            tmp_path / f"d{i}.csv", index=False
        )
    pd.DataFrame(
        {
            "file": ["d0.csv", "d1.csv"],
            "target": "t",
            "name": ["first", "second"],
            "family": "both",
            "task": "binary",
        }
    ).to_csv(tmp_path / "index.csv", index=False)
    store = tmp_path / "s.db"
    options = ["--only", "dummy,knn", "--samples", "1", "--store", store, "--no-shipped", "--json"]
    assert run("collect", "--index", tmp_path / "index.csv", *options).json["runs"] == 6
    info = run("store", "info", "--store", store, "--json").json
    assert (info["datasets"], info["runs"]) == (2, 6)
    again = run("collect", "--index", tmp_path / "index.csv", *options).json
    assert again["runs"] == 6


def test_an_index_without_its_columns_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("path,label\nx,y\n")
    done = run("collect", "--index", tmp_path / "index.csv")
    assert (done.code, "no column file" in done.err) == (2, True)


def test_experience_travels_through_a_folder(run, tmp_path: Path) -> None:
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    run("collect", "sklearn:iris", "--only", "lda,knn", "--store", one, "--no-shipped")
    exported = run("store", "export", tmp_path / "folder", "--store", one, "--json").json
    assert exported == {"folder": str(tmp_path / "folder"), "left_out": []}
    run("collect", "sklearn:wine", "--only", "dummy", "--samples", "0", "--store", other, "--no-shipped")
    imported = [
        run("store", "import", tmp_path / "folder", "--store", other, "--json").json for _ in range(2)
    ]
    assert imported[0]["n_new"] > 0
    assert imported[1] == {"n_new": 0, "unknown_algorithms": {}}
    assert run("store", "info", "--store", other, "--json").json["datasets"] == 2
    assert run("store", "check", "--store", other, "--json").json == {"problems": []}


def test_the_shipped_experience_is_whole(run) -> None:
    info = run("store", "info", "--json").json
    assert info["datasets_by_task_type"]["classification"] >= 70
    assert info["datasets_by_task_type"]["regression"] >= 60
    assert run("store", "check").code == 0


def test_a_corrupt_store_is_left_alone_and_told(run, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"this is no database, but somebody's precious file" * 100)
    before = path.read_bytes()
    done = run("recommend", "sklearn:iris", "--store", path)
    assert done.code == 2
    assert str(path) in done.err
    assert "Traceback" not in done.err
    assert path.read_bytes() == before


def test_the_path_is_one_plain_line(run, tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    assert run("store", "path", "--store", store).out.strip() == str(store)
    assert run("store", "path", "--store", store, "--json").json == {"store": str(store)}


def test_evaluate_compares_recommenders_with_baselines(run) -> None:
    content = run("evaluate", "--recommenders", "Portfolio,AverageRank", "--splits", "3", "--json").json
    assert set(content["results"]) == {"Portfolio", "AverageRank", "random", "LightGBM default"}
    for result in content["results"].values():
        assert set(result["regret"]) == {"1", "3", "5", "10"}
        assert set(result["regret_seconds"]) == {"1", "10", "60"}
    assert 0.5 < content["coverage_80"]["Portfolio"] <= 1
    assert json.dumps(content)


def test_evaluate_draws_and_takes_other_budgets(run, tmp_path: Path) -> None:
    file = tmp_path / "regret.svg"
    options = ["--recommenders", "AverageRank", "--splits", "2", "--metric", "r2", "--list"]
    content = run("evaluate", *options, "--budgets", "5", "--plot", str(file), "--json").json
    assert {"0.3", "5", "60"} <= set(content["results"]["AverageRank"]["regret_seconds"])
    assert "AverageRank" in file.read_text()
    assert "k=10" in run("evaluate", *options).out
    wrong = run("evaluate", "--budgets", "1;10")
    assert (wrong.code, "--budgets" in wrong.err) == (2, True)


def test_a_plot_that_cannot_be_written_is_told_before_the_replay(run, monkeypatch) -> None:
    monkeypatch.setattr(
        "automl_meta.evaluation.leave_family_out", lambda *a, **k: pytest.fail("it was replayed")
    )
    done = run("evaluate", "--plot", "/no/such/folder/regret.svg")
    assert (done.code, "cannot be written" in done.err) == (2, True)


def test_a_plot_of_no_known_format_is_told_before_the_replay(run, tmp_path: Path) -> None:
    done = run("evaluate", "--plot", tmp_path / "regret.bmp", "--store", tmp_path / "typo.db")
    assert done.code == 2
    assert "regret.bmp: its suffix must be one of .svg, .png, .pdf" in done.err
