import numpy as np
import pytest

from automl_meta.recommenders.difficulty_model import DifficultyModel


def test_a_linear_target_is_recovered() -> None:
    points = np.random.default_rng(0).normal(size=(60, 4))
    target = (points @ [0.3, 0.0, -0.2, 0.0] + 0.5)[:, None]
    model = DifficultyModel(points, target, np.arange(60))
    assert model.predict(np.array([0.5, 9.0, 0.0, np.nan]))[0] == pytest.approx(0.65, abs=0.02)
    assert np.abs(model.left_out - target).mean() < 0.05


def test_left_out_predictions_equal_those_of_models_without_the_family() -> None:
    """A single penalty excludes the effect of its selection."""
    rng = np.random.default_rng(1)
    points, target = rng.normal(size=(12, 3)), rng.normal(size=(12, 1))
    families = np.array([0, 0, 0, 1, 1, 2, 3, 4, 5, 5, 6, 7])
    target[[3, 4]] = [[-9.0], [9.0]]  # both models are clipped to the same range
    left_out = DifficultyModel(points, target, families, penalties=(1e-9,)).left_out
    rest = families != 0
    refitted = DifficultyModel(points[rest], target[rest], families[rest], penalties=(1e-9,))
    expected = [refitted.predict(point) for point in points[:3]]
    assert np.allclose(left_out[:3], expected, atol=1e-6)


def test_predictions_stay_in_the_known_range() -> None:
    points = np.linspace(-1, 1, 30)[:, None]
    model = DifficultyModel(points, points / 2, np.arange(30))
    assert model.predict(np.array([100.0]))[0] == 0.5


def test_no_metafeatures_give_the_mean() -> None:
    model = DifficultyModel(np.empty((4, 0)), np.array([[0.0], [1.0], [2.0], [3.0]]), np.arange(4))
    assert model.predict(np.empty(0))[0] == 1.5
