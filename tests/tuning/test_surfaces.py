import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from automl_meta.tuning.encoded_space import EncodedSpace
from automl_meta.tuning.surfaces import PastRows, Surfaces

SPACE = EncodedSpace({"x": FloatDistribution(0.0, 1.0), "y": FloatDistribution(0.0, 1.0)})


def _value(rows: np.ndarray, optimum: float) -> np.ndarray:
    return -((rows[:, 0] - optimum) ** 2) - 0.3 * (rows[:, 1] - 0.5) ** 2


def _tasks(optima: tuple[float, ...], n: int = 40, scale: float = 1.0) -> list[PastRows]:
    tasks = []
    for number, optimum in enumerate(optima):
        rows = SPACE.sample(n, np.random.default_rng(number))
        tasks.append(PastRows(rows, 5.0 + scale * _value(rows, optimum)))
    return tasks


def test_tasks_that_share_no_configuration_are_compared_everywhere() -> None:
    surfaces = Surfaces(SPACE, _tasks((0.2, 0.8)), np.random.default_rng(0))
    grid = np.column_stack([np.linspace(0.0, 1.0, 101), np.full(101, 0.5)])
    found = grid[surfaces.predict(grid).argmin(axis=1), 0]
    np.testing.assert_allclose(found, [0.2, 0.8], atol=0.08)


def test_regret_is_0_at_the_best_and_1_at_the_median() -> None:
    task = _tasks((0.4,), n=200)[0]
    surfaces = Surfaces(SPACE, [task], np.random.default_rng(0))
    at_rows = surfaces.predict(task.rows)[0]
    assert at_rows.min() == pytest.approx(0.0, abs=0.02)
    assert np.median(at_rows) == pytest.approx(1.0, abs=0.1)


def test_regret_does_not_depend_on_the_unit_of_a_task() -> None:
    small, large = (Surfaces(SPACE, _tasks((0.3,), scale=s), np.random.default_rng(0)) for s in (1.0, 1e4))
    rows = SPACE.sample(20, np.random.default_rng(9))
    np.testing.assert_allclose(small.predict(rows), large.predict(rows), atol=1e-5)
    assert large.scale == pytest.approx(1e4 * small.scale)


def test_failures_count_as_the_worst_and_a_diverged_run_bends_little() -> None:
    clean, spoilt = _tasks((0.3,))[0], _tasks((0.3,))[0]
    worst = int(clean.values.argmin())
    spoilt.values[worst] = -1e9
    rows = SPACE.sample(50, np.random.default_rng(9))
    pair = [Surfaces(SPACE, [task], np.random.default_rng(0)).predict(rows)[0] for task in (clean, spoilt)]
    assert np.corrcoef(*pair)[0, 1] > 0.8
    failed = PastRows(clean.rows, np.where(np.arange(40) == worst, np.nan, clean.values))
    found = Surfaces(SPACE, [failed], np.random.default_rng(0)).predict(rows)[0]
    assert np.isfinite(found).all()


def test_large_tasks_keep_their_best_rows() -> None:
    task = _tasks((0.3,), n=2000)[0]
    surfaces = Surfaces(SPACE, [task], np.random.default_rng(0))
    assert (surfaces.best_rows[0] == task.rows[task.values.argmax()]).all()


@pytest.mark.parametrize("n", [1, 2])
def test_a_task_of_one_or_two_rows_has_a_surface(n: int) -> None:
    surfaces = Surfaces(SPACE, _tasks((0.3,), n=n), np.random.default_rng(0))
    assert np.isfinite(surfaces.predict(SPACE.sample(5, np.random.default_rng(1)))).all()


def test_branches_do_not_disturb_each_other() -> None:
    space = EncodedSpace({"k": CategoricalDistribution(["a", "b"]), "x": FloatDistribution(0.0, 1.0)})
    rows = space.sample(80, np.random.default_rng(0))
    rows[rows[:, 0] == 1, 1] = np.nan
    values = np.where(rows[:, 0] == 1, -0.05, -((rows[:, 1] - 0.7) ** 2))
    surfaces = Surfaces(space, [PastRows(rows, values)], np.random.default_rng(0))
    asked = np.array([[0.0, 0.7], [1.0, np.nan], [0.0, 0.0]])
    best, middle, worst = surfaces.predict(asked)[0]
    assert best < middle < worst
