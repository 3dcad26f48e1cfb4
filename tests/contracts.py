"""The members that each contract runs on."""

from automl_meta.metafeatures import EXTRACTORS

METAFEATURE_EXTRACTORS = EXTRACTORS
