import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from processes import Marked

from automl_meta.algorithms import algorithms_for
from automl_meta.exceptions import WorkerError
from automl_meta.experiments import Campaign, CampaignProgress, Keeper, Limits, dataset_record
from automl_meta.records import Configuration, Protocol, Run, Source
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

FAST = ["dummy", "gaussian_nb", "knn", "lda"]
TASKS = [TabularTask.bundled("wine"), TabularTask.bundled("iris")]


def campaign(
    store: MetadataStore, n_sampled: int = 2, backend: str = "threading", n_jobs: int = 1
) -> Campaign:
    return Campaign(
        store,
        algorithms_for("classification", only=FAST),
        n_sampled,
        limits=Limits(60),
        backend=backend,
        n_jobs=n_jobs,
    )


@pytest.fixture
def store(tmp_path: Path):
    with MetadataStore(tmp_path / "store.db", seed=False) as opened:
        yield opened


def test_every_pair_is_run_and_stored(store: MetadataStore) -> None:
    seen: list[CampaignProgress] = []
    end = campaign(store).run(TASKS, families={"iris": "flowers"}, progress=seen.append)
    assert (end.done, end.total, end.failed) == (20, 20, 0)
    assert [state.task for state in seen] == ["iris"] * 10 + ["wine"] * 10, "the smallest comes first"
    experience = store.meta_dataset("accuracy", "classification")
    assert experience.scores.shape == (2, 10)
    assert experience.scores.notna().all(axis=None)
    assert experience.datasets.set_index("name")["family"]["iris"] == "flowers"
    assert experience.metafeatures["n_rows"].tolist() == experience.datasets["n_rows"].tolist()


def test_the_same_campaign_again_runs_nothing(store: MetadataStore) -> None:
    campaign(store).run(TASKS)
    seen: list[CampaignProgress] = []
    end = campaign(store).run(TASKS, progress=seen.append)
    assert (end.done, seen) == (20, [])


def test_a_larger_campaign_runs_only_what_is_new(store: MetadataStore) -> None:
    campaign(store).run(TASKS[:1])
    seen: list[CampaignProgress] = []
    end = campaign(store, n_sampled=3).run(TASKS, progress=seen.append)
    expected = sum(len(algorithm.configurations(3)) for algorithm in campaign(store).algorithms)
    assert end.total == 2 * expected
    assert seen[0].done > 10


def test_small_data_sets_are_cross_validated_repeatedly(store: MetadataStore) -> None:
    tasks = [TASKS[1], TabularTask.bundled("breast_cancer")]
    repeated = replace(campaign(store, n_sampled=0), small_repeats=3)
    repeated.run(tasks)
    sizes = store.datasets()["n_rows"]
    found = {int(sizes[run.dataset_id]): run.protocol for run in store.runs()}
    assert found == {150: "cv5x3-rows5000-seed0", 569: "cv5-rows5000-seed0"}
    seen: list[CampaignProgress] = []
    assert repeated.run(tasks, progress=seen.append).total == 8
    assert not seen


def test_scores_do_not_depend_on_the_backend(store: MetadataStore, tmp_path: Path) -> None:
    campaign(store).run(TASKS)
    expected = store.meta_dataset("accuracy", "classification").scores
    with MetadataStore(tmp_path / "other.db", seed=False) as other:
        campaign(other, backend="loky", n_jobs=2).run(TASKS)
        found = other.meta_dataset("accuracy", "classification").scores
    assert found.equals(expected)


def test_runs_carry_their_source(store: MetadataStore) -> None:
    made = Campaign(store, algorithms_for("classification", only=["dummy"]), source=Source("mine"))
    made.run(TASKS[:1])
    assert {run.source for run in store.runs()} == {"mine"}


_SAYS_WHEN_IT_STORES = """
import sys
from automl_meta.store import MetadataStore
add_runs = MetadataStore.add_runs
def says(self, runs):
    found = add_runs(self, runs)
    print("stored", flush=True)
    return found
MetadataStore.add_runs = says
from automl_meta.cli import main
main(sys.argv[1:])
"""


