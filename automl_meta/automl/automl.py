"""AutoML: what AutoMLClassifier and AutoMLRegressor share, from a table to a fitted model."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import optuna
import pandas as pd
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from optuna.storages import BaseStorage
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from automl_meta._utils.budget import Budget
from automl_meta._utils.random import RandomState, child_seeds, seed_of
from automl_meta.advice import Advisor
from automl_meta.algorithms import ALGORITHMS, Algorithm
from automl_meta.automl.candidate_space import candidate_space
from automl_meta.automl.check_scoring import check_scoring
from automl_meta.automl.cross_validation import CrossValidation
from automl_meta.automl.finishing import Finisher
from automl_meta.automl.model import TabularModel
from automl_meta.automl.problem import Problem
from automl_meta.automl.proposals import Proposals
from automl_meta.automl.report import TuningReport, runs_frame
from automl_meta.automl.scoring import Scorer, Scoring
from automl_meta.automl.session import Session
from automl_meta.automl.shared_study import SharedStudy, check_space
from automl_meta.automl.study_budget import StudyBudget
from automl_meta.automl.study_storage import open_storage, open_study
from automl_meta.automl.trials import score_of
from automl_meta.automl.tuner import Tuner, TuningProgress, started_evaluators
from automl_meta.exceptions import AutomlMetaWarning, NoExperienceError, StoreError, UsageError
from automl_meta.experiments import EvaluatorLike, describe_dataset
from automl_meta.metafeatures import MetaFeatures
from automl_meta.metrics import Metric, TaskType, stand_in_notes
from automl_meta.records import Environment
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask
from automl_meta.task.frames import as_frame, is_table, split_target
from automl_meta.tuning import ExperienceSampler, StoreQuery

__all__ = ["AutoML"]

_DEFAULT_SECONDS = 60.0  # time limit if neither seconds nor trials are given
_DESCRIPTION_SHARE = 0.1  # of the time limit, for the meta-features
_ENSEMBLE_REFITS = 5  # number of models for whose refits time is reserved


class AutoML(BaseEstimator, ABC):
    """Base class of `AutoMLClassifier` and `AutoMLRegressor`."""

    _task_type: ClassVar[TaskType]

    def __init__(
        self,
        metric: str | Metric | Scorer | None = None,
        *,
        positive: Any = None,
        time_limit: float | None = None,
        n_trials: int | None = None,
        algorithms: Collection[str | Algorithm] | None = None,
        cv: Any = 5,
        ensemble: bool = True,
        trial_time_limit: float | None = None,
        memory_limit: int | None = None,
        max_train_rows: int | None = 5000,
        n_jobs: int = 1,
        storage: str | Path | BaseStorage | None = None,
        study_name: str | None = None,
        resume: bool = False,
        store: MetadataStore | str | Path | bool | None = None,
        random_state: RandomState = None,
        progress: Callable[[TuningProgress], None] | None = None,
    ) -> None:
        self.metric = metric
        self.positive = positive
        self.time_limit = time_limit
        self.n_trials = n_trials
        self.algorithms = algorithms
        self.cv = cv
        self.ensemble = ensemble
        self.trial_time_limit = trial_time_limit
        self.memory_limit = memory_limit
        self.max_train_rows = max_train_rows
        self.n_jobs = n_jobs
        self.storage = storage
        self.study_name = study_name
        self.resume = resume
        self.store = store
        self.random_state = random_state
        self.progress = progress

    def fit(
        self,
        X: TabularTask | pd.DataFrame | ArrayLike,
        y: ArrayLike | str | None = None,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Describe the data, get recommendations, tune within the budget, and fit the best on all rows.

        Parameters
        ----------
        X : DataFrame of pandas, Polars or PyArrow, array-like of shape (n_rows, n_features), or TabularTask
            Columns of any kind, with missing values; not modified. Contains the target column if `y` is a
            name.
        y : str or array-like of shape (n_rows,)
            Labels of any kind, or numbers, without missing values; or the name of the target column. Not
            given with a `TabularTask`.
        groups : array-like of shape (n_rows,), optional
            Group of each row; rows of one group are never in both sides of a split.
        sample_weight : array-like of shape (n_rows,), optional
            Weight of each row in training. Scores weight all rows equally, and algorithms that do not
            support sample weights are left out.

        Returns
        -------
        AutoML
            The fitted estimator itself.

        Raises
        ------
        DataError
            If nothing can be learnt from the data, or no trial succeeded.
        UsageError
            If a parameter is wrong, the metric cannot score dummy predictions on the folds, or
            the study is about another problem.
        """
        clock = Budget(self._checked_time_limit())
        task, labels = self._read(X, y)
        problem, study = self._agreed(
            task, labels, CrossValidation(self.cv, self.max_train_rows, groups, sample_weight)
        )
        session = Session(list(task.notes))
        # Workers start while the data are described.
        with session.interruption, self._evaluators(clock) as evaluators, session.opened(self.store):
            with session.interruption.raised():
                description = self._described(task, session, clock)
                advisor = self._advisor(problem, description, session)
            seconds = {"describe": clock.elapsed}
            tuner = self._tuner(problem, study, advisor, session, clock)
            tuner.run(evaluators, self.progress)
            seconds["tune"] = clock.elapsed - seconds["describe"]
            self._finish(tuner, evaluators[0], seconds)
            self.recommendation_ = None if advisor is None else advisor.recommend(10)
        self.interrupted_ = session.interruption.came
        if self.interrupted_:
            warnings.warn("Interrupted: the best so far was fitted.", AutomlMetaWarning, stacklevel=2)
        return self

    def predict(self, X: pd.DataFrame | ArrayLike) -> NDArray[Any]:
        """Predict labels or numbers; see `TabularModel.predict`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Rows to predict; columns of a frame are matched by name.

        Returns
        -------
        ndarray of shape (n_rows,)
            Predicted labels as given in training, or numbers.
        """
        check_is_fitted(self, "model_")
        return self.model_.predict(self._checked(X, reset=False))

    def save(self, file: str | Path) -> None:
        """Save the fitted model to a file, which `load` and ``automl-meta predict`` read.

        Parameters
        ----------
        file : str or Path
            File to write; replaced if it exists.
        """
        check_is_fitted(self, "model_")
        self.model_.save(file)

    @staticmethod
    def load(file: str | Path) -> TabularModel:
        """Load a model that `save` wrote; see `TabularModel.load`.

        Parameters
        ----------
        file : str or Path
            File of the model.

        Returns
        -------
        TabularModel
            Fitted model.
        """
        return TabularModel.load(file)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.random_state is None
        return tags

    # The steps of fit ----------------------------------------------------------------------

    def _checked_time_limit(self) -> float | None:
        if self.n_jobs == 0:
            raise UsageError("n_jobs is 0; it must be at least 1, or negative: -1 is one for each core.")
        for name in ("time_limit", "trial_time_limit", "memory_limit", "n_trials"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name} is {value!r}; it must be more than 0, or None for no limit.")
        neither = self.time_limit is None and self.n_trials is None
        return _DEFAULT_SECONDS if neither else self.time_limit

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Validate X and its feature names as scikit-learn does; columns of a frame are matched by name."""
        if is_table(X) or sparse.issparse(X):
            X = as_frame(X)  # which refuses what is sparse
            if not reset and hasattr(self, "feature_names_in_"):
                X = self.model_.aligned(X)
        else:
            least = 2 if reset else 1
            X = check_array(
                X, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=least, estimator=self
            )
            if X.dtype.kind == "c":
                raise UsageError("Complex data not supported: give real numbers.")
        validate_data(self, X, skip_check_array=True, reset=reset)
        return X

    def _read(self, X: Any, y: Any) -> tuple[TabularTask, NDArray[Any]]:
        """The task, and the labels as given, in the order of its codes."""
        if isinstance(X, TabularTask):
            task = TabularTask.of(X, y, task_type=self._task_type)
            validate_data(self, task.X, skip_check_array=True)
            return task, self._labels(task, task.y.to_numpy())
        if y is None:
            raise UsageError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        if isinstance(y, str):
            X, y = split_target(X, y)
        X = self._checked(X, reset=True)
        target = self._target(y)
        name = getattr(y, "name", None) or "target"
        task = TabularTask.from_frame(X, pd.Series(target, name=name), task_type=self._task_type)
        if self._task_type == "classification" and len(task.classes) < len(pd.unique(target)):
            # Blank labels, which a task takes for missing values, are replaced by their codes.
            codes = pd.factorize(target, sort=True)[0]
            task = TabularTask.from_frame(X, pd.Series(codes, name=name), task_type=self._task_type)
        return task, self._labels(task, target)

    @abstractmethod
    def _target(self, y: Any) -> NDArray[Any]:
        """Validate the target and return it as an array."""

    def _labels(self, task: TabularTask, target: NDArray[Any]) -> NDArray[Any]:
        return np.array([])

    def _agreed(
        self, task: TabularTask, labels: NDArray[Any], cross_validation: CrossValidation
    ) -> tuple[Problem, optuna.Study]:
        """The problem and the study, whose seed counts if another process created it."""
        scoring = Scoring.of(self.metric, self._task_type).with_positive(self.positive, labels)
        weighted = cross_validation.sample_weight is not None
        space = candidate_space(task, self.algorithms, scoring, weighted=weighted)
        seed = 0 if self.random_state is None else seed_of(self.random_state) % 2**31
        folds = cross_validation.folds(task, seed)
        check_scoring(scoring, task, folds, labels)
        about = {
            "dataset": task.fingerprint,
            "metric": scoring.name,
            "positive": None if scoring.positive is None else str(labels[scoring.positive]),
            "algorithms": [algorithm.name for algorithm in space.algorithms],
            "seed": seed,
            "folds": folds.name,
        }
        study = open_study(open_storage(self.storage), self.study_name, about, resume=self.resume)
        check_space(study, space)
        agreed = study.user_attrs["automl_meta"]
        if agreed["seed"] != seed:
            folds = cross_validation.folds(task, int(agreed["seed"]))
            check_scoring(scoring, task, folds, labels)
        if agreed["folds"] != folds.name:
            raise UsageError(
                f"The study {study.study_name!r} has other folds: {agreed['folds']}, not {folds.name}. "
                "Give the same cv, groups and weights, or choose another study name."
            )
        return Problem(task, labels, scoring, space, folds, cross_validation), study

    def _evaluators(self, clock: Budget) -> AbstractContextManager[list[EvaluatorLike]]:
        """Evaluators: in worker processes if there is a limit or several jobs, otherwise in this process."""
        limits = (self.trial_time_limit, self.memory_limit)
        is_limited = np.isfinite(clock.seconds) or any(limit is not None for limit in limits)
        return started_evaluators(
            effective_n_jobs(self.n_jobs),
            isolated=self.n_jobs != 1 or is_limited,
            memory_limit=self.memory_limit,
        )

    def _described(self, task: TabularTask, session: Session, clock: Budget) -> MetaFeatures | None:
        """Describe the task for the store and the recommender; None without a store."""
        keeper = session.keeper
        if keeper is None:
            return None
        limit = _DESCRIPTION_SHARE * clock.seconds if np.isfinite(clock.seconds) else None
        description = describe_dataset(task, time_limit=limit)
        try:
            keeper.add_dataset(description)
            if keeper.file is None:
                keeper.store.add_environment(Environment.current())
        except StoreError as error:
            session.note(f"The description of the data could not be stored: {error}")
        return description.metafeatures

    def _advisor(self, problem: Problem, described: MetaFeatures | None, session: Session) -> Advisor | None:
        """Fit a recommender on the experience; None if there is none."""
        names = [algorithm.name for algorithm in problem.space.algorithms if algorithm in ALGORITHMS]
        if session.keeper is None or not names:
            return None
        told = stand_in_notes(problem.scoring.name, problem.scoring.advised)
        try:
            advisor = Advisor.for_task(
                problem.task,
                problem.scoring.advised,
                algorithms=names,
                store=session.keeper.store,
                described=described,
                notes=told,
            )
        except (NoExperienceError, StoreError) as error:
            session.note(f"No recommendations: {error}")
            return None
        session.notes.extend(told)
        return advisor

    def _tuner(
        self,
        problem: Problem,
        study: optuna.Study,
        advisor: Advisor | None,
        session: Session,
        clock: Budget,
    ) -> Tuner:
        seeds = child_seeds(self.random_state, 2)
        history = None
        if advisor is not None and session.keeper is not None:
            meta = advisor.experience
            names = sorted(set(meta.configurations["algorithm"]))
            history = StoreQuery(
                session.keeper.store,
                meta.metric.name,
                self._task_type,
                exclude=advisor.excluded,
                algorithms=names,
            )
        return Tuner(
            problem,
            SharedStudy(study, problem, session.note),
            Proposals(problem.space, advisor, ExperienceSampler(history, seeds[0]), seeds[1]),
            StudyBudget(
                problem.task,
                problem.folds,
                self.n_trials,
                clock.seconds if np.isfinite(clock.seconds) else None,
                self.trial_time_limit,
                _ENSEMBLE_REFITS if self.ensemble else 1,
                clock,
            ),
            session,
        )

    def _finish(self, tuner: Tuner, evaluator: EvaluatorLike, seconds: Mapping[str, float]) -> None:
        """Fit the best, and set the attributes."""
        problem, shared, clock = tuner.problem, tuner.shared, tuner.budget.clock
        try:
            tuner.try_fallbacks(evaluator)
            finisher = Finisher(problem, shared, tuner.budget, tuner.session, evaluator, tuner.fitted)
            outcome = finisher.finish(self.ensemble)
        finally:  # even if nothing could be fitted
            self.study_, trials = shared.study, shared.trials()
            self.runs_ = runs_frame(trials, problem.space)
        self.model_ = outcome.model
        self.best_configuration_ = problem.space.configuration(outcome.best.params)
        self.best_score_ = score_of(outcome.best)
        self.report_ = TuningReport.of(
            outcome.model,
            self.study_.study_name,
            trials,
            seconds={**seconds, **outcome.seconds, "total": clock.elapsed},
            notes=tuner.session.notes,
        )
