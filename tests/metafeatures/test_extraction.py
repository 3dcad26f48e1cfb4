import math

import numpy as np
import pytest

from automl_meta._utils.budget import Budget
from automl_meta.exceptions import UsageError
from automl_meta.metafeatures import (
    EXTRACTORS,
    MetaFeature,
    MetaFeatureExtractor,
    TaskView,
    all_features,
    all_names,
    extract_metafeatures,
)
from automl_meta.task import TabularTask


@pytest.fixture(scope="module")
def iris() -> TabularTask:
    return TabularTask.bundled("iris")


class _Own(MetaFeatureExtractor):
    name = "own"
    features = (
        MetaFeature("own_answer", "Forty-two.", "Adams (1979)"),
        MetaFeature("own_huge", "Too large.", "Adams (1979)"),
        MetaFeature("own_nothing", "Nothing.", "Adams (1979)", "a towel"),
    )

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        return {"own_answer": 42.0, "own_huge": math.inf, "own_nothing": math.nan}


class _Broken(MetaFeatureExtractor):
    name = "broken"
    features = (MetaFeature("broken_value", "Never there.", "Murphy (1949)"),)

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        raise ZeroDivisionError("by nothing")


def test_there_are_at_least_a_hundred_values_for_classes_and_eighty_for_numbers() -> None:
    assert len(all_names("classification")) >= 100
    assert len(all_names("regression")) >= 80


def test_no_two_values_have_one_name() -> None:
    names = [feature.name for extractor in EXTRACTORS for feature in extractor.features]
    assert len(set(names)) == len(names)


def test_every_value_is_described_with_its_source() -> None:
    described = all_features("regression")
    assert tuple(feature.name for feature in described) == all_names("regression")
    assert all(feature.description and feature.source for feature in described)


def test_all_groups_give_all_names_in_order(iris: TabularTask) -> None:
    described = extract_metafeatures(iris)
    assert tuple(described.values) == all_names("classification")
    assert list(described.seconds) == list(described.versions) == [e.name for e in EXTRACTORS]


def test_a_table_and_a_task_give_the_same(iris: TabularTask) -> None:
    from_table = extract_metafeatures(iris.X, iris.y, groups=["statistical"])
    by_name = extract_metafeatures(iris.X.assign(kind=iris.y), "kind", groups=["statistical"])
    expected = extract_metafeatures(iris, groups=["statistical"]).values
    assert from_table.values == by_name.values == expected


def test_values_of_a_group_do_not_depend_on_other_groups(iris: TabularTask) -> None:
    alone = extract_metafeatures(iris, groups=["landmarkers"]).values
    together = extract_metafeatures(iris).values
    assert {name: together[name] for name in alone} == alone


def test_each_nan_has_a_reason_and_nothing_else_has(iris: TabularTask) -> None:
    described = extract_metafeatures(iris)
    assert set(described.reasons) == {n for n, value in described.values.items() if math.isnan(value)}


def test_without_time_all_is_nan_for_that_reason(iris: TabularTask) -> None:
    for budget in (0, Budget(0)):
        described = extract_metafeatures(iris, time_budget=budget)
        assert set(described.reasons.values()) == {"out of time"}
        assert set(described.reasons) == set(all_names("classification"))


def test_enough_time_changes_nothing(iris: TabularTask) -> None:
    assert extract_metafeatures(iris, time_budget=1000).reasons == extract_metafeatures(iris).reasons


def test_own_groups_join_in(iris: TabularTask) -> None:
    described = extract_metafeatures(iris, extractors=[*EXTRACTORS, _Own()], groups=["simple", "own"])
    assert described.values["own_answer"] == 42.0
    assert described.reasons["own_huge"] == "the result overflows"
    assert described.reasons["own_nothing"] == "it needs a towel"
    assert math.isnan(described.values["own_huge"])
    assert described.versions == {"simple": 1, "own": 1}


def test_a_group_that_fails_takes_no_other_down(iris: TabularTask) -> None:
    described = extract_metafeatures(iris, extractors=[_Broken(), EXTRACTORS[0]])
    assert described.reasons["broken_value"] == "the group failed: ZeroDivisionError: by nothing"
    assert described.values["n_rows"] == 150


@pytest.mark.parametrize("groups", [["simpel"], "simpel"])
def test_an_unknown_group_is_refused_with_the_known_ones(iris: TabularTask, groups: object) -> None:
    with pytest.raises(UsageError, match=r"'simpel'.*simple, statistical"):
        extract_metafeatures(iris, groups=groups)  # type: ignore[arg-type]


def test_two_values_of_one_name_are_refused(iris: TabularTask) -> None:
    with pytest.raises(UsageError, match="'own_answer'"):
        extract_metafeatures(iris, extractors=[_Own(), _Own()])


def test_a_task_needs_no_target_and_a_table_needs_one(iris: TabularTask) -> None:
    with pytest.raises(UsageError, match="no y"):
        extract_metafeatures(iris, iris.y)
    with pytest.raises(UsageError, match="pass y"):
        extract_metafeatures(iris.X)
    with pytest.raises(UsageError, match="regression"):
        extract_metafeatures(iris, task_type="regression")


def test_what_it_tells_of_itself_is_short(iris: TabularTask) -> None:
    assert repr(extract_metafeatures(iris, groups=["simple"])).startswith("MetaFeatures(")
    assert repr(EXTRACTORS[0]) == "Simple()"
