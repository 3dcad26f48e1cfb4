import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import make_scorer, precision_score
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from automl_meta import AutoMLClassifier, AutoMLRegressor, MetadataStore, TabularTask
from automl_meta.algorithms import algorithms_for
from automl_meta.exceptions import AutomlMetaError, DataError, UsageError
from automl_meta.records import Configuration, Protocol, Run

QUICK = ["dummy", "decision_tree", "lda"]
IRIS = load_iris(return_X_y=True, as_frame=True)
DIABETES = load_diabetes(return_X_y=True, as_frame=True)


def classifier(**changes: object) -> AutoMLClassifier:
    chosen = {"n_trials": 3, "algorithms": QUICK, "cv": 3, "store": False, "random_state": 0, **changes}
    return AutoMLClassifier(**chosen)  # type: ignore[arg-type]


def regressor(**changes: object) -> AutoMLRegressor:
    chosen = {
        "n_trials": 3,
        "algorithms": ["dummy", "decision_tree", "ridge"],
        "cv": 3,
        "store": False,
        "random_state": 0,
        **changes,
    }
    return AutoMLRegressor(**chosen)  # type: ignore[arg-type]


def expected_failures(estimator: object) -> dict[str, str]:
    if isinstance(estimator, AutoMLRegressor):
        reason = "a row that is repeated falls into other folds than one that weighs twice"
        return {"check_sample_weight_equivalence_on_dense_data": reason}
    return {}


@parametrize_with_checks(
    [classifier(n_trials=2, cv=2, algorithms=["lda", "decision_tree"]), regressor(n_trials=2, cv=2)],
    expected_failed_checks=expected_failures,
)
def test_it_is_an_estimator_of_scikit_learn(estimator, check) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_it_says_what_it_tried_and_what_came_out() -> None:
    model = classifier(n_trials=4).fit(*IRIS)
    assert model.runs_["trial"].tolist() == [0, 1, 2, 3]
    assert model.runs_["origin"].tolist() == ["default", "local", "local", "local"]
    assert model.best_score_ == model.runs_["score"].max()
    best = model.runs_.loc[model.runs_["score"].idxmax()]
    assert model.best_configuration_.configuration_id == best["configuration_id"]
    assert model.report_.n_trials == len(model.study_.trials) == 4
    assert model.report_.by_status == {"ok": 4}
    assert "4 trials" in str(model.report_)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["z", "ä", " a"], dtype=object),
        np.array([True, False, True]),
        np.array([-3, 10, 7]),
        np.array([0.5, 2.0, 1.0]).astype(int) * 10,
        np.array(["b", "a", "c"]),
        np.array([2.0, 1.0, 5.0]),
        np.array(["a", " a", "b"], dtype=object),
    ],
)
def test_labels_come_back_as_they_were_given(labels: np.ndarray) -> None:
    X, y = IRIS
    given = labels[y]
    model = classifier(n_trials=1, cv=2).fit(X, given)
    predicted = model.predict(X)
    assert set(predicted) <= set(given)
    assert model.classes_.dtype == given.dtype
    assert np.mean(predicted == given) > 0.8
    assert model.predict_proba(X).shape == (150, len(set(given)))


def test_a_mixed_table_with_missing_values_is_learnt_and_predicted(table) -> None:
    X, y = table
    before = X.copy()
    model = classifier(algorithms=["decision_tree", "logistic_regression"]).fit(X, y)
    assert np.mean(model.predict(X) == y) > 0.6
    new = X.head(3).assign(colour="ultraviolet", number=np.nan)
    assert len(model.predict(new)) == 3
    pd.testing.assert_frame_equal(X, before)


def test_numbers_of_trials_are_reproducible() -> None:
    first, second = (classifier(n_trials=5, random_state=3).fit(*IRIS) for _ in range(2))
    third = classifier(n_trials=5, random_state=4).fit(*IRIS)
    pd.testing.assert_frame_equal(
        first.runs_.drop(columns=["seconds", "fit_seconds"]),
        second.runs_.drop(columns=["seconds", "fit_seconds"]),
    )
    np.testing.assert_array_equal(first.predict_proba(IRIS[0]), second.predict_proba(IRIS[0]))
    assert first.runs_["score"].tolist() != third.runs_["score"].tolist()


def test_the_score_is_that_of_scikit_learn() -> None:
    X, y = IRIS
    splits = list(ShuffleSplit(4, random_state=1).split(X))
    model = classifier(algorithms=["lda"], n_trials=1, cv=splits, metric="precision_macro").fit(X, y)
    task = TabularTask.from_frame(X, y)
    (lda,) = algorithms_for("classification", only=["lda"])
    expected = cross_val_score(
        lda.build(model.best_configuration_, task), X, y, cv=splits, scoring="precision_macro"
    )
    assert model.best_score_ == pytest.approx(expected.mean())


