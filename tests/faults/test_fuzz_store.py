"""Stores, exports and studies, damaged a thousand times each.

``pytest -m slow tests/faults/test_fuzz_store.py -s`` prints a table; ``FAULTS`` is the number of
tries for each row.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from damage import damaged
from fuzzing import Child, Tally, fuzz
from importers import damaged_studies
from store import damaged_stores

from automl_meta.store import MetadataStore

pytestmark = pytest.mark.slow

SEEDS = range(int(os.environ.get("FAULTS", "1000")))


def tried(name: str, function: Callable, intact: Path, folder: Path, damage: Callable) -> None:
    folder.mkdir(exist_ok=True)
    with Child(seconds=60.0) as child:
        tally = fuzz(child, function, intact, folder, SEEDS, damage, name)
    print(f"\n{Tally.HEADER}\n{tally.line}")
    for seed, outcome in tally.bad:
        print(seed, outcome)
    assert tally.bad == []


@pytest.mark.parametrize("damage", [damaged_stores.few_bits, damaged], ids=["bits", "blocks"])
def test_damaged_stores(tmp_path: Path, damage: Callable) -> None:
    intact = damaged_stores.make(tmp_path / "store.db")
    use = partial(damaged_stores.use, right=damaged_stores.answers(intact))
    tried(f"store, {damage.__name__}", use, intact, tmp_path / "damaged", damage)


def test_damaged_shipped_stores(tmp_path: Path) -> None:
    MetadataStore(tmp_path / "store.db").close()
    intact = damaged_stores.settled(tmp_path / "store.db")
    advise = partial(damaged_stores.advises, right=damaged_stores.answers(intact))
    tried("shipped store, few_bits", advise, intact, tmp_path / "damaged", damaged_stores.few_bits)


def test_damaged_exports(tmp_path: Path) -> None:
    with MetadataStore(damaged_stores.make(tmp_path / "store.db"), seed=False) as store:
        store.export(tmp_path / "export")
    packed = damaged_stores.packed(tmp_path / "export", tmp_path / "export.json")
    tried("export", damaged_stores.import_export, packed, tmp_path / "damaged", damaged_stores.in_export)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("study.db", damaged),
        ("study.db", damaged_stores.few_bits),
        ("study.journal", damaged),
        ("study.journal", damaged_studies.changed_records),
    ],
)
def test_damaged_studies(tmp_path: Path, name: str, damage: Callable) -> None:
    intact = damaged_studies.make(tmp_path / name)
    tried(f"{name}, {damage.__name__}", damaged_studies.import_all, intact, tmp_path / "damaged", damage)
