from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from automl_meta import MetadataStore, TabularTask, recommend
from automl_meta.advice import Advisor
from automl_meta.algorithms import algorithms_for
from automl_meta.exceptions import StoreError, UsageError
from automl_meta.experiments import Campaign
from automl_meta.metrics import Metric, get_metric
from automl_meta.recommenders import AverageRank, Recommendation

IRIS = TabularTask.bundled("iris")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with MetadataStore(tmp_path_factory.mktemp("advice") / "store.db", seed=False) as opened:
        fast = algorithms_for("classification", only=["dummy", "lda", "knn"])
        fast += algorithms_for("regression", only=["dummy", "ridge"])
        Campaign(opened, fast, n_sampled=0).run(
            [IRIS, TabularTask.bundled("wine"), TabularTask.bundled("diabetes")]
        )
        yield opened


def test_a_scorer_that_no_stored_run_has_is_advised_by_the_nearest(store: MetadataStore) -> None:
    advice = recommend(IRIS, metric="f1_weighted", store=store)
    same = recommend(IRIS, metric="f1_macro", store=store)
    assert advice.metric == same.metric == "f1_macro"
    assert [(entry.configuration, entry.expected_score) for entry in advice.configurations] == [
        (entry.configuration, entry.expected_score) for entry in same.configurations
    ]
    assert [note for note in advice.notes if note not in same.notes] == [
        "No stored run was scored by f1_weighted; recommendations are ranked by f1_macro, "
        "and expected scores are f1_macro scores."
    ]


def test_a_metric_of_ones_own_is_advised_by_the_default(store: MetadataStore) -> None:
    own = Metric("own", "classification", "predict", lambda y, p: float(np.mean(y == p)))
    advice = recommend(IRIS, metric=own, store=store)
    assert advice.metric == "balanced_accuracy"
    assert any("No stored run was scored by own" in note for note in advice.notes)


def test_an_alias_is_no_other_metric(store: MetadataStore) -> None:
    advice = recommend(IRIS, metric="auc", store=store)
    assert advice.metric == "roc_auc_ovr"
    assert not any("No stored run" in note for note in advice.notes)


def test_a_scorer_of_the_other_type_of_task_is_refused(store: MetadataStore) -> None:
    with pytest.raises(UsageError, match="it applies to regression"):
        recommend(IRIS, metric="neg_max_error", store=store)


def test_a_table_that_an_earlier_version_misread_does_not_advise_itself(tmp_path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "time": rng.choice(["1 min", "15 min", "30 min"], 60),
            "b": rng.normal(size=60),
            "y": rng.normal(size=60),
        }
    )
    as_levels = TabularTask.from_frame(frame, "y", name="exercise", kinds={"time": "categorical"})
    as_numbers = TabularTask.from_frame(frame, "y", name="exercise")
    other = TabularTask.from_frame(frame.assign(y=rng.normal(size=60)), "y", name="other")
    assert as_levels.fingerprint != as_numbers.fingerprint
    with MetadataStore(tmp_path / "store.db", seed=False) as store:
        Campaign(store, algorithms_for("regression", only=["dummy", "ridge"]), n_sampled=0).run(
            [as_levels, other]
        )
        advice = recommend(as_numbers, store=store)
    assert {neighbour.dataset for neighbour in advice.nearest} == {"other"}
    assert any("'exercise' is a near copy of this one" in note for note in advice.notes)


def neighbours(advice: Recommendation) -> set[str]:
    return {neighbour.dataset for neighbour in advice.nearest}


def renamed_iris() -> TabularTask:
    """Iris with other labels, and two values corrected."""
    frame = IRIS.X.assign(y=IRIS.y.map(lambda label: f"kind {label}"))
    frame.iloc[[3, 40], 0] += 0.1
    return TabularTask.from_frame(frame, "y", name="flowers")


def test_a_data_set_does_not_advise_itself_under_whatever_name(store: MetadataStore) -> None:
    assert neighbours(recommend(TabularTask.bundled("wine"), store=store)) == {"iris"}
    same = TabularTask.from_frame(IRIS.X.assign(y=IRIS.y), "y", name="another name")
    assert neighbours(recommend(same, store=store)) == {"wine"}


def test_a_near_copy_does_not_advise_and_is_named(store: MetadataStore) -> None:
    advice = recommend(renamed_iris(), store=store)
    assert neighbours(advice) == {"wine"}
    assert "The stored data set 'iris' is a near copy of this one and was not used." in advice.notes
    assert not any("near copy" in note for note in recommend(IRIS, store=store).notes)


def test_the_advisor_says_which_data_sets_it_excludes(store: MetadataStore) -> None:
    metric = get_metric("accuracy", "classification")
    task = renamed_iris()
    advisor = Advisor.for_task(task, metric, algorithms=["knn", "lda"], landmarkers=False, store=store)
    assert advisor.excluded == (task.fingerprint, IRIS.fingerprint)
    assert IRIS.fingerprint not in advisor.experience.datasets.index
    assert set(advisor.experience.configurations["algorithm"]) == {"knn", "lda"}


def test_no_more_configurations_than_asked_for_and_only_of_the_chosen_algorithms(
    store: MetadataStore,
) -> None:
    def algorithms(**options: object) -> list[str]:
        advice = recommend(IRIS, store=store, **options)  # type: ignore[arg-type]
        return [entry.configuration.algorithm for entry in advice.configurations]

    assert len(algorithms(top=1)) == 1
    assert sorted(algorithms(top=3)) == ["dummy", "knn", "lda"]
    assert algorithms(only=["knn"]) == ["knn"]
    assert sorted(algorithms(exclude=["knn"])) == ["dummy", "lda"]
    with pytest.raises(UsageError, match="top is 0"):
        algorithms(top=0)