def test_any_callable_scorer_judges_on_the_labels_as_given() -> None:
    X, y = IRIS
    labels = np.array(["a", "b", "c"])[y]
    scorer = make_scorer(precision_score, labels=["b"], average="macro")
    model = classifier(n_trials=2, metric=scorer).fit(X, labels)
    assert 0.8 < model.best_score_ <= 1.0
    found = classifier(n_trials=1, metric=lambda estimator, X, y: float(len(X) == len(estimator.predict(X))))
    assert found.fit(X, labels).best_score_ == 1.0


def test_groups_stay_together() -> None:
    groups = np.arange(150) // 5
    y = np.random.default_rng(0).normal(size=30)[groups]  # a target that only the group tells
    X = pd.DataFrame({"near": groups + 0.1 * np.random.default_rng(1).random(150)})
    free = regressor(algorithms=["decision_tree"], n_trials=1, cv=5).fit(X, y)
    held = regressor(algorithms=["decision_tree"], n_trials=1, cv=5).fit(X, y, groups=groups)
    assert free.best_score_ > 0.9
    assert held.best_score_ < 0.5


def test_weights_count_in_the_fit_and_algorithms_without_them_are_left_out() -> None:
    X, y = IRIS
    kept = y != 2
    model = classifier(algorithms=["knn", "decision_tree"], metric="accuracy")
    model.fit(X, y, sample_weight=kept.astype(float))
    assert set(model.runs_["algorithm"]) == {"decision_tree"}
    assert 2 not in model.predict(X)


def test_an_ensemble_never_scores_less_than_the_best_alone() -> None:
    options = {"n_trials": 6, "algorithms": ["knn", "lda", "decision_tree"], "metric": "neg_log_loss"}
    together = classifier(**options).fit(*IRIS)
    alone = classifier(**options, ensemble=False).fit(*IRIS)
    assert len(alone.model_.pipelines) == 1
    assert together.report_.score >= together.best_score_ == alone.best_score_ == alone.report_.score
    np.testing.assert_allclose(together.predict_proba(IRIS[0]).sum(axis=1), 1.0)


def test_advice_is_followed_and_every_run_goes_back_to_the_store(tmp_path) -> None:
    X, y = IRIS
    with MetadataStore(tmp_path / "store.db") as store:
        model = classifier(n_trials=4, algorithms=None, store=store).fit(X, y)
        task = TabularTask.from_frame(X, y)
        stored = {run.run_id for run in store.runs(task.fingerprint)}
    assert model.runs_["origin"].tolist() == ["default", "advice rank 1", "advice rank 2", "advice rank 3"]
    assert set(model.runs_["run_id"]) == stored
    assert model.runs_["expected_score"].notna().tolist() == [False, True, True, True]
    assert model.recommendation_ is not None


def test_the_data_set_itself_and_near_copies_never_advise(tmp_path) -> None:
    X, y = IRIS
    with MetadataStore(tmp_path / "store.db") as store:
        classifier(n_trials=2, algorithms=None, store=store).fit(X, y)
        model = classifier(n_trials=2, algorithms=None, store=store).fit(X, np.array(["a", "b", "c"])[y])
        fingerprint = TabularTask.from_frame(X, y).fingerprint
        advised_by = {
            run.dataset_id for entry in model.recommendation_.configurations for run in entry.evidence
        }
        nearest = {neighbor.dataset_id for neighbor in model.recommendation_.nearest}
    assert fingerprint not in advised_by | nearest
    assert any("is a near copy" in note for note in model.recommendation_.notes)


def test_without_experience_it_searches_all_the_same(tmp_path) -> None:
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        model = classifier(store=store).fit(*IRIS)
        assert len(list(store.runs())) == 3
    assert model.recommendation_ is None
    assert any(note.startswith("No recommendations: ") for note in model.report_.notes)


def test_a_fitted_one_can_be_pickled_and_a_clone_is_unfitted() -> None:
    model = regressor().fit(*DIABETES)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(DIABETES[0]), model.predict(DIABETES[0]))
    assert not hasattr(clone(model), "model_")


