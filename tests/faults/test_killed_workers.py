"""Processes for evaluations killed at random moments, as a machine short of memory does it: never the end of a campaign."""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from processes import Marked, collect_command, counts

from automl_meta.store import MetadataStore

N_KILLS = int(os.environ.get("FAULTS_WORKERS", "100"))
COMMAND, N_RUNS = collect_command(20)


@pytest.mark.slow
def test_workers_killed_at_random_moments_are_results_and_at_worst_one_line(tmp_path: Path) -> None:
    rng = random.Random(0)
    found: Counter[str] = Counter()
    programs, started, n_killed, n_stores, n_ended = Marked(tmp_path), time.monotonic(), 0, 0, 0
    while n_killed < N_KILLS:
        url, code = tmp_path / f"{(n_stores := n_stores + 1)}.db", 2
        while code == 2:  # all tries of a worker to start were killed: the same command goes on
            process = programs.start(*COMMAND, "--store", url)
            while process.poll() is None:
                time.sleep(rng.uniform(0.1, 6.0))  # in the middle of starts, too
                workers = [each for each in programs.alive() if each.pid != process.pid]
                n_killed += bool(workers) and _kill(rng.choice(workers))
            _, errors = process.communicate(timeout=120)
            code = process.returncode
            n_ended += code == 2
            is_named = code == 0 or (code == 2 and "No process for evaluations could be started" in errors)
            if "Traceback" in errors or not is_named:
                found["tracebacks"] += 1
                print(f"\n{n_stores}: {code} {errors[-2000:]}")
            programs.count_remains(found)
        with MetadataStore(url, seed=False) as store:
            found["lost"] += N_RUNS - len(store.run_ids())
            found["doubled"] += len(list(store.runs())) - len(store.run_ids())
            found["damaged"] += len(store.check())
    seconds = time.monotonic() - started
    print(
        f"\nworkers of collect | {n_killed} killed | {counts(found)} | {n_ended} early ends | {seconds:.0f} s"
    )
    assert not any(found.values())


def _kill(worker: psutil.Process) -> bool:
    try:
        worker.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return False
    return True
