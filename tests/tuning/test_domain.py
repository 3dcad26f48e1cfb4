import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from automl_meta.tuning.activity import Activity
from automl_meta.tuning.domain import Domain, is_among
from automl_meta.tuning.encoded_space import EncodedSpace, Matrix

SPACE = EncodedSpace(
    {
        "x": FloatDistribution(0.0, 1.0),
        "n": IntDistribution(0, 9),
        "k": CategoricalDistribution(["a", "b", "c"]),
    }
)
NONE = np.empty((0, 3))
FREE = np.full(3, np.nan)


def _domain(fixed: np.ndarray = FREE) -> Domain:
    return Domain(SPACE, Activity(SPACE, NONE, NONE), fixed)


def _score(rows: Matrix) -> np.ndarray:
    return -((rows[:, 0] - 0.321) ** 2) - (rows[:, 1] - 0.65) ** 2 + (rows[:, 2] == 2)


def test_the_search_finds_an_optimum_between_its_starts() -> None:
    rng = np.random.default_rng(0)
    found = _domain().search(_score, _domain().sample(20, rng), NONE, rng)
    np.testing.assert_allclose(found, [0.321, 0.65, 2.0], atol=0.02)


def test_what_is_taken_does_not_come_again() -> None:
    domain = _domain(np.array([0.5, np.nan, np.nan]))
    taken = NONE
    for number in range(30):
        rng = np.random.default_rng(number)
        row = domain.search(_score, domain.sample(5, rng), taken, rng)
        assert not is_among(row, taken)
        taken = np.vstack([taken, row])


def test_fixed_columns_stay() -> None:
    rng = np.random.default_rng(0)
    rows = _domain(np.array([0.25, np.nan, 1.0])).mutated(SPACE.sample(50, rng), 0.3, rng)
    assert (rows[:, 0] == 0.25).all()
    assert (rows[:, 2] == 1.0).all()


def test_neighbours_lie_on_the_grid_and_in_the_space() -> None:
    rng = np.random.default_rng(0)
    rows = _domain().mutated(SPACE.sample(200, rng), 0.5, rng)
    np.testing.assert_array_equal(SPACE.snap(rows), rows)
    assert ((rows[:, 0] >= 0.0) & (rows[:, 0] <= 1.0)).all()


def test_rows_with_the_same_gaps_are_the_same() -> None:
    rows = np.array([[0.1, np.nan, 1.0]])
    assert is_among(np.array([0.1, np.nan, 1.0]), rows)
    assert not is_among(np.array([0.1, 0.5, 1.0]), rows)
