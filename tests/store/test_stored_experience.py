"""Experience as recommenders get it."""

import math

import numpy as np
import pytest
from store.store_workers import configuration, dataset, failed_run, fill, run

from automl_meta.exceptions import NoExperienceError, UsageError
from automl_meta.store import MetadataStore


def test_the_frames_have_the_columns_and_types_that_recommenders_expect(store: MetadataStore) -> None:
    fill(store, n_datasets=3, n_configurations=4)
    meta = store.meta_dataset("accuracy", "classification")
    assert {name: str(dtype) for name, dtype in meta.datasets.dtypes.items()} == {
        "name": "str",
        "family": "str",
        "n_rows": "int64",
        "n_features": "int64",
        "n_classes": "int64",
        "target_scale": "float64",
        "fit_rows": "float64",
    }
    assert {name: str(dtype) for name, dtype in meta.runs.dtypes.items()} == {
        "run_id": "str",
        "dataset_id": "str",
        "configuration_id": "str",
        "score": "float64",
        "fit_seconds": "float64",
        "seconds": "float64",
        "status": "str",
    }
    assert list(meta.configurations.columns) == ["algorithm", "parameters"]
    assert set(map(str, meta.metafeatures.dtypes)) == {"float64"}
    assert meta.datasets.index.name == meta.metafeatures.index.name == "dataset_id"
    assert list(meta.datasets.index) == list(meta.metafeatures.index)
    assert meta.configurations.index.name == "configuration_id"


def test_the_values_are_those_of_the_runs(store: MetadataStore) -> None:
    fill(store, n_datasets=3, n_configurations=4)
    meta = store.meta_dataset("bac", "classification")
    record = dataset(1)
    row = meta.runs.set_index("run_id").loc[run(record, 2).run_id]
    assert row["score"] == run(record, 2).scores["balanced_accuracy"]
    assert (row["fit_seconds"], row["seconds"], row["status"]) == (2.5, 5.0, "ok")
    assert meta.configurations.loc[row["configuration_id"], "parameters"] == configuration(2).parameters
    assert meta.configurations.loc[row["configuration_id"], "algorithm"] == "ridge"
    assert list(meta.metafeatures.columns) == ["entropy", "n_rows", "skewness"]
    assert meta.metafeatures.loc["classification-1", "entropy"] == 1 / 7
    assert meta.metafeatures["skewness"].isna().all()


def test_failed_runs_are_there_without_a_score(store: MetadataStore) -> None:
    fill(store, n_datasets=2, n_configurations=4)
    failed = store.meta_dataset("accuracy", "classification").runs.query("status == 'timeout'")
    assert len(failed) == 2
    assert failed["score"].isna().all()
    assert (failed["seconds"] == 6.0).all()
    assert failed["fit_seconds"].isna().all()


def test_everything_is_sorted_whatever_came_first(store: MetadataStore) -> None:
    for number in (2, 0, 1):
        store.add_dataset(dataset(number))
        store.add_runs([run(dataset(number), k) for k in (3, 1, 2)])
    meta = store.meta_dataset("accuracy", "classification")
    assert list(meta.datasets.index) == sorted(meta.datasets.index)
    assert list(meta.configurations.index) == sorted(meta.configurations.index)
    pairs = list(zip(meta.runs["dataset_id"], meta.runs["configuration_id"], strict=True))
    assert pairs == sorted(pairs)
    assert list(meta.runs.index) == list(range(9))


def test_data_sets_without_runs_and_good_runs_without_the_score_are_left_out(store: MetadataStore) -> None:
    fill(store, n_datasets=2, n_configurations=3)
    store.add_dataset(dataset(7))
    store.add_dataset(dataset(8))
    store.add_runs([run(dataset(8), 1, scores={"f1_macro": 0.5})])
    meta = store.meta_dataset("accuracy", "classification")
    assert list(meta.datasets.index) == ["classification-0", "classification-1"]
    assert "classification-8" in store.meta_dataset("f1_macro", "classification").datasets.index


