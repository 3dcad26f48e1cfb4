import math

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from tuning.spaces import branin_like, frame_of, past_studies, two_learners

from automl_meta.exceptions import UsageError
from automl_meta.records import Configuration, DatasetRecord, Run
from automl_meta.store import MetadataStore
from automl_meta.tuning import History, StoreQuery, as_history


def test_a_study_is_one_task_with_greater_values_better() -> None:
    study = past_studies(branin_like, shifts=(0.0,), n_trials=5)[0]
    history = as_history(study)
    assert [task.name for task in history.tasks] == ["past-0"]
    np.testing.assert_array_equal(history.tasks[0].values, [-trial.value for trial in study.trials])
    assert history.tasks[0].configurations == tuple(trial.params for trial in study.trials)
    assert history.distributions == study.trials[0].distributions


def test_a_list_of_studies_is_as_many_tasks() -> None:
    assert len(as_history(past_studies(branin_like, n_trials=3)).tasks) == 3


def test_failed_trials_are_nan_pruned_ones_and_those_without_parameters_are_left_out() -> None:
    study = optuna.create_study()

    def objective(trial: optuna.Trial) -> float:
        if trial.number == 3:
            return 1.0  # no parameter
        x = trial.suggest_float("x", 0.0, 1.0)
        if trial.number == 1:
            raise optuna.TrialPruned
        return math.nan if trial.number == 2 else x

    study.optimize(objective, n_trials=5)
    values = as_history(study).tasks[0].values
    assert np.isnan(values).tolist() == [False, True, False]


def test_studies_come_from_a_storage_by_its_url_and_a_pattern(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    for name in ("svm-1", "svm-2", "tree-1"):
        study = optuna.create_study(storage=url, study_name=name)
        study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=2)
    assert [task.name for task in as_history(url, studies="svm-*").tasks] == ["svm-1", "svm-2"]
    assert [task.name for task in as_history(url, studies=["tree-1"]).tasks] == ["tree-1"]
    assert len(as_history(optuna.storages.RDBStorage(url)).tasks) == 3


def test_a_table_is_split_by_task_and_its_gaps_are_inactive_parameters() -> None:
    studies = past_studies(two_learners, n_trials=10)
    history = as_history(frame_of(studies), direction="minimize")
    expected = as_history(studies)
    for task, other in zip(history.tasks, expected.tasks, strict=True):
        assert task.configurations == other.configurations
        np.testing.assert_array_equal(task.values, other.values)


def test_distributions_are_guessed_from_the_values_of_a_table() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "task": "a",
            "value": 0.0,
            "rate": 10 ** rng.uniform(-5, 0, 200),
            "share": rng.uniform(0, 1, 200),
            "depth": rng.integers(1, 30, 200).astype(float),
            "units": np.round(2 ** rng.uniform(4, 9, 200)),
            "kind": rng.choice(["a", "b"], 200),
            "flag": rng.choice([True, False], 200),
        }
    )
    guessed = as_history(frame, direction="maximize").distributions
    assert isinstance(guessed["rate"], FloatDistribution)
    assert guessed["rate"].log
    assert isinstance(guessed["share"], FloatDistribution)
    assert not guessed["share"].log
    assert guessed["depth"] == IntDistribution(1, 29)
    assert isinstance(guessed["units"], IntDistribution)
    assert guessed["units"].log
    assert isinstance(guessed["kind"], CategoricalDistribution)
    assert isinstance(guessed["flag"], CategoricalDistribution)


def test_studies_with_different_ranges_have_the_range_of_both() -> None:
    studies = []
    for high, choices in ((1.0, ["a"]), (5.0, ["b"])):
        study = optuna.create_study()
        study.optimize(
            lambda trial, high=high, choices=choices: (
                trial.suggest_float("x", 0.0, high) + len(trial.suggest_categorical("k", choices))
            ),
            n_trials=1,
        )
        studies.append(study)
    assert as_history(studies).distributions == {
        "x": FloatDistribution(0.0, 5.0),
        "k": CategoricalDistribution(["a", "b"]),
    }


