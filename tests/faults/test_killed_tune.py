"""`tune` ended at random moments in every way, and resumed: nothing lost or doubled, and a model in the end."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState
from processes import Marked, counts

from automl_meta.automl.model import TabularModel
from automl_meta.automl.study_storage import open_storage
from automl_meta.store import MetadataStore

N_TRIES = int(os.environ.get("FAULTS_TUNE", "60"))
N_TRIALS = 24
COMMAND = [
    sys.executable, "-m", "automl_meta.cli", "tune", "sklearn:iris", "--cv", "2", "--seed", "0", "--study", "s",
    "--algorithms", "dummy,gaussian_nb,knn,lda,decision_tree", "--trials", str(N_TRIALS),
]  # fmt: skip
ENDINGS = ("killed", "Ctrl-C", "terminated")


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("kind", ["journal", "db"])
def test_tune_that_is_ended_at_random_moments_loses_nothing_and_ends_with_a_model(
    kind: str, jobs: str, tmp_path: Path
) -> None:
    rng = random.Random(f"{kind}{jobs}")
    found: Counter[str] = Counter()
    programs, started, round_, known = Marked(tmp_path), time.monotonic(), 0, set[str]()
    limits = ["--jobs", jobs] + (["--trial-time-limit", "60"] if jobs == "1" else [])
    for number in range(N_TRIES):
        folder = tmp_path / str(round_)
        folder.mkdir(exist_ok=True)
        command = [*COMMAND, *limits, *_files(folder, kind)]
        process = programs.start(*command)
        ending = ENDINGS[number % len(ENDINGS)]
        code, errors = programs.end(process, ending, rng.uniform(0.0, 10.0), found)
        before, known = known, _check(folder, kind, known, found)
        if code == 130 and len(known) > len(before) and not (folder / "m.skops").exists():
            found["models lost"] += 1
            print(f"\n{number} {ending}: {errors[-2000:]}")
        (folder / "m.skops").unlink(missing_ok=True)
        if len(known) == N_TRIALS:
            _end(programs, command, folder, found)
            round_, known = round_ + 1, set()
    folder = tmp_path / str(round_)
    folder.mkdir(exist_ok=True)
    _end(programs, [*COMMAND, *limits, *_files(folder, kind)], folder, found)
    found["lost"] += N_TRIALS - len(_check(folder, kind, known, found))
    told = counts(found, "models lost")
    print(f"\ntune, {kind}, {jobs} jobs | {N_TRIES} tries | {told} | {time.monotonic() - started:.0f} s")
    assert not any(found.values())


def _files(folder: Path, kind: str) -> list[str]:
    return [
        "--storage", str(folder / f"study.{kind}"), "--store", str(folder / "store.db"), "--out", str(folder / "m.skops"),
    ]  # fmt: skip


def _end(programs: Marked, command: list[str], folder: Path, found: Counter[str]) -> None:
    """Let it come to its end: there must be a model."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=programs.folder, check=False)
    if done.returncode != 0:
        found["tracebacks"] += 1
        print(done.stderr[-2000:])
    if not TabularModel.load(folder / "m.skops").pipelines:
        found["models lost"] += 1


def _check(folder: Path, kind: str, known: set[str], found: Counter[str]) -> set[str]:
    """The runs of the trials that have succeeded: all that there were before, once, and in the store."""
    storage = open_storage(folder / f"study.{kind}")
    if "s" not in {study.study_name for study in storage.get_all_studies()}:
        return known
    trials = optuna.load_study(study_name="s", storage=storage).get_trials(states=(TrialState.COMPLETE,))
    ids = [trial.user_attrs["run"]["run_id"] for trial in trials]
    found["lost"] += len(known - set(ids))
    found["doubled"] += len(ids) - len(set(ids))
    if ids:
        with MetadataStore(folder / "store.db") as store:
            found["lost"] += len(set(ids) - store.run_ids())
            found["damaged"] += len(store.check())
    return set(ids)
