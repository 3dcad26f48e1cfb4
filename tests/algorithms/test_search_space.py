import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from automl_meta.algorithms import Condition, SearchSpace

SPACE = SearchSpace(
    {
        "kind": CategoricalDistribution(("a", "b", None)),
        "width": FloatDistribution(1e-3, 1e3, log=True),
        "count": IntDistribution(1, 3),
    },
    {"width": Condition("kind", ("b",))},
)


def test_an_inactive_parameter_is_left_out_of_samples() -> None:
    for parameters in SPACE.sample(32):
        assert ("width" in parameters) == (parameters["kind"] == "b")


def test_samples_fill_the_space_evenly() -> None:
    sample = SearchSpace({"x": FloatDistribution(1e-4, 1e4, log=True), "n": IntDistribution(1, 4)}).sample(
        256
    )
    logs = np.log10([parameters["x"] for parameters in sample])
    assert np.histogram(logs, bins=8, range=(-4, 4))[0].tolist() == [32] * 8
    assert np.bincount([parameters["n"] for parameters in sample]).tolist() == [0, 64, 64, 64, 64]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"kind": "a", "count": 9}, "count=9 is outside [1, 3]"),
        ({"kind": "c", "count": 1}, "kind='c' is outside ['a', 'b', None]"),
        ({"kind": "a", "count": 1, "width": 1.0}, "width is inactive unless kind is in ['b']"),
        ({"kind": "b", "count": 1}, "width is missing"),
        ({"kind": "a", "count": 1, "widht": 1.0}, "there is no parameter 'widht'"),
        ({"kind": "a", "count": True}, "count=True is outside [1, 3]"),
        ({"kind": "a", "count": 1.5}, "count=1.5 is outside [1, 3]"),
    ],
)
def test_a_wrong_configuration_is_told_in_words(parameters: dict, problem: str) -> None:
    assert SPACE.problems(parameters) == [problem]


def test_a_space_without_parameters_has_no_samples() -> None:
    assert SearchSpace().sample(5) == []
