import math
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from automl_meta import AutoMLClassifier, MetadataStore, TabularTask
from automl_meta.exceptions import UsageError
from automl_meta.importers import import_study
from automl_meta.records import Configuration, DatasetRecord

RECORD = DatasetRecord("mine", "Mine", "classification", 100, 4, n_classes=2)
KNN = {
    "n_neighbors": IntDistribution(1, 1000),
    "weights": CategoricalDistribution(["uniform", "distance"]),
    "p": IntDistribution(1, 2),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetadataStore]:
    with MetadataStore(tmp_path / "store.db", seed=False) as opened:
        yield opened


def study_of(*trials: tuple, direction: str = "maximize", **attributes: object) -> optuna.Study:
    study = optuna.create_study(direction=direction, study_name="past")
    for parameters, value, state in trials:
        distributions = {
            name: KNN.get(name.removeprefix("knn.")) or CategoricalDistribution([chosen])
            if not isinstance(chosen, float)
            else FloatDistribution(-1e9, 1e9)
            for name, chosen in parameters.items()
        }
        study.add_trial(
            create_trial(state=state, value=value, params=parameters, distributions=distributions)
        )
    for name, value in attributes.items():
        study.set_user_attr(name, value)
    return study


def knn(n: int, **changes: object) -> dict:
    return {"n_neighbors": n, "weights": "uniform", "p": 2, **changes}


def test_trials_of_one_algorithm_become_runs(store: MetadataStore) -> None:
    study = study_of((knn(3), 0.8, TrialState.COMPLETE), (knn(9), 0.7, TrialState.COMPLETE))
    found = import_study(store, study, dataset=RECORD, space="knn", metric="accuracy")
    assert (found.n_new, found.n_known, found.skipped) == (2, 0, {})
    runs = list(store.runs("mine"))
    assert [run.scores for run in runs] == [{"accuracy": 0.8}, {"accuracy": 0.7}]
    assert runs[0].configuration == Configuration("knn", knn(3))
    assert {run.source for run in runs} == {"optuna"}
    assert store.check() == []


def test_a_second_time_adds_nothing(store: MetadataStore) -> None:
    study = study_of((knn(3), 0.8, TrialState.COMPLETE))
    import_study(store, study, dataset=RECORD, space="knn", metric="accuracy")
    again = import_study(store, study, dataset="mine", space="knn", metric="accuracy")
    assert (again.n_new, again.n_known) == (0, 1)


def test_what_is_not_understood_is_counted_by_reason(store: MetadataStore) -> None:
    joint = {f"knn.{name}": value for name, value in knn(3).items()}
    study = study_of(
        ({"algorithm": "knn", **joint}, 0.8, TrialState.COMPLETE),
        ({"algorithm": "knn", **joint}, 0.8, TrialState.COMPLETE),
        ({"algorithm": "xgboost", "xgboost.eta": 0.1}, 0.9, TrialState.COMPLETE),
        ({"algorithm": "knn", **joint, "knn.n_neighbors": 900}, 0.8, TrialState.COMPLETE),
        ({"algorithm": "dummy"}, None, TrialState.PRUNED),
        ({"algorithm": "lda", "lda.shrinkage_rule": "none"}, 1.7, TrialState.COMPLETE),
        ({"eta": 0.1}, 0.5, TrialState.COMPLETE),
    )
    study.ask()
    found = import_study(store, study, dataset=RECORD, metric="accuracy")
    assert found.n_new == 1
    assert found.skipped == {
        "a repeated configuration": 1,
        "unknown algorithm 'xgboost'": 1,
        "outside the search space of knn": 1,
        "pruned, so its final value is unknown": 1,
        "a value that accuracy cannot have": 1,
        "no parameter 'algorithm'": 1,
        "not finished": 1,
    }


def test_the_direction_survives(store: MetadataStore) -> None:
    study = study_of((knn(3), 0.4, TrialState.COMPLETE), direction="minimize")
    import_study(store, study, dataset=RECORD, space="knn", metric="neg_log_loss")
    (run,) = store.runs("mine")
    assert run.scores == {"neg_log_loss": -0.4}


def test_a_failed_trial_is_a_failed_run(store: MetadataStore) -> None:
    import_study(
        store, study_of((knn(3), None, TrialState.FAIL)), dataset=RECORD, space="knn", metric="accuracy"
    )
    (run,) = store.runs("mine")
    assert (run.status, run.reason, run.scores) == ("crash", "the trial failed", {})


def test_a_function_may_say_what_parameters_mean(store: MetadataStore) -> None:
    def meaning(parameters):
        return Configuration("knn", {"n_neighbors": parameters["k"]}) if parameters["k"] < 5 else None

    study = study_of(({"k": 3}, 0.8, TrialState.COMPLETE), ({"k": 8}, 0.8, TrialState.COMPLETE))
    found = import_study(store, study, dataset=RECORD, space=meaning, metric="accuracy")
    assert (found.n_new, sum(found.skipped.values())) == (1, 1)


def test_a_study_of_ours_says_itself_what_it_is_about_and_is_known_already(
    store: MetadataStore, tmp_path: Path
) -> None:
    task = TabularTask.bundled("iris")
    model = AutoMLClassifier(
        n_trials=3, algorithms=["dummy", "lda", "knn"], cv=2, store=store, random_state=0
    )
    study = model.fit(task).study_
    assert import_study(store, study).n_known == 3
    with MetadataStore(tmp_path / "other.db", seed=False) as other:
        assert import_study(other, study, dataset=task).n_new == 3
        assert other.run_ids() == store.run_ids()
        assert other.check() == []
        (first, *_) = other.runs()
        assert len(first.scores) > 1
        assert math.isfinite(first.fit_seconds)


def test_a_task_is_described(store: MetadataStore) -> None:
    task = TabularTask.bundled("iris")
    study = study_of((knn(3), 0.8, TrialState.COMPLETE))
    import_study(store, study, dataset=task, space="knn", metric="accuracy")
    assert store.dataset(task.fingerprint).metafeatures["n_rows"] == 150


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "accuracy"}, "does not name its data set"),
        ({"dataset": RECORD}, "does not name its metric"),
        ({"dataset": "other", "metric": "accuracy"}, "has no data set 'other'"),
        ({"dataset": RECORD, "metric": "r2"}, "There is no metric 'r2'"),
    ],
)
def test_what_is_missing_is_asked_for(store: MetadataStore, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        import_study(store, study_of((knn(3), 0.8, TrialState.COMPLETE)), **options)


def test_several_objectives_are_refused(store: MetadataStore) -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    with pytest.raises(UsageError, match="2 objectives"):
        import_study(store, study, dataset=RECORD, metric="accuracy")
