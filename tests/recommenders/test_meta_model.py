import numpy as np
import pytest

from automl_meta.exceptions import UsageError
from automl_meta.recommenders import MetaModel, Portfolio, Recommendation
from automl_meta.testing.experience import synthetic_experience, task_like

LINEAR_TASK = {"curvature": 0.0, "easiness": 0.5, "size": 7.0, "noise": 0.0}
CURVED_TASK = LINEAR_TASK | {"curvature": 1.0}


def ids(recommendation: Recommendation) -> list[str]:
    return [ranked.configuration.configuration_id for ranked in recommendation.configurations]


def first_algorithm(recommendation: Recommendation) -> str:
    return recommendation.configurations[0].configuration.algorithm


def test_metafeatures_decide_the_first_place() -> None:
    fitted = MetaModel().fit(synthetic_experience(n_datasets=48))
    assert first_algorithm(fitted.recommend(LINEAR_TASK, 1)) == "linear"
    assert first_algorithm(fitted.recommend(CURVED_TASK, 1)) == "trees"


def test_scores_on_the_task_itself_overrule_misleading_metafeatures() -> None:
    fitted = MetaModel().fit(synthetic_experience(n_datasets=48))
    linear = fitted.recommend(LINEAR_TASK, 1).configurations[0].configuration.configuration_id
    expected = {
        ranked.configuration.configuration_id: ranked.expected_score
        for ranked in fitted.recommend(LINEAR_TASK, 8).configurations
    }
    disappointed = fitted.recommend(LINEAR_TASK, 1, observed={linear: expected[linear] - 0.15})
    assert first_algorithm(disappointed) == "trees"


def test_following_it_step_by_step_finds_the_best_sooner_than_the_static_portfolio() -> None:
    everything = synthetic_experience(n_datasets=80, n_configurations=16, seed=1)
    fitted_on = everything.select(datasets=list(everything.datasets.index[:60]))
    # The meta-features are uninformative: only observations can help.
    regrets = {}
    for member in (MetaModel(), Portfolio()):
        fitted = member.fit(fitted_on)
        static = ids(fitted.recommend({}, 4))
        found = []
        for dataset_id in everything.datasets.index[60:]:
            scores = everything.scores.loc[dataset_id]
            observed: dict[str, float] = {}
            for step in range(4):
                key = static[step]
                if isinstance(member, MetaModel):
                    key = ids(fitted.recommend({}, 1, observed=observed))[0]
                observed[key] = float(scores[key])
            found.append(scores.max() - max(observed.values()))
        regrets[type(member).__name__] = np.mean(found)
    assert regrets["MetaModel"] <= regrets["Portfolio"]


def test_a_task_beyond_all_that_is_known_gets_the_static_portfolio() -> None:
    meta = synthetic_experience()
    far = dict.fromkeys(LINEAR_TASK, 1e9)
    recommendation = MetaModel(scale_power=1.0).fit(meta).recommend(far)
    assert recommendation.far_from_experience
    assert ids(recommendation) == ids(Portfolio().fit(meta).recommend(far))


def test_the_seed_decides_and_nothing_else() -> None:
    meta = synthetic_experience(n_datasets=48, n_configurations=12)
    task = task_like(meta, "data-003")
    first = MetaModel(random_state=3).fit(meta).recommend(task, 12).to_dict()
    assert MetaModel(random_state=3).fit(meta).recommend(task, 12).to_dict() == first


def test_eighty_percent_intervals_hold_about_eighty_percent_of_new_data_sets() -> None:
    everything = synthetic_experience(n_datasets=120, seed=3)
    fitted = MetaModel().fit(everything.select(datasets=list(everything.datasets.index[:60])))
    hits = []
    for dataset_id in everything.datasets.index[60:]:
        for ranked in fitted.recommend(everything.metafeatures.loc[dataset_id].to_dict(), 8).configurations:
            low, high = ranked.interval
            score = everything.scores.at[dataset_id, ranked.configuration.configuration_id]
            hits.append(low <= score <= high)
    assert 0.7 < np.mean(hits) < 0.9


def test_with_little_time_left_quick_configurations_come_first() -> None:
    meta = synthetic_experience(n_datasets=48)
    seconds = dict(zip(meta.configurations.index, np.geomspace(100.0, 0.01, 8), strict=True))
    meta.runs["fit_seconds"] = meta.runs["configuration_id"].map(seconds)
    fitted = MetaModel().fit(meta)
    by_trials = fitted.recommend(LINEAR_TASK, 1).configurations[0]
    by_seconds = fitted.recommend(LINEAR_TASK, 1, remaining_seconds=1000.0).configurations[0]
    assert by_seconds.expected_seconds < by_trials.expected_seconds
    for ranked in fitted.recommend(LINEAR_TASK, 8, remaining_seconds=1.0).configurations:
        assert ranked.expected_seconds <= 1.0


def test_no_time_left_is_a_clear_error() -> None:
    with pytest.raises(UsageError, match="remaining_seconds"):
        MetaModel().fit(synthetic_experience()).recommend(LINEAR_TASK, remaining_seconds=0.0)
