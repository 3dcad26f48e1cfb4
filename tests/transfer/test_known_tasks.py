from dataclasses import replace

import numpy as np
import pytest

from automl_meta.transfer import KnownTasks, shares_of_best


def known_tasks(rows: list[list[float]]) -> KnownTasks:
    return KnownTasks(np.array(rows), np.ones(len(rows)), np.full(len(rows), 1 / len(rows)))


SPECIALISTS = known_tasks([[0.9, 0.8, 0.1, 0.5], [0.9, 0.8, 0.1, 0.5], [0.2, 0.3, 1.0, 0.5]])
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
    before = KnownTasks(rows, np.full(200, 0.3), np.full(200, 1 / 200))
    after = before.observe(np.array([0, 2]), np.array([0.2, -0.2]))
    assert after.expected == pytest.approx([0.2, 0.2, -0.2, -0.2], abs=0.03)
    assert (after.deviation < 0.6 * before.deviation).all()
    assert after.reached == 0.2


def test_after_an_observation_the_next_pick_is_what_may_be_better() -> None:
    observed = SPECIALISTS.observe(np.array([0]), np.array([0.2]))
    assert observed.greedy_portfolio(np.array([1, 2, 3]), 1) == [2]


def test_one_row_alone_moves_too() -> None:
    single = known_tasks([[0.9, 0.8]])
    assert single.observe(np.array([0]), np.array([0.5])).expected[1] < 0.7


def naive_observe(
    before: KnownTasks, columns: list[int], scores: list[float]
) -> tuple[np.ndarray, np.ndarray]:
    """The same by explicit loops over rows: how likely each is, and moved rows."""
    n, m = before.rows.shape
    mean = sum(weight * row for weight, row in zip(before.weights, before.rows, strict=True))
    covariance = sum(
        weight * np.outer(row - mean, row - mean)
        for weight, row in zip(before.weights, before.rows, strict=True)
    )
    variance = np.trace(covariance) / m
    share = 4.0 / (4.0 + 1.0 / sum(before.weights**2))
    like = np.where(np.eye(m) == 1, variance, 0.95 * variance)
    kernel = 0.16 * ((1 - share) * covariance + share * like)
    typical = sum(before.weights * before.scale)
    inverse = np.linalg.inv(kernel[np.ix_(columns, columns)] + (0.05 * typical) ** 2 * np.eye(len(columns)))
    likelihood, rows = np.zeros(n), np.zeros((n, m))
    for position in range(n):
        surprise = np.array(scores) - before.rows[position, columns]
        rows[position] = before.rows[position] + kernel[:, columns] @ inverse @ surprise
        width = before.scale[position] / typical
        tail = (1 + surprise @ inverse @ surprise / (4.0 * width)) ** (-(4.0 + len(columns)) / 2)
        likelihood[position] = width ** (-len(columns) / 2) * tail
    return likelihood, rows


def test_observing_agrees_with_the_formulas_row_by_row() -> None:
    rng = np.random.default_rng(1)
    weights = rng.uniform(size=30)
    scores, scale = rng.normal(0.7, 0.1, (30, 6)), rng.uniform(0.1, 0.4, 30)
    before = KnownTasks(scores, scale, weights / weights.sum(), voters=np.eye(30)[:2])
    after = before.observe(np.array([1, 4]), np.array([0.8, 0.6]))
    likelihood, rows = naive_observe(before, [1, 4], [0.8, 0.6])
    assert after.weights == pytest.approx(before.weights * likelihood / (before.weights @ likelihood))
    assert after.rows == pytest.approx(rows)
    assert after.voters is not None
    for row, voter in enumerate(after.voters):  # each was sure of one row, and doubts it a little
        opinion = np.where(np.arange(30) == row, 0.7, 0.0) + 0.3 / 30
        assert voter == pytest.approx(opinion * likelihood / (opinion @ likelihood))


def test_rows_that_explain_what_was_observed_count_more() -> None:
    after = SPECIALISTS.observe(np.array([0, 1]), np.array([0.2, 0.3]))
    assert after.weights[2] > 0.6
    assert after.weights.sum() == pytest.approx(1.0)


def test_the_spread_left_after_an_observation_is_smallest_where_it_was_made() -> None:
    rng = np.random.default_rng(0)
    before = KnownTasks(rng.normal(size=(50, 5)), np.ones(50), np.full(50, 0.02))
    after = before.observe(np.array([2]), np.array([0.3]))
    assert int(np.argmin(after.within)) == 2
    assert int(np.argmin(after.deviation)) == 2


