from itertools import combinations, permutations

import numpy as np
import pytest

from automl_meta.evaluation import expected_best_of_random, expected_best_within, paired_bootstrap


@pytest.mark.parametrize("k", [1, 2, 3, 5, 9])
def test_the_expected_best_of_random_draws_equals_enumeration(k: int) -> None:
    regrets = [0.3, 0.0, 0.7, 0.7, 1.0]
    draws = list(combinations(regrets, min(k, 5)))
    assert expected_best_of_random(regrets, k) == pytest.approx(np.mean([min(draw) for draw in draws]))


def test_the_interval_holds_the_mean_and_grows_with_the_spread() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=80)
    narrow = paired_bootstrap(1 + 0.1 * noise, np.arange(80))
    wide = paired_bootstrap(1 + noise, np.arange(80))
    assert narrow.low < narrow.mean < narrow.high
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)


def test_copies_within_a_family_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(1).normal(size=20)
    families = np.arange(20)
    once = paired_bootstrap(values, families)
    copied = paired_bootstrap(np.repeat(values, 10), np.repeat(families, 10))
    assert copied == pytest.approx(once)


def test_unknown_differences_are_left_out() -> None:
    assert paired_bootstrap([1.0, np.nan], ["a", "b"]).mean == 1.0
    assert np.isnan(paired_bootstrap([np.nan], ["a"]).low)


def test_the_expected_best_within_a_budget_is_near_enumeration() -> None:
    regrets, seconds = np.array([0.0, 0.2, 0.5, 0.9]), np.array([4.0, 3.0, 2.0, 1.0])
    best = []
    for order in permutations(range(4)):
        ended = np.cumsum(seconds[list(order)]) <= 5.0
        best.append(min([1.0, *regrets[list(order)][ended]]))
    found = expected_best_within(regrets, seconds, 5.0, n_orders=20_000)
    assert found == pytest.approx(np.mean(best), abs=0.01)
