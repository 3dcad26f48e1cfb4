"""`tune` while its disk is full or its server is away: a model in the end, and one word on what happened.

``pytest -m slow tests/faults/test_tune_outages.py -s``; ``FAULTS_OUTAGES`` is the number of tries.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl_meta.automl.model import TabularModel

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


@pytest.mark.parametrize("kind", ["journal", "db"])
@pytest.mark.parametrize("what", ["study", "store"])
def test_tune_on_a_disk_that_fills_up(small_disk: Path, tmp_path: Path, what: str, kind: str) -> None:
    """Of the study, or of the store; full after a few trials."""
    if (what, kind) == ("store", "journal"):
        pytest.skip("a store is a database")
    started, outcomes = time.monotonic(), []
    for number in range(TRIES):
        places = {
            name: (small_disk if name == what else tmp_path) / f"{number}-{name}"
            for name in ("study", "store")
        }
        (small_disk / "filler").write_bytes(b"x" * ((120 if what == "study" else 300) << 10))
        model = tmp_path / f"{number}.skops"
        command = [*COMMAND, "--storage", f"{places['study']}.{kind}", "--store", f"{places['store']}.db"]
        if what == "store":
            subprocess.run(
                [
                    sys.executable,
                    "-c",
                    f"from automl_meta.store import MetadataStore as M; M({str(places['store']) + '.db'!r}, seed=False)",
                ],
                check=True,
            )
            free = os.statvfs(small_disk)
            (small_disk / "rest").write_bytes(b"x" * max(free.f_bavail * free.f_frsize - (20 << 10), 0))
        done = subprocess.run(
            [*command, "--trials", "400", "--time-limit", "60", "--out", str(model)],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        outcomes += outcome(done, model)
        if done.returncode == 0:
            notes = json.loads(done.stdout)["notes"]
            if not any("No space" in text or "full" in text for text in [*notes, done.stderr]):
                print("not full?", notes)
        for file in small_disk.iterdir():
            file.unlink()
    told(f"tune, full disk of the {what} ({kind})", outcomes, started)


def test_tune_while_its_server_is_away_for_three_seconds(
    postgres_url: str, postgres_outage: Callable[[float], None], tmp_path: Path
) -> None:
    started, outcomes = time.monotonic(), []
    for number in range(TRIES):
        model = tmp_path / f"{number}.skops"
        command = [
            *COMMAND,
            "--storage",
            postgres_url,
            "--store",
            str(tmp_path / "store.db"),
            "--trials",
            "25",
        ]
        command[command.index("s", command.index("--study"))] = f"s{number}"
        away = threading.Timer(6.0 + number / 2, postgres_outage, [3.0])
        away.start()
        done = subprocess.run(
            [*command, "--out", str(model), "--seed", str(number)],
            capture_output=True,
            text=True,
            check=False,
        )
        away.join()
        outcomes += outcome(done, model)
        if done.returncode == 0:
            trials = json.loads(done.stdout)["trials"]
            ids = [trial["run_id"] for trial in trials if trial["status"] == "ok"]
            outcomes += ["lost"] * (len(ids) != 25 or len(set(ids)) != 25)
    told("tune, PostgreSQL away for 3 s", outcomes, started)
