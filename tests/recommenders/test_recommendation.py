import json

import pytest

from automl_meta.recommenders import AverageRank, Recommendation
from automl_meta.testing.experience import synthetic_experience, task_like


@pytest.fixture
def recommendation() -> Recommendation:
    meta = synthetic_experience(metric="neg_root_mean_squared_error")
    return AverageRank().fit(meta).recommend(task_like(meta, "data-000"), 3)


def test_rescaling_moves_the_expected_scores_and_nothing_else(recommendation: Recommendation) -> None:
    rescaled = recommendation.rescaled(10.0)
    for before, after in zip(recommendation.configurations, rescaled.configurations, strict=True):
        assert after.expected_score == pytest.approx(10 * before.expected_score)
        assert after.interval == pytest.approx([10 * end for end in before.interval])
        assert after.evidence == before.evidence
        assert after.expected_seconds == before.expected_seconds
    assert rescaled.nearest == recommendation.nearest


def test_the_dictionary_has_the_promised_keys(recommendation: Recommendation) -> None:
    content = json.loads(json.dumps(recommendation.to_dict(), allow_nan=False))
    promised = {
        "rank", "algorithm", "configuration", "expected_score", "interval", "expected_seconds", "chance_of_best",
        "evidence",
    }  # fmt: skip
    assert promised <= set(content["recommendations"][0])
    assert {"dataset", "score", "run_id"} <= set(content["recommendations"][0]["evidence"][0])
    assert content["far_from_experience"] is False
    assert content["recommender"] == "AverageRank"
    assert content["metric"] == "neg_root_mean_squared_error"


def test_what_is_not_known_becomes_null() -> None:
    recommendation = AverageRank().fit(synthetic_experience()).recommend({})
    assert recommendation.to_dict()["distance"] is None
    assert recommendation.to_dict()["distance_percentile"] is None
