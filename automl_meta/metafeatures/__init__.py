"""Meta-features: numeric descriptors of a task."""

from automl_meta.metafeatures.extraction import (
    EXTRACTORS,
    OUT_OF_TIME,
    MetaFeatures,
    all_features,
    all_names,
    extract_metafeatures,
)
from automl_meta.metafeatures.extractor import MetaFeature, MetaFeatureExtractor
from automl_meta.metafeatures.task_view import TaskView

__all__ = [
    "EXTRACTORS",
    "OUT_OF_TIME",
    "MetaFeature",
    "MetaFeatureExtractor",
    "MetaFeatures",
    "TaskView",
    "all_features",
    "all_names",
    "extract_metafeatures",
]