def test_voters_decide_the_first_place_by_mean_rank_and_not_by_mean_score() -> None:
    rows = np.array([[0.9, 0.8], [0.9, 0.8], [0.1, 0.8]])
    voted = KnownTasks(rows, np.ones(3), np.full(3, 1 / 3), voters=np.eye(3))
    assert voted.greedy_portfolio(np.arange(2), 1) == [0]
    assert KnownTasks(rows, np.ones(3), np.full(3, 1 / 3)).greedy_portfolio(np.arange(2), 1) == [1]


def test_voters_decide_what_comes_next_by_the_mean_rank_of_the_gain() -> None:
    rows = np.array([[0.5, 0.5, 0.6], [0.5, 0.5, 0.6], [0.5, 1.0, 0.5]])
    observed = KnownTasks(rows, np.ones(3), np.full(3, 1 / 3), reached=0.5)
    assert observed.greedy_portfolio(np.arange(3), 1) == [1]  # .5 for one row is more than .1 for two
    assert replace(observed, voters=np.eye(3)).greedy_portfolio(np.arange(3), 1) == [2]


def test_gain_per_square_root_of_a_second_decides_where_seconds_count() -> None:
    before = KnownTasks(np.array([[0.9, 0.6, 0.2]]), np.array([1.0]), np.array([1.0]))
    # Gains over a useless score (0.9 - 1.0 = -0.1): 1.0, 0.7, 0.3.
    assert before.greedy_portfolio(np.arange(3), 1, np.array([1.0, 1.0, 1.0])) == [0]
    assert before.greedy_portfolio(np.arange(3), 1, np.array([4.0, 1.0, 1.0])) == [1]
    assert before.greedy_portfolio(np.arange(3), 1, np.array([16.0, 9.0, 1.0])) == [2]


def test_shares_of_the_best_ignore_how_the_losers_rank_and_how_far_they_fall() -> None:
    rows = np.array([[0.9, 0.5, 0.4, 0.3], [0.9, 0.3, 0.5, 0.4], [0.9, 0.5, 0.4, -9.0], [0.9, 0.9, 0.4, 0.3]])
    shares = shares_of_best(rows, np.full(4, 0.5))
    assert shares.sum(axis=1) == pytest.approx(np.ones(4))
    assert shares[:3] == pytest.approx(np.tile([1.0, 0.0, 0.0, 0.0], (3, 1)), abs=1e-5)
    assert shares[3] == pytest.approx([0.5, 0.5, 0.0, 0.0], abs=1e-5)


def test_the_expected_improvement_is_what_a_candidate_adds_to_those_tried() -> None:
    known = KnownTasks(-np.array([[0.0, 0.5, 1.0], [0.9, 0.0, 1.0]]), np.ones(2), np.full(2, 0.5))
    found = known.expected_improvement(-np.array([0.2, 1.0]))
    assert found == pytest.approx([0.5 * 0.2 + 0.5 * 0.1, 0.5 * 1.0, 0.0])


def test_the_spread_is_that_of_the_rows_and_of_what_they_leave_open() -> None:
    rows, weights = np.array([[0.9, 0.5], [0.5, 0.5]]), np.array([0.75, 0.25])
    scale = np.array([0.2, 0.6])
    known = KnownTasks(rows, scale, weights, within=np.array([0.01, 0.04]))
    assert known.expected == pytest.approx([0.8, 0.5])
    assert known.typical_scale == pytest.approx(0.3)
    noise = (0.05 * 0.3) ** 2
    assert known.deviation == pytest.approx(np.sqrt([0.03 + 0.01 + noise, 0.04 + noise]))
    assert replace(known, within=0.0).deviation == pytest.approx(np.sqrt([0.03 + noise, noise]))


def test_what_was_reached_is_the_best_score_ever_observed() -> None:
    first = SPECIALISTS.observe(np.array([0, 1]), np.array([0.7, 0.4]))
    assert first.reached == 0.7
    assert first.observe(np.array([2]), np.array([0.3])).reached == 0.7
    assert first.observe(np.array([2]), np.array([0.8])).reached == 0.8


def test_regrets_are_normalised_by_the_scale_to_a_power() -> None:
    rows, scale = np.array([[1.0, 0.4], [0.4, 0.6]]), np.array([4.0, 1.0])
    known = KnownTasks(rows, scale, np.array([0.5, 0.5]))
    best = np.array([0.2, 0.5])
    assert known.improvements(best) == pytest.approx(np.array([[0.2, 0.05], [0.0, 0.1]]))
    assert replace(known, scale_power=0.5).improvements(best) == pytest.approx(
        np.array([[0.4, 0.1], [0.0, 0.1]])
    )
    assert replace(known, scale_power=0.0).expected_improvement(best) == pytest.approx([0.4, 0.15])
    assert known.best_on_average(np.arange(2), 2) == [1, 0]
    assert replace(known, scale=np.ones(2)).best_on_average(np.arange(2), 1) == [0]


