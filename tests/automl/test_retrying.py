"""Storages of studies that fail for a while, or for good."""

import json
import sqlite3
from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.storages import InMemoryStorage

from automl_meta import AutoMLClassifier, TabularTask
from automl_meta.automl import retrying
from automl_meta.automl.retrying import RetryingStorage, patiently
from automl_meta.automl.study_storage import open_storage
from automl_meta.exceptions import AutomlMetaWarning, DataError, StudyError

FULL = sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
FULL.orig.sqlite_errorcode = sqlite3.SQLITE_FULL


class Failing(RetryingStorage):
    """A storage behind which everything fails, `n_times` from the call `first` on."""

    def __init__(self, inner: Any, first: int, n_times: float) -> None:
        super().__init__(inner)
        self.calls, self.first, self.n_times = 0, first, n_times

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if not name.startswith("set_trial"):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.first <= self.calls < self.first + self.n_times:
                raise FULL
            return found(*arguments, **options)

        return call


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes by sleeping only."""
    now = [0.0]
    monkeypatch.setattr(retrying.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(retrying.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_a_short_outage_is_outlasted_with_a_word(clock: list[float]) -> None:
    storage = RetryingStorage(Failing(InMemoryStorage(), 1, 5))
    study = optuna.create_study(storage=storage)
    trial = study.ask()
    with pytest.warns(AutomlMetaWarning, match=r"failed: database or disk is full") as said:
        trial.set_user_attr("a", 1)
    assert study.trials[0].user_attrs == {"a": 1}
    assert len(said) == 1


@pytest.mark.filterwarnings("ignore::automl_meta.exceptions.AutomlMetaWarning")
def test_patience_has_an_end(clock: list[float]) -> None:
    def fail() -> None:
        raise FULL

    with pytest.raises(StudyError, match="The storage of the study failed: database or disk is full"):
        patiently(fail)
    assert 30.0 < clock[0] < 35.0


@pytest.mark.parametrize(
    "error",
    [
        DataError("damaged"),
        json.JSONDecodeError("damaged", "", 0),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "damaged"),
        sa.exc.DatabaseError("SELECT", {}, sqlite3.DatabaseError("damaged")),
        sa.exc.OperationalError("SELECT", {}, sqlite3.OperationalError("no such table: damaged")),
    ],
)
def test_what_is_damaged_is_not_tried_again(clock: list[float], error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(StudyError, match="damaged"):
        patiently(fail)
    assert clock == [0.0]


@pytest.mark.filterwarnings("ignore::automl_meta.exceptions.AutomlMetaWarning")
@pytest.mark.parametrize("first", [1, 14, 15, 16, 17, 18, 19, 20])
def test_a_storage_that_fails_for_good_does_not_cost_the_model(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Wherever in the second or third trial it fails, what was done before counts."""
    monkeypatch.setattr(retrying, "PATIENCE_SECONDS", 0.0)
    storage = RetryingStorage(Failing(open_storage(tmp_path / "s.db"), first + 10, float("inf")))
    model = AutoMLClassifier(
        n_trials=9, algorithms=["lda", "knn"], cv=2, store=False, storage=storage, random_state=0
    ).fit(TabularTask.bundled("iris"))
    assert 1 <= len(model.runs_) < 9
    assert model.runs_["status"].eq("ok").all()
    assert model.score(TabularTask.bundled("iris").X, TabularTask.bundled("iris").y) > 0.9
    assert any("database or disk is full" in note for note in model.report_.notes)
