"""What the processes of the tests do."""

import time
from pathlib import Path

import optuna
from tuning.spaces import past_studies, two_learners

from automl_meta.tuning import ExperienceSampler


def storage_at(url: str) -> optuna.storages.BaseStorage | str:
    if url.startswith("journal:"):
        path = url.removeprefix("journal:")
        return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
    return url


def small(trial: optuna.Trial) -> float:
    """A space in which processes get into each other's way: 24 whole numbers."""
    time.sleep(0.02)
    return float(trial.suggest_int("n", 0, 11) + 3 * trial.suggest_categorical("k", [0, 1]))


def work(url: str, objective_name: str, n_trials: int, start: str, with_history: bool) -> None:
    """Take part in the study until it has `n_trials` trials; all begin when the file `start` appears."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    objective = {"small": small, "two_learners": two_learners}[objective_name]
    history = past_studies(two_learners, n_trials=15) if with_history else None
    study = optuna.load_study(
        study_name="shared", storage=storage_at(url), sampler=ExperienceSampler(history, seed=0)
    )
    while not Path(start).exists():
        time.sleep(0.01)
    study.optimize(objective, callbacks=[optuna.study.MaxTrialsCallback(n_trials, states=None)])
