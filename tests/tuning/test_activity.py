import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from automl_meta.tuning.activity import Activity
from automl_meta.tuning.encoded_space import EncodedSpace

NOTHING = np.empty((0, 4))
SPACE = EncodedSpace(
    {
        "kernel": CategoricalDistribution(["rbf", "poly", "linear"]),
        "gamma": FloatDistribution(0.0, 1.0),
        "degree": IntDistribution(1, 5),
        "C": FloatDistribution(0.0, 1.0),
    }
)


def _rows(n: int = 60) -> np.ndarray:
    """gamma for rbf and poly, degree for poly, C always."""
    rows = SPACE.sample(n, np.random.default_rng(0))
    rows[rows[:, 0] == 2, 1] = np.nan
    rows[rows[:, 0] != 1, 2] = np.nan
    return rows


def test_conditions_are_learnt_from_rows() -> None:
    rows = _rows()
    free = SPACE.sample(200, np.random.default_rng(1))
    found = Activity(SPACE, rows, NOTHING).apply(free, np.random.default_rng(2), SPACE)
    np.testing.assert_array_equal(np.isnan(found[:, 1]), free[:, 0] == 2)
    np.testing.assert_array_equal(np.isnan(found[:, 2]), free[:, 0] != 1)
    assert not np.isnan(found[:, [0, 3]]).any()


def test_conditions_are_learnt_from_the_trials_of_the_study_alone() -> None:
    free = SPACE.sample(50, np.random.default_rng(1))
    found = Activity(SPACE, NOTHING, _rows()).apply(free, np.random.default_rng(2), SPACE)
    np.testing.assert_array_equal(np.isnan(found[:, 2]), free[:, 0] != 1)


def test_a_branch_that_becomes_active_gets_values() -> None:
    found = Activity(SPACE, _rows(), NOTHING).apply(
        np.array([[1.0, np.nan, np.nan, 0.5]]), np.random.default_rng(0), SPACE
    )
    assert not np.isnan(found).any()


def test_a_number_can_decide_what_is_active() -> None:
    space = EncodedSpace({"layers": IntDistribution(1, 3), "second": FloatDistribution(0.0, 1.0)})
    rows = space.snap(space.sample(50, np.random.default_rng(0)))
    rows[rows[:, 0] < 0.4, 1] = np.nan
    free = space.snap(space.sample(50, np.random.default_rng(1)))
    found = Activity(space, rows, np.empty((0, 2))).apply(free, np.random.default_rng(2), space)
    np.testing.assert_array_equal(np.isnan(found[:, 1]), free[:, 0] < 0.4)


def test_children_of_inactive_parents_are_inactive() -> None:
    space = EncodedSpace(
        {
            "algorithm": CategoricalDistribution(["svm", "tree"]),
            "kernel": CategoricalDistribution(["rbf", "poly"]),
            "degree": IntDistribution(1, 5),
        }
    )
    rows = space.sample(80, np.random.default_rng(0))
    rows[rows[:, 0] == 1, 1] = np.nan
    rows[~(rows[:, 1] == 1), 2] = np.nan
    free = space.sample(80, np.random.default_rng(1))
    found = Activity(space, rows, np.empty((0, 3))).apply(free, np.random.default_rng(2), space)
    assert np.isnan(found[free[:, 0] == 1][:, 1:]).all()


def test_a_parameter_that_the_past_does_not_know_is_active() -> None:
    past = _rows()
    past[:, 3] = np.nan
    found = Activity(SPACE, past, _rows(3)).apply(
        SPACE.sample(20, np.random.default_rng(1)), np.random.default_rng(2), SPACE
    )
    assert not np.isnan(found[:, 3]).any()
