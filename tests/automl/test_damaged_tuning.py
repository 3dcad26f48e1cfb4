"""Studies that others have damaged: they are tuned on, or refused in one line."""

from pathlib import Path

import pytest
from automl import damaged_tuning
from fuzzing import Child, fuzz
from importers.damaged_studies import changed_records


@pytest.mark.filterwarnings("ignore::automl_meta.exceptions.AutomlMetaWarning")
def test_a_damaged_study_is_tuned_on_or_refused_in_one_line(tmp_path: Path) -> None:
    intact = damaged_tuning.make(tmp_path / "study.journal")
    (tmp_path / "damaged").mkdir()
    with Child(seconds=60.0) as child:
        tally = fuzz(child, damaged_tuning.tune_on, intact, tmp_path / "damaged", range(10), changed_records)
    assert tally.bad == []
