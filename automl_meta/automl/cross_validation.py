"""CrossValidation: how the rows of a task are divided, as the user said it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from automl_meta.exceptions import UsageError
from automl_meta.experiments import Folds
from automl_meta.records import Protocol
from automl_meta.task import TabularTask

__all__ = ["CrossValidation"]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """How the rows of a task are divided into folds.

    Parameters
    ----------
    cv : int, cross-validation splitter, iterable of splits or None
        Number of folds, or as ``cv`` in scikit-learn; None is five folds.
    max_train_rows : int or None
        Number of rows to which training folds are sampled down.
    groups : array-like of shape (n_rows,), optional
        Group of each row.
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row.
    """

    cv: Any
    max_train_rows: int | None
    groups: ArrayLike | None = None
    sample_weight: ArrayLike | None = None

    def folds(self, task: TabularTask, seed: int, max_train_rows: int | None = None) -> Folds:
        """Divide the rows of a task.

        Parameters
        ----------
        task : TabularTask
            Task whose rows are divided.
        seed : int
            Random seed.
        max_train_rows : int, optional
            Smaller number of training rows, with the same test folds.

        Returns
        -------
        Folds
            Folds with the weights of the rows.

        Raises
        ------
        DataError
            If groups or weights do not fit the task.
        UsageError
            If `cv` is less than 2, or no splitter.
        """
        is_number = isinstance(self.cv, (int, np.integer)) and not isinstance(self.cv, bool)
        if is_number and self.cv < 2:
            raise UsageError(f"cv is {self.cv}; it must be at least 2 folds, or a splitter of scikit-learn.")
        n_folds = int(self.cv) if is_number else 5
        protocol = Protocol(n_folds, max_train_rows=max_train_rows or self.max_train_rows, seed=seed)
        if self.groups is None and (is_number or self.cv is None):
            return Folds.of_protocol(task, protocol, self.sample_weight)
        splitter = n_folds if self.cv is None else self.cv
        return Folds.of_splitter(
            task, splitter, protocol, groups=self.groups, sample_weight=self.sample_weight
        )
