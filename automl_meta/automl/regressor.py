"""AutoMLRegressor: the whole flow as a scikit-learn regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, column_or_1d

from automl_meta.automl.automl import AutoML
from automl_meta.metrics import TaskType
from automl_meta.task.frames import exact_array

__all__ = ["AutoMLRegressor"]


class AutoMLRegressor(RegressorMixin, AutoML):
    """Finds, fits and combines regressors for a table, starting from what worked on others.

    Parameters and attributes are those of `AutoMLClassifier`, but for the classes: `positive` is
    refused. The metric is R² by default.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = AutoMLRegressor(n_trials=2, algorithms=["ridge", "knn"], store=False, random_state=0)
    >>> model.fit(X, y).best_configuration_.algorithm
    'ridge'
    """

    _task_type: ClassVar[TaskType] = "regression"

    def _target(self, y: Any) -> NDArray[Any]:
        target = column_or_1d(y if isinstance(y, (np.ndarray, list, tuple)) else exact_array(y), warn=True)
        return check_array(target, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
