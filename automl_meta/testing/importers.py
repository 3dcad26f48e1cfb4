"""The contract of importers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from automl_meta.records import LOCAL, Configuration, DatasetRecord
from automl_meta.store import MetadataStore

__all__ = ["ImporterContract"]

RECORD = DatasetRecord("elsewhere", "Elsewhere", "classification", 100, 4, n_classes=2)
GOOD = (
    (Configuration("knn", {"n_neighbors": 3, "weights": "uniform", "p": 2}), 0.75),
    (Configuration("knn", {"n_neighbors": 9, "weights": "distance", "p": 1}), 0.5),
)
UNKNOWN = (Configuration("no_such_algorithm", {"n_neighbors": 3}), 0.99)
OUTSIDE = (Configuration("knn", {"n_neighbors": 999_999, "weights": "uniform", "p": 2}), 0.99)
IMPOSSIBLE = (Configuration("knn", {"n_neighbors": 5, "weights": "uniform", "p": 2}), 1.5)


class ImporterContract(ABC):
    """Contract of an importer; subclass it and write `load`."""

    @abstractmethod
    def load(
        self,
        store: MetadataStore,
        experience: Sequence[tuple[Configuration, float]],
        *,
        minimised: bool,
        folder: Path,
    ) -> tuple[int, Mapping[str, int]]:
        """Write experience in the foreign form and import it.

        Parameters
        ----------
        store : MetadataStore
            Store to import into.
        experience : sequence of (Configuration, float)
            Configurations with their accuracy on the data set `RECORD`.
        minimised : bool
            Whether the foreign form holds a loss, the negated accuracy, in place of the accuracy.
        folder : Path
            Empty folder for files.

        Returns
        -------
        n_new : int
            Number of new runs.
        skipped : mapping of str to int
            Number of skipped entries by reason.
        """

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[MetadataStore]:
        with MetadataStore(tmp_path / "store.db", seed=False) as opened:
            yield opened

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "foreign"
        folder.mkdir()
        return folder

    def scores(self, store: MetadataStore) -> dict[str, Any]:
        """Accuracy by configuration of the runs in a store."""
        runs = store.runs(RECORD.dataset_id)
        return {run.configuration.configuration_id: run.scores["accuracy"] for run in runs}

    @pytest.mark.parametrize("minimised", [False, True])
    def test_runs_keep_configuration_and_direction(
        self, store: MetadataStore, folder: Path, minimised: bool
    ) -> None:
        n_new, skipped = self.load(store, GOOD, minimised=minimised, folder=folder)
        assert (n_new, dict(skipped)) == (len(GOOD), {})
        assert self.scores(store) == {one.configuration_id: score for one, score in GOOD}
        assert store.check() == []

    def test_a_second_import_adds_nothing(self, store: MetadataStore, folder: Path) -> None:
        self.load(store, GOOD, minimised=False, folder=folder)
        before = store.run_ids()
        n_new, _ = self.load(store, GOOD, minimised=False, folder=folder)
        assert (n_new, store.run_ids()) == (0, before)

    @pytest.mark.parametrize("bad", [UNKNOWN, OUTSIDE, IMPOSSIBLE], ids=["unknown", "outside", "impossible"])
    def test_what_cannot_be_imported_is_counted_by_reason_and_costs_nothing_else(
        self, store: MetadataStore, folder: Path, bad: tuple[Configuration, float]
    ) -> None:
        n_new, skipped = self.load(store, (bad, *GOOD), minimised=False, folder=folder)
        assert (n_new, list(skipped.values())) == (len(GOOD), [1])
        assert all(skipped)  # a reason in words
        assert bad[0].configuration_id not in self.scores(store)

    def test_each_reason_has_a_count_of_its_own(self, store: MetadataStore, folder: Path) -> None:
        _, skipped = self.load(store, (UNKNOWN, OUTSIDE, IMPOSSIBLE), minimised=False, folder=folder)
        assert list(skipped.values()) == [1, 1, 1]

    def test_imported_runs_are_told_from_local_ones(self, store: MetadataStore, folder: Path) -> None:
        self.load(store, GOOD, minimised=False, folder=folder)
        assert LOCAL.name not in {run.source for run in store.runs(RECORD.dataset_id)}
