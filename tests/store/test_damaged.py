"""Stores and exports that a bad disk has left: one line, or the right answer."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fuzzing import Child, fuzz
from store import damaged_stores

from automl_meta.store import MetadataStore

SEEDS = range(40)


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in one file."""
    return damaged_stores.make(tmp_path_factory.mktemp("intact") / "store.db")


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child(seconds=60.0) as process:
        yield process


@pytest.mark.parametrize("damage", [damaged_stores.few_bits, damaged_stores.damaged], ids=["bits", "blocks"])
def test_a_damaged_store_gives_one_line_or_the_right_answer(
    intact: Path, child: Child, tmp_path: Path, damage: Callable
) -> None:
    right = damaged_stores.answers(intact)
    tally = fuzz(child, partial(damaged_stores.use, right=right), intact, tmp_path, SEEDS, damage)
    assert tally.bad == [], tally.line
    assert tally.kinds["error"] > 0


def test_a_damaged_export_gives_one_line_and_adds_nothing(intact: Path, child: Child, tmp_path: Path) -> None:
    with MetadataStore(intact, seed=False) as store:
        store.export(tmp_path / "export")
    packed = damaged_stores.packed(tmp_path / "export", tmp_path / "export.json")
    (tmp_path / "damaged").mkdir()
    tally = fuzz(
        child, damaged_stores.import_export, packed, tmp_path / "damaged", SEEDS, damaged_stores.in_export
    )
    assert tally.bad == [], tally.line
    assert tally.kinds["error"] > 0
