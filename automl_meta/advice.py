"""Recommendations for a data set: compute its meta-features, read the experience, fit a recommender."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from automl_meta._utils.budget import Budget
from automl_meta._utils.threads import single_threaded
from automl_meta.algorithms import algorithms_for, get_algorithm
from automl_meta.exceptions import UsageError
from automl_meta.metafeatures import OUT_OF_TIME, MetaFeatures, extract_metafeatures
from automl_meta.metrics import Metric, TaskType, default_metric, nearest_metric, stand_in_notes
from automl_meta.recommenders import DEFAULT_RECOMMENDER, Recommendation, Recommender
from automl_meta.records import MetaDataset
from automl_meta.store import MetadataStore
from automl_meta.task import TabularTask

__all__ = ["Advisor", "recommend"]


def recommend(
    X: TabularTask | pd.DataFrame | ArrayLike,
    y: ArrayLike | str | None = None,
    *,
    metric: str | Metric | None = None,
    top: int = 5,
    time_limit: float | None = None,
    fit_time_limit: float | None = None,
    only: Collection[str] | None = None,
    exclude: Collection[str] = (),
    landmarkers: bool = True,
    task_type: TaskType | Literal["auto"] = "auto",
    store: MetadataStore | str | Path | None = None,
    recommender: Recommender | None = None,
    random_state: int = 0,
) -> Recommendation:
    """Recommend algorithms with configurations for a data set, without fitting any of them.

    Parameters
    ----------
    X : TabularTask, DataFrame or array-like of shape (n_rows, n_features)
        Data set; contains the target column if `y` is a name.
    y : str or array-like of shape (n_rows,)
        Target values, or the name of the target column; not given with a `TabularTask`.
    metric : str or Metric, optional
        Metric to optimise, by its scikit-learn name; balanced accuracy or R² by default. For a
        metric that no stored run has, such as ``"f1"``, configurations are ranked by the nearest
        one that is stored, and the notes say so.
    top : int
        Number of configurations.
    time_limit : float, optional
        Wall seconds for the whole call. Meta-features that it leaves out are unknown to the
        recommender, and the notes say so.
    fit_time_limit : float, optional
        Seconds of one fit; configurations that are expected to take longer are left out.
    only, exclude : collection of str
        Names of the algorithms to choose from, and of those to leave out.
    landmarkers : bool
        Whether to fit quick models as meta-features, which is slower and usually better.
    task_type : {"auto", "classification", "regression"}
        Type of task; guessed from the target by default.
    store : MetadataStore, str or Path, optional
        Store, or its location; your own store by default, which starts with the shipped
        experience.
    recommender : Recommender, optional
        Unfitted recommender, which is cloned; by default the one that the evaluation on the shipped
        experience found best.
    random_state : int
        Random seed of the row samples in the description.

    Returns
    -------
    Recommendation
        Configurations, best first. Its ``metric`` is the metric of the expected scores. Runs on
        this data set (by its content, whatever its name), or on a near copy of it, are not used.

    Raises
    ------
    DataError
        If nothing can be learnt from the data.
    UsageError
        If an argument is wrong.
    NoExperienceError
        If the store has no runs to learn from.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> advice = recommend(X, y, top=3)
    >>> [entry.rank for entry in advice.configurations]
    [1, 2, 3]
    """
    if top < 1:
        raise UsageError(f"top is {top}; it must be at least 1.")
    if time_limit is not None:
        if not time_limit > 0:
            raise UsageError(f"time_limit is {time_limit!r}; it must be more than 0 seconds, or None.")
        warnings.warn(
            "time_limit is now seconds for the whole call; fit_time_limit is seconds of one fit.",
            FutureWarning,
            stacklevel=2,
        )
    budget = Budget(time_limit)
    task = TabularTask.of(X, y, task_type=task_type)
    asked = default_metric(task.task_type) if metric is None else metric
    chosen = nearest_metric(asked, task.task_type)
    advisor = Advisor.for_task(
        task,
        chosen,
        algorithms=[a.name for a in algorithms_for(task.task_type, only=only, exclude=exclude)],
        landmarkers=landmarkers,
        store=store,
        recommender=recommender,
        random_state=random_state,
        notes=stand_in_notes(asked.name if isinstance(asked, Metric) else asked, chosen),
        budget=budget,
    )
    return advisor.recommend(top, fit_time_limit=fit_time_limit)


@dataclass(frozen=True, eq=False)
class Advisor:
    """Recommender fitted for one task, which can be asked repeatedly.

    Parameters
    ----------
    recommender : Recommender
        Recommender fitted on `experience`.
    experience : MetaDataset
        Experience without the task itself and near copies of it.
    described : MetaFeatures
        Meta-features of the task.
    excluded : tuple of str
        Ids of the known data sets that are left out: the task itself, and near copies.
    scale : float
        Unit of the task's own scores in units of the experience: the standard deviation of the
        target for metrics that carry its unit, else 1.
    notes : tuple of str
        Notes for the user, part of each recommendation.
    """

    recommender: Recommender
    experience: MetaDataset
    described: MetaFeatures
    excluded: tuple[str, ...] = ()
    scale: float = 1.0
    notes: tuple[str, ...] = ()

    @classmethod
    def for_task(
        cls,
        task: TabularTask,
        metric: Metric,
        *,
        algorithms: Collection[str],
        landmarkers: bool = True,
        store: MetadataStore | str | Path | None = None,
        recommender: Recommender | None = None,
        described: MetaFeatures | None = None,
        random_state: int = 0,
        notes: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> Advisor:
        """Describe a task and fit a recommender on the experience with other tasks.

        Parameters
        ----------
        task : TabularTask
            Task to advise on.
        metric : Metric
            Metric to optimise.
        algorithms : collection of str
            Names of the algorithms to choose from.
        landmarkers : bool
            Whether to fit quick models as meta-features.
        store : MetadataStore, str or Path, optional
            Store, or its location; your own store by default.
        recommender : Recommender, optional
            Unfitted recommender, which is cloned; the default one if None.
        described : MetaFeatures, optional
            Meta-features of the task, if they are already computed.
        random_state : int
            Random seed of the row samples in the description.
        notes : sequence of str
            Notes for the user, before those of this method.
        budget : Budget, optional
            Wall-clock time for the whole advice; none by default.

        Returns
        -------
        Advisor
            Fitted advisor.

        Raises
        ------
        UsageError
            If none of the `algorithms` supports that number of rows.
        NoExperienceError
            If the store has no runs to learn from.
        """
        candidates = [name for name in algorithms if get_algorithm(name, task.task_type).supports(task)]
        if not candidates:
            raise UsageError(f"None of the chosen algorithms supports {task.n_rows} rows. Choose others.")
        opened = store if isinstance(store, MetadataStore) else MetadataStore(store, create=False)
        try:
            experience = opened.meta_dataset(
                metric, task.task_type, exclude=[task.fingerprint], algorithms=candidates
            )
        finally:
            if opened is not store:
                opened.close()
        if described is None:
            groups = None if landmarkers else _GROUPS_WITHOUT_MODELS
            limit = None if budget is None else Budget(_DESCRIPTION_SHARE * budget.remaining)
            described = extract_metafeatures(task, groups=groups, time_limit=limit, random_state=random_state)
        n_left_out = sum(reason == OUT_OF_TIME for reason in described.reasons.values())
        copies = _near_copies(task, described.values, experience)
        if copies:
            experience = experience.select(datasets=set(experience.datasets.index) - set(copies))
        model = DEFAULT_RECOMMENDER() if recommender is None else clone(recommender)
        with single_threaded():
            model.fit(experience)
        return cls(
            model,
            experience,
            described,
            (task.fingerprint, *copies),
            1.0 if metric.scale_free else float(np.std(task.y)),
            (
                *notes,
                *(f"The time limit left out {n} meta-features." for n in [n_left_out] if n),
                *(
                    f"The stored data set {name!r} is a near copy of this one and was not used."
                    for name in copies.values()
                ),
            ),
        )

    def recommend(
        self,
        n: int,
        *,
        observed: Mapping[str, float] | None = None,
        fit_time_limit: float | None = None,
        remaining_seconds: float | None = None,
        fit_rows: float | None = None,
    ) -> Recommendation:
        """Recommend as `Recommender.recommend` does; all scores are in the unit of the task.

        Parameters
        ----------
        n : int
            Maximum number of configurations.
        observed : mapping of str to float, optional
            Scores on the task itself by ``configuration_id``, NaN for a failure.
        fit_time_limit, remaining_seconds, fit_rows : float, optional
            As in `Recommender.recommend`.

        Returns
        -------
        Recommendation
            Configurations, best first.
        """
        scores = {key: score / self.scale for key, score in (observed or {}).items()}
        with single_threaded():
            advice = self.recommender.recommend(
                self.described.values,
                n,
                observed=scores,
                fit_time_limit=fit_time_limit,
                remaining_seconds=remaining_seconds,
                fit_rows=fit_rows,
            )
        advice = replace(advice, notes=(*advice.notes, *self.notes))
        return advice if self.scale == 1.0 else advice.rescaled(self.scale)

    def expected_seconds(self, fit_rows: float | None = None) -> dict[str, float]:
        """Predict the seconds of one fit, as `Recommender.expected_seconds` does.

        Parameters
        ----------
        fit_rows : float, optional
            Number of rows of the fit; all rows of the task by default.

        Returns
        -------
        dict of str to float
            Seconds by ``configuration_id``.
        """
        return self.recommender.expected_seconds(self.described.values, fit_rows)


_GROUPS_WITHOUT_MODELS = ("simple", "statistical", "information")
_SAME, _SAME_SHARE = 0.05, 0.85
_DESCRIPTION_SHARE = 0.8  # of the time limit; the rest is for the recommender


def _near_copies(
    task: TabularTask, metafeatures: Mapping[str, float], experience: MetaDataset
) -> dict[str, str]:
    """Find stored data sets that differ from the task only in labels, a few values or the kinds of columns: id to name.

    Near copies have the same size, and most meta-features differ by at most 5 %. (In the two published versions of
    Fisher's iris, which differ in three values and in the labels, 84 % differ by at most 2 %.) Data sets with the same
    size, name and target count too, since earlier versions may have read the columns differently.
    """
    datasets = experience.datasets
    sizes = (("n_rows", task.n_rows), ("n_features", task.n_features), ("n_classes", len(task.classes)))
    same_size = np.logical_and.reduce([datasets[column] == size for column, size in sizes])
    if not same_size.any():
        return {}
    known = experience.metafeatures[same_size]
    own = np.array([metafeatures.get(name, np.nan) for name in known.columns])
    scale = np.maximum(np.abs(own), np.abs(known.to_numpy()))
    close = np.abs(known.to_numpy() - own) <= _SAME * scale + 1e-9
    comparable = np.isfinite(known.to_numpy()) & np.isfinite(own)
    share = (close & comparable).sum(axis=1) / np.maximum(comparable.sum(axis=1), 1)
    is_copy = (share >= _SAME_SHARE) | _has_target_of(task, metafeatures, datasets[same_size], known)
    return {key: str(datasets.at[key, "name"]) for key in known.index[is_copy]}


def _has_target_of(
    task: TabularTask, metafeatures: Mapping[str, float], datasets: pd.DataFrame, known: pd.DataFrame
) -> NDArray[np.bool_]:
    """Whether stored data sets of the same size have the name and the target of the task."""
    if task.task_type == "regression":
        given, theirs = float(np.std(task.y)), datasets["target_scale"].to_numpy(dtype=np.float64)
    else:
        given = metafeatures.get("class_entropy", np.nan)
        theirs = known.get("class_entropy", pd.Series(np.nan, known.index)).to_numpy(dtype=np.float64)
    same_name = (datasets["name"] == task.name).to_numpy()
    return np.asarray(same_name & np.isclose(theirs, given, rtol=1e-9, atol=0))
