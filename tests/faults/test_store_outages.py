"""Stores that are locked, full or away for a while: nothing lost, nothing doubled, one sentence.

``pytest -m slow tests/faults/test_store_outages.py -s``; ``FAULTS`` is the number of tries.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from store.store_workers import dataset, run

from automl_meta.exceptions import StoreError
from automl_meta.store import MetadataStore

pytestmark = pytest.mark.slow

TRIES = int(os.environ.get("FAULTS", "10"))


def told(name: str, lost: int, doubled: int, tracebacks: int, seconds: float) -> None:
    print(
        f"\n{name} | {TRIES} tries | lost {lost} | doubled {doubled} | tracebacks {tracebacks} | {seconds:.0f} s"
    )


@pytest.mark.filterwarnings("ignore:The store")
def test_a_server_that_is_stopped_for_three_seconds(
    postgres_url: str, postgres_outage: Callable[[float], None]
) -> None:
    started, written, errors = time.monotonic(), 0, []
    with MetadataStore(postgres_url, seed=False) as store:
        store.add_dataset(dataset(0))
        is_over = threading.Event()

        def write() -> None:
            nonlocal written
            while not is_over.is_set():
                try:
                    store.add_runs([run(dataset(0), written)])
                except Exception as error:
                    errors.append(error)
                    raise
                written += 1

        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(TRIES):
            postgres_outage(3.0)
            time.sleep(0.5)
        is_over.set()
        writer.join()
        kept = [one.run_id for one in store.runs()]
        assert store.check() == []
    told(
        "PostgreSQL away",
        written - len(set(kept)),
        len(kept) - len(set(kept)),
        len(errors),
        time.monotonic() - started,
    )
    assert errors == []
    assert len(kept) == len(set(kept)) == written > 0


@pytest.mark.filterwarnings("ignore:The store")
def test_a_store_that_is_locked_for_a_while(tmp_path: Path) -> None:
    started = time.monotonic()
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        store.add_dataset(dataset(0))
        for number in range(TRIES):
            other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")
            release = threading.Timer(7.0, other.rollback)
            release.start()
            assert store.add_runs([run(dataset(0), number)]) == 1
            release.join()
            other.close()
        assert store.check() == []
        told("SQLite locked for 7 s", TRIES - len(store.run_ids()), 0, 0, time.monotonic() - started)
        assert len(store.run_ids()) == TRIES


def test_a_store_that_stays_locked_is_one_sentence(tmp_path: Path) -> None:
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        store.add_dataset(dataset(0))
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with (
            pytest.warns(match="is locked or does not answer"),
            pytest.raises(StoreError, match="has been locked by another process for 30 seconds"),
        ):
            store.add_runs([run(dataset(0), 1)])
        assert time.monotonic() - started < 60
        other.rollback()
        other.close()
