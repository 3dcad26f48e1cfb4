"""`collect` ended at random moments in every way, and resumed: nothing lost, doubled or left behind."""

import os
import random
import resource
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from processes import ENDINGS, Marked, collect_command, counts

from automl_meta.store import MetadataStore

N_TRIES = int(os.environ.get("FAULTS_COLLECT", "90"))
COMMAND, N_RUNS = collect_command(8)


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
        url = tmp_path / f"{store}.db"
        ending = list(ENDINGS)[number % len(ENDINGS)]
        programs.end(programs.start(*command, "--store", url), ending, rng.uniform(0.0, 8.0), found)
        known = _check(url, known, found)
        if len(known) == N_RUNS:
            store, known = store + 1, set()
    url = tmp_path / f"{store}.db"
    subprocess.run([*command, "--store", str(url)], check=True, capture_output=True, cwd=programs.folder)
    found["lost"] += N_RUNS - len(_check(url, known, found))
    seconds = time.monotonic() - started
    print(f"\ncollect, {backend} | {n_tries} tries | {counts(found)} | {seconds:.0f} s")
    assert not any(found.values())


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