def test_scores_in_the_unit_of_the_target_are_divided_by_its_scale(store: MetadataStore) -> None:
    fill(store, n_datasets=1, n_configurations=3)
    for number, scale in ((7, math.nan), (8, 0.0)):
        record = dataset(number, "regression", target_scale=scale)
        store.add_dataset(record)
        store.add_runs([run(record, 1)])
    given = run(dataset(0, "regression"), 1)
    meta = store.meta_dataset("rmse", "regression")
    assert list(meta.datasets.index) == ["regression-0"]
    scores = meta.scores.loc["regression-0", given.configuration.configuration_id]
    assert scores == given.scores["neg_root_mean_squared_error"] / 2.0
    assert len(store.meta_dataset("r2", "regression").datasets) == 3


def test_data_sets_can_be_kept_from_advising(store: MetadataStore) -> None:
    fill(store, n_datasets=3, n_configurations=4)
    alone = run(dataset(1), 9)
    store.add_runs([alone])
    whole = store.meta_dataset("accuracy", "classification")
    for _ in range(2):  # read, and remembered
        meta = store.meta_dataset("accuracy", "classification", exclude=["classification-1", "unknown"])
        assert list(meta.datasets.index) == ["classification-0", "classification-2"]
        assert list(meta.metafeatures.index) == ["classification-0", "classification-2"]
        assert alone.configuration.configuration_id not in meta.configurations.index
        assert set(meta.runs["dataset_id"]) == set(meta.datasets.index)
        assert list(meta.runs.index) == list(range(len(meta)))
    assert len(store.meta_dataset("accuracy", "classification")) == len(whole)


def test_only_some_algorithms_can_be_asked_for(store: MetadataStore) -> None:
    fill(store, n_datasets=3, n_configurations=4)
    meta = store.meta_dataset("accuracy", "classification", algorithms=["knn", "ridge"])
    assert set(meta.configurations["algorithm"]) == {"knn", "ridge"}
    assert len(meta) == 6


def test_only_one_protocol_can_be_asked_for(store: MetadataStore) -> None:
    fill(store, n_datasets=2, n_configurations=4)
    store.add_runs([run(dataset(0), 1, protocol="holdout", scores={"accuracy": 0.25})])
    meta = store.meta_dataset("accuracy", "classification", protocol="holdout")
    assert list(meta.runs["score"]) == [0.25]


def one_score(store: MetadataStore) -> float:
    runs = store.meta_dataset("accuracy", "classification").runs
    chosen = runs[runs["configuration_id"] == configuration(1).configuration_id]
    assert len(chosen) == 1
    return chosen["score"].item()


