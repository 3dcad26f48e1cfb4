import numpy as np
import pytest

from automl_meta.recommenders._ensemble import Ensemble


def ensemble(rows: list[list[float]]) -> Ensemble:
    return Ensemble(np.array(rows), np.ones(len(rows)), np.full(len(rows), 1 / len(rows)))


SPECIALISTS = ensemble([[0.9, 0.8, 0.1, 0.5], [0.9, 0.8, 0.1, 0.5], [0.2, 0.3, 1.0, 0.5]])
ALL = np.arange(4)


def test_the_average_ignores_and_the_portfolio_uses_that_configurations_complement_each_other() -> None:
    assert SPECIALISTS.best_on_average(ALL, 2) == [0, 1]
    assert SPECIALISTS.greedy_portfolio(ALL, 2) == [0, 2]


def test_only_candidates_are_chosen() -> None:
    assert SPECIALISTS.greedy_portfolio(np.array([1, 3]), 5) == [1, 3]


def test_the_chance_to_be_the_best_follows_the_weights() -> None:
    assert SPECIALISTS.chance_of_best() == pytest.approx([0.6, 0.1, 0.3, 0.0], abs=0.06)


def test_an_observation_is_taken_over_and_moves_what_goes_along_with_it() -> None:
    rng = np.random.default_rng(0)
    level, kind = rng.normal(size=(200, 1)), rng.normal(size=(200, 1))
    rows = 0.1 * np.hstack([level + kind, level + kind, level - kind, level - kind])
    before = Ensemble(rows, np.full(200, 0.3), np.full(200, 1 / 200))
    after = before.observe(np.array([0, 2]), np.array([0.2, -0.2]))
    assert after.expected == pytest.approx([0.2, 0.2, -0.2, -0.2], abs=0.03)
    assert (after.deviation < 0.6 * before.deviation).all()
    assert after.reached == 0.2


def test_after_an_observation_the_next_pick_is_what_may_be_better() -> None:
    observed = SPECIALISTS.observe(np.array([0]), np.array([0.2]))
    assert observed.greedy_portfolio(np.array([1, 2, 3]), 1) == [2]


def test_one_row_alone_moves_too() -> None:
    single = ensemble([[0.9, 0.8]])
    assert single.observe(np.array([0]), np.array([0.5])).expected[1] < 0.7
