import numpy as np
import pytest
from sklearn.model_selection import RepeatedKFold, StratifiedKFold, TimeSeriesSplit

from automl_meta.exceptions import DataError, UsageError
from automl_meta.experiments import Folds, evaluate, evaluate_out_of_fold
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
    assert (refused.status, "cannot weigh" in refused.reason) == ("crash", True)


def test_training_folds_of_any_splitter_are_sampled() -> None:
    folds = Folds.of_splitter(IRIS, StratifiedKFold(3), Protocol(max_train_rows=40))
    assert [len(train) for train, _ in folds.all] == [40] * 3


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"splitter": 5, "groups": [1, 2]}, DataError, "150 rows and 2 groups"),
        ({"splitter": 5, "groups": np.zeros(150)}, DataError, "All rows are of one group"),
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
