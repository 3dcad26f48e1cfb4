"""`collect` ended at random moments in every way, and resumed: nothing lost, doubled or left behind."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from processes import Marked

from automl_meta.algorithms import algorithms_for
from automl_meta.store import MetadataStore

N_TRIES = int(os.environ.get("FAULTS_COLLECT", "90"))
FAST = ["dummy", "gaussian_nb", "knn", "lda"]
N_RUNS = 2 * sum(len(a.configurations(8)) for a in algorithms_for("classification", only=FAST))
COMMAND = [
    sys.executable, "-m", "automl_meta.cli", "collect", "sklearn:iris", "sklearn:wine", "--no-shipped",
    "--only", ",".join(FAST), "--samples", "8", "--jobs", "2", "--json",
]  # fmt: skip
HOW = {  # the signal, and whether the whole group gets it, as from a terminal
    "killed": (signal.SIGKILL, False),
    "Ctrl-C": (signal.SIGINT, True),
    "ended": (signal.SIGTERM, False),
    "hung up": (signal.SIGHUP, True),
}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_collect_that_is_ended_at_random_moments_loses_nothing_and_leaves_nothing(
    backend: str, tmp_path: Path
) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    rng = random.Random(backend)
    found: Counter[str] = Counter()
    programs, started, store, known = Marked(tmp_path), time.monotonic(), 0, set[str]()
    command = [*COMMAND, "--backend", backend]
    n_tries = N_TRIES if backend == "threading" else N_TRIES // 3
    for number in range(n_tries):
        name, (what, to_group) = list(HOW.items())[number % len(HOW)]
        url = tmp_path / f"{store}.db"
        process = programs.start(*command, "--store", url)
        process_ended = _wait(process, rng.uniform(0.0, 8.0))
        programs.alive()  # notes whose leftovers to look for
        if not process_ended:
            (os.killpg if to_group else os.kill)(process.pid, what)
        try:
            _, errors = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            found["hangs"] += 1
            process.kill()
            _, errors = process.communicate()
        if "Traceback" in errors or process.returncode not in (0, -what, 130):
            found["tracebacks"] += 1
            print(f"\n{number} {name}: {process.returncode} {errors[-2000:]}")
        left = programs.survivors()
        found["orphans"] += len(left)
        leftovers = programs.leftovers()
        found["leftovers"] += len(leftovers)
        if left or leftovers:
            print(f"\n{number} {name}: {left} {leftovers}")
        known = _check(url, known, found)
        if len(known) == N_RUNS:
            store, known = store + 1, set()
    url = tmp_path / f"{store}.db"
    subprocess.run([*command, "--store", str(url)], check=True, capture_output=True, cwd=programs.folder)
    found["lost"] += N_RUNS - len(_check(url, known, found))
    names = ("lost", "doubled", "tracebacks", "hangs", "orphans", "leftovers")
    counts = " | ".join(f"{found[name]} {name}" for name in names)
    print(f"\ncollect, {backend} | {n_tries} tries | {counts} | {time.monotonic() - started:.0f} s")
    assert not any(found.values())


def _wait(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _check(url: Path, known: set[str], found: Counter[str]) -> set[str]:
    """What the store holds now: all that it held before, once, in order."""
    if not url.exists():
        return known
    with MetadataStore(url, seed=False) as store:
        now = store.run_ids()
        found["lost"] += len(known - now)
        found["doubled"] += len(list(store.runs())) - len(now)
        found["damaged"] += len(store.check())
    return now
