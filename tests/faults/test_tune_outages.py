"""`tune` while its disk is full or its server is away: a model in the end, and one word on what happened.

``pytest -m slow tests/faults/test_tune_outages.py -s``; ``FAULTS_OUTAGES`` is the number of tries.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from automl_meta.automl.model import TabularModel
from automl_meta.store import MetadataStore

pytestmark = pytest.mark.slow

TRIES = int(os.environ.get("FAULTS_OUTAGES", "5"))
COMMAND = [
    sys.executable, "-m", "automl_meta.cli", "tune", "sklearn:iris", "--cv", "2", "--study", "s", "--json",
    "--algorithms", "dummy,gaussian_nb,knn,lda,decision_tree",
]  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system is for the superuser")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def told(name: str, outcomes: list[str], started: float) -> None:
    counts = " | ".join(f"{outcomes.count(kind)} {kind}" for kind in ("lost", "tracebacks", "hangs"))
    print(f"\n{name} | {TRIES} tries | {counts} | {time.monotonic() - started:.0f} s")
    assert not outcomes


def outcome(done: subprocess.CompletedProcess[str], model: Path) -> list[str]:
    if "Traceback" in done.stderr:
        print(done.stderr[-3000:])
        return ["tracebacks"]
    if done.returncode != 0 or not TabularModel.load(model).pipelines:
        print(done.stderr[-3000:])
        return ["lost"]
    return []


FILLING = """
import json, sys
from automl_meta import AutoMLClassifier, TabularTask
from automl_meta.store import MetadataStore
disk, storage, store, model = sys.argv[1:]
def fill(state):
    if state.n_trials == 3:
        with open(disk + "/rest", "wb", buffering=0) as rest:
            try:
                while rest.write(bytes(512)):
                    pass
            except OSError:
                pass
kept = MetadataStore(store, seed=False)
names = ["dummy", "gaussian_nb", "knn", "lda", "decision_tree"]
found = AutoMLClassifier(
    n_trials=40, cv=2, algorithms=names, storage=storage, study_name="s", store=kept, progress=fill
).fit(TabularTask.bundled("iris"))
found.save(model)
print(json.dumps(list(found.runs_["run_id"])), *found.report_.notes, sep="\\n")
"""


@pytest.mark.parametrize("what", ["study.journal", "study.db", "store.db"])
def test_tune_on_a_disk_that_fills_up(small_disk: Path, tmp_path: Path, what: str) -> None:
    """Of the study, or of the store; full after three trials."""
    started, outcomes = time.monotonic(), []
    for number in range(TRIES):
        elsewhere = tmp_path / str(number)
        elsewhere.mkdir()
        study, store = (
            (small_disk if name == what else elsewhere) / name
            for name in ("study.db" if what == "store.db" else what, "store.db")
        )
        model = elsewhere / "m.skops"
        done = subprocess.run(
            [sys.executable, "-c", FILLING, *map(str, (small_disk, study, store, model))],
            capture_output=True, text=True, check=False, cwd=elsewhere,
        )  # fmt: skip
        outcomes += outcome(done, model)
        assert any(word in done.stdout + done.stderr for word in ("No space", "full", "disk I/O"))
        (small_disk / "rest").unlink()
        for aside in elsewhere.glob("automl_meta-results-*"):
            add = [*COMMAND[:3], "store", "import", str(aside), "--store", str(store)]
            subprocess.run(add, check=True, capture_output=True)
        with MetadataStore(store) as kept:
            outcomes += ["lost"] * len(set(json.loads(done.stdout.splitlines()[0])) - kept.run_ids())
            assert kept.check() == []
        for file in small_disk.iterdir():
            file.unlink()
    told(f"tune, full disk of the {what}", outcomes, started)


def has_trials(storage: str, study: str, n_trials: int) -> bool:
    """Whether so many trials have ended."""
    try:
        known = optuna.load_study(study_name=study, storage=storage)
    except KeyError:
        return False
    return len(known.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))) >= n_trials


def test_tune_while_its_server_is_away_for_three_seconds(
    postgres_url: str, postgres_outage: Callable[[float], None], tmp_path: Path
) -> None:
    started, outcomes = time.monotonic(), []
    for number in range(TRIES):
        model = tmp_path / f"{number}.skops"
        command = [*COMMAND, "--storage", postgres_url, "--trials", "25"]
        command[command.index("--study") + 1] = f"s{number}"
        command += ["--store", str(tmp_path / "store.db"), "--out", str(model), "--seed", str(number)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not has_trials(postgres_url, f"s{number}", 1 + number):
            time.sleep(0.1)
        postgres_outage(3.0)
        out, errors = process.communicate(timeout=300)
        outcomes += outcome(subprocess.CompletedProcess(command, process.returncode, out, errors), model)
        if process.returncode == 0:
            ids = [trial["run_id"] for trial in json.loads(out)["trials"] if trial["status"] == "ok"]
            outcomes += ["lost"] * (len(ids) != 25 or len(set(ids)) != 25)
    told("tune, PostgreSQL away for 3 s", outcomes, started)
