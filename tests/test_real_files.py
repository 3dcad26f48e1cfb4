"""On the larger real data sets, where they are at hand."""

from pathlib import Path

import pandas as pd
import pytest

from automl_meta import TabularTask, recommend


@pytest.mark.shared
def test_real_files_are_read_typed_and_advised(shared_data: Path) -> None:
    index = pd.read_csv(shared_data / "tabular" / "index.csv")
    for row in index.iloc[::15].itertuples():
        task = TabularTask.from_file(shared_data / "tabular" / str(row.file), str(row.target))
        assert (task.task_type == "regression") == (row.task == "regression"), row.name
        assert (task.n_rows, task.n_features) == (row.n_rows, row.n_features)
        advice = recommend(task, top=3, landmarkers=False)
        evidence = {run.dataset_id for entry in advice.configurations for run in entry.evidence}
        assert evidence
        assert task.fingerprint not in evidence