def test_ended_in_any_way_it_resumes_and_nothing_is_lost_doubled_or_left_behind(tmp_path: Path) -> None:
    url = tmp_path / "store.db"
    command = [
        sys.executable, "-c", _SAYS_WHEN_IT_STORES, "collect", "sklearn:iris", "--store", url, "--no-shipped",
        "--only", ",".join(FAST), "--samples", "8", "--jobs", "2", "--json",
    ]  # fmt: skip
    programs, known = Marked(tmp_path), set[str]()
    for what, to_group, n_stored in (
        (signal.SIGKILL, False, 1),
        (signal.SIGINT, True, 5),
        (signal.SIGTERM, False, 3),
    ):
        process = programs.start(*command)
        assert process.stdout is not None
        for _ in range(n_stored):
            assert process.stdout.readline() == "stored\n"
        programs.alive()
        (os.killpg if to_group else os.kill)(process.pid, what)
        _, errors = process.communicate(timeout=120)
        if what == signal.SIGINT:
            assert process.returncode == 130
            assert errors.splitlines()[-1].startswith("automl-meta: Interrupted. Finished runs are stored")
        assert "Traceback" not in errors
        assert programs.survivors() == []
        assert programs.leftovers() == []
        with MetadataStore(url, seed=False) as store:
            now = store.run_ids()
            assert known < now
            assert store.check() == []
            known = now
    _, errors = programs.start(*command).communicate(timeout=120)
    with MetadataStore(url, seed=False) as store:
        expected = sum(len(a.configurations(8)) for a in algorithms_for("classification", only=FAST))
        assert len(store.run_ids()) == len(list(store.runs())) == expected, errors
        assert store.check() == []


def test_processes_of_loky_end_with_the_campaign(tmp_path: Path) -> None:
    programs = Marked(tmp_path)
    process = programs.start(
        sys.executable, "-c", _SAYS_WHEN_IT_STORES, "collect", "sklearn:iris", "--store", tmp_path / "store.db",
        "--no-shipped", "--only", "dummy,random_forest,extra_trees", "--samples", "8", "--jobs", "2", "--backend", "loky",
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "stored\n"
    assert len(programs.alive()) > 2
    process.kill()
    process.communicate(timeout=120)
    assert programs.survivors() == []
    assert programs.leftovers() == []


def test_a_process_of_loky_that_dies_ends_the_campaign_with_one_error(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl_meta.experiments.campaign.end_with_parent", _die)
    with pytest.raises(WorkerError, match="evaluations"):
        campaign(store, backend="loky", n_jobs=2).run(TASKS[:1])


def _die(parent: int) -> None:
    os._exit(3)


def test_a_dataset_is_described_once_and_again_where_meta_features_are_missing(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    described: list[str] = []
    original = Keeper.add_dataset
    monkeypatch.setattr(
        Keeper,
        "add_dataset",
        lambda self, found: described.append(found.record.name) or original(self, found),
    )
    store.add_dataset(dataset_record(TASKS[0], {"n_rows": 178.0}))
    campaign(store).run(TASKS)
    campaign(store, n_sampled=3).run(TASKS)
    assert sorted(described) == ["iris", "wine"]


def test_a_campaign_on_mended_folds_knows_its_runs_and_those_of_other_folds_advise(
    store: MetadataStore,
) -> None:
    labels = np.repeat(["a", "b", "c"], [200, 200, 3])
    frame = pd.DataFrame({"x": np.arange(403) % 17, "z": np.arange(403) ** 1.5})
    task = TabularTask.from_frame(frame, labels, name="rare")
    small = replace(campaign(store, n_sampled=0), protocol=Protocol(max_train_rows=20))
    end = small.run([task])
    assert {run.protocol for run in store.runs()} == {"cv5-rows20-seed0-allclasses"}
    seen: list[CampaignProgress] = []
    assert small.run([task], progress=seen.append).done == end.total == 4
    assert not seen
    other = Run(task.fingerprint, Configuration("lda"), "ok", {"accuracy": 0.5}, protocol="cv5-rows20-seed0")
    store.add_runs([other])
    advising = store.meta_dataset("accuracy", "classification").runs["run_id"]
    assert other.run_id in set(advising)
    assert len(advising) == 5


def test_an_evaluation_that_is_ended_is_stored_under_the_name_of_the_mended_folds(
    store: MetadataStore,
) -> None:
    labels = np.repeat(["a", "b", "c"], [200, 200, 3])
    task = TabularTask.from_frame(pd.DataFrame({"z": np.arange(403) ** 1.5}), labels, name="rare")
    slow = replace(
        campaign(store, n_sampled=0), protocol=Protocol(max_train_rows=20), limits=Limits(seconds=1e-6)
    )
    slow.run([task])
    assert {run.status for run in store.runs()} == {"timeout"}
    assert {run.protocol for run in store.runs()} == {"cv5-rows20-seed0-allclasses"}


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_after_its_time_limit_a_campaign_starts_no_evaluation(store: MetadataStore, backend: str) -> None:
    end = campaign(store, backend=backend).run(TASKS, time_limit=0.0)
    assert (end.done, end.failed, store.run_ids()) == (0, 0, set())
    assert end.total > 0
    whole = campaign(store).run(TASKS, time_limit=600.0)
    assert whole.done == whole.total == end.total == len(store.run_ids())
