import copy
import math
import pickle

import numpy as np
import optuna
import pandas as pd
import pytest
from tuning.spaces import branin_like, frame_of, past_studies, two_learners, values_of

from automl_meta.exceptions import UsageError
from automl_meta.tuning import ExperienceSampler, History, as_history, origin_of


def _run(
    objective, history=None, n_trials: int = 12, seed: int = 0, direction: str = "minimize", **arguments
):
    study = optuna.create_study(
        sampler=ExperienceSampler(history, seed=seed, **arguments), direction=direction
    )
    study.optimize(objective, n_trials=n_trials)
    return study


def test_the_first_trial_is_already_good_where_past_tasks_agree() -> None:
    study = _run(branin_like, past_studies(branin_like), n_trials=1)
    assert study.best_value < 0.02


def test_the_forms_of_one_history_lead_to_the_same_study(tmp_path) -> None:
    studies = past_studies(branin_like)
    url = f"sqlite:///{tmp_path / 'past.db'}"
    for study in studies:
        optuna.copy_study(from_study_name=study.study_name, from_storage=study._storage, to_storage=url)
    expected = values_of(_run(branin_like, studies))
    assert values_of(_run(branin_like, url)) == expected
    assert values_of(_run(branin_like, as_history(studies))) == expected


def test_a_table_as_history_is_as_good() -> None:
    sampler = ExperienceSampler(frame_of(past_studies(branin_like)), seed=0, direction="minimize")
    study = optuna.create_study(sampler=sampler)
    study.optimize(branin_like, n_trials=8)
    assert study.best_value < 0.01


def test_maximising_is_minimising_the_negative() -> None:
    least = _run(branin_like, past_studies(branin_like))
    greatest = _run(lambda trial: -branin_like(trial), past_studies(branin_like), direction="maximize")
    assert [trial.params for trial in greatest.trials] == [trial.params for trial in least.trials]


@pytest.mark.parametrize("with_history", [False, True])
def test_a_seed_decides_everything(with_history: bool) -> None:
    history = past_studies(two_learners) if with_history else None
    first, again, other = (values_of(_run(two_learners, history, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_copied_or_pickled_sampler_suggests_the_same() -> None:
    sampler = ExperienceSampler(past_studies(branin_like), seed=0)
    outcomes = []
    for one in (sampler, copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))):
        study = optuna.create_study(sampler=one)
        study.optimize(branin_like, n_trials=6)
        outcomes.append(values_of(study))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@pytest.mark.parametrize("with_history", [False, True])
def test_a_space_with_branches_is_searched_in_the_right_one(with_history: bool) -> None:
    study = _run(two_learners, past_studies(two_learners) if with_history else None, n_trials=25)
    assert study.best_value < (0.002 if with_history else 0.05)
    assert study.best_params["kind"] == "tree"


def test_the_log_says_where_each_trial_came_from() -> None:
    study = _run(branin_like, past_studies(branin_like), n_trials=8)
    origins = [str(origin_of(trial)) for trial in study.trials]
    assert origins[:3] == ["advice rank 1", "advice rank 2", "advice rank 3"]
    assert set(origins[3:]) <= {"transferred", "local"}
    assert {origin_of(trial).kind for trial in _run(branin_like, n_trials=8).trials} == {
        "space-filling",
        "local",
    }


def test_nothing_is_suggested_twice() -> None:
    def objective(trial: optuna.Trial) -> float:
        return trial.suggest_int("n", 1, 6) + len(trial.suggest_categorical("k", ["a", "bb"]))

    study = _run(objective, n_trials=12)
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 12


def test_a_space_that_is_used_up_does_not_stop_the_study() -> None:
    study = _run(lambda trial: float(trial.suggest_int("n", 1, 3)), n_trials=8)
    assert len(study.trials) == 8


def test_running_trials_are_not_suggested_again() -> None:
    study = optuna.create_study(sampler=ExperienceSampler(past_studies(branin_like), seed=0))
    study.optimize(branin_like, n_trials=6)
    asked = [study.ask() for _ in range(5)]
    for trial in asked:
        branin_like(trial)
    points = np.array([[trial.params["x"], math.log10(trial.params["rate"]) / 4.0] for trial in asked])
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)[np.triu_indices(5, 1)]
    assert distances.min() > 0.002


