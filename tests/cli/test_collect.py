import subprocess
import sys
from pathlib import Path

import pytest

from automl_meta.exceptions import StoreError
from automl_meta.store import MetadataStore

QUICK = ["collect", "sklearn:iris", "--no-seed", "--only", "dummy,lda", "--samples", "0"]


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
    monkeypatch.setattr("automl_meta.experiments.evaluator._PAUSES", (0.0,))
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
