from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import RepeatedKFold, StratifiedKFold, StratifiedShuffleSplit, TimeSeriesSplit

from automl_meta.exceptions import DataError, UsageError
from automl_meta.experiments import Folds, evaluate, evaluate_out_of_fold, fewer_rows
from automl_meta.records import Configuration, Protocol
from automl_meta.task import TabularTask

IRIS = TabularTask.bundled("iris")
LDA = Configuration("lda")


def test_a_protocol_means_the_folds_of_scikit_learn() -> None:
    folds = Folds.of_protocol(IRIS, Protocol())
    expected = StratifiedKFold(5, shuffle=True, random_state=0).split(IRIS.X, IRIS.y_codes)
    for (train, test), (known_train, known_test) in zip(folds.all, expected, strict=True):
        np.testing.assert_array_equal(train, known_train)
        np.testing.assert_array_equal(test, known_test)
    assert folds.name == "cv5-rows5000-seed0"


def test_predictions_lie_where_the_slices_say() -> None:
    folds = Folds.of_protocol(IRIS, Protocol(n_folds=3, n_repeats=2))
    found = evaluate_out_of_fold(LDA, IRIS, folds)
    assert found.responses["predict"].shape == (300,)
    assert found.responses["predict_proba"].shape == (300, 3)
    for repeat, number in zip(folds.slices, range(2), strict=True):
        for part, fold in zip(repeat, range(3), strict=True):
            score = np.mean(found.responses["predict"][part] == IRIS.y_codes[folds.tested[part]])
            assert score == pytest.approx(found.run.fold_scores["accuracy"][3 * number + fold])


def test_the_run_is_the_same_as_without_the_predictions() -> None:
    found = evaluate_out_of_fold(LDA, IRIS, Protocol())
    assert found.run.scores == evaluate(LDA, IRIS).scores


@pytest.mark.parametrize(
    "splitter", [RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), TimeSeriesSplit(3)]
)
def test_any_splitter_judges_also_when_rows_are_tested_never_or_twice(splitter) -> None:
    shuffled = np.random.default_rng(0).permutation(150)
    task = TabularTask.from_frame(IRIS.X.iloc[shuffled], IRIS.y.iloc[shuffled])
    folds = Folds.of_splitter(task, splitter, Protocol())
    run = evaluate(LDA, task, folds)
    assert (run.status, len(run.fold_scores["accuracy"])) == ("ok", splitter.get_n_splits(task.X))
    assert run.protocol == folds.name
    assert folds.name.startswith("custom-")


def test_the_same_splits_have_the_same_name_and_others_another() -> None:
    names = [
        Folds.of_splitter(IRIS, StratifiedKFold(3, shuffle=True, random_state=seed), Protocol()).name
        for seed in (0, 0, 1)
    ]
    assert names[0] == names[1] != names[2]


def test_rows_of_a_group_are_never_on_both_sides() -> None:
    groups = np.arange(150) % 30
    folds = Folds.of_splitter(IRIS, 5, Protocol(), groups=groups)
    assert len(folds.all) == 5
    for train, test in folds.all:
        assert not set(groups[train]) & set(groups[test])
    assert sorted(folds.tested) == list(range(150))


def test_fewer_groups_than_folds_are_enough() -> None:
    assert len(Folds.of_splitter(IRIS, 5, Protocol(), groups=np.arange(150) % 2).all) == 2


def test_weights_reach_the_estimator_and_name_the_runs() -> None:
    folds = Folds.of_protocol(IRIS, Protocol(), (IRIS.y_codes != 2).astype(float))
    found = evaluate_out_of_fold(Configuration("decision_tree"), IRIS, folds)
    assert 2 not in found.responses["predict"]
    assert found.run.protocol.startswith("cv5-rows5000-seed0-weighted-")
    refused = evaluate(Configuration("knn"), IRIS, folds)
    assert (refused.status, "does not support sample weights" in refused.reason) == ("crash", True)


def test_training_folds_of_any_splitter_are_sampled() -> None:
    folds = Folds.of_splitter(IRIS, StratifiedKFold(3), Protocol(max_train_rows=40))
    assert [len(train) for train, _ in folds.all] == [40] * 3


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"splitter": 5, "groups": [1, 2]}, DataError, "150 rows and 2 groups"),
        ({"splitter": 5, "groups": np.zeros(150)}, DataError, "All rows have one group"),
        ({"splitter": "five"}, UsageError, "cannot be split by 'five'"),
        ({"splitter": []}, UsageError, "gives no split"),
        ({"splitter": [([], [1])]}, UsageError, "or an empty one"),
        ({"splitter": StratifiedKFold(3), "sample_weight": [1.0]}, DataError, "150 numbers from 0"),
        ({"splitter": StratifiedKFold(3), "sample_weight": -np.ones(150)}, DataError, "150 numbers from 0"),
    ],
)
def test_what_cannot_be_split_is_refused(options: dict, error: type, message: str) -> None:
    splitter = options.pop("splitter")
    with pytest.raises(error, match=message):
        Folds.of_splitter(IRIS, splitter, Protocol(), **options)


def labelled(sizes: list[int]) -> TabularTask:
    """A task with classes of these sizes, in mixed order."""
    labels = np.repeat([f"class {code:02d}" for code in range(len(sizes))], sizes)
    order = np.random.default_rng(0).permutation(len(labels))
    return TabularTask.from_frame(pd.DataFrame({"x": np.arange(len(labels)) ** 1.5}), labels[order])


