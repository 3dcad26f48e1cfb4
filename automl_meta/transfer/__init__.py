"""The transfer core: known tasks x candidates in normalised regret, weighed by evidence.

Recommenders use it on a fixed set of configurations; the sampler uses it on any search space, where
response surfaces of the past tasks give the rows.
"""

from automl_meta.transfer.evidence import log_likelihood, matching_weights, posterior_weights
from automl_meta.transfer.known_tasks import NOISE, KnownTasks, shares_of_best
from automl_meta.transfer.regret import compress_tail, regret_scales

__all__ = [
    "NOISE",
    "KnownTasks",
    "compress_tail",
    "log_likelihood",
    "matching_weights",
    "posterior_weights",
    "regret_scales",
    "shares_of_best",
]
