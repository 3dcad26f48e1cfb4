"""Many processes, and processes that die."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from store import store_workers
from store.store_workers import dataset, run

from automl_meta.store import MetadataStore


def test_processes_can_open_a_new_store_at_the_same_moment(
    shared_url: str, in_processes: Callable[..., list]
) -> None:
    assert in_processes(store_workers.open_store, shared_url) == [0] * 4


def test_nothing_is_lost_or_doubled_when_processes_write_at_once(
    shared_url: str, in_processes: Callable[..., list]
) -> None:
    n_runs = 60 if "postgresql" in shared_url else 200  # of each, half of them the same for all
    new = in_processes(store_workers.write_runs, shared_url, n_runs)
    with MetadataStore(shared_url, seed=False) as store:
        ids = [run.run_id for run in store.runs()]
        assert len(ids) == len(set(ids)) == sum(new) == (4 + 1) * n_runs // 2
        assert all(r.scores for r in store.runs())
        assert store.check() == []


def test_a_process_that_is_killed_while_it_writes_leaves_the_store_as_it_was(shared_url: str) -> None:
    command = f"from store import store_workers; store_workers.write_until_killed({shared_url!r}, 10)"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=Path(__file__).parents[1], check=False, capture_output=True
    )
    assert done.returncode == -9
    with MetadataStore(shared_url, seed=False) as store:
        assert len(store.run_ids()) == 10
        assert store.check() == []
        assert store.add_runs([run(dataset(0), number) for number in range(20)]) == 10
