"""Replay of stored runs: what would have been reached had the advice been followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import clone

from automl_meta.evaluation.evaluation import Evaluation
from automl_meta.evaluation.statistics import expected_best_of_random
from automl_meta.exceptions import NoExperienceError, UsageError
from automl_meta.recommenders import Recommendation, Recommender, regret_scales
from automl_meta.records import MetaDataset

__all__ = ["leave_family_out", "merged_families"]

_FEWEST_EQUAL_SCORES = 5
_FEWEST_EQUAL_METAFEATURES = 10


def leave_family_out(
    meta: MetaDataset,
    recommenders: Mapping[str, Recommender],
    *,
    ks: Sequence[int] = (1, 3, 5, 10),
    baselines: Mapping[str, str] | None = None,
    n_splits: int | None = None,
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Fit on some families of data sets, recommend for the others, and look up what came of it.

    Nothing is run: the results are the stored ones. A recommended configuration that was never
    tried on the data set cannot be judged, and the next one takes its place; one that failed is
    judged as useless. Data sets of different families that are copies of one another (equal
    meta-features or equal scores) are put into one family, and a note says so.

    Parameters
    ----------
    meta : MetaDataset
        All experience.
    recommenders : mapping of str to Recommender
        What to evaluate, under names to call them by; clones are fitted, they stay as they are.
    ks : sequence of int, default=(1, 3, 5, 10)
        The regret of the best of the first k is reported.
    baselines : mapping of str to str, optional
        Name to the ``configuration_id`` that is always used. ``random`` is always there.
    n_splits : int or None, default=None
        Number of folds of families; None leaves out one family at a time.
    random_state : int, default=0
        Decides the folds.
    progress : callable, optional
        Called as ``progress(n_done, n_folds)`` after each fold.

    Returns
    -------
    Evaluation
        Regrets, ranks, coverage.

    Raises
    ------
    UsageError
        If a name is used twice, a baseline is unknown, or `ks` or `n_splits` is out of range.
    NoExperienceError
        If fewer than two families have a score.
    """
    baselines = dict(baselines or {})
    _check(meta, recommenders, ks, baselines, n_splits)
    judge = _Judge(meta)
    families, notes = merged_families(meta)
    families = families.loc[judge.dataset_ids]
    folds = _folds(families, n_splits, random_state)
    rows: dict[str, list[dict[str, Any]]] = {"regrets": [], "first_picks": [], "covered": []}
    for n_done, held_out in enumerate(folds, start=1):
        training = meta.select(datasets=[key for key in meta.datasets.index if key not in held_out])
        for name, recommender in recommenders.items():
            fitted = clone(recommender).fit(training)
            for dataset_id in held_out:
                recommendation = fitted.recommend(
                    _description(meta, dataset_id), judge.n_needed(dataset_id, max(ks))
                )
                judge.add_recommendation(rows, name, dataset_id, recommendation, ks)
        if progress is not None:
            progress(n_done, len(folds))
    for dataset_id in families.index:
        judge.add_random(rows, dataset_id, ks)
        for name, configuration_id in baselines.items():
            judge.add_constant(rows, name, dataset_id, configuration_id, ks)
    frames = {key: pd.DataFrame(values) for key, values in rows.items()}
    for frame in frames.values():
        frame["family"] = families.reindex(frame["dataset_id"]).to_numpy()
    return Evaluation(meta.metric.name, meta.task_type, tuple(ks), tuple(recommenders), **frames, notes=notes)


def merged_families(meta: MetaDataset) -> tuple[pd.Series, tuple[str, ...]]:
    """Families of the data sets, those that share a copy of a data set made one.

    Data sets are taken for copies if ten or more meta-features, or five or more scores that are
    not all the same, are known and all equal: a renamed copy must not advise its original.

    Returns
    -------
    families : Series
        Index ``dataset_id``, values the names of the families.
    notes : tuple of str
        One for each pair that was found.
    """
    families = meta.datasets["family"].astype(str).copy()
    notes: list[str] = []
    tables = (
        ("meta-features", meta.metafeatures.to_numpy(np.float64), _FEWEST_EQUAL_METAFEATURES),
        ("scores", meta.scores.to_numpy(np.float64), _FEWEST_EQUAL_SCORES),
    )
    for what, values, fewest in tables:
        first_with: dict[bytes, str] = {}
        for dataset_id, row in zip(meta.datasets.index, values, strict=True):
            finite = row[np.isfinite(row)]
            if len(finite) < fewest or np.ptp(finite) == 0.0:
                continue
            original = first_with.setdefault(np.round(row, 12).tobytes(), dataset_id)
            if families[original] != families[dataset_id]:
                pair = " and ".join(repr(meta.datasets.at[key, "name"]) for key in (original, dataset_id))
                notes.append(f"Data sets {pair} have equal {what}; their families were made one.")
                families[families == families[dataset_id]] = families[original]
    return families, tuple(notes)


