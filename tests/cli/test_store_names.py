"""What a user names and is not there, what is damaged, and passwords: one line, exit code 2."""

import shutil
from pathlib import Path

import pytest

from automl_meta.records import DatasetRecord
from automl_meta.store import MetadataStore

DAMAGED = Path(__file__).parents[1] / "assets" / "cases" / "damaged"


@pytest.mark.parametrize(
    "command",
    [
        ["store", "info"],
        ["store", "check"],
        ["store", "export", "out"],
        ["recommend", "sklearn:iris"],
        ["evaluate"],
    ],
    ids=" ".join,
)
def test_a_store_that_is_not_there_is_not_made_by_commands_that_read(
    run, tmp_path: Path, command: list[str]
) -> None:
    for name in (tmp_path / "typo.db", f"sqlite:///{tmp_path}/typo.db"):
        done = run(*command, "--store", name)
        assert done.code == 2
        assert "There is no store at" in done.err
        assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_studies_that_are_not_there_are_not_made(run, tmp_path: Path) -> None:
    for name in (tmp_path / "typo.db", tmp_path / "typo.journal", f"sqlite:///{tmp_path}/typo.db"):
        done = run("store", "import", "optuna", name, "--store", tmp_path / "store.db")
        assert (done.code, "There are no studies at" in done.err) == (2, True)
    assert not list(tmp_path.glob("typo*"))


def test_damaged_databases_are_one_line(run, tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    with MetadataStore(store, seed=False) as opened:
        opened.add_dataset(DatasetRecord("mine", "Mine", "regression", 10, 2))
    for name, said in (("two_obj.db", "has 2 objectives"), ("pred_shape.db", "has no data set")):
        copy = shutil.copy(DAMAGED / name, tmp_path)
        done = run("store", "import", "optuna", copy, "--store", store)
        assert (done.code, said in done.err, len(done.err.strip().splitlines())) == (2, True, 1)
    done = run("store", "import", DAMAGED / "import_conf_notjson", "--store", store)
    assert (done.code, "configurations.csv, line 2" in done.err) == (2, True)
    assert run("store", "check", "--store", store).code == 0


URLS = [
    "postgresql+psycopg://me:hunter2@127.0.0.1:1/none",
    "postgresql+psycopg://me:hunter2@127.0.0.1:port/none",
    "postgresql+psycopg://me:a@hunter2@127.0.0.1:1/none",
    "postgresql+psycopg://me@127.0.0.1:1/none?password=hunter2",
    "nosuch://me:hunter2@host/none",
]


@pytest.mark.parametrize("url", URLS)
def test_no_command_prints_a_password(
    run, url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setattr("automl_meta.automl.retrying.PATIENCE_SECONDS", 0.0)
    for command in (
        ["store", "info", "--store", url],
        ["store", "path", "--store", url],
        ["store", "check", "--store", url],
        ["store", "export", "out", "--store", url],
        ["store", "import", "optuna", url],
        ["store", "import", str(DAMAGED / "import_conf_notjson"), "--store", url],
        ["recommend", "sklearn:iris", "--store", url],
        ["evaluate", "--store", url],
        ["collect", "sklearn:iris", "--store", url],
        ["tune", "sklearn:iris", "--store", url, "--time-limit", "5"],
        ["tune", "sklearn:iris", "--storage", url, "--study", "s", "--time-limit", "5"],
    ):
        done = run(*command)
        assert "hunter2" not in done.out + done.err + caplog.text, command
        assert "Traceback" not in done.err
        assert (done.code == 2) or command[1] == "path", command
