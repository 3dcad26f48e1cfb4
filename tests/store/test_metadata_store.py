"""What every store promises, whatever database is behind it."""

import math
import pickle
import threading
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from store.store_workers import configuration, dataset, failed_run, fill, run

from automl_meta.exceptions import StoreError, UsageError
from automl_meta.records import Environment, Source
from automl_meta.store import MetadataStore, default_store_path


def same(first: object, second: object) -> bool:
    return repr(first) == repr(second)  # NaN is not equal to itself, but written the same


def test_runs_come_back_as_they_were_given(store: MetadataStore) -> None:
    given = fill(store, n_datasets=2, n_configurations=4)
    returned = list(store.runs())
    assert [r.run_id for r in returned] == [r.run_id for r in given]
    for before, after in zip(given, returned, strict=True):
        assert same(replace(before, scores={}), replace(after, scores={}))
        assert before.scores == after.scores


def test_data_sets_come_back_as_they_were_given(store: MetadataStore) -> None:
    given = dataset(3, "regression", family="boston", source="paper")
    store.add_dataset(given)
    returned = store.dataset(given.dataset_id)
    assert same(replace(given, metafeatures={}), replace(returned, metafeatures={}))
    assert same(sorted(given.metafeatures.items()), sorted(returned.metafeatures.items()))


def test_adding_twice_adds_once(store: MetadataStore) -> None:
    given = fill(store, n_datasets=2, n_configurations=3)
    before = store.info()
    assert store.add_runs(given) == 0
    assert store.add_runs([given[0], run(dataset(0), 77), run(dataset(0), 77)]) == 1
    assert store.info()["runs"] == before["runs"] + 1


