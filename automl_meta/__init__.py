"""Learns to learn: advice for tabular machine learning from past experiments, and few-shot models."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automl_meta.advice import recommend
    from automl_meta.automl import AutoMLClassifier, AutoMLRegressor
    from automl_meta.metafeatures import extract_metafeatures
    from automl_meta.store import MetadataStore
    from automl_meta.task import TabularTask
    from automl_meta.tuning import ExperienceSampler, warm_start

__all__ = [
    "AutoMLClassifier",
    "AutoMLRegressor",
    "ExperienceSampler",
    "MetadataStore",
    "TabularTask",
    "extract_metafeatures",
    "recommend",
    "warm_start",
]

# Loaded when first asked for: who opens a store does not wait for the algorithms to be imported.
_ROOMS = {
    "AutoMLClassifier": "automl",
    "AutoMLRegressor": "automl",
    "ExperienceSampler": "tuning",
    "MetadataStore": "store",
    "TabularTask": "task",
    "extract_metafeatures": "metafeatures",
    "recommend": "advice",
    "warm_start": "tuning",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
