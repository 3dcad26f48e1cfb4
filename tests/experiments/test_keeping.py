from collections.abc import Iterator
from pathlib import Path

import pytest

from automl_meta.algorithms import algorithms_for
from automl_meta.exceptions import AutomlMetaWarning, StoreError
from automl_meta.experiments import Campaign, Keeper
from automl_meta.records import Configuration, Run
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

TASK = TabularTask.bundled("iris")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetadataStore]:
    with MetadataStore(tmp_path / "store.db", seed=False) as opened:
        yield opened


def refuse(monkeypatch: pytest.MonkeyPatch, after: int = 0) -> None:
    """Have stores take so many batches of runs, and nothing after."""
    left = [after]

    def wrapped(original):
        def call(self, *arguments, **more):
            if left[0] == 0:
                raise StoreError("The disk is full.")
            left[0] -= original.__name__ == "add_runs"
            return original(self, *arguments, **more)

        return call

    for name in ("add_runs", "add_dataset"):
        monkeypatch.setattr(MetadataStore, name, wrapped(getattr(MetadataStore, name)))


def test_a_campaign_whose_store_fails_goes_on_and_its_results_can_be_added_later(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    algorithms = algorithms_for("classification", only=["dummy", "lda", "gaussian_nb"])
    with monkeypatch.context() as patch:
        refuse(patch, after=1)
        with pytest.warns(AutomlMetaWarning, match="The disk is full. .* automl-meta store import ") as said:
            end = Campaign(store, algorithms, n_sampled=0).run([TASK])
    assert (end.done, end.kept_aside, len(said)) == (3, 2, 1)
    assert len(store.run_ids()) == 1
    (file,) = tmp_path.glob("store.db-automl_meta-results-*.jsonl")
    assert store.import_spooled(file) == 2
    assert Campaign(store, algorithms, n_sampled=0).run([TASK]).done == len(store.run_ids()) == 3
    assert store.check() == []


def test_what_a_store_never_heard_of_is_kept_with_its_description(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        refuse(patch)
        with pytest.warns(AutomlMetaWarning, match="The results are kept in"):
            Campaign(store, algorithms_for("classification", only=["dummy"]), n_sampled=0).run([TASK])
    (file,) = tmp_path.glob("*.jsonl")
    assert store.import_spooled(file) == 1
    assert store.dataset(TASK.fingerprint).metafeatures["n_rows"] == 150


def test_where_nothing_can_be_written_beside_the_store_the_file_lies_in_the_current_folder(
    store: MetadataStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refuse(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(MetadataStore, "path", Path("/no/such/folder/store.db"))
    keeper = Keeper(store)
    with pytest.warns(AutomlMetaWarning, match="automl_meta-results"):
        keeper.add_runs([Run(TASK.fingerprint, Configuration("dummy"), "ok")])
    assert keeper.file is not None
    assert keeper.file.parent == tmp_path
    assert keeper.n_kept == 1
