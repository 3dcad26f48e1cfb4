import pytest
from contracts import RECOMMENDERS

from automl_meta.testing.recommenders import RecommenderContract


@pytest.mark.parametrize("recommender", RECOMMENDERS, ids=lambda recommender: type(recommender).__name__)
class TestMembers(RecommenderContract):
    pass
