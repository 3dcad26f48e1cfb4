import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from automl_meta import MetadataStore, TabularTask, recommend
from automl_meta.algorithms import algorithms_for
from automl_meta.exceptions import UsageError
from automl_meta.experiments import Campaign
from automl_meta.metrics import Metric
from automl_meta.recommenders import AverageRank

IRIS = TabularTask.bundled("iris")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with MetadataStore(tmp_path_factory.mktemp("advice") / "store.db", seed=False) as opened:
        fast = algorithms_for("classification", only=["dummy", "lda", "knn"])
        Campaign(opened, fast, n_sampled=0).run([TabularTask.bundled("wine")])
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
    assert any("'exercise' is nearly the same as this one" in note for note in advice.notes)


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
