"""AutoMLClassifier: model selection, tuning and ensembling as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from automl_meta.automl.automl import AutoML
from automl_meta.exceptions import DataError
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask
from automl_meta.task.frames import exact_array

__all__ = ["AutoMLClassifier"]


class AutoMLClassifier(ClassifierMixin, AutoML):
    """Select, tune and ensemble classifiers for a table, starting from past experiments.

    The first trial is a default configuration. The next ones follow recommendations from the
    store, updated after each trial; then a sampler searches the hyperparameters of the best
    algorithms. The best configuration, or a greedy ensemble selected on out-of-fold predictions, is
    fitted on all rows.

    With a limit of time or memory, or more than one job, each trial runs in a worker process that
    is stopped at its limit; a failure is a result like a score. Otherwise, trials run in this
    process.

    Parameters
    ----------
    metric : str, Metric or scorer, optional
        Metric to optimise: a metric of this library, the name of a scikit-learn scorer that fits
        the task, or a callable ``scorer(estimator, X, y)``. Balanced accuracy by default. It is
        tried on dummy predictions before the search starts. If no stored run has it, configurations
        are recommended by the nearest stored metric, and the report says so.
    positive : label, optional
        The positive one of two labels, as it is or as text: scorers, also your own, then see labels
        0 and 1, and 1 is the positive one. Metrics that do not treat both labels alike, such as
        ``"f1"`` and ``"average_precision"``, need it unless 1 or True is one of the labels.
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
    classes_ : ndarray of shape (n_classes,)
        Labels as given.
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

    References
    ----------
    Feurer et al. (2015), Efficient and robust automated machine learning, NeurIPS, for the flow.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = AutoMLClassifier(n_trials=2, algorithms=["lda", "knn"], store=False, random_state=0)
    >>> bool(model.fit(X, y).best_score_ > 0.9)
    True
    >>> model.predict(X.head(2))
    array([0, 0])

    One of two labels can be declared positive:

    >>> model = AutoMLClassifier("f1", positive="other", n_trials=1, algorithms=["lda"], store=False)
    >>> bool(model.fit(X, y.map({0: "setosa", 1: "other", 2: "other"})).best_score_ > 0.9)
    True
    """

    _task_type: ClassVar[TaskType] = "classification"

    def predict_proba(self, X: pd.DataFrame | ArrayLike) -> NDArray[np.float64]:
        """Predict class probabilities; see `TabularModel.predict_proba`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Rows to predict; columns of a frame are matched by name.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities, with columns in the order of ``classes_``.
        """
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(self._checked(X, reset=False))

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels, in the order of the columns of `predict_proba`."""
        return self.model_.labels

    def _target(self, y: Any) -> NDArray[Any]:
        target = exact_array(column_or_1d(y, warn=True) if isinstance(y, (np.ndarray, list, tuple)) else y)
        missing = pd.isna(target)
        if missing.any():
            raise DataError(
                f"Input y contains NaN: {int(missing.sum())} of {len(target)} labels are missing. "
                "Remove these rows."
            )
        check_classification_targets(target)
        return target

    def _labels(self, task: TabularTask, target: NDArray[Any]) -> NDArray[Any]:
        first = np.unique(task.y_codes, return_index=True)[1]
        return target[first]
