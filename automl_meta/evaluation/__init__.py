"""Does the advice help? Replays of stored runs."""

from __future__ import annotations

from automl_meta.evaluation.evaluation import Evaluation
from automl_meta.evaluation.families import merged_families
from automl_meta.evaluation.plot import check_plot_file, plot_evaluation
from automl_meta.evaluation.replay import leave_family_out
from automl_meta.evaluation.statistics import (
    Interval,
    expected_best_of_random,
    expected_best_within,
    paired_bootstrap,
)

__all__ = [
    "Evaluation",
    "Interval",
    "check_plot_file",
    "expected_best_of_random",
    "expected_best_within",
    "leave_family_out",
    "merged_families",
    "paired_bootstrap",
    "plot_evaluation",
]