@pytest.fixture
def store() -> MetadataStore:
    opened = MetadataStore("sqlite://", seed=False)
    for dataset_id in ("one", "two"):
        opened.add_dataset(DatasetRecord(dataset_id, dataset_id, "classification", 100, 5, 2))
        opened.add_runs(
            [
                Run(
                    dataset_id, Configuration("knn", {"n_neighbors": 3}), "ok", {"accuracy": 0.8}, seconds=1.0
                ),
                Run(dataset_id, Configuration("knn", {"n_neighbors": 9}), "crash", reason="no", seconds=1.0),
                Run(dataset_id, Configuration("lda", {}), "ok", {"accuracy": 0.7}, seconds=1.0),
            ]
        )
    return opened


def test_runs_of_one_algorithm_come_from_a_store_with_its_own_names(store: MetadataStore) -> None:
    history = as_history(StoreQuery(store, "accuracy", "classification", "knn", exclude=("two",)))
    assert [task.name for task in history.tasks] == ["one"]
    assert sorted(c["n_neighbors"] for c in history.tasks[0].configurations) == [3, 9]
    assert sorted(history.tasks[0].values.tolist())[0] == 0.8
    assert isinstance(history.distributions["n_neighbors"], IntDistribution)


def test_runs_of_all_algorithms_come_from_a_store_as_one_space_with_branches(store: MetadataStore) -> None:
    history = as_history(StoreQuery(store, "accuracy", "classification"))
    assert {"algorithm": "knn", "knn.n_neighbors": 3} in history.tasks[0].configurations
    assert history.distributions["algorithm"] == CategoricalDistribution(["knn", "lda"])


def test_a_query_that_finds_nothing_is_no_history(store: MetadataStore) -> None:
    assert as_history(StoreQuery(store, "accuracy", "classification", "ridge")).tasks == ()


def test_no_history_is_none_or_an_empty_list() -> None:
    assert as_history(None).tasks == as_history([]).tasks == ()
    assert as_history(History()).tasks == ()


def test_a_task_where_all_failed_is_left_out() -> None:
    frame = pd.DataFrame({"task": ["a", "b"], "x": [0.1, 0.2], "value": [np.nan, 1.0]})
    assert [task.name for task in as_history(frame, direction="maximize").tasks] == ["b"]


@pytest.mark.parametrize(
    ("history", "arguments", "said"),
    [
        (
            pd.DataFrame({"task": [1], "x": [0.1], "score": [1.0]}),
            {"direction": "maximize"},
            "lacks the column 'value'",
        ),
        (
            pd.DataFrame({"task": [1], "x": [0.1], "value": [1.0]}),
            {},
            "needs direction='maximize' or 'minimize'",
        ),
        (pd.DataFrame({"task": [1], "value": [1.0]}), {"direction": "up"}, "direction is 'up'"),
        ("sqlite:////nowhere/at/all.db", {}, "no studies at .*does not exist"),
        ("no url", {}, "no studies at no url"),
        ({"x": 1}, {}, "history is of type dict"),
        ([1, 2], {}, "history is of type list"),
        (None.__class__, {}, "history is of type type"),
        ([], {"direction": "maximize"}, "goes with a data frame only"),
    ],
)
def test_what_is_no_history_is_refused_in_one_sentence(history: object, arguments: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        as_history(history, **arguments)


def test_a_store_without_a_question_is_refused(store: MetadataStore) -> None:
    with pytest.raises(UsageError, match=r"StoreQuery\(store, metric, task_type\)"):
        as_history(store)


def test_a_study_of_several_objectives_is_refused() -> None:
    with pytest.raises(UsageError, match="2 objectives"):
        as_history(optuna.create_study(directions=["minimize", "maximize"]))


def test_a_study_that_is_not_there_is_named(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    optuna.create_study(storage=url, study_name="mine")
    with pytest.raises(UsageError, match=r"There is no study 'other'.*'mine'"):
        as_history(url, studies=["other"])
    with pytest.raises(UsageError, match=r"No study.*matches 'other-\*'"):
        as_history(url, studies="other-*")
