"""ReplayReport: results of a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from automl_meta._utils.plain import plain
from automl_meta.evaluation.intervals import Interval, paired_bootstrap
from automl_meta.exceptions import UsageError
from automl_meta.metrics import TaskType

__all__ = ["ReplayReport"]

REGRETS = ("regret", "normalized_regret")


@dataclass(frozen=True, eq=False)
class ReplayReport:
    """Regrets of recommenders and baselines on held-out data sets.

    Parameters
    ----------
    metric : str
        Name of the metric.
    task_type : {"classification", "regression"}
        Type of task of all data sets.
    ks : tuple of int
        Numbers of trials.
    seconds : tuple of float
        Time budgets.
    recommenders : tuple of str
        Names of the recommenders; all other names in the frames are baselines.
    regrets : DataFrame
        Columns ``name``, ``dataset_id``, ``family``, ``k``, ``regret`` (of the best of the first
        k, in the unit of the metric) and ``normalized_regret`` (0 for the best known score). A
        regret is at most the data set's regret scale (see `transfer.regret_scales`), so that
        one diverged fit does not dominate a mean.
    timed_regrets : DataFrame
        The same with ``seconds`` in place of ``k``: the regret reached within the budget.
    first_picks : DataFrame
        Columns ``name``, ``dataset_id``, ``family``, ``rank`` (of the first trial among all
        configurations with a run on the data set, from 1).
    intervals : DataFrame
        Columns ``name``, ``dataset_id``, ``family``, ``rank`` (of the configuration in the first
        recommendation, from 1), ``covered`` (whether its interval covers its score; NaN if it
        failed), ``width`` of the interval, ``chance_of_best`` as predicted, and ``is_best``
        (whether it has the best known score).
    notes : tuple of str
        Remarks, such as merged families.
    """

    metric: str
    task_type: TaskType
    ks: tuple[int, ...]
    seconds: tuple[float, ...]
    recommenders: tuple[str, ...]
    regrets: pd.DataFrame
    timed_regrets: pd.DataFrame
    first_picks: pd.DataFrame
    intervals: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the recommenders, then of the baselines."""
        return tuple(self.regrets["name"].unique())

    def table(self) -> pd.DataFrame:
        """Compute means over the data sets.

        Returns
        -------
        DataFrame
            One row for each name. Columns ``regret@k`` and ``normalized@k`` for each k, the same
            with ``@ss`` for each budget of s seconds, ``rank``, and ``coverage_80`` (of the
            first ``max(ks)`` recommendations; NaN for baselines).
        """
        table = pd.DataFrame(index=pd.Index(self.names, name="name"))
        for frame, key, points, unit in (
            (self.regrets, "k", self.ks, ""),
            (self.timed_regrets, "seconds", self.seconds, "s"),
        ):
            for column, prefix in zip(REGRETS, ("regret", "normalized"), strict=True):
                means = frame.groupby(["name", key])[column].mean()
                for point in points:
                    table[f"{prefix}@{point:g}{unit}"] = means.xs(point, level=key).reindex(table.index)
        table["rank"] = self.first_picks.groupby("name")["rank"].mean()
        first = self.intervals[self.intervals["rank"] <= max(self.ks)]
        table["coverage_80"] = first.groupby("name")["covered"].mean()
        return table.astype("float64")

    def calibration(self, name: str) -> pd.DataFrame:
        """Compute the calibration of a recommender's intervals and probabilities.

        Parameters
        ----------
        name : str
            Name of the recommender.

        Returns
        -------
        DataFrame
            One row for each group of ``ranks`` (str); columns ``coverage_80`` (share of scores
            covered by their 80 % intervals), ``width`` (median width, in the unit of the
            metric), ``chance`` (mean predicted probability of being best) and ``best``
            (observed frequency, ties shared).
        """
        own = self.intervals[self.intervals["name"] == name]
        n_best = own.groupby("dataset_id")["is_best"].transform("sum")
        own = own.assign(best=own["is_best"] / n_best.where(n_best > 0))
        groups = pd.cut(own["rank"], [0, 1, 3, 10, 30, np.inf], labels=["1", "2-3", "4-10", "11-30", "31-"])
        grouped = own.groupby(groups, observed=True)
        return pd.DataFrame(
            {
                "coverage_80": grouped["covered"].mean(),
                "width": grouped["width"].median(),
                "chance": grouped["chance_of_best"].mean(),
                "best": grouped["best"].mean(),
            }
        ).rename_axis("ranks")

    def paired(
        self,
        name: str,
        other: str,
        k: int | None = None,
        *,
        seconds: float | None = None,
        regret: str = "normalized_regret",
        n_resamples: int = 2000,
        random_state: int = 0,
    ) -> Interval:
        """Compute the mean difference of regret, `name` minus `other`, with its 95 % interval over families.

        Negative values favour `name`. Data sets on which either regret is unknown are left out.

        Parameters
        ----------
        name, other : str
            Names of recommenders or baselines.
        k : int, optional
            Number of trials.
        seconds : float, optional
            Time budget, in place of `k`.
        regret : {"normalized_regret", "regret"}
            Column to compare.
        n_resamples : int
            Number of bootstrap samples.
        random_state : int
            Random seed of the samples.

        Returns
        -------
        Interval
            See `paired_bootstrap`.

        Raises
        ------
        UsageError
            If not exactly one of `k` and `seconds` is given.
        """
        if (k is None) == (seconds is None):
            raise UsageError("Pass exactly one of k and seconds.")
        frame = self.regrets[self.regrets["k"] == k] if k is not None else self.timed_regrets
        if seconds is not None:
            frame = frame[frame["seconds"] == seconds]
        wide = frame.pivot(index="dataset_id", columns="name", values=regret)
        families = frame.drop_duplicates("dataset_id").set_index("dataset_id")["family"]
        return paired_bootstrap(
            (wide[name] - wide[other]).to_numpy(),
            families.reindex(wide.index).to_numpy(dtype=object).astype(str),
            n_resamples=n_resamples,
            random_state=random_state,
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON; NaN becomes None.

        Returns
        -------
        dict
            ``results`` has the means of each name, ``coverage_80`` those of each recommender, and
            ``paired[a][b][regret][k]`` the difference a minus b as ``{"mean", "low", "high"}``;
            time budgets are under ``regret_seconds`` and ``normalized_regret_seconds``.
        """
        table = self.table()
        content = {
            "task_type": self.task_type,
            "metric": self.metric,
            "n_datasets": int(self.regrets["dataset_id"].nunique()),
            "n_families": int(self.regrets["family"].nunique()),
            "results": {
                name: {
                    "regret": {f"{k}": table.at[name, f"regret@{k}"] for k in self.ks},
                    "normalized_regret": {f"{k}": table.at[name, f"normalized@{k}"] for k in self.ks},
                    "regret_seconds": {f"{s:g}": table.at[name, f"regret@{s:g}s"] for s in self.seconds},
                    "normalized_regret_seconds": {
                        f"{s:g}": table.at[name, f"normalized@{s:g}s"] for s in self.seconds
                    },
                    "rank": table.at[name, "rank"],
                }
                for name in self.names
            },
            "coverage_80": {name: table.at[name, "coverage_80"] for name in self.recommenders},
            "paired": {
                name: {other: self._differences(name, other) for other in self.names if other != name}
                for name in self.recommenders
            },
            "notes": list(self.notes),
        }
        return plain(content)

    def _differences(self, name: str, other: str) -> dict[str, Any]:
        differences: dict[str, Any] = {}
        for regret in REGRETS:
            differences[regret] = {
                f"{k}": self.paired(name, other, k, regret=regret)._asdict() for k in self.ks
            }
            differences[f"{regret}_seconds"] = {
                f"{s:g}": self.paired(name, other, seconds=s, regret=regret)._asdict() for s in self.seconds
            }
        return differences
