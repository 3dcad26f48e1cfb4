"""Learns to learn: advice for tabular machine learning from past experiments, and few-shot models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from automl_meta.advice import recommend
from automl_meta.metafeatures import extract_metafeatures
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

if TYPE_CHECKING:
    from automl_meta.automl import AutoMLClassifier, AutoMLRegressor

__all__ = [
    "AutoMLClassifier",
    "AutoMLRegressor",
    "MetadataStore",
    "TabularTask",
    "extract_metafeatures",
    "recommend",
]

# Loaded when they are asked for: they need Optuna's samplers, which advice does without.
_DEFERRED = {"AutoMLClassifier": "automl_meta.automl", "AutoMLRegressor": "automl_meta.automl"}


def __getattr__(name: str) -> Any:
    if name in _DEFERRED:
        from importlib import import_module

        return getattr(import_module(_DEFERRED[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
