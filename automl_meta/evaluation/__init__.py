"""Evaluation of recommenders by replaying stored runs."""

from __future__ import annotations

from automl_meta.evaluation.families import merged_families
from automl_meta.evaluation.intervals import (
    Interval,
    expected_best_of_random,
    expected_best_within,
    paired_bootstrap,
)
from automl_meta.evaluation.plot import check_plot_file, plot_evaluation
from automl_meta.evaluation.replay import leave_family_out
from automl_meta.evaluation.replay_report import ReplayReport

__all__ = [
    "Interval",
    "ReplayReport",
    "check_plot_file",
    "expected_best_of_random",
    "expected_best_within",
    "leave_family_out",
    "merged_families",
    "paired_bootstrap",
    "plot_evaluation",
]
