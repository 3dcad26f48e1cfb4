"""Tuning: spend a budget on one task, starting from what past experiments say."""

from automl_meta.tuning.experience_sampler import ExperienceSampler
from automl_meta.tuning.history import History, PastTask, StoreQuery, as_history
from automl_meta.tuning.origin import ORIGIN, Origin, origin_of
from automl_meta.tuning.warm_start import WarmStartEntry, WarmStartReport, warm_start

__all__ = [
    "ORIGIN",
    "ExperienceSampler",
    "History",
    "Origin",
    "PastTask",
    "StoreQuery",
    "WarmStartEntry",
    "WarmStartReport",
    "as_history",
    "origin_of",
    "warm_start",
]
