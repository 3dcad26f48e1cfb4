"""What AutoMLClassifier and AutoMLRegressor share: the whole flow, from a table to a fitted model."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
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
from automl_meta.algorithms import ALGORITHMS, Algorithm, JointSpace
from automl_meta.automl.candidate_space import candidate_space
from automl_meta.automl.check_scoring import check_scoring
from automl_meta.automl.finishing import finished
from automl_meta.automl.interruption import Interruption
from automl_meta.automl.model import TabularModel
from automl_meta.automl.proposals import Proposals
from automl_meta.automl.report import TuningReport, runs_frame
from automl_meta.automl.scoring import Scorer, Scoring
from automl_meta.automl.shared_study import check_space
from automl_meta.automl.study_budget import StudyBudget
from automl_meta.automl.study_storage import open_storage, open_study
from automl_meta.automl.trials import score_of
from automl_meta.automl.tuner import AnyEvaluator, Tuner, TuningProgress, started_evaluators
from automl_meta.exceptions import AutomlMetaWarning, NoExperienceError, StoreError, UsageError
from automl_meta.experiments import Folds, Keeper, describe_dataset
from automl_meta.metrics import Metric, TaskType, stand_in_notes
from automl_meta.records import Environment, Protocol
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask
from automl_meta.task.frames import as_frame, is_table, split_target
from automl_meta.tuning import ExperienceSampler, StoreQuery

__all__ = ["AutoML"]

_DEFAULT_SECONDS = 60.0  # if neither seconds nor trials are given
_DESCRIPTION_SHARE = 0.1  # of the time limit
_ENSEMBLE_REFITS = 5  # models for whose refits time is kept


class AutoML(BaseEstimator, ABC):
    """The whole flow as one estimator; see `AutoMLClassifier`."""

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
        """Describe the data, ask the experience, tune within the budget, and fit the best on all rows.

        Parameters
        ----------
        X : DataFrame of pandas, Polars or PyArrow, array-like of shape (n_rows, n_features), or TabularTask
            Columns of any kind, with missing values; left as it is. With the target among its columns if `y` is
            a name.
        y : str or array-like of shape (n_rows,)
            Labels of any kind, or numbers; none missing. Or the name of its column. Not given with a
            `TabularTask`.
        groups : array-like of shape (n_rows,), optional
            Rows of one group are never both learnt from and predicted in the cross-validation.
        sample_weight : array-like of shape (n_rows,), optional
            How much each row counts when it is learnt from. Scores count all rows alike, and
            algorithms that cannot weigh rows are left out.

        Returns
        -------
        AutoML
            Itself.

        Raises
        ------
        DataError
            If nothing can be learnt from the data, or no trial succeeded.
        UsageError
            If a parameter is wrong, the metric cannot score dummy predictions on the folds, or
            the study is about something else.
        """
        time_limit = self._time_limit()
        clock = Budget(time_limit)
        task, labels = self._read(X, y)
        scoring = Scoring.of(self.metric, self._task_type).with_positive(self.positive, labels)
        space = candidate_space(task, self.algorithms, scoring, weighted=sample_weight is not None)
        study, folds = self._study(task, labels, scoring, space, groups, sample_weight)
        workers = started_evaluators(  # they start while others read
            effective_n_jobs(self.n_jobs),
            isolated=self._isolated(time_limit),
            memory_limit=self.memory_limit,
        )
        interruption = Interruption()
        with interruption, workers as evaluators, self._opened_store() as store:
            notes = list(task.notes)
            keeper = None if store is None else Keeper(store)
            with interruption.raised():
                advisor = self._advisor(task, scoring, space, keeper, clock, notes)
            n_refits = _ENSEMBLE_REFITS if self.ensemble else 1
            budget = StudyBudget(
                task, folds, self.n_trials, time_limit, self.trial_time_limit, n_refits, clock
            )
            tuner = Tuner(
                task,
                folds,
                scoring,
                labels,
                study,
                self._proposals(space, advisor, store),
                budget,
                lambda rows: self._folds(task, folds.seed, groups, sample_weight, rows),
                keeper,
                notes,
                interruption,
            )
            self._tune(tuner, evaluators)
            self.recommendation_ = None if advisor is None else advisor.recommend(10)
        self.interrupted_ = interruption.came
        if self.interrupted_:
            warnings.warn("Interrupted: the best so far was fitted.", AutomlMetaWarning, stacklevel=2)
        return self

    def _tune(self, tuner: Tuner, evaluators: list[AnyEvaluator]) -> None:
        """Run the trials, fit what came out best, and set what there is to know about it."""
        clock, seconds = tuner.budget.clock, {"describe": tuner.budget.clock.elapsed}
        space = tuner.proposals.space
        tuner.run(evaluators, self.progress)
        seconds["tune"] = clock.elapsed - seconds["describe"]
        try:
            outcome = finished(tuner, evaluators[0], self.ensemble)
        finally:  # also where nothing could be fitted
            self.study_, trials = tuner.shared.study, tuner.shared.trials()
            self.runs_ = runs_frame(trials, space)
        self.model_ = outcome.model
        self.best_configuration_ = space.configuration(outcome.best.params)
        self.best_score_ = score_of(outcome.best)
        self.report_ = TuningReport.of(
            outcome.model,
            self.study_.study_name,
            trials,
            seconds={**seconds, **outcome.seconds, "total": clock.elapsed},
            notes=tuner.notes,
        )

    def predict(self, X: pd.DataFrame | ArrayLike) -> NDArray[Any]:
        """Predict labels or numbers; see `TabularModel.predict`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Columns of a frame are found by name.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self, "model_")
        return self.model_.predict(self._checked(X, reset=False))

    def save(self, file: str | Path) -> None:
        """Write the fitted model to a file; `TabularModel.load` and ``automl-meta predict`` read it."""
        check_is_fitted(self, "model_")
        self.model_.save(file)

    @staticmethod
    def load(file: str | Path) -> TabularModel:
        """Read the model that `save` wrote; see `TabularModel.load`."""
        return TabularModel.load(file)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.random_state is None
        return tags

    # The steps of fit ----------------------------------------------------------------------

    def _time_limit(self) -> float | None:
        if self.n_jobs == 0:
            raise UsageError("n_jobs is 0; it must be at least 1, or negative: -1 is one for each core.")
        for name in ("time_limit", "trial_time_limit", "memory_limit", "n_trials"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name} is {value!r}; it must be more than 0, or None for no limit.")
        neither = self.time_limit is None and self.n_trials is None
        return _DEFAULT_SECONDS if neither else self.time_limit

    def _isolated(self, time_limit: float | None) -> bool:
        limits = (time_limit, self.trial_time_limit, self.memory_limit)
        return self.n_jobs != 1 or any(limit is not None for limit in limits)

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Numbers of features and names as scikit-learn keeps them; columns of a frame are found by name."""
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
        """The task, and the labels as they were given, in the order of its codes."""
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
            # Labels that are blank, which a task takes for missing ones: by their number, then.
            codes = pd.factorize(target, sort=True)[0]
            task = TabularTask.from_frame(X, pd.Series(codes, name=name), task_type=self._task_type)
        return task, self._labels(task, target)

    @abstractmethod
    def _target(self, y: Any) -> NDArray[Any]:
        """The target as an array, checked."""

    def _labels(self, task: TabularTask, target: NDArray[Any]) -> NDArray[Any]:
        return np.array([])

    def _study(
        self,
        task: TabularTask,
        labels: NDArray[Any],
        scoring: Scoring,
        space: JointSpace,
        groups: Any,
        sample_weight: Any,
    ) -> tuple[optuna.Study, Folds]:
        seed = 0 if self.random_state is None else seed_of(self.random_state) % 2**31
        folds = self._folds(task, seed, groups, sample_weight)
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
            folds = self._folds(task, int(agreed["seed"]), groups, sample_weight)
            check_scoring(scoring, task, folds, labels)
        if agreed["folds"] != folds.name:
            raise UsageError(
                f"The study {study.study_name!r} judges by other folds: {agreed['folds']}, not {folds.name}. "
                "Give the same cv, groups and weights, or another name for a new study."
            )
        return study, folds

    def _folds(
        self, task: TabularTask, seed: int, groups: Any, sample_weight: Any, fewer_rows: int | None = None
    ) -> Folds:
        is_number = isinstance(self.cv, (int, np.integer)) and not isinstance(self.cv, bool)
        if is_number and self.cv < 2:
            raise UsageError(f"cv is {self.cv}; it must be at least 2 folds, or a splitter of scikit-learn.")
        n_folds = int(self.cv) if is_number else 5
        protocol = Protocol(n_folds, max_train_rows=fewer_rows or self.max_train_rows, seed=seed)
        if groups is None and (is_number or self.cv is None):
            return Folds.of_protocol(task, protocol, sample_weight)
        splitter = n_folds if self.cv is None else self.cv
        return Folds.of_splitter(task, splitter, protocol, groups=groups, sample_weight=sample_weight)

    @contextmanager
    def _opened_store(self) -> Iterator[MetadataStore | None]:
        """The store; one that was opened here is closed here."""
        if self.store is False:
            yield None
        elif isinstance(self.store, MetadataStore):
            yield self.store
        else:
            with MetadataStore(None if self.store is True else self.store) as store:
                yield store

    def _advisor(
        self,
        task: TabularTask,
        scoring: Scoring,
        space: JointSpace,
        keeper: Keeper | None,
        clock: Budget,
        notes: list[str],
    ) -> Advisor | None:
        if keeper is None:
            return None
        limit = None if clock.seconds == np.inf else _DESCRIPTION_SHARE * clock.seconds
        description = describe_dataset(task, time_limit=limit)
        try:
            keeper.add_dataset(description)
            if keeper.file is None:
                keeper.store.add_environment(Environment.current())
        except StoreError as error:
            notes.append(f"The description of the data could not be kept: {error}")
        names = [algorithm.name for algorithm in space.algorithms if algorithm in ALGORITHMS]
        if not names:
            return None
        told = stand_in_notes(scoring.name, scoring.advised)
        try:
            advisor = Advisor.for_task(
                task,
                scoring.advised,
                algorithms=names,
                store=keeper.store,
                described=description.metafeatures,
                notes=told,
            )
        except (NoExperienceError, StoreError) as error:
            notes.append(f"Nothing is known that could advise: {error}")
            return None
        notes.extend(told)
        return advisor

    def _proposals(
        self, space: JointSpace, advisor: Advisor | None, store: MetadataStore | None
    ) -> Proposals:
        seeds = child_seeds(self.random_state, 2)
        history = None
        if advisor is not None and store is not None:
            meta = advisor.experience
            names = sorted(set(meta.configurations["algorithm"]))
            history = StoreQuery(
                store, meta.metric.name, self._task_type, exclude=advisor.excluded, algorithms=names
            )
        return Proposals(space, advisor, ExperienceSampler(history, seeds[0]), seeds[1])