def test_of_the_runs_of_a_pair_the_latest_speaks(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import automl_meta.store.inserts as writing

    store.add_dataset(dataset(0))
    for day, source, score in ((2, "b", 0.2), (3, "a", 0.3), (1, "c", 0.1)):

        class Clock(writing.datetime):
            @classmethod
            def now(cls, zone=None, day=day):
                return cls(2026, 1, day, tzinfo=zone)

        monkeypatch.setattr(writing, "datetime", Clock)
        store.add_runs([run(dataset(0), 1, source=source, scores={"accuracy": score})])
    assert one_score(store) == 0.3


def test_a_good_run_speaks_before_a_failed_one(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    store.add_runs([run(dataset(0), 1, scores={"accuracy": 0.5})])
    store.add_runs([failed_run(dataset(0), 1, source="other")])
    store.add_runs([failed_run(dataset(0), 1, protocol="other")])
    assert one_score(store) == 0.5


def test_the_protocol_of_most_runs_on_a_data_set_speaks(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    store.add_runs([run(dataset(0), k, scores={"accuracy": 0.5}) for k in range(3)])
    store.add_runs([run(dataset(0), 1, protocol="aaa", scores={"accuracy": 0.9})])
    store.add_runs([run(dataset(0), 1, protocol="zzz", scores={"accuracy": 0.9})])
    assert one_score(store) == 0.5


def test_what_is_written_counts_at_once_also_from_elsewhere(file_store: MetadataStore) -> None:
    fill(file_store, n_datasets=2, n_configurations=3)
    n_before = len(file_store.meta_dataset("accuracy", "classification"))
    file_store.add_runs([run(dataset(0), 50)])
    assert len(file_store.meta_dataset("accuracy", "classification")) == n_before + 1
    with MetadataStore(file_store.url, seed=False) as elsewhere:
        elsewhere.add_runs([run(dataset(0), 51)])
        elsewhere.add_dataset(dataset(0, metafeatures={"new": 1.0}))
    meta = file_store.meta_dataset("accuracy", "classification")
    assert len(meta) == n_before + 2
    assert meta.metafeatures.loc["classification-0", "new"] == 1.0


def test_a_second_call_reads_no_runs(file_store: MetadataStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(file_store, n_datasets=2, n_configurations=3)
    first = file_store.meta_dataset("accuracy", "classification")
    monkeypatch.setattr("automl_meta.store.stored_experience.read_experience", None)
    second = file_store.meta_dataset("acc", "classification")
    assert first.runs.equals(second.runs)


def test_a_caller_who_changes_the_frames_changes_only_their_own(file_store: MetadataStore) -> None:
    fill(file_store, n_datasets=2, n_configurations=3)
    meta = file_store.meta_dataset("accuracy", "classification")
    before = meta.runs["score"].copy()
    meta.runs["score"] = 0.0
    meta.runs.loc[0, "status"] = "lost"
    meta.metafeatures.iloc[:, :] = 0.0
    meta.datasets["more"] = 1
    again = file_store.meta_dataset("accuracy", "classification")
    assert np.array_equal(again.runs["score"], before, equal_nan=True)
    assert "lost" not in set(again.runs["status"])
    assert again.metafeatures["skewness"].isna().all()
    assert "more" not in again.datasets


def test_versions_of_a_meta_feature_are_never_mixed(store: MetadataStore) -> None:
    for number, version in ((0, 1), (1, 2)):
        store.add_dataset(dataset(number, metafeatures={"a": 1.0, "b": 1.0}), versions={"a": version, "b": 1})
        store.add_runs([run(dataset(number), 1)])
    metafeatures = store.meta_dataset("accuracy", "classification").metafeatures
    assert metafeatures["a"].isna().tolist() == [True, False]
    assert metafeatures["b"].notna().all()


def test_a_store_without_fitting_runs_says_how_to_make_some(store: MetadataStore) -> None:
    with pytest.raises(NoExperienceError, match=r"no regression run with r2\. .*automl-meta collect"):
        store.meta_dataset("r2", "regression")
    fill(store, n_datasets=1, n_configurations=2)
    with pytest.raises(NoExperienceError, match="1 data sets left out; algorithms svm"):
        store.meta_dataset("r2", "regression", exclude=["regression-0"], algorithms="svm")


def test_a_metric_of_another_kind_of_task_is_a_usage_error(store: MetadataStore) -> None:
    with pytest.raises(UsageError, match="no metric 'r2' for classification"):
        store.meta_dataset("r2", "classification")


def test_the_rows_of_a_fit_are_those_of_the_protocol_of_most_runs_on_the_data_set(
    store: MetadataStore,
) -> None:
    records = [dataset(number) for number in range(3)]
    of_two_folds = [run(records[1], k, protocol="cv2-rowsall-seed0") for k in range(3)]
    of_another_source = [run(records[2], k, protocol="optuna:churn") for k in range(2)]
    for record in records:
        store.add_dataset(record)
    store.add_runs([run(records[0], 0), run(records[1], 0), *of_two_folds, *of_another_source])
    meta = store.meta_dataset("accuracy", "classification")
    assert meta.datasets["fit_rows"].tolist() == [80.0, 50.5, 81.6]
    one = store.meta_dataset("accuracy", "classification", protocol="cv5-rows5000-seed0")
    assert one.datasets["fit_rows"].tolist() == [80.0, 80.8]
