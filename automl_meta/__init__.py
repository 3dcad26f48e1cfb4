"""Learns to learn: advice for tabular machine learning from past experiments, and few-shot models."""

from typing import TYPE_CHECKING, Any

from automl_meta.advice import recommend
from automl_meta.metafeatures import extract_metafeatures
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

if TYPE_CHECKING:
    from automl_meta.tuning import ExperienceSampler, warm_start

__all__ = [
    "ExperienceSampler",
    "MetadataStore",
    "TabularTask",
    "extract_metafeatures",
    "recommend",
    "warm_start",
]


def __getattr__(name: str) -> Any:
    """Names of tuning, imported when they are first asked for: Optuna's samplers take their time."""
    if name in ("ExperienceSampler", "warm_start"):
        from automl_meta import tuning

        return getattr(tuning, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
