import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from automl_meta.tuning.encoded_space import EncodedSpace, nearest

SPACE = {
    "x": FloatDistribution(-2.0, 3.0),
    "rate": FloatDistribution(1e-5, 1.0, log=True),
    "half": FloatDistribution(0.0, 10.0, step=0.5),
    "n": IntDistribution(1, 9, step=2),
    "units": IntDistribution(16, 512, log=True),
    "kind": CategoricalDistribution(["a", "b", None, 3, True]),
    "fixed": IntDistribution(4, 4),
}


@given(st.integers(0, 2**32 - 1))
def test_a_decoded_row_comes_back_when_encoded(seed: int) -> None:
    space = EncodedSpace(SPACE)
    rows = space.snap(space.sample(5, np.random.default_rng(seed)))
    configurations = [space.decode(row) for row in rows]
    for configuration in configurations:
        for name, value in configuration.items():
            assert SPACE[name]._contains(SPACE[name].to_internal_repr(value))
    known = rows[:, [i for i, name in enumerate(space.names) if name != "kind"]]
    again = space.encode(configurations)
    np.testing.assert_allclose(
        again[:, [i for i, name in enumerate(space.names) if name != "kind"]], known, atol=1e-9
    )


def test_a_logarithm_is_taken_where_the_space_says_so() -> None:
    encoded = EncodedSpace({"rate": SPACE["rate"]}).encode([{"rate": 10**-2.5}])
    np.testing.assert_allclose(encoded, [[0.5]])


def test_what_is_missing_is_nan_and_an_unknown_category_is_marked() -> None:
    encoded = EncodedSpace({"x": SPACE["x"], "kind": CategoricalDistribution(["a"])}).encode([{"kind": "z"}])
    assert np.isnan(encoded[0, 0])
    assert encoded[0, 1] == -1.0


@pytest.mark.parametrize(
    ("value", "index"), [(1.0, 0), (np.int64(1), 0), (True, 1), (np.bool_(True), 1), ("1", 2)]
)
def test_categories_are_told_apart_by_kind_but_not_by_how_a_table_writes_numbers(
    value: object, index: int
) -> None:
    space = EncodedSpace({"kind": CategoricalDistribution([1, True, "1"])})
    assert space.encode([{"kind": value}])[0, 0] == index


def test_values_far_outside_of_the_range_are_drawn_in() -> None:
    space = EncodedSpace({"x": FloatDistribution(0.0, 1.0), "rate": SPACE["rate"]})
    np.testing.assert_allclose(space.encode([{"x": 100.0, "rate": 0.0}]), [[1.5, -0.5]])


@pytest.mark.parametrize(
    ("distribution", "number", "expected"),
    [
        (IntDistribution(1, 9, step=2), 4.1, 5),
        (IntDistribution(1, 9, step=2), -7.0, 1),
        (IntDistribution(1, 8, step=1), 99.0, 8),
        (FloatDistribution(0.0, 1.0, step=0.25), 0.6, 0.5),
        (FloatDistribution(0.0, 1.0), 1.2, 1.0),
    ],
)
def test_the_nearest_value_lies_on_the_grid(distribution: object, number: float, expected: float) -> None:
    found = nearest(distribution, number)
    assert found == expected
    assert type(found) is type(expected)


def test_inactive_rows_are_embedded_in_the_middle_and_categories_as_far_as_a_range_apart() -> None:
    space = EncodedSpace({"x": FloatDistribution(0.0, 1.0), "kind": CategoricalDistribution(["a", "b"])})
    points = space.embed(np.array([[np.nan, 0.0], [0.5, 0.0], [0.5, 1.0]]))
    np.testing.assert_allclose(points[0], points[1])
    np.testing.assert_allclose(np.linalg.norm(points[1] - points[2]), 1.0)