class _Judge:
    """Looks up what each choice reached."""

    def __init__(self, meta: MetaDataset) -> None:
        scored = meta.scores.notna().any(axis=1)
        self.dataset_ids = list(meta.datasets.index[scored])
        scores = meta.scores[scored].to_numpy(np.float64)
        tried = meta.tried[scored].to_numpy(bool)
        best, scale = regret_scales(scores)
        self._scale = dict(zip(self.dataset_ids, scale, strict=True))
        regrets = np.nan_to_num(np.minimum((best - scores.T) / scale, 1.0), nan=1.0).T
        ids = meta.configurations.index
        # Of what was tried on each data set: normalised regret, rank from 1, score.
        self._regrets, self._ranks, self._scores = {}, {}, {}
        for position, dataset_id in enumerate(self.dataset_ids):
            there, row = tried[position], scores[position]
            ranks = rankdata(-np.nan_to_num(row[there], nan=-np.inf))
            self._regrets[dataset_id] = pd.Series(regrets[position, there], index=ids[there])
            self._ranks[dataset_id] = pd.Series(ranks, index=ids[there])
            self._scores[dataset_id] = pd.Series(row[there], index=ids[there])
        self._n_configurations = len(ids)

    def n_needed(self, dataset_id: str, k: int) -> int:
        """How many recommendations contain at least k that can be judged."""
        return k + self._n_configurations - len(self._regrets[dataset_id])

    def add_recommendation(
        self,
        rows: dict[str, list[dict[str, Any]]],
        name: str,
        dataset_id: str,
        recommendation: Recommendation,
        ks: Sequence[int],
    ) -> None:
        judged = self._regrets[dataset_id]
        picks = [
            ranked
            for ranked in recommendation.configurations
            if ranked.configuration.configuration_id in judged
        ][: max(ks)]
        keys = [ranked.configuration.configuration_id for ranked in picks]
        regrets = judged.loc[keys].to_numpy()
        self._add(
            rows, name, dataset_id, ks, [float(regrets[:k].min()) if len(regrets) else np.nan for k in ks]
        )
        if keys:
            rank = float(self._ranks[dataset_id][keys[0]])
            rows["first_picks"].append({"name": name, "dataset_id": dataset_id, "rank": rank})
        for ranked, score in zip(picks, self._scores[dataset_id].loc[keys], strict=True):
            if np.isfinite(score):
                low, high = ranked.interval
                rows["covered"].append(
                    {
                        "name": name,
                        "dataset_id": dataset_id,
                        "covered": float(low <= score <= high),
                        "width": high - low,
                    }
                )

    def add_random(self, rows: dict[str, list[dict[str, Any]]], dataset_id: str, ks: Sequence[int]) -> None:
        regrets = self._regrets[dataset_id].to_numpy()
        self._add(rows, "random", dataset_id, ks, [expected_best_of_random(regrets, k) for k in ks])
        rank = (len(regrets) + 1) / 2.0
        rows["first_picks"].append({"name": "random", "dataset_id": dataset_id, "rank": rank})

    def add_constant(
        self,
        rows: dict[str, list[dict[str, Any]]],
        name: str,
        dataset_id: str,
        configuration_id: str,
        ks: Sequence[int],
    ) -> None:
        regret = float(self._regrets[dataset_id].get(configuration_id, np.nan))
        self._add(rows, name, dataset_id, ks, [regret] * len(ks))
        rank = float(self._ranks[dataset_id].get(configuration_id, np.nan))
        rows["first_picks"].append({"name": name, "dataset_id": dataset_id, "rank": rank})

    def _add(
        self,
        rows: dict[str, list[dict[str, Any]]],
        name: str,
        dataset_id: str,
        ks: Sequence[int],
        normalized: Sequence[float],
    ) -> None:
        scale = float(self._scale[dataset_id])
        rows["regrets"].extend(
            {
                "name": name,
                "dataset_id": dataset_id,
                "k": k,
                "regret": scale * value,
                "normalized_regret": value,
            }
            for k, value in zip(ks, normalized, strict=True)
        )


def _folds(families: pd.Series, n_splits: int | None, random_state: int) -> list[list[str]]:
    """Deal the data sets into groups that are left out together; a family is never cut."""
    names: NDArray[np.object_] = np.array(sorted(families.unique()), dtype=object)
    if len(names) < 2:
        raise NoExperienceError(
            f"A replay leaves out one family of data sets at a time; there are {len(names)} with a score. "
            "Collect runs on more data sets."
        )
    names = np.random.default_rng(random_state).permutation(names)
    n_folds = len(names) if n_splits is None else min(n_splits, len(names))
    return [sorted(families.index[families.isin(names[fold::n_folds])]) for fold in range(n_folds)]


def _description(meta: MetaDataset, dataset_id: str) -> dict[str, float]:
    row = meta.datasets.index.get_loc(dataset_id)
    sizes = {name: float(meta.datasets[name].to_numpy()[row]) for name in ("n_rows", "n_features")}
    values = meta.metafeatures.to_numpy(np.float64)[row]
    known = {str(name): float(value) for name, value in zip(meta.metafeatures.columns, values, strict=True)}
    return sizes | {name: value for name, value in known.items() if name not in sizes or np.isfinite(value)}


def _check(
    meta: MetaDataset,
    recommenders: Mapping[str, Recommender],
    ks: Sequence[int],
    baselines: Mapping[str, str],
    n_splits: int | None,
) -> None:
    if not ks or min(ks) < 1:
        raise UsageError(f"ks must hold numbers from 1; they are {list(ks)!r}.")
    if n_splits is not None and n_splits < 2:
        raise UsageError(f"n_splits must be at least 2, or None; it is {n_splits!r}.")
    twice = (set(recommenders) & set(baselines)) | ({"random"} & (set(recommenders) | set(baselines)))
    if twice:
        raise UsageError(
            f"Each name can stand for one thing only, and 'random' is taken: rename {sorted(twice)}."
        )
    for name, configuration_id in baselines.items():
        if configuration_id not in meta.configurations.index:
            raise UsageError(
                f"The baseline {name!r} is configuration {configuration_id!r}, of which no run is known."
            )
