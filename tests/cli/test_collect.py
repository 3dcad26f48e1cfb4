import subprocess
import sys
from pathlib import Path

import pytest

from automl_meta.exceptions import StoreError
from automl_meta.store import MetadataStore

QUICK = ["collect", "sklearn:iris", "--no-shipped", "--only", "dummy,lda", "--samples", "0"]


@pytest.mark.parametrize("module", ["typer", "lightgbm"])
def test_ctrl_c_before_the_first_run_is_one_line(module: str, tmp_path: Path) -> None:
    """Interrupted when a module is looked for: an early one, and one of the last."""
    program = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == module: os.kill(os.getpid(), signal.SIGINT)\n"
        "module = sys.argv.pop(1)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from automl_meta.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    store = tmp_path / "store.db"
    done = subprocess.run(
        [sys.executable, "-c", program, module, *QUICK, "--store", str(store)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "automl-meta: Interrupted.\n")


def test_no_process_for_evaluations_is_one_line(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("automl_meta.experiments.evaluator.PAUSES", (0.0,))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    done = run(*QUICK, "--store", tmp_path / "store.db")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith("automl-meta: No process for evaluations could be started: ")


def test_results_that_the_store_cannot_take_are_kept_and_it_is_said_how_to_add_them(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    url = tmp_path / "store.db"
    with monkeypatch.context() as patch:
        patch.setattr(MetadataStore, "add_runs", full)
        done = run(*QUICK, "--store", url)
    assert done.code == 1
    assert "0 runs on 1 data sets are in the store" in done.out
    (line,) = [line for line in done.err.splitlines() if line.startswith("automl-meta: note:")]
    command = line.split("automl-meta store import ")[1]
    assert run("store", "import", command, "--store", url).out == "2 new runs.\n"
    assert run(*QUICK, "--store", url).out.startswith("2 runs on 1 data sets are in the store; 0 of those")


@pytest.mark.parametrize(
    ("option", "note"),
    [
        (("--time-limit", "600"), "--time-limit is now seconds for the whole command"),
        (("--seed", "3"), "--seed is now the random seed"),
        (("--no-seed",), "--no-seed is now called --no-shipped"),
    ],
)
def test_what_an_option_meant_before_is_said(run, option: tuple[str, ...], note: str, tmp_path: Path) -> None:
    done = run(*QUICK, *option, "--store", tmp_path / "store.db", "--json")
    assert (done.code, done.json["runs"], done.json["left"]) == (0, 2, 0)
    assert next(line for line in done.err.splitlines() if "note:" in line).startswith(
        f"automl-meta: note: {note}"
    )
    with MetadataStore(tmp_path / "store.db", create=False) as store:
        assert len(store.datasets()) == 1
        assert {run.protocol for run in store.runs()} == {
            f"cv5-rows5000-seed{3 if option[0] == '--seed' else 0}"
        }


def test_what_the_time_limit_left_out_is_said_and_the_same_command_goes_on(run, tmp_path: Path) -> None:
    command = [*QUICK, "--store", tmp_path / "store.db"]
    done = run(*command, "--time-limit", "0.1")
    assert done.code == 0
    left = done.out.partition("The time limit left out ")[2].split()[0]
    assert int(left) in (1, 2)
    assert run(*command, "--json").json["left"] == 0
