from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState, create_trial

from automl_meta._utils.budget import Budget
from automl_meta.automl.study_budget import StudyBudget
from automl_meta.automl.trials import busy_seconds
from automl_meta.experiments import Folds
from automl_meta.records import Protocol
from automl_meta.task import TabularTask

TASK = TabularTask.bundled("iris")
FOLDS = Folds.of_protocol(TASK, Protocol(n_folds=2))
START = datetime(2026, 1, 1)


def trial(begin: float, end: float, value: float | None = 0.5, **attributes) -> optuna.trial.FrozenTrial:
    made = create_trial(
        value=value,
        state=TrialState.COMPLETE if value is not None else TrialState.FAIL,
        user_attrs=attributes,
    )
    made.datetime_start, made.datetime_complete = (START + timedelta(seconds=s) for s in (begin, end))
    return made


def budget(**changes) -> StudyBudget:
    given = {"n_trials": None, "time_limit": None, "trial_time_limit": None, "n_refits": 1, **changes}
    return StudyBudget(TASK, FOLDS, **given)


def test_seconds_in_which_several_processes_work_count_once() -> None:
    assert busy_seconds([trial(0, 10), trial(2, 5), trial(8, 12), trial(20, 21)]) == 13.0


def test_trials_that_were_lost_do_not_count() -> None:
    trials = [trial(0, 1), trial(1, 2, None, status="crash"), trial(2, 3, None, status="lost")]
    assert budget(n_trials=3).n_left(trials) == 1
    assert budget().n_left(trials) == np.inf


def test_without_limits_a_trial_may_take_any_time() -> None:
    assert budget(n_trials=3).trial_seconds([]) is None
    assert budget(n_trials=3, trial_time_limit=2.0).trial_seconds([]) == 2.0


def test_one_trial_may_not_take_all_the_time() -> None:
    assert budget(time_limit=100.0, clock=Budget(100)).trial_seconds([]) == pytest.approx(0.25 * 99)


def test_one_trial_is_made_however_little_time_there_is() -> None:
    late = budget(time_limit=0.5, clock=Budget(0))
    assert late.trial_seconds([]) == 1.0
    assert late.trial_seconds([trial(0, 1, run={"fit_seconds": 0.1, "wall_seconds": 0.5})]) == 0.0
    assert late.trial_seconds([trial(0, 1, None, status="timeout")]) == 0.0


def test_time_is_kept_for_the_refit_of_the_best() -> None:
    """75 of 150 rows in 4 s: all of them in 8, half as much again to be sure, and the start."""
    run = {"fit_seconds": 4.0, "wall_seconds": 8.0}
    assert budget(time_limit=100.0).reserve([trial(0, 8, 0.9, run=run)]) == pytest.approx(12.3)
    cheap = {"fit_seconds": 0.0, "wall_seconds": 0.0}
    trials = [trial(0, 8, 0.9, run=run), trial(8, 9, 0.95, run=cheap)]
    assert budget(time_limit=100.0).reserve(trials) == pytest.approx(0.3)
    assert budget(time_limit=100.0, n_refits=2).reserve(trials) == pytest.approx(12.6)


def test_what_others_spent_is_spent() -> None:
    run = {"fit_seconds": 0.0, "wall_seconds": 5.0}
    shared = budget(time_limit=60.0, clock=Budget(60))
    assert shared.trial_seconds([trial(0, 57, run=run)]) == 0.0, "what is left is less than the quickest took"
    assert 0 < (shared.trial_seconds([trial(0, 45, run=run)]) or 0) < 15.0


def test_predictions_for_many_rows_are_no_part_of_a_fit() -> None:
    run = {"fit_seconds": 1.0, "seconds": 20.0, "wall_seconds": 40.0}
    assert budget(time_limit=100.0).refit_seconds(trial(0, 40, 0.9, run=run)) == pytest.approx(
        0.3 + 1.5 * 2.0 * 2
    )


def test_a_fit_on_all_rows_teaches_how_its_seconds_grow() -> None:
    run = {"fit_seconds": 1.0, "seconds": 2.0, "wall_seconds": 2.0}
    many = StudyBudget(replace(TASK), FOLDS, None, 100.0, None, 1)
    many.task = TabularTask.from_frame(
        pd.DataFrame(np.random.default_rng(0).normal(size=(7500, 2))), np.arange(7500) % 2
    )
    known = trial(0, 2, 0.9, run=run)
    assert many.refit_seconds(known) == pytest.approx(0.3 + 1.5 * 100)
    assert many.early_seconds(known) == pytest.approx(0.3 * many.clock.remaining)
    many.learn(known, 10.3, has_ended=False)  # a hundred times the rows took ten times the seconds
    assert many.refit_seconds(known) == pytest.approx(0.3 + 1.5 * 10)
    assert many.early_seconds(known) is None
    assert many.affordable_rows(known, 5.0) == pytest.approx(75 * (4.7 / 1.5) ** 2, abs=1)
