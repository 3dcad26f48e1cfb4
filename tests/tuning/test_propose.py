"""Proposals without a study: the same as those that a study with the same trials would get."""

import math
from typing import Any

import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl_meta.algorithms import Condition, SearchSpace
from automl_meta.tuning import ExperienceSampler, Origin, origin_of

SPACE = SearchSpace(
    {
        "algorithm": CategoricalDistribution(["knn", "svm"]),
        "knn.n_neighbors": IntDistribution(1, 50, log=True),
        "knn.weights": CategoricalDistribution(["uniform", "distance"]),
        "svm.C": FloatDistribution(1e-2, 1e3, log=True),
        "svm.weight": CategoricalDistribution([None, "balanced"]),
        "svm.rule": CategoricalDistribution(["scale", "value"]),
        "svm.gamma": FloatDistribution(1e-4, 10.0, log=True),
    },
    {
        "knn.n_neighbors": Condition("algorithm", ("knn",)),
        "knn.weights": Condition("algorithm", ("knn",)),
        "svm.C": Condition("algorithm", ("svm",)),
        "svm.weight": Condition("algorithm", ("svm",)),
        "svm.rule": Condition("algorithm", ("svm",)),
        "svm.gamma": Condition("svm.rule", ("value",)),
    },
)

# What version 0.1.0 answered: history, number of trials, algorithm; origin, parameters.
RECORDED: list[tuple[bool, int, str, str, dict[str, Any]]] = [
    (False, 0, "knn", "space-filling", {"algorithm": "knn", "knn.n_neighbors": 10, "knn.weights": "uniform"}),
    (
        False,
        1,
        "svm",
        "space-filling",
        {
            "algorithm": "svm",
            "svm.C": 429.285,
            "svm.weight": "balanced",
            "svm.rule": "value",
            "svm.gamma": 0.223191,
        },
    ),
    (
        False,
        3,
        "knn",
        "space-filling",
        {"algorithm": "knn", "knn.n_neighbors": 13, "knn.weights": "distance"},
    ),
    (
        False,
        7,
        "svm",
        "local",
        {"algorithm": "svm", "svm.C": 0.252888, "svm.weight": "balanced", "svm.rule": "scale"},
    ),
    (
        False,
        14,
        "svm",
        "local",
        {
            "algorithm": "svm",
            "svm.C": 10.9316,
            "svm.weight": "balanced",
            "svm.rule": "value",
            "svm.gamma": 0.00224152,
        },
    ),
    (True, 0, "knn", "advice rank 1", {"algorithm": "knn", "knn.n_neighbors": 38, "knn.weights": "distance"}),
    (
        True,
        1,
        "svm",
        "advice rank 2",
        {
            "algorithm": "svm",
            "svm.C": 32.3108,
            "svm.weight": "balanced",
            "svm.rule": "value",
            "svm.gamma": 9.13609,
        },
    ),
    (True, 3, "knn", "transferred", {"algorithm": "knn", "knn.n_neighbors": 1, "knn.weights": "uniform"}),
    (
        True,
        7,
        "svm",
        "transferred",
        {
            "algorithm": "svm",
            "svm.C": 0.0100605,
            "svm.weight": "balanced",
            "svm.rule": "value",
            "svm.gamma": 9.34214,
        },
    ),
    (
        True,
        14,
        "svm",
        "transferred",
        {
            "algorithm": "svm",
            "svm.C": 147.142,
            "svm.weight": "balanced",
            "svm.rule": "value",
            "svm.gamma": 9.3419,
        },
    ),
]


def past() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"task": task, "value": None if row == 5 else math.cos(3 * row + task) / 2 + 0.5, **parameters}
            for task in range(4)
            for row, parameters in enumerate(SPACE.sample(16, seed=task))
        ]
    )


def trials_of(n: int, sign: float = 1.0) -> list[FrozenTrial]:
    """Trials that succeeded, failed and run."""
    made = []
    for number, parameters in enumerate(SPACE.sample(n, seed=99)):
        state = {4: TrialState.RUNNING, 5: TrialState.FAIL}.get(number % 7, TrialState.COMPLETE)
        trial = create_trial(
            state=state,
            value=sign * math.sin(2 * number) if state == TrialState.COMPLETE else None,
            params=parameters,
            distributions={name: SPACE.distributions[name] for name in parameters},
        )
        trial.number = number
        made.append(trial)
    return made


def sampler(with_history: bool) -> ExperienceSampler:
    history = past() if with_history else None
    return ExperienceSampler(history, 7, direction="maximize" if with_history else None)


def asked(one: ExperienceSampler, trials: list[FrozenTrial], fixed: dict[str, Any]) -> tuple[Any, Origin]:
    """What a study with these trials suggests."""
    study = optuna.create_study(direction="maximize", sampler=one)
    study.add_trials(trials)
    study.enqueue_trial(fixed)
    trial = study.ask()
    return SPACE.suggest(trial), origin_of(study.trials[-1])


@pytest.mark.parametrize(("with_history", "n", "algorithm", "origin", "expected"), RECORDED)
def test_proposals_are_those_of_version_0_1_0(
    with_history: bool, n: int, algorithm: str, origin: str, expected: dict[str, Any]
) -> None:
    proposed, found = sampler(with_history).propose(SPACE, trials_of(n), fixed={"algorithm": algorithm})
    assert str(found) == origin
    assert proposed == {
        name: pytest.approx(value, rel=1e-4) if isinstance(value, float) else value
        for name, value in expected.items()
    }


@pytest.mark.parametrize("fixed", [{}, {"algorithm": "svm"}, {"algorithm": "knn", "knn.weights": "distance"}])
@pytest.mark.parametrize("with_history", [False, True])
def test_a_proposal_is_what_a_study_would_suggest(with_history: bool, fixed: dict[str, Any]) -> None:
    for n in (0, 1, 2, 6, 12):
        one = sampler(with_history)
        assert one.propose(SPACE, trials_of(n), fixed=fixed) == asked(one, trials_of(n), fixed)


def test_minimising_is_maximising_the_negative() -> None:
    greatest = sampler(True).propose(SPACE, trials_of(12))
    assert sampler(True).propose(SPACE, trials_of(12, sign=-1.0), direction="minimize") == greatest


def test_a_plain_mapping_of_distributions_is_a_space() -> None:
    space = {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 3)}
    proposed, origin = ExperienceSampler(None, 0).propose(space, [])
    assert proposed.keys() == space.keys()
    assert origin == Origin("space-filling")


def test_trials_are_left_as_they_are_and_proposals_in_turn_differ() -> None:
    one, trials = sampler(True), trials_of(4)
    before = [(trial.params, trial.user_attrs, trial.system_attrs) for trial in trials]
    found = []
    for number in range(4, 8):
        parameters, _ = one.propose(SPACE, trials)
        found.append(tuple(parameters.items()))
        distributions = {name: SPACE.distributions[name] for name in parameters}
        trials.append(create_trial(value=0.1, params=parameters, distributions=distributions))
        trials[-1].number = number
    assert [(trial.params, trial.user_attrs, trial.system_attrs) for trial in trials[:4]] == before
    assert len(set(found)) == 4


def test_an_origin_is_written_and_read_as_text() -> None:
    for text in ("default", "advice rank 12", "space-filling", "", "somebody's idea"):
        assert str(Origin.parse(text)) == text
    assert Origin.parse("advice rank 12") == Origin("advice", 12)
    assert all(Origin.parse(text).rank is None for text in ("advice", "advice rank", "advice rank 1.5"))
