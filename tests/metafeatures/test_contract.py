import numpy as np
import pytest
from contracts import METAFEATURE_EXTRACTORS

from automl_meta.metafeatures import MetaFeature, MetaFeatureExtractor, TaskView
from automl_meta.testing.metafeatures import MetaFeatureExtractorContract


@pytest.mark.parametrize("extractor", METAFEATURE_EXTRACTORS, ids=lambda extractor: extractor.name)
class TestMembers(MetaFeatureExtractorContract):
    pass


class Careless(MetaFeatureExtractor):
    name = "careless"
    features = (MetaFeature("careless_draw", "A random number.", "nobody"),)

    def __init__(self, seed: int | None) -> None:
        self.seed = seed

    def extract(self, view: TaskView, rng: np.random.Generator) -> dict[str, float]:
        return {"careless_draw": np.random.default_rng(self.seed).random()}


@pytest.mark.parametrize("seed", [None, 0], ids=["unseeded", "constant"])
def test_the_contract_fails_for_a_group_that_ignores_its_seed(seed: int | None) -> None:
    with pytest.raises(AssertionError):
        MetaFeatureExtractorContract().test_the_seed_decides(Careless(seed), "classification")
