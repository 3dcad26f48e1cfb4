"""AutoMLClassifier: the whole flow as a scikit-learn classifier."""

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
    """Finds, fits and combines classifiers for a table, starting from what worked on others.

    The first trial is a default, the next ones follow the experience in the store, told each time
    what was reached so far; then a sampler searches the spaces of the best algorithms. The best
    ones, or a greedy ensemble of their out-of-fold predictions, are fitted on all rows.

    With a limit of seconds or memory, or more than one job, each trial runs in a worker process
    that is ended at its limit; a failure is a result like a score. Without any, trials run in this
    process.

    Parameters
    ----------
    metric : str, Metric or scorer, optional
        What is to be great: a metric of this library, any scorer of scikit-learn by name that
        fits the task, or a callable ``scorer(estimator, X, y)``. Balanced accuracy by default, R²
        for regression. It is tried on dummy predictions before anything is searched. Where no
        stored run has it, the nearest that is stored advises, and the report says so.
    positive : label, optional
        The positive one of two labels, as it is or by its text: scorers, your own too, then see
        labels 0 and 1, and 1 is the positive one. Those that do not treat both labels alike, such
        as ``"f1"`` and ``"average_precision"``, need it unless 1 or True is one of the labels.
        Not for regression.
    time_limit : float, optional
        Wall seconds for everything; 60 if neither this nor `n_trials` is given. For a study that
        is shared or resumed, of the whole study.
    n_trials : int, optional
        Trials of the whole study.
    algorithms : collection of str or Algorithm, optional
        Names to choose from, all by default; and your own, which must be picklable where trials
        run in workers.
    cv : int, cross-validation splitter or iterable of splits
        How configurations are judged.
    ensemble : bool
        Whether a greedy ensemble may be fitted where it scores more than the best alone.
    trial_time_limit : float, optional
        Wall seconds of one trial; a quarter of `time_limit` by default.
    memory_limit : int, optional
        Bytes of one trial.
    max_train_rows : int or None
        Training folds are sampled down to so many rows; the final models learn from all.
    n_jobs : int
        Trials at a time; -1 is one for each core. With one, and `n_trials` instead of `time_limit`, the same
        `random_state` gives the same trials.
    storage : str, Path or BaseStorage, optional
        Where the Optuna study is kept: any SQLAlchemy URL, a file (SQLite, or a journal if it ends
        in ``.log`` or ``.journal``), or an Optuna storage. In memory by default.
    study_name : str, optional
        By which other processes join the study, or a later one resumes it.
    resume : bool
        Whether the study must be there already.
    store : MetadataStore, str, Path or bool, optional
        The experience that advises and that every run goes back to; your own by default. False is
        none: no advice, and nothing is remembered.
    random_state : int, Generator, RandomState or None
        Decides folds, estimators and search.
    progress : callable, optional
        Called with a `TuningProgress` after each trial.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, as they were given.
    best_configuration_ : Configuration
        The best alone.
    best_score_ : float
        What it reached.
    model_ : TabularModel
        The fitted model or ensemble.
    runs_ : DataFrame
        Every trial of the study as a row.
    recommendation_ : Recommendation or None
        The advice before anything was tried.
    study_ : optuna.Study
        As any other of Optuna.
    report_ : TuningReport
        What was tried, what it cost, and what came out.
    interrupted_ : bool
        Whether Ctrl-C ended the search.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if `X` was a frame.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = AutoMLClassifier(n_trials=2, algorithms=["lda", "knn"], store=False, random_state=0)
    >>> bool(model.fit(X, y).best_score_ > 0.9)
    True
    >>> model.predict(X.head(2))
    array([0, 0])

    Of two labels, one can be the positive one:

    >>> model = AutoMLClassifier("f1", positive="other", n_trials=1, algorithms=["lda"], store=False)
    >>> bool(model.fit(X, y.map({0: "setosa", 1: "other", 2: "other"})).best_score_ > 0.9)
    True

    References
    ----------
    Feurer et al. (2015), Efficient and robust automated machine learning, NeurIPS, for the flow.
    """

    _task_type: ClassVar[TaskType] = "classification"

    def predict_proba(self, X: pd.DataFrame | ArrayLike) -> NDArray[np.float64]:
        """Predict probabilities, of shape (n_rows, n_classes), in the order of ``classes_``."""
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(self._checked(X, reset=False))

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, in the order of the columns of `predict_proba`."""
        return self.model_.labels

    def _target(self, y: Any) -> NDArray[Any]:
        target = exact_array(column_or_1d(y, warn=True) if isinstance(y, (np.ndarray, list, tuple)) else y)
        missing = pd.isna(target)
        if missing.any():
            raise DataError(
                f"Input y contains NaN: {int(missing.sum())} of {len(target)} labels are missing. "
                "Leave these rows out."
            )
        check_classification_targets(target)
        return target

    def _labels(self, task: TabularTask, target: NDArray[Any]) -> NDArray[Any]:
        first = np.unique(task.y_codes, return_index=True)[1]
        return target[first]
