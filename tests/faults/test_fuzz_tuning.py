"""Studies with seeded damage, tuned on.

``pytest -m slow tests/faults/test_fuzz_tuning.py -s``; ``FAULTS_TUNING`` is the number of seeds of each kind.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from automl import damaged_tuning
from damage import damaged
from fuzzing import Child, Tally, fuzz
from importers.damaged_studies import changed_records
from store.damaged_stores import few_bits

SEEDS = range(int(os.environ.get("FAULTS_TUNING", "250")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("study.db", damaged),
        ("study.db", few_bits),
        ("study.journal", damaged),
        ("study.journal", changed_records),
    ],
)
def test_damaged_studies_that_are_tuned_on(tmp_path: Path, name: str, damage: Callable) -> None:
    intact = damaged_tuning.make(tmp_path / name)
    (tmp_path / "damaged").mkdir()
    with Child(seconds=60.0) as child:
        tally = fuzz(
            child, damaged_tuning.tune_on, intact, tmp_path / "damaged", SEEDS, damage, f"tune, {name}"
        )
    print(f"\n{Tally.HEADER}\n{tally.line}")
    for seed, outcome in tally.bad:
        print(seed, outcome)
    assert tally.bad == []
