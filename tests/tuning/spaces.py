"""Objectives and past studies that the tests of this room share."""

import math

import numpy as np
import optuna
import pandas as pd


def branin_like(trial: optuna.trial.BaseTrial, shift: float = 0.0) -> float:
    """Smooth, smaller is better, its optimum near x = 0.3 + shift and rate = 0.01."""
    x = trial.suggest_float("x", 0.0, 1.0)
    rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
    return (x - 0.3 - shift) ** 2 + 0.1 * (math.log10(rate) + 2.0) ** 2


def two_learners(trial: optuna.trial.BaseTrial, shift: float = 0.0) -> float:
    """A space with branches; the optimum is a tree of depth 7."""
    kind = trial.suggest_categorical("kind", ["tree", "linear"])
    if kind == "tree":
        depth = trial.suggest_int("depth", 1, 12)
        return 0.01 * (depth - 7) ** 2 + (trial.suggest_float("leaf", 0.0, 1.0) - 0.2 - shift) ** 2
    penalty = trial.suggest_categorical("penalty", ["l1", "l2"])
    alpha = trial.suggest_float("alpha", 1e-4, 10.0, log=True)
    return 0.5 + 0.1 * (math.log10(alpha) - shift) ** 2 + 0.1 * (penalty == "l1")


def past_studies(objective, shifts=(-0.1, 0.0, 0.1), n_trials: int = 40) -> list[optuna.Study]:
    studies = []
    for seed, shift in enumerate(shifts):
        study = optuna.create_study(
            study_name=f"past-{seed}", sampler=optuna.samplers.RandomSampler(seed=seed)
        )
        study.optimize(lambda trial, shift=shift: objective(trial, shift), n_trials=n_trials)
        studies.append(study)
    return studies


def frame_of(studies: list[optuna.Study]) -> pd.DataFrame:
    """The same as a table."""
    return pd.DataFrame(
        [
            {"task": study.study_name, **trial.params, "value": trial.value}
            for study in studies
            for trial in study.trials
        ]
    )


def values_of(study: optuna.Study) -> list[float]:
    return [trial.value for trial in study.trials]


def rows_of(columns: int, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, columns))
