import numpy as np
import pytest
from contracts import RECOMMENDERS

from automl_meta.recommenders import MetaModel
from automl_meta.records import MetaDataset
from automl_meta.testing.experience import synthetic_experience, task_like
from automl_meta.testing.recommenders import RecommenderContract


@pytest.mark.parametrize("recommender", RECOMMENDERS, ids=lambda recommender: type(recommender).__name__)
class TestMembers(RecommenderContract):
    pass


class Constant(MetaModel):
    def fit(self, meta: MetaDataset) -> "Constant":
        self.random_state = 0
        return super().fit(meta)


class Unseeded(MetaModel):
    def fit(self, meta: MetaDataset) -> "Unseeded":
        self.random_state = int(np.random.default_rng().integers(2**31))
        return super().fit(meta)


@pytest.mark.parametrize("member", [Constant, Unseeded])
def test_the_contract_fails_for_a_recommender_that_ignores_its_seed(member: type[MetaModel]) -> None:
    task = task_like(synthetic_experience(), "data-003")
    with pytest.raises(AssertionError):
        RecommenderContract().test_the_seed_decides(member(), task)