def test_ties_go_to_the_better_average_and_then_to_the_earlier_column() -> None:
    alike = known_tasks([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]])
    assert alike.greedy_portfolio(np.arange(3), 3) == [0, 1, 2]
    assert alike.best_on_average(np.arange(3), 2) == [0, 1]
    no_gain = KnownTasks(np.array([[0.1, 0.3, 0.2]]), np.ones(1), np.ones(1), reached=0.5)
    assert no_gain.greedy_portfolio(np.arange(3), 3) == [1, 2, 0]


def test_a_portfolio_has_no_more_than_what_was_asked_for() -> None:
    assert SPECIALISTS.greedy_portfolio(ALL, 0) == []
    assert len(SPECIALISTS.greedy_portfolio(ALL, 3)) == 3
    assert sorted(SPECIALISTS.greedy_portfolio(ALL, 9)) == [0, 1, 2, 3]


def test_seconds_count_in_every_place_once_a_score_is_reached() -> None:
    rows = np.array([[0.9, 0.8, 0.3], [0.3, 0.8, 1.0]])
    known = KnownTasks(rows, np.ones(2), np.full(2, 0.5), reached=0.5)
    assert known.greedy_portfolio(np.arange(3), 3) == [1, 2, 0]
    assert known.greedy_portfolio(np.arange(3), 1, np.array([1.0, 1.0, 0.01])) == [2]
    # After the first, gains of .1 in one second and of .2 in nine are left.
    assert known.greedy_portfolio(np.arange(3), 2, np.array([1.0, 0.01, 9.0])) == [1, 0]


def test_the_first_place_of_a_vote_is_the_only_one_that_is_voted_for() -> None:
    rows = np.array([[0.9, 0.8, 0.1], [0.9, 0.8, 0.1], [0.1, 0.8, 1.0]])
    voted = KnownTasks(rows, np.ones(3), np.full(3, 1 / 3), voters=np.eye(3))
    assert voted.greedy_portfolio(np.arange(3), 2) == [0, 2]


def test_shares_of_the_best_fall_with_the_difference_in_units_of_the_noise() -> None:
    rows = np.array([[1.0, 0.95, 0.9], [1.0, 0.9, 0.8]])
    shares = shares_of_best(rows, np.array([1.0, 2.0]))
    expected = np.exp([0.0, -1.0, -2.0])
    np.testing.assert_allclose(shares, np.tile(expected / expected.sum(), (2, 1)))


def test_what_is_known_is_never_changed_in_place() -> None:
    with pytest.raises(AttributeError):
        SPECIALISTS.reached = 1.0  # type: ignore[misc]
    assert np.isneginf(SPECIALISTS.reached)
    assert SPECIALISTS.voters is None


def test_of_equal_candidates_the_earlier_column_is_taken_in_any_order() -> None:
    alike = known_tasks([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]])
    assert alike.greedy_portfolio(np.array([2, 1]), 1) == [1]


def test_the_variance_that_is_left_agrees_with_the_formula() -> None:
    rng = np.random.default_rng(3)
    before = KnownTasks(rng.normal(0.7, 0.1, (20, 5)), np.full(20, 0.3), np.full(20, 0.05))
    anomalies = before.rows - before.rows.mean(axis=0)
    covariance = anomalies.T @ anomalies / 20
    variance, share = np.trace(covariance) / 5, 4.0 / (4.0 + 20.0)
    like = np.where(np.eye(5) == 1, variance, 0.95 * variance)
    kernel = 0.16 * ((1 - share) * covariance + share * like)
    columns = [1, 4]
    inverse = np.linalg.inv(kernel[np.ix_(columns, columns)] + (0.05 * 0.3) ** 2 * np.eye(2))
    left = np.diag(kernel - kernel[:, columns] @ inverse @ kernel[columns])
    after = before.observe(np.array(columns), np.array([0.8, 0.6]))
    assert after.within == pytest.approx(left)


def test_equal_candidates_are_chosen_from_left_to_right() -> None:
    equal = known_tasks([[0.5, 0.5, 0.5, 0.9]])
    assert equal.greedy_portfolio(np.array([2, 1, 0]), 3) == [0, 1, 2]