def lacking(task: TabularTask, folds: Folds, learnt: list[np.ndarray]) -> list[set[int]]:
    """For each fold the classes that have two rows among `learnt` and none in the training fold."""
    found = []
    for (train, _), rows in zip(folds.all, learnt, strict=True):
        codes, counts = np.unique(task.y_codes[rows], return_counts=True)
        found.append(set(codes[counts >= 2]) - set(task.y_codes[train]))
    return found


RARE = labelled([300, 300, 3, 4])


def test_a_sampled_training_fold_keeps_rare_classes_and_its_size() -> None:
    folds = Folds.of_protocol(RARE, Protocol(max_train_rows=20))
    outside = [np.setdiff1d(np.arange(RARE.n_rows), test) for _, test in folds.all]
    assert lacking(RARE, folds, outside) == [set()] * 5
    assert [len(set(train)) for train, _ in folds.all] == [20] * 5


def test_folds_that_had_to_be_mended_have_another_name_and_others_are_as_before() -> None:
    mended = Folds.of_protocol(RARE, Protocol(max_train_rows=20))
    assert mended.name == "cv5-rows20-seed0-allclasses"
    weighted = Folds.of_protocol(RARE, Protocol(max_train_rows=20), np.ones(RARE.n_rows))
    assert weighted.name.startswith("cv5-rows20-seed0-allclasses-weighted-")
    whole = Folds.of_protocol(IRIS, Protocol(max_train_rows=40))
    assert whole.name == "cv5-rows40-seed0"
    unsampled = Folds.of_protocol(IRIS, Protocol()).all
    for (train, _), (everything, _) in zip(whole.all, unsampled, strict=True):
        splitter = StratifiedShuffleSplit(1, train_size=40, random_state=0)
        expected = everything[next(splitter.split(everything, IRIS.y_codes[everything]))[0]]
        np.testing.assert_array_equal(train, expected)


def test_only_rows_of_the_largest_class_make_place() -> None:
    mended = Folds.of_protocol(RARE, Protocol(max_train_rows=20))
    outside = np.setdiff1d(np.arange(RARE.n_rows), mended.all[0][1])
    drawn = outside[
        next(StratifiedShuffleSplit(1, train_size=20, random_state=0).split(outside, RARE.y_codes[outside]))[
            0
        ]
    ]
    train = mended.all[0][0]
    kept = train == drawn
    largest = np.bincount(RARE.y_codes[drawn]).argmax()
    assert set(RARE.y_codes[drawn[~kept]]) <= {largest, 1 - largest}
    assert set(RARE.y_codes[train[~kept]]) == {2, 3} - set(RARE.y_codes[drawn])


def test_a_run_of_mended_folds_is_stored_under_their_name() -> None:
    protocol = Protocol(max_train_rows=20)
    found = [evaluate(LDA, RARE, judge).protocol for judge in (protocol, Folds.of_protocol(RARE, protocol))]
    assert found == ["cv5-rows20-seed0-allclasses"] * 2


@pytest.mark.parametrize("groups", [None, np.arange(RARE.n_rows) % 100])
def test_what_a_splitter_leaves_in_is_kept_by_the_sample(groups: np.ndarray | None) -> None:
    splitter = 3 if groups is not None else TimeSeriesSplit(3)
    whole = Folds.of_splitter(RARE, splitter, Protocol(max_train_rows=None), groups=groups)
    sampled = Folds.of_splitter(RARE, splitter, Protocol(max_train_rows=10), groups=groups)
    assert lacking(RARE, sampled, [train for train, _ in whole.all]) == [set()] * 3
    assert all(len(train) == 10 for train, _ in sampled.all)


def test_a_sample_of_nearly_all_rows_of_many_classes_can_be_drawn() -> None:
    task = labelled([12] * 10)
    folds = Folds.of_protocol(task, Protocol(max_train_rows=95))
    assert [len(set(train)) for train, _ in folds.all] == [95] * 5


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=8).filter(
        lambda sizes: sum(sizes) > 2 * len(sizes)
    ),
    limit=st.integers(2, 60),
    n_folds=st.integers(2, 6),
    seed=st.integers(0, 3),
)
def test_no_training_fold_lacks_a_class_with_two_rows_outside_of_the_test_fold(
    sizes: list[int], limit: int, n_folds: int, seed: int
) -> None:
    task = labelled(sizes)
    protocol = Protocol(n_folds, max_train_rows=limit, seed=seed)
    folds = Folds.of_protocol(task, protocol)
    outside = [np.setdiff1d(np.arange(task.n_rows), test) for _, test in folds.all]
    for (train, _), rows, missed in zip(folds.all, outside, lacking(task, folds, outside), strict=True):
        assert len(set(train)) == len(train) == min(limit, len(rows))
        assert set(train) <= set(rows)
        n_required = int(np.sum(np.bincount(task.y_codes[rows]) >= 2))
        assert len(missed) == max(n_required - limit, 0)
    again = Folds.of_protocol(task, protocol)
    assert again.name == folds.name
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(again.all, folds.all, strict=True))


def test_fewer_rows_keep_all_classes_and_their_codes() -> None:
    y = np.array(["a"] * 500 + ["b"] * 497 + ["c", "d", "d"])
    x = np.random.default_rng(0).permutation(1000) / 4
    task = TabularTask.from_frame(pd.DataFrame({"x": x, "z": x % 7}), y)
    folds = replace(Folds.of_protocol(task, Protocol(n_folds=2)), sample_weight=x)
    some, weighted = fewer_rows(task, folds, 50)
    assert 50 <= some.n_rows <= 53
    assert list(some.classes) == list(task.classes)
    assert weighted.sample_weight.tolist() == some.X["x"].tolist(), "weights stay with their rows"
    np.testing.assert_array_equal(some.y_codes, task.y_codes[np.argsort(x)[(some.X["x"] * 4).astype(int)]])
