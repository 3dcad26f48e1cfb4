"""The members that each contract runs on."""

from automl_meta.algorithms import ALGORITHMS
from automl_meta.metafeatures import EXTRACTORS
from automl_meta.recommenders import RECOMMENDERS as RECOMMENDER_CLASSES

__all__ = ["ALGORITHMS", "METAFEATURE_EXTRACTORS", "RECOMMENDERS"]

METAFEATURE_EXTRACTORS = EXTRACTORS
RECOMMENDERS = tuple(member() for member in RECOMMENDER_CLASSES)
