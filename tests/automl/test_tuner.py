"""Trials that hang, eat memory and die, in workers that are ended."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl_meta import AutoMLClassifier, TabularTask
from automl_meta.automl.shared_study import SharedStudy
from automl_meta.exceptions import DataError, WorkerError
from automl_meta.experiments import Evaluator
from automl_meta.store import MetadataStore

TASK = TabularTask.bundled("iris")
FAILING = Path(__file__).parents[1] / "experiments"


@pytest.fixture(autouse=True)
def _workers_find_the_algorithms_that_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(FAILING))
    monkeypatch.syspath_prepend(str(FAILING))


def failing(how: str) -> Any:
    from algorithms_that_fail import failing as made

    return replace(made(how), name=f"fails-{how}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetadataStore]:
    with MetadataStore(tmp_path / "store.db", seed=False) as opened:
        yield opened


def test_what_hangs_eats_memory_or_dies_is_ended_and_recorded_and_the_rest_goes_on(
    store: MetadataStore,
) -> None:
    algorithms = ["lda", *map(failing, ("hang", "eat", "die"))]
    model = AutoMLClassifier(
        n_trials=6,
        algorithms=algorithms,
        trial_time_limit=5.0,
        memory_limit=300 << 20,
        cv=2,
        store=store,
        random_state=0,
    ).fit(TASK)
    ends = dict(zip(model.runs_["algorithm"], model.runs_["status"], strict=True))
    assert ends.pop("lda") == "ok"
    assert ends
    assert ends.items() <= {"fails-hang": "timeout", "fails-eat": "memout", "fails-die": "crash"}.items()
    assert model.best_configuration_.algorithm == "lda"
    assert {run.status for run in store.runs()} == {"ok", *ends.values()}
    assert all(model.runs_.loc[model.runs_["status"] != "ok", "reason"])


def test_two_at_a_time_share_the_budget_and_propose_nothing_twice() -> None:
    model = AutoMLClassifier(
        n_trials=8,
        time_limit=600.0,
        algorithms=["dummy", "lda", "knn", "decision_tree"],
        n_jobs=2,
        cv=2,
        store=False,
        random_state=0,
    ).fit(TASK)
    assert model.runs_["status"].tolist() == ["ok"] * 8
    assert model.runs_["configuration_id"].is_unique
    assert set(model.report_.seconds) == {"describe", "tune", "ensemble", "refit", "total"}
    assert model.score(TASK.X, TASK.y) > 0.9


def test_only_the_predictions_of_the_best_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[list[float]] = []
    keep = SharedStudy.keep_predictions

    def watched(self: SharedStudy, number: int, value: float, responses: Any) -> None:
        keep(self, number, value, responses)
        kept.append(sorted(score for score, _ in self.predictions.values()))

    monkeypatch.setattr(SharedStudy, "keep_predictions", watched)
    monkeypatch.setattr("automl_meta.automl.shared_study.N_CANDIDATES", 3)
    model = AutoMLClassifier(
        n_trials=6, algorithms=["dummy", "lda", "knn"], cv=2, store=False, random_state=0
    )
    model.fit(TASK)
    assert kept[-1] == sorted(model.runs_["score"])[-3:]


def test_all_trials_failing_alike_end_the_search_with_their_reason() -> None:
    model = AutoMLClassifier(
        n_trials=50, metric=failing_scorer(RuntimeError("no such thing")), cv=2, store=False, random_state=0
    )
    with pytest.raises(DataError, match="None of 5 trials succeeded; reason of all of them: broken: no such"):
        model.fit(TASK)
    assert model.runs_["status"].tolist() == ["crash"] * 5


def failing_scorer(error: BaseException) -> Any:
    """A scorer that fails on all but the dummy predictions of two folds."""
    calls = []

    def broken(estimator: Any, X: Any, y: Any) -> float:
        calls.append(1)
        if len(calls) > 2:
            raise error
        return 0.5

    return broken


def test_after_what_takes_too_long_something_quicker_is_tried() -> None:
    slow = replace(failing("hang"), name="lightgbm")
    model = AutoMLClassifier(
        n_trials=2,
        trial_time_limit=5.0,
        algorithms=[slow, "logistic_regression"],
        cv=2,
        store=False,
        random_state=0,
    ).fit(TASK)
    assert model.runs_["origin"].tolist() == ["default", "fallback"]
    assert model.runs_["status"].tolist() == ["timeout", "ok"]


def test_where_everything_takes_too_long_there_is_a_model_in_the_end() -> None:
    model = AutoMLClassifier(
        time_limit=0.01, algorithms=["mlp", "dummy"], cv=2, store=False, random_state=0
    ).fit(TabularTask.bundled("digits"))
    assert len(model.model_.pipelines) == 1
    assert model.runs_["status"].iloc[-1] == "ok"


def test_without_workers_the_search_ends_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    wait, calls = Evaluator.wait, []

    def wait_twice(self: Evaluator) -> None:
        calls.append(1)
        if len(calls) > 4:
            raise WorkerError("No worker process could be started.")
        wait(self)

    monkeypatch.setattr(Evaluator, "wait", wait_twice)
    model = AutoMLClassifier(
        n_trials=9, trial_time_limit=60.0, algorithms=["lda", "knn"], cv=2, store=False, random_state=0
    ).fit(TASK)
    assert 1 <= (model.runs_["status"] == "ok").sum() < 9
    assert "No worker process could be started." in model.report_.notes
    assert model.score(TASK.X, TASK.y) > 0.9


def test_ctrl_c_before_any_trial_has_ended_is_said() -> None:
    scorer = failing_scorer(KeyboardInterrupt())
    model = AutoMLClassifier(n_trials=3, metric=scorer, algorithms=["lda"], cv=2, store=False, random_state=0)
    with pytest.raises(KeyboardInterrupt, match="before any trial had finished"):
        model.fit(TASK)
