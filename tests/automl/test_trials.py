import math
from datetime import datetime, timedelta

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl_meta.automl.study_budget import StudyBudget
from automl_meta.automl.trials import Measured, busy_seconds, completed
from automl_meta.experiments import Folds
from automl_meta.records import Protocol
from automl_meta.task import TabularTask

START = datetime(2026, 1, 1)


def lost(begin: float, found: float, **attributes: object) -> FrozenTrial:
    made = create_trial(state=TrialState.FAIL, user_attrs={"status": "lost", **attributes})
    made.datetime_start = START + timedelta(seconds=begin)
    made.datetime_complete = START + timedelta(seconds=found)
    return made


def test_a_lost_trial_costs_what_it_is_known_to_have_run() -> None:
    assert busy_seconds([lost(0, 67, alive=[1.8e9, 5.0])]) == 5.0
    assert busy_seconds([lost(0, 67)]) == 0.0
    assert busy_seconds([lost(0, 67, alive="?"), lost(70, 75, alive=[1.8e9, 1e9])]) == 5.0


@pytest.mark.parametrize(
    "said",
    [
        None,
        "x",
        [1],
        {"seconds": "1"},
        {"seconds": -1.0, "fit_seconds": math.inf, "wall_seconds": [1.0]},
        {"scores": [1], "run_id": 5, "fit_seconds": True},
    ],
)
def test_attributes_of_any_form_are_read(said: object) -> None:
    found = Measured.of(create_trial(value=1.0, user_attrs={"run": said}))
    assert all(math.isnan(seconds) for seconds in (found.seconds, found.fit_seconds, found.wall_seconds))
    assert (found.scores, found.run_id) == ({}, "")


def test_trials_of_two_objectives_or_without_a_number_have_not_succeeded() -> None:
    trials = [create_trial(values=[1.0, 2.0]), create_trial(value=math.inf), create_trial(value=0.5)]
    assert completed(trials) == trials[2:]


def test_a_score_of_zero_is_a_score() -> None:
    task = TabularTask.bundled("iris")
    budget = StudyBudget(task, Folds.of_protocol(task, Protocol(n_folds=2)), None, 100.0, None, 1)
    slow, quick = ({"fit_seconds": seconds, "wall_seconds": 2 * seconds} for seconds in (4.0, 0.0))
    perfect, worse = (
        create_trial(value=0.0, user_attrs={"run": slow}),
        create_trial(value=-1.0, user_attrs={"run": quick}),
    )
    assert budget.reserve([perfect, worse]) == pytest.approx(budget.refit_seconds(perfect))
