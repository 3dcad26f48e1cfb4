"""Learns to learn: advice for tabular machine learning from past experiments, and few-shot models."""

from automl_meta.advice import recommend
from automl_meta.metafeatures import extract_metafeatures
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

__all__ = ["MetadataStore", "TabularTask", "extract_metafeatures", "recommend"]
