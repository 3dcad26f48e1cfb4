import pickle

import numpy as np
import pandas as pd

from automl_meta.metrics import get_metric
from automl_meta.records import Configuration, DatasetRecord, Environment, MetaDataset, Protocol, Run


def meta() -> MetaDataset:
    datasets = pd.DataFrame(
        {
            "name": ["x", "y"],
            "family": ["x", "y"],
            "n_rows": 10,
            "n_features": 2,
            "n_classes": 2,
            "target_scale": np.nan,
            "fit_rows": 8.0,
        },
        index=pd.Index(["a", "b"], name="dataset_id"),
    )
    configurations = pd.DataFrame(
        {"algorithm": ["knn", "lda"], "parameters": [{}, {}]},
        index=pd.Index(["k", "l"], name="configuration_id"),
    )
    runs = pd.DataFrame(
        {
            "run_id": ["1", "2", "3"],
            "dataset_id": ["a", "b", "b"],
            "configuration_id": ["k", "k", "l"],
            "score": [0.5, 0.6, np.nan],
            "fit_seconds": [1.0, 2.0, np.nan],
            "seconds": [5.0, 10.0, 60.0],
            "status": ["ok", "ok", "timeout"],
        }
    )
    metafeatures = pd.DataFrame({"n_rows": [10.0, 10.0]}, index=datasets.index)
    return MetaDataset(get_metric("accuracy"), "classification", datasets, metafeatures, configurations, runs)


def test_the_name_of_a_configuration_does_not_depend_on_the_order_of_its_parameters() -> None:
    assert (
        Configuration("knn", {"p": 1, "n_neighbors": 2}).configuration_id
        == Configuration("knn", {"n_neighbors": 2, "p": 1}).configuration_id
        != Configuration("knn", {"n_neighbors": 2, "p": 2}).configuration_id
    )


def test_the_same_run_has_the_same_name_whatever_it_gave() -> None:
    first = Run("d", Configuration("knn"), "ok", scores={"accuracy": 1.0})
    assert first.run_id == Run("d", Configuration("knn"), "timeout").run_id
    assert first.run_id != Run("d", Configuration("knn"), "ok", source="elsewhere").run_id
    assert first.run_id != Run("d", Configuration("knn"), "ok", protocol=Protocol(seed=1).name).run_id


def test_records_travel_between_processes() -> None:
    run = Run("d", Configuration("knn", {"p": 1}), "ok", scores={"accuracy": 1.0})
    for record in (run, DatasetRecord("d", "x", "classification", 1, 1), Environment.current()):
        assert repr(pickle.loads(pickle.dumps(record))) == repr(record)


def test_a_dataset_is_a_family_of_its_own_unless_somebody_knows_better() -> None:
    assert DatasetRecord("d", "x", "classification", 1, 1).family == "d"


def test_matrices_hold_nan_where_nothing_is_known() -> None:
    scores = meta().scores
    np.testing.assert_array_equal(scores.to_numpy(), [[0.5, np.nan], [0.6, np.nan]])
    np.testing.assert_array_equal(meta().tried.to_numpy(), [[True, False], [True, True]])
    assert meta().seconds.loc["b", "l"] == 60.0


def test_a_selection_keeps_the_frames_together() -> None:
    selected = meta().select(datasets=["b"], configurations=["l"])
    assert (selected.datasets.index.tolist(), selected.metafeatures.index.tolist()) == (["b"], ["b"])
    assert selected.runs["run_id"].tolist() == ["3"]
    assert len(meta()) == 3


def test_a_protocol_is_read_from_its_name() -> None:
    for protocol in (Protocol(), Protocol(3, 4, None, 7), Protocol(10, max_train_rows=100)):
        assert Protocol.from_name(protocol.name) == protocol
        assert Protocol.from_name(f"{protocol.name}-weighted-1a2b3c") == protocol
    for name in ("optuna:churn", "custom-0123456789ab", "cv5", "cv5-rows10-seed1x", "my-cv5-rowsall-seed0"):
        assert Protocol.from_name(name) is None


def test_leaving_out_drops_what_no_run_is_left_of() -> None:
    kept = meta().without(["b"])
    assert (list(kept.datasets.index), list(kept.configurations.index)) == (["a"], ["k"])
    assert kept.runs["run_id"].tolist() == ["1"]
    only = meta().without(algorithms=["lda"])
    assert (list(only.datasets.index), list(only.configurations.index)) == (["b"], ["l"])


def test_leaving_out_nothing_shares_no_frame() -> None:
    whole = meta()
    runs = whole.without().runs
    runs.loc[0, "score"] = 0.0
    assert whole.runs.loc[0, "score"] == 0.5
