"""Several processes on one study, and processes that die."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from automl import study_workers
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from automl_meta.automl.owners import Owners, this_process
from automl_meta.automl.study_storage import open_storage, open_study
from automl_meta.automl.turn import Turn
from automl_meta.exceptions import DataError, UsageError
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A storage that processes can share."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return str(tmp_path / ("study.db" if request.param == "sqlite" else "study.journal"))


def test_four_processes_add_up_to_one_study(
    storage: str, tmp_path: Path, in_processes: Callable[..., list]
) -> None:
    url = str(tmp_path / "store.db")
    made = in_processes(study_workers.take_part, storage, url, 14)
    study = optuna.load_study(study_name="shared", storage=open_storage(storage))
    assert len(study.trials) == sum(made) == 14, "one budget"
    assert all(trial.state == TrialState.COMPLETE for trial in study.trials)
    ids = [trial.user_attrs["configuration_id"] for trial in study.trials]
    assert len(set(ids)) == 14, "no duplicate"
    with MetadataStore(url, seed=False) as store:
        assert store.run_ids() == {trial.user_attrs["run"]["run_id"] for trial in study.trials}, "no lost run"
        assert store.check() == []


def test_a_study_whose_process_was_killed_is_resumed(storage: str, tmp_path: Path) -> None:
    url = str(tmp_path / "store.db")
    command = f"from automl import study_workers; study_workers.tune_until_killed({storage!r}, {url!r}, 3)"
    killed = subprocess.run(
        [sys.executable, "-c", command], cwd=Path(__file__).parents[1], check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr

    def scorer(estimator, X, y) -> float:
        return study_workers.estimator_score(estimator, X, y)

    scorer.__name__ = "accuracy of ours"
    options = {"metric": scorer, "storage": storage, "study_name": "shared", "resume": True}
    with MetadataStore(url, seed=False) as store:
        model = study_workers.classifier(n_trials=6, store=store, **options).fit(study_workers.TASK)
        assert len(store.run_ids()) == 6
        assert store.check() == []
    assert model.runs_["status"].tolist() == ["ok", "ok", "ok", "lost", "ok", "ok", "ok"]
    assert model.runs_["reason"][3] == "the process that ran it has died"
    again = study_workers.classifier(n_trials=6, **options).fit(study_workers.TASK)
    assert len(again.runs_) == 7, "nothing is left to do"
    assert again.best_score_ == model.best_score_
    assert len(again.model_.pipelines) >= 1


def test_predictions_of_other_processes_enter_the_ensemble(storage: str) -> None:
    options = {
        "storage": storage,
        "study_name": "shared",
        "metric": "neg_log_loss",
        "algorithms": ["random_forest", "knn"],
        "n_trials": 4,
    }
    wine = TabularTask.bundled("wine")
    first, second = (study_workers.classifier(**options).fit(wine) for _ in range(2))
    assert len(second.model_.pipelines) == len(first.model_.pipelines) > 1
    assert second.report_.score == pytest.approx(first.report_.score, abs=1e-3)


def test_a_study_about_something_else_is_refused(tmp_path: Path) -> None:
    options = {"storage": tmp_path / "s.db", "study_name": "shared", "n_trials": 1}
    study_workers.classifier(**options).fit(study_workers.TASK)
    with pytest.raises(UsageError, match=r"has another metric: 'balanced_accuracy', not 'accuracy'"):
        study_workers.classifier(**options, metric="accuracy").fit(study_workers.TASK)
    with pytest.raises(UsageError, match="has another dataset"):
        study_workers.classifier(**options).fit(
            study_workers.TASK.X.head(100), study_workers.TASK.y.head(100)
        )


def test_a_study_that_minimises_is_refused(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")
    optuna.create_study(study_name="loss", storage=storage, direction="minimize")
    with pytest.raises(UsageError, match="minimises"):
        open_study(storage, "loss", {})


def test_a_trial_that_somebody_enqueued_is_run(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")
    study = optuna.create_study(study_name="shared", storage=storage, direction="maximize")
    study.enqueue_trial({"algorithm": "knn", "knn.n_neighbors": 7})
    model = study_workers.classifier(storage=storage, study_name="shared", n_trials=2).fit(study_workers.TASK)
    assert model.runs_["origin"].tolist() == ["enqueued", "default"]
    assert model.runs_["parameters"][0]["n_neighbors"] == 7


def test_only_trials_of_dead_processes_are_given_up() -> None:
    study = open_study(open_storage(None), "s", {})
    mine, other, elsewhere, long_ago, unknown = (study.ask() for _ in range(5))
    there = {**this_process(), "namespace": "pid:[1]"}  # a container with the same host name
    mine.set_user_attr("process", this_process())
    other.set_user_attr("process", {**this_process(), "born": 1.0})
    for trial, seconds_ago in ((elsewhere, 1.0), (long_ago, 3600.0)):
        trial.set_user_attr("process", there)
        trial.set_user_attr("alive", [time.time() - seconds_ago, 1.0])
    owners = Owners()
    begun, forgotten = study.ask(), study.ask()
    for trial in (begun, forgotten):
        trial.set_user_attr("process", owners.label)
    owners.end_lost_trials(study, [begun.number])
    running = [trial.state == TrialState.RUNNING for trial in study.trials]
    assert running == [True, False, True, False, True, True, False]
    assert unknown.number == 4


def test_a_process_elsewhere_that_falls_silent_is_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    study = open_study(open_storage(None), "s", {})
    trial = study.ask()
    trial.set_user_attr("process", {**this_process(), "boot": "another"})
    owners, now, signs = Owners(), [0.0], {1: time.time(), 2: time.time() + 1}
    monkeypatch.setattr("automl_meta.automl.owners.time.monotonic", lambda: now[0])
    for clock, sign, state in (
        (0.0, 1, TrialState.RUNNING),
        (50.0, 2, TrialState.RUNNING),
        (100.0, 2, TrialState.RUNNING),
        (111.0, 2, TrialState.FAIL),
    ):
        now[0] = clock
        trial.set_user_attr("alive", [signs[sign], 1.0])
        owners.end_lost_trials(study)
        assert study.trials[0].state == state


def test_a_trial_that_a_dead_process_enqueued_belongs_to_who_begins_it(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")
    study = optuna.create_study(study_name="shared", storage=storage, direction="maximize")
    dead = {**this_process(), "born": 1.0, "search": "another"}
    study.enqueue_trial(
        {"algorithm": "knn"}, {"process": dead, "automl_meta:origin": "default", "configuration_id": "x"}
    )
    model = study_workers.classifier(storage=storage, study_name="shared", n_trials=3, n_jobs=2).fit(
        study_workers.TASK
    )
    assert model.runs_["status"].tolist() == ["ok"] * 3


def test_the_result_of_a_trial_that_was_taken_for_lost_is_kept(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")

    def give_up(estimator, X, y) -> float:
        running = [
            trial
            for study in storage.get_all_studies()
            for trial in storage.get_all_trials(study._study_id, states=(TrialState.RUNNING,))
        ]
        for trial in running:
            if trial.number == 1:
                storage.set_trial_user_attr(trial._trial_id, "status", "lost")
                storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        return study_workers.estimator_score(estimator, X, y)

    give_up.__name__ = "accuracy of ours"
    model = study_workers.classifier(
        storage=storage, study_name="shared", n_trials=3, metric=give_up, ensemble=True
    ).fit(study_workers.TASK)
    assert sorted(model.runs_["status"]) == ["lost", "ok", "ok", "ok"]
    assert model.runs_["configuration_id"].nunique() == 3


def test_trials_of_another_space_and_with_odd_attributes_do_no_harm(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")
    first = study_workers.classifier(storage=storage, study_name="shared", n_trials=1).fit(study_workers.TASK)
    study = optuna.load_study(study_name="shared", storage=storage)
    space = {"x": FloatDistribution(0, 1)}
    for value, attributes in ((9.0, {}), (8.0, {"run": [1], "process": 3, "alive": {}, "fit_rows": "many"})):
        study.add_trial(
            optuna.trial.create_trial(
                value=value, params={"x": 0.5}, distributions=space, user_attrs=attributes
            )
        )
    known = first.study_.trials[0]
    known.user_attrs.update({"run": 7, "configuration_id": [1], "fit_rows": -1, "limit_seconds": "x"})
    study.add_trial(known)
    model = study_workers.classifier(storage=storage, study_name="shared", n_trials=6).fit(study_workers.TASK)
    assert model.best_score_ <= 1.0
    assert "2 trials of the study are of another search space." in model.report_.notes


def test_trials_of_others_that_run_are_no_reason_to_overrun_the_budget(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")
    study = optuna.create_study(study_name="shared", storage=storage, direction="maximize")
    study.ask().set_user_attr("process", this_process())
    with pytest.raises(DataError, match="No trial has finished; other processes are running them"):
        study_workers.classifier(storage=storage, study_name="shared", n_trials=1).fit(study_workers.TASK)
    assert len(study.trials) == 1


def test_predictions_of_another_shape_are_left_aside(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")
    options = {"storage": storage, "algorithms": ["lda", "knn"]}
    wine, iris = (
        study_workers.classifier(n_trials=2, study_name=name, **options).fit(task).study_
        for name, task in (("wine", TabularTask.bundled("wine")), ("iris", study_workers.TASK))
    )
    mixed = optuna.create_study(study_name="mixed", storage=storage, direction="maximize")
    for known, other in zip(iris.trials, wine.trials, strict=True):
        known.system_attrs["automl_meta:predictions"] = other.system_attrs["automl_meta:predictions"]
        mixed.add_trial(known)
    model = study_workers.classifier(n_trials=3, study_name="mixed", **options).fit(study_workers.TASK)
    assert model.best_score_ >= iris.best_value


def test_a_study_of_another_search_space_is_refused(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "s.db")
    study = optuna.create_study(study_name="shared", storage=storage, direction="maximize")
    study.ask().suggest_categorical("algorithm", ["a", 1])
    with pytest.raises(UsageError, match="'shared' searches another space: its parameter 'algorithm'"):
        study_workers.classifier(storage=storage, study_name="shared", n_trials=1).fit(study_workers.TASK)


def test_a_turn_is_one_processs_at_a_time(tmp_path: Path, in_processes: Callable[..., list]) -> None:
    log = tmp_path / "log"
    in_processes(study_workers.write_in_turn, str(tmp_path / "s.journal"), str(log))
    lines = log.read_text().split()
    assert len(lines) == 4 * 2 * 5
    assert all(begin == end for begin, end in zip(lines[::2], lines[1::2], strict=True))


def test_a_turn_ends_with_an_error(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "x", "name")
    with pytest.raises(RuntimeError), turn:
        raise RuntimeError
    with turn:
        pass
