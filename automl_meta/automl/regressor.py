"""AutoMLRegressor: model selection, tuning and ensembling as a scikit-learn regressor."""

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
    """Select, tune and ensemble regressors for a table, starting from past experiments.

    It works as `AutoMLClassifier` does.

    Parameters
    ----------
    metric : str, Metric or scorer, optional
        Metric to optimise: a metric of this library, the name of a scikit-learn scorer that fits
        the task, or a callable ``scorer(estimator, X, y)``. R² by default. It is
        tried on dummy predictions before the search starts. If no stored run has it, configurations
        are recommended by the nearest stored metric, and the report says so.
    positive : label, optional
        Not for regression: refused.
    time_limit : float, optional
        Wall seconds for the whole call; 60 if neither this nor `n_trials` is given. For a study
        that is shared or resumed, seconds of the whole study.
    n_trials : int, optional
        Number of trials of the whole study.
    algorithms : collection of str or Algorithm, optional
        Names of the algorithms to choose from, all by default; or algorithms of your own, which
        must be picklable where trials run in worker processes.
    cv : int, cross-validation splitter or iterable of splits
        Cross-validation that scores configurations.
    ensemble : bool
        Whether to fit a greedy ensemble if it scores higher than the best single configuration.
    trial_time_limit : float, optional
        Wall seconds of one trial; a quarter of `time_limit` by default.
    memory_limit : int, optional
        Bytes of memory of one trial.
    max_train_rows : int or None
        Number of rows to which training folds are sampled down; final models are fitted on all rows.
    n_jobs : int
        Number of parallel trials; -1 uses all cores. With one job, and `n_trials` instead of
        `time_limit`, the same `random_state` gives the same trials.
    storage : str, Path or BaseStorage, optional
        Storage of the Optuna study: any SQLAlchemy URL, a file (SQLite, or a journal if it ends in
        ``.log`` or ``.journal``), or an Optuna storage. In memory by default.
    study_name : str, optional
        Name of the study, by which other processes join it or a later one resumes it.
    resume : bool
        Whether the study has to exist already.
    store : MetadataStore, str, Path or bool, optional
        Store of the experience, to which every run is added; your own by default. False uses no
        store: no recommendations, and no run is kept.
    random_state : int, Generator, RandomState or None
        Random seed of folds, estimators and search; None gives a different search on each call.
    progress : callable, optional
        Called with a `TuningProgress` after each trial.

    Attributes
    ----------
    best_configuration_ : Configuration
        Best single configuration.
    best_score_ : float
        Its score.
    model_ : TabularModel
        Fitted model or ensemble.
    runs_ : DataFrame
        Every trial of the study as a row.
    recommendation_ : Recommendation or None
        Recommendation before the first trial.
    study_ : optuna.Study
        Optuna study with all trials.
    report_ : TuningReport
        Summary of trials, costs and the final model.
    interrupted_ : bool
        Whether Ctrl-C ended the search.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, if `X` was a frame.

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
