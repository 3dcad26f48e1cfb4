"""Damaged files of every format, a thousand of each: ``pytest -m slow tests/faults/test_fuzz_files.py -s``.

``AUTOML_META_FUZZ`` is another number of them. One line of a table for each format; no traceback, crash or hang.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from fuzzing import Child, Tally, fuzz
from fuzzing_files import MODELS, TABLES

FORMATS = {**TABLES, **MODELS}
if find_spec("torch"):
    from fuzzing_fewshot import FEWSHOT

    FORMATS |= FEWSHOT


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_no_damage_does_more_than_one_line(child: Child, name: str, tmp_path: Path) -> None:
    tries = int(os.environ.get("AUTOML_META_FUZZ", "1000"))
    intact = tmp_path / "intact" / name
    intact.parent.mkdir()
    FORMATS[name].write(intact)
    tally = fuzz(child, FORMATS[name].read, intact, tmp_path, range(1000, 1000 + tries), FORMATS[name].damage)
    sys.stdout.write(f"\n{Tally.HEADER}\n{tally.line}\n")
    assert tally.bad == []
