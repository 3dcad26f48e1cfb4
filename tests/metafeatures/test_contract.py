import pytest
from contracts import METAFEATURE_EXTRACTORS

from automl_meta.testing.metafeatures import MetaFeatureExtractorContract


@pytest.mark.parametrize("extractor", METAFEATURE_EXTRACTORS, ids=lambda extractor: extractor.name)
class TestMembers(MetaFeatureExtractorContract):
    pass
