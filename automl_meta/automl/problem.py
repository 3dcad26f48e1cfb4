"""Problem: what a study is about, decided before the first trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from automl_meta.algorithms import JointSpace
from automl_meta.automl.cross_validation import CrossValidation
from automl_meta.automl.scoring import Scoring
from automl_meta.experiments import Folds
from automl_meta.task import TabularTask

__all__ = ["Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """What a study is about: the task, the search space, and how configurations are scored.

    Parameters
    ----------
    task : TabularTask
        Task to learn.
    labels : ndarray of shape (n_classes,)
        Labels as given, in the order of the task's codes; empty for regression.
    scoring : Scoring
        Metric to optimise.
    space : JointSpace
        Algorithms and their hyperparameters.
    folds : Folds
        Folds of the cross-validation.
    cross_validation : CrossValidation
        Makes the folds.
    """

    task: TabularTask
    labels: NDArray[Any]
    scoring: Scoring
    space: JointSpace
    folds: Folds
    cross_validation: CrossValidation

    def score(self, responses: Mapping[str, NDArray]) -> float:
        """Score out-of-fold predictions, greater is better; NaN where the metric is not defined."""
        return self.scoring.score(self.task, self.folds, responses, self.labels)

    def smaller_folds(self, n_rows: int) -> Folds:
        """Folds with the same test rows and at most `n_rows` training rows."""
        return self.cross_validation.folds(self.task, self.folds.seed, n_rows)

    @property
    def fold_rows(self) -> int:
        """Number of training rows of a fold."""
        return len(self.folds.all[0][0])