def test_landmarkers_are_left_out_of_the_description_if_asked(store: MetadataStore) -> None:
    metric = get_metric("accuracy", "classification")
    with_models, without = (
        Advisor.for_task(IRIS, metric, algorithms=["lda"], landmarkers=landmarkers, store=store).described
        for landmarkers in (True, False)
    )
    assert set(without.values) < set(with_models.values)


def test_a_description_that_is_given_is_used(store: MetadataStore) -> None:
    metric = get_metric("accuracy", "classification")
    first = Advisor.for_task(IRIS, metric, algorithms=["lda", "knn"], landmarkers=False, store=store)
    again = Advisor.for_task(
        IRIS, metric, algorithms=["lda", "knn"], store=store, described=first.described, notes=["by hand"]
    )
    assert again.described is first.described
    assert again.recommend(2).notes[-1] == "by hand"


def test_a_store_that_is_given_stays_open_and_one_that_is_named_must_exist(
    store: MetadataStore, tmp_path: Path
) -> None:
    assert recommend(IRIS, store=store.path).to_dict() == recommend(IRIS, store=store).to_dict()
    assert len(store.datasets()) == 3
    with pytest.raises(StoreError, match="There is no store"):
        recommend(IRIS, store=tmp_path / "typo.db")
    assert not (tmp_path / "typo.db").exists()


def test_errors_of_a_regression_are_in_the_unit_of_the_target(store: MetadataStore) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc"))
    y = frame["a"] + rng.normal(size=80)
    small, large = (
        recommend(frame, factor * y, metric="rmse", store=store, landmarkers=False)
        for factor in (1.0, 1000.0)
    )
    assert small.metric == "neg_root_mean_squared_error"
    assert [entry.expected_score for entry in large.configurations] == pytest.approx(
        [1000 * entry.expected_score for entry in small.configurations]
    )


def test_scores_that_were_observed_are_in_the_unit_of_the_target_too(store: MetadataStore) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 3)), columns=list("abc"))
    metric = get_metric("rmse", "regression")
    task = TabularTask.from_frame(frame.assign(y=1000 * rng.normal(size=80)), "y")
    advisor = Advisor.for_task(task, metric, algorithms=["dummy", "ridge"], landmarkers=False, store=store)
    assert advisor.scale == pytest.approx(np.std(task.y))
    first, second = advisor.recommend(2).configurations
    rest = advisor.recommend(2, observed={first.configuration.configuration_id: first.expected_score})
    assert [entry.configuration for entry in rest.configurations] == [second.configuration]


def test_more_rows_are_expected_to_take_longer(tmp_path: Path) -> None:
    metric = get_metric("accuracy", "classification")
    with MetadataStore(tmp_path / "store.db") as shipped:
        advisor = Advisor.for_task(IRIS, metric, algorithms=["knn", "lda"], landmarkers=False, store=shipped)
    few, many = advisor.expected_seconds(50), advisor.expected_seconds(50_000)
    assert few.keys() == many.keys() == set(advisor.experience.configurations.index)
    assert all(0 < few[key] < many[key] for key in few)


def test_algorithms_that_cannot_be_tried_on_so_many_rows_are_an_error(store: MetadataStore) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(600, 2)), columns=["a", "y"])
    task = TabularTask.from_frame(frame, "y", task_type="regression")
    metric = get_metric("r2", "regression")
    with pytest.raises(UsageError, match="supports 600 rows"):
        Advisor.for_task(task, metric, algorithms=["gaussian_process"], store=store)


def test_the_recommender_that_is_given_is_left_as_it_is(store: MetadataStore) -> None:
    given = AverageRank()
    before = given.get_params(), set(vars(given))
    for task in (IRIS, TabularTask.bundled("breast_cancer")):
        recommend(task, store=store, recommender=given)
        assert (given.get_params(), set(vars(given))) == before
    with pytest.raises(NotFittedError):
        given.recommend({}, 1)


def test_a_recommender_that_is_fitted_already_keeps_what_it_has_learnt(store: MetadataStore) -> None:
    meta = store.meta_dataset("accuracy", "classification", algorithms=["lda", "knn"])
    given = AverageRank().fit(meta)
    known = [entry.configuration for entry in given.recommend({}, 5).configurations]
    found = recommend(IRIS, store=store, recommender=given)
    assert "dummy" in [entry.configuration.algorithm for entry in found.configurations]
    assert [entry.configuration for entry in given.recommend({}, 5).configurations] == known


def test_the_time_limit_is_that_of_the_whole_call(store: MetadataStore) -> None:
    with pytest.warns(FutureWarning, match="fit_time_limit is seconds of one fit"):
        short = recommend(IRIS, store=store, time_limit=1e-3)
    assert any("The time limit left out" in note for note in short.notes)
    with pytest.warns(FutureWarning):
        long = recommend(IRIS, store=store, time_limit=600.0)
    assert not any("The time limit" in note for note in long.notes)
    with pytest.raises(UsageError, match="time_limit is 0"):
        recommend(IRIS, store=store, time_limit=0)


def test_the_time_limit_of_fits_leaves_out_slower_configurations(store: MetadataStore) -> None:
    slowest = max(entry.expected_seconds for entry in recommend(IRIS, store=store).configurations)
    found = recommend(IRIS, store=store, fit_time_limit=0.99 * slowest)
    assert found.configurations
    assert all(entry.expected_seconds < slowest for entry in found.configurations)
