"""Recommenders on synthetic experience with a known structure."""

import pytest

from automl_meta.recommenders import (
    AverageRank,
    NearestDatasets,
    Portfolio,
    Recommendation,
    Recommender,
    ScoreModel,
    SimilarityPortfolio,
)
from automl_meta.testing.experience import synthetic_experience

LINEAR_TASK = {"curvature": 0.0, "easiness": 0.5, "size": 7.0, "noise": 0.0}
CURVED_TASK = LINEAR_TASK | {"curvature": 1.0}


def algorithms(recommendation: Recommendation) -> list[str]:
    return [ranked.configuration.algorithm for ranked in recommendation.configurations]


def ids(recommendation: Recommendation) -> list[str]:
    return [ranked.configuration.configuration_id for ranked in recommendation.configurations]


@pytest.mark.parametrize(
    "recommender",
    [
        NearestDatasets(n_neighbors=5),
        SimilarityPortfolio(uniform_share=0.0),
        ScoreModel(),
    ],
    ids=lambda recommender: type(recommender).__name__,
)
def test_metafeatures_decide_what_is_recommended(recommender: Recommender) -> None:
    recommender.fit(synthetic_experience(n_datasets=48))
    for task, kind in ((LINEAR_TASK, "linear"), (CURVED_TASK, "trees")):
        assert algorithms(recommender.recommend(task, 1)) == [kind]


@pytest.mark.parametrize("recommender", [AverageRank(), Portfolio()], ids=lambda r: type(r).__name__)
def test_members_without_metafeatures_say_the_same_for_every_task(recommender: Recommender) -> None:
    recommender.fit(synthetic_experience())
    assert ids(recommender.recommend(LINEAR_TASK)) == ids(recommender.recommend(CURVED_TASK))


def test_the_first_two_of_a_portfolio_serve_both_kinds_of_data_sets() -> None:
    portfolio = Portfolio().fit(synthetic_experience())
    assert set(algorithms(portfolio.recommend({}, 2))) == {"linear", "trees"}


def test_a_far_task_gets_the_static_portfolio() -> None:
    meta = synthetic_experience()
    far = dict.fromkeys(LINEAR_TASK, 1e9)
    local, static = SimilarityPortfolio().fit(meta).recommend(far), Portfolio().fit(meta).recommend(far)
    assert local.far_from_experience
    assert ids(local) == ids(static)
    assert any("far" in note for note in local.notes)


def test_a_uniform_share_of_one_is_the_portfolio() -> None:
    meta = synthetic_experience()
    assert ids(SimilarityPortfolio(uniform_share=1.0).fit(meta).recommend(CURVED_TASK)) == ids(
        Portfolio().fit(meta).recommend(CURVED_TASK)
    )


def test_expected_scores_follow_the_difficulty_of_the_task() -> None:
    portfolio = Portfolio().fit(synthetic_experience(n_datasets=48))
    easy, hard = (portfolio.recommend(LINEAR_TASK | {"easiness": value}, 1) for value in (0.9, 0.1))
    difference = easy.configurations[0].expected_score - hard.configurations[0].expected_score
    assert difference == pytest.approx(0.16, abs=0.04)


@pytest.mark.parametrize(
    "member",
    [AverageRank(), Portfolio(), NearestDatasets(), SimilarityPortfolio(), ScoreModel(n_estimators=30)],
)
def test_eighty_percent_intervals_hold_about_eighty_percent_of_new_data_sets(member: Recommender) -> None:
    everything = synthetic_experience(n_datasets=120, seed=3)
    known = list(everything.datasets.index[:60])
    member.fit(everything.select(datasets=known))
    hits = []
    for dataset_id in everything.datasets.index[60:]:
        task = everything.metafeatures.loc[dataset_id].to_dict()
        for ranked in member.recommend(task, 8).configurations:
            low, high = ranked.interval
            hits.append(
                low <= everything.scores.at[dataset_id, ranked.configuration.configuration_id] <= high
            )
    assert 0.7 < sum(hits) / len(hits) < 0.9


def test_chances_to_be_the_best_prefer_what_suits() -> None:
    recommended = SimilarityPortfolio(uniform_share=0.1).fit(synthetic_experience()).recommend(CURVED_TASK, 8)
    chances = {"linear": 0.0, "trees": 0.0}
    for ranked in recommended.configurations:
        chances[ranked.configuration.algorithm] += ranked.chance_of_best
    assert chances["trees"] > 0.8