@pytest.mark.parametrize("with_history", [False, True])
def test_failed_pruned_and_nan_trials_do_not_stop_the_study(with_history: bool) -> None:
    def objective(trial: optuna.Trial) -> float:
        value = branin_like(trial)
        if trial.number % 5 == 1:
            raise RuntimeError("crash")
        if trial.number % 5 == 2:
            return math.nan
        if trial.number % 5 == 3:
            trial.report(value, 1)
            raise optuna.TrialPruned
        return value

    history = past_studies(branin_like) if with_history else None
    study = optuna.create_study(sampler=ExperienceSampler(history, seed=0))
    study.optimize(objective, n_trials=25, catch=(RuntimeError,))
    assert len(study.trials) == 25
    assert study.best_value < (0.02 if with_history else 0.2)  # of 25 trials, 10 are seen


def test_where_trials_fail_fewer_are_made() -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0.0, 1.0)
        if x > 0.5:
            raise RuntimeError("out of memory")
        return -x

    study = optuna.create_study(sampler=ExperienceSampler(seed=0))
    study.optimize(objective, n_trials=30, catch=(RuntimeError,))
    failed = [trial.params["x"] > 0.6 for trial in study.trials[5:]]
    assert sum(failed) <= 5


def test_a_study_where_all_trials_fail_goes_on() -> None:
    study = optuna.create_study(sampler=ExperienceSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0) * math.nan, n_trials=8)
    assert len({trial.params["x"] for trial in study.trials}) == 8


def test_parameters_that_one_side_does_not_know_are_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def objective(trial: optuna.Trial) -> float:
        return (trial.suggest_float("x", 0.0, 1.0) - 0.3) ** 2 + trial.suggest_float("new", 0.0, 1.0)

    study = _run(objective, past_studies(branin_like), n_trials=12)
    assert study.best_value < 0.05
    assert [record.getMessage() for record in caplog.records] == [
        "The history does not know new; searched without it.",
        "This study does not have rate; left aside in the history.",
    ]


def test_past_configurations_with_a_category_that_is_gone_are_said_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = pd.DataFrame({"task": "a", "k": ["a", "b", "gone"] * 4, "value": np.arange(12.0)})
    sampler = ExperienceSampler(frame, seed=0, direction="maximize")
    study = optuna.create_study(sampler=sampler)
    study.optimize(lambda trial: float(len(trial.suggest_categorical("k", ["a", "b", "c"]))), n_trials=3)
    assert "4 of 12 past configurations" in caplog.records[-1].getMessage()


def test_a_study_among_the_past_ones_does_not_advise_itself(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    mine = optuna.create_study(storage=url, study_name="mine")
    mine.optimize(branin_like, n_trials=5)
    again = optuna.load_study(storage=url, study_name="mine", sampler=ExperienceSampler(url, seed=0))
    again.optimize(branin_like, n_trials=3)
    assert {origin_of(trial).kind for trial in again.trials[5:]} == {"local"}


def test_fixed_parameters_are_kept_and_the_others_chosen_beside_them() -> None:
    study = optuna.create_study(sampler=ExperienceSampler(past_studies(two_learners), seed=0))
    study.enqueue_trial({"kind": "linear"})
    study.optimize(two_learners, n_trials=1)
    assert study.trials[0].params["kind"] == "linear"
    assert "alpha" in study.trials[0].params
    assert abs(math.log10(study.trials[0].params["alpha"])) < 1.0


def test_harmful_history_is_left_behind() -> None:
    misleading = past_studies(lambda trial, shift: -branin_like(trial, shift), n_trials=60)
    study = _run(branin_like, misleading, n_trials=30)
    assert study.best_value < 0.005


def test_one_past_trial_is_a_history() -> None:
    frame = pd.DataFrame({"task": ["a"], "x": [0.3], "rate": [0.01], "value": [0.0]})
    study = optuna.create_study(sampler=ExperienceSampler(frame, seed=0, direction="minimize"))
    study.optimize(branin_like, n_trials=10)
    assert len(study.trials) == 10


def test_a_past_task_whose_values_are_all_equal_is_no_trouble() -> None:
    study = past_studies(lambda trial, shift: 0.0 * branin_like(trial, shift), n_trials=20)
    assert len(_run(branin_like, study).trials) == 12


def test_several_objectives_are_refused() -> None:
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=ExperienceSampler(seed=0))
    with pytest.raises(ValueError, match="multi-objective"):
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=1)


def test_a_wrong_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="non-negative integer"):
        ExperienceSampler(History(), seed=-1)


def test_threads_of_one_study_suggest_nothing_twice() -> None:
    study = optuna.create_study(sampler=ExperienceSampler(past_studies(two_learners), seed=0))
    study.optimize(two_learners, n_trials=16, n_jobs=4)
    assert len({tuple(sorted(trial.params.items())) for trial in study.trials}) == 16