def test_stored_runs_are_never_changed(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    store.add_runs([run(dataset(0), 1)])
    store.add_runs([run(dataset(0), 1, scores={"accuracy": 0.99})])
    assert [r.scores for r in store.runs()] == [run(dataset(0), 1).scores]


def test_a_run_on_an_unknown_data_set_is_refused_and_nothing_is_stored(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    with pytest.raises(UsageError, match=r"belong to the data set 'classification-9'.*add_dataset"):
        store.add_runs([run(dataset(0), 1), run(dataset(9), 1)])
    assert store.run_ids() == set()
    assert store.info()["configurations_by_algorithm"] == {}


def test_run_ids_tell_what_is_left_to_do(store: MetadataStore) -> None:
    given = fill(store, n_datasets=2, n_configurations=3)
    other = run(dataset(0), 0, protocol="holdout")
    store.add_runs([other])
    assert store.run_ids() == {r.run_id for r in [*given, other]}
    assert store.run_ids(dataset_id="classification-0", protocol="holdout") == {other.run_id}
    assert store.run_ids(dataset_id="nowhere") == set()


@pytest.mark.parametrize(
    ("condition", "n_expected"),
    [
        ({"dataset_id": "regression-1"}, 4),
        ({"configuration_id": configuration(2).configuration_id}, 4),
        ({"algorithm": "forest"}, 8),
        ({"status": "timeout"}, 4),
        ({"source": "elsewhere"}, 0),
        ({"dataset_id": "regression-1", "status": "ok"}, 3),
    ],
)
def test_runs_can_be_chosen(store: MetadataStore, condition: dict[str, str], n_expected: int) -> None:
    fill(store, n_datasets=2, n_configurations=4)
    assert len(list(store.runs(**condition))) == n_expected


def test_many_runs_are_read_in_pieces_without_gaps(file_store: MetadataStore) -> None:
    record = dataset(0)
    file_store.add_dataset(record)
    given = [run(record, number, scores={"accuracy": 0.5}, fold_scores={}) for number in range(2500)]
    file_store.add_runs(given)
    assert [r.run_id for r in file_store.runs()] == [r.run_id for r in given]


def test_meta_features_can_come_later_and_replace_older_versions_only(store: MetadataStore) -> None:
    def add(metafeatures: dict[str, float], **versions: int) -> None:
        store.add_dataset(dataset(0, metafeatures=metafeatures), versions=versions)

    add({"a": 1.0, "b": 1.0}, a=2, b=2)
    add({"a": 9.0, "b": 2.0, "c": 3.0}, a=1, b=3, c=1)
    assert dict(store.dataset("classification-0").metafeatures) == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_versions_may_be_those_of_the_extractors(store: MetadataStore) -> None:
    for value, version in ((1.0, 1), (2.0, 1), (3.0, 2)):
        store.add_dataset(dataset(0, metafeatures={"a": value}), versions={"simple": version, "other": 1})
    assert dict(store.dataset("classification-0").metafeatures) == {"a": 3.0}


def test_a_family_that_becomes_known_is_kept(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    store.add_dataset(dataset(0, family="friedman"))
    store.add_dataset(dataset(0))
    assert store.dataset("classification-0").family == "friedman"


def test_an_unknown_data_set_is_a_usage_error(store: MetadataStore) -> None:
    with pytest.raises(UsageError, match="has no data set 'nowhere'"):
        store.dataset("nowhere")


def test_data_sets_are_listed_by_kind_with_their_runs(store: MetadataStore) -> None:
    fill(store, n_datasets=2, n_configurations=4)
    store.add_dataset(dataset(5))
    frame = store.datasets("classification")
    assert list(frame.index) == ["classification-0", "classification-1", "classification-5"]
    assert list(frame["n_runs"]) == [4, 4, 0]
    assert {str(frame[name].dtype) for name in ("n_rows", "n_features", "n_classes", "n_runs")} == {"int64"}
    assert len(store.datasets()) == 5


def test_an_empty_store_lists_nothing(store: MetadataStore) -> None:
    assert len(store.datasets()) == 0
    assert list(store.runs()) == []
    assert store.info()["runs"] == 0
    assert store.check() == []


def test_sources_and_environments_may_come_before_or_after_their_runs(store: MetadataStore) -> None:
    environment = Environment("3.11.7", "Linux x86_64", {"numpy": "2.4"})
    store.add_source(Source("before", url="https://example.org"))
    store.add_dataset(dataset(0))
    given = [
        run(dataset(0), 1, source=source, environment=environment.digest) for source in ("before", "after")
    ]
    store.add_runs(given)
    store.add_source(Source("after", citation="Somebody (2024)"))
    store.add_environment(environment)
    assert [r.source for r in store.runs()] == ["before", "after"]
    assert store.info()["runs_by_source"] == {"after": 1, "before": 1}
    assert store.check() == []


def test_text_of_any_kind_survives(store: MetadataStore) -> None:
    name = "Größe; \"x\", 'y' 数据 🎲\n"
    store.add_dataset(dataset(0, name=name))
    store.add_runs([failed_run(dataset(0), 1, reason="died:\x00 \ud800 é")])
    assert store.dataset("classification-0").name == name
    assert next(store.runs()).reason == "died: ? é"


def test_a_score_that_is_not_a_number_is_not_stored(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    store.add_runs([run(dataset(0), 1, scores={"accuracy": 0.5, "roc_auc_ovr": math.nan}, fold_scores={})])
    assert next(store.runs()).scores == {"accuracy": 0.5}


def test_info_counts_what_there_is(store: MetadataStore) -> None:
    fill(store, n_datasets=2, n_configurations=4)
    info = store.info()
    assert (info["datasets"], info["runs"], info["schema"]) == (4, 16, "0002")
    assert info["datasets_by_task_type"] == {"classification": 2, "regression": 2}
    assert info["runs_by_status"] == {"ok": 12, "timeout": 4}
    assert info["runs_by_algorithm"] == {"forest": 8, "knn": 4, "ridge": 4}
    assert info["configurations_by_algorithm"] == {"forest": 2, "knn": 1, "ridge": 1}
    assert info["seed"] is None


def test_threads_can_share_a_store(store: MetadataStore) -> None:
    store.add_dataset(dataset(0))
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 20):
                store.add_runs([run(dataset(0), number)])
                store.meta_dataset("accuracy", "classification")
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.meta_dataset("accuracy", "classification")) == 50


def test_a_closed_store_says_so(store: MetadataStore) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.run_ids()


def test_a_store_opens_itself_again_in_another_process(file_store: MetadataStore) -> None:
    file_store.add_dataset(dataset(0))
    copy = pickle.loads(pickle.dumps(file_store))
    assert copy.path == file_store.path
    assert list(copy.datasets().index) == ["classification-0"]


def test_a_store_in_memory_cannot_go_to_another_process() -> None:
    with MetadataStore("sqlite://", seed=False) as store, pytest.raises(StoreError, match="Use a file"):
        pickle.dumps(store)


def test_where_nothing_is_named_the_environment_variable_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOML_META_STORE", str(tmp_path / "new folder" / "mine.db"))
    with MetadataStore(seed=False) as store:
        assert store.path == tmp_path / "new folder" / "mine.db"
    monkeypatch.delenv("AUTOML_META_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_store_path().name == "store.db"


def test_a_store_is_closed_by_its_with_statement(tmp_path: Path) -> None:
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        assert store.url == f"sqlite:///{tmp_path / 'store.db'}"
    with pytest.raises(StoreError, match="closed"):
        store.info()


def test_meta_features_without_a_version_have_the_first(store: MetadataStore) -> None:
    store.add_dataset(dataset(0, metafeatures={"a": 1.0}))
    store.add_dataset(dataset(0, metafeatures={"a": 2.0}), versions={"a": 1})
    assert store.dataset("classification-0").metafeatures["a"] == 1.0
    store.add_dataset(dataset(0, metafeatures={"a": 3.0}), versions={"a": 2})
    assert store.dataset("classification-0").metafeatures["a"] == 3.0


def test_a_source_that_comes_again_without_words_keeps_its_own(
    file_store: MetadataStore, tmp_path: Path
) -> None:
    file_store.add_source(Source("paper", citation="Somebody (2024)"))
    file_store.add_source(Source("paper"))
    file_store.export(tmp_path / "out")
    assert "Somebody (2024)" in (tmp_path / "out" / "sources.toml").read_text()
    file_store.add_source(Source("paper", url="https://example.org"))
    file_store.export(tmp_path / "out")
    assert "https://example.org" in (tmp_path / "out" / "sources.toml").read_text()


def test_an_environment_that_comes_again_is_described_once(file_store: MetadataStore, tmp_path: Path) -> None:
    for _ in range(2):
        file_store.add_environment(Environment("3.11.7", "Linux x86_64", {"numpy": "2.4"}))
    file_store.export(tmp_path / "out")
    assert (tmp_path / "out" / "sources.toml").read_text().count("[[environments]]") == 1


def test_info_says_where_the_store_is_and_how_large(file_store: MetadataStore) -> None:
    fill(file_store, n_datasets=1, n_configurations=2)
    info = file_store.info()
    assert (info["url"], info["path"]) == (file_store.url, str(file_store.path))
    assert info["bytes"] == Path(info["path"]).stat().st_size
    assert info["runs_by_task_type"] == {"classification": 2, "regression": 2}
    assert info["runs_by_source"] == {"local": 4}
    assert sum(info["runs_by_protocol"].values()) == 4


def test_data_sets_are_listed_with_the_number_of_their_runs(store: MetadataStore) -> None:
    fill(store, n_datasets=2, n_configurations=3)
    store.add_dataset(dataset(9))
    frame = store.datasets("classification")
    assert frame["n_runs"].to_dict() == {"classification-0": 3, "classification-1": 3, "classification-9": 0}
    assert set(store.datasets("regression")["task_type"]) == {"regression"}
    assert frame.columns.tolist() == [
        "name", "task_type", "family", "n_rows", "n_features", "n_classes", "target_scale", "source", "n_runs",
    ]  # fmt: skip


def test_a_data_set_that_is_not_there_is_named(store: MetadataStore) -> None:
    with pytest.raises(UsageError, match="no data set 'nowhere'"):
        store.dataset("nowhere")


def test_a_store_without_the_shipped_experience_opens_itself_without_it(file_store: MetadataStore) -> None:
    with pickle.loads(pickle.dumps(file_store)) as copy:
        assert len(copy.datasets()) == 0


def test_describing_an_environment_again_leaves_the_others_alone(
    store: MetadataStore, tmp_path: Path
) -> None:
    environments = [Environment(f"3.11.{patch}", "Linux x86_64", {"numpy": "2.4"}) for patch in range(4)]
    for environment in environments:
        store.add_environment(environment)
    store.add_environment(sorted(environments, key=lambda environment: environment.digest)[0])
    store.add_dataset(dataset(0))
    store.add_runs(run(dataset(0), k, environment=one.digest) for k, one in enumerate(environments))
    store.export(tmp_path / "export")
    written = tomllib.loads((tmp_path / "export" / "sources.toml").read_text())["environments"]
    assert sorted(one["python"] for one in written) == [one.python for one in environments]