def test_a_task_can_be_given_instead_of_a_table() -> None:
    model = classifier(n_trials=1).fit(TabularTask.bundled("iris"))
    assert set(model.predict(IRIS[0])) <= {"setosa", "versicolor", "virginica"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time_limit": 0}, "time_limit is 0"),
        ({"n_trials": -1}, "n_trials is -1"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"cv": 1}, "cv is 1"),
        ({"metric": "accurracy"}, "There is no metric 'accurracy'"),
        ({"metric": "r2"}, "r2"),
        ({"metric": 3}, "metric is 3"),
        ({"metric": "rand_score"}, "it compares clusterings"),
        ({"metric": "f1"}, "f1 is for two classes, and there are 3"),
        ({"metric": "f1", "positive": 1}, "there are 3 classes: 0, 1 and 2"),
        ({"algorithms": ["forest"]}, "There is no algorithm 'forest'"),
        ({"study_name": "none", "resume": True}, "There is no study 'none' to resume"),
        ({"storage": "nosuch://x"}, "cannot be opened"),
    ],
)
def test_a_wrong_parameter_is_named(changes: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        classifier(**changes).fit(*IRIS)


def test_a_metric_of_the_other_type_of_task_is_refused() -> None:
    with pytest.raises(AutomlMetaError):
        regressor(metric="accuracy").fit(*DIABETES)


def test_when_all_trials_fail_the_reason_is_told() -> None:
    calls = []

    def broken(estimator, X, y):
        calls.append(1)
        if len(calls) > 3:  # the three folds of the dummy predictions
            raise RuntimeError("no idea")
        return 0.5

    with pytest.raises(DataError, match=r"None of 3 trials succeeded.*no idea"):
        classifier(metric=broken).fit(*IRIS)


SICK = load_breast_cancer(as_frame=True)
SICK_LABELS = np.array(["malignant", "benign"])[SICK.target]


def spent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done that costs something."""
    done: list[str] = []
    for name in ("started_evaluators", "describe_dataset", "open_study"):
        monkeypatch.setattr(
            f"automl_meta.automl.automl.{name}", lambda *_, _name=name, **__: done.append(_name)
        )
    return done


@pytest.mark.parametrize(
    ("metric", "labels", "message"),
    [
        ("average_precision", SICK_LABELS, "--positive malignant .*, positive='malignant'"),
        ("roc_auc_ovo", np.repeat(["a", "b", "c"], [300, 267, 2]), r"fewer folds \(cv\).*roc_auc_ovr"),
        (make_scorer(precision_score, pos_label="none"), SICK_LABELS, "cannot score"),
    ],
)
def test_a_metric_that_cannot_work_fails_before_anything_is_done(
    metric, labels, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    done = spent(monkeypatch)
    with pytest.raises(UsageError, match=message):
        classifier(metric=metric, time_limit=60, store=tmp_path / "store.db").fit(SICK.data, labels)
    assert done == []


@pytest.mark.parametrize("positive", ["benign", "malignant"])
@pytest.mark.parametrize("metric", ["f1", "recall", "average_precision"])
def test_a_positive_label_is_what_scores_are_of(metric: str, positive: str) -> None:
    splits = list(ShuffleSplit(3, random_state=1).split(SICK.data))
    model = classifier(algorithms=["lda"], n_trials=1, cv=splits, metric=metric, positive=positive)
    model.fit(SICK.data, SICK_LABELS)
    (lda,) = algorithms_for("classification", only=["lda"])
    pipeline = lda.build(model.best_configuration_, TabularTask.from_frame(SICK.data, SICK_LABELS))
    expected = cross_val_score(
        pipeline, SICK.data, (positive == SICK_LABELS).astype(int), cv=splits, scoring=metric
    )
    assert model.best_score_ == pytest.approx(expected.mean())
    assert set(model.predict(SICK.data)) == {"benign", "malignant"}


def test_a_study_with_another_positive_label_is_another(tmp_path) -> None:
    shared = {"storage": tmp_path / "s.db", "study_name": "s", "metric": "f1", "algorithms": ["lda"]}
    classifier(positive="malignant", n_trials=1, **shared).fit(SICK.data, SICK_LABELS)
    with pytest.raises(UsageError, match="has another positive: 'malignant', not 'benign'"):
        classifier(positive="benign", n_trials=2, **shared).fit(SICK.data, SICK_LABELS)


def test_a_regression_has_no_positive_label() -> None:
    with pytest.raises(UsageError, match="a regression has no classes"):
        regressor(positive=1).fit(*DIABETES)


def test_a_scorer_that_no_stored_run_has_is_advised_by_the_nearest_and_that_is_noted(tmp_path) -> None:
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        classifier(n_trials=4, store=store).fit(*IRIS)
        model = classifier(metric="f1", positive="benign", store=store).fit(SICK.data, SICK_LABELS)
    note = "No stored run was scored by f1; recommendations are ranked by f1_macro"
    assert any(note in told for told in model.report_.notes)
    assert any(note in told for told in model.recommendation_.notes)
    assert model.recommendation_.metric == "f1_macro"
    assert model.report_.metric == "f1"


def test_runs_in_the_store_are_those_of_the_protocol(tmp_path) -> None:
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        task = TabularTask.bundled("iris")
        classifier(n_trials=1, algorithms=["lda"], cv=5, store=store).fit(task)
        (run,) = store.runs()
    expected = Run(task.fingerprint, Configuration("lda", run.configuration.parameters), "ok")
    assert run.run_id == expected.run_id
    assert run.protocol == Protocol().name


def test_labels_may_be_categories_of_numbers() -> None:
    X, y = IRIS
    model = classifier(n_trials=1).fit(X, y.astype("category"))
    assert set(model.predict(X)) == {0, 1, 2}
    assert model.predict(X).dtype == y.dtype
