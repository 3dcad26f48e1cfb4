import numpy as np
import pandas as pd
import pytest

from automl_meta.recommenders.metafeature_space import MetafeatureSpace


@pytest.fixture
def space() -> MetafeatureSpace:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=20), "b": 10 ** rng.normal(size=20), "same": 1.0, "never": np.nan}
    )
    return MetafeatureSpace(frame, np.arange(20))


def test_constant_and_unknown_metafeatures_are_left_out(space: MetafeatureSpace) -> None:
    assert space.names == ["a", "b"]


def test_units_do_not_matter() -> None:
    frame = pd.DataFrame({"a": np.arange(10.0), "b": np.arange(10.0)[::-1] ** 2})
    scaled = frame * [1000.0, 0.01] + [5.0, -3.0]
    families = np.arange(10)
    assert np.allclose(MetafeatureSpace(frame, families).known, MetafeatureSpace(scaled, families).known)


def test_what_the_task_lacks_is_left_out_of_its_distances(space: MetafeatureSpace) -> None:
    whole, part = space.locate({"a": 0.0, "b": 1.0}), space.locate({"a": 0.0})
    assert np.isnan(part[1])
    assert not np.allclose(space.distances(whole), space.distances(part))
    assert np.isnan(space.distances(space.locate({}))).all()


def test_a_task_outside_the_known_range_is_far(space: MetafeatureSpace) -> None:
    inside = space.distances(space.locate({"a": 0.0, "b": 1.0})).min()
    outside = space.distances(space.locate({"a": 50.0, "b": 1e6})).min()
    assert not space.is_far(inside)
    assert space.is_far(outside)
    assert space.percentile(outside) == 1.0
    assert space.is_far(np.nan)


def test_a_copy_in_the_same_family_is_no_reference_for_nearness() -> None:
    frame = pd.DataFrame({"a": np.repeat([0.0, 1.0, 2.0, 3.0], 2)})
    assert MetafeatureSpace(frame, np.arange(8)).is_far(0.2)
    assert not MetafeatureSpace(frame, np.repeat(np.arange(4), 2)).is_far(0.2)
