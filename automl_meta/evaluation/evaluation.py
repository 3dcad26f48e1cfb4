"""Evaluation: what a replay found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from automl_meta.evaluation.statistics import Interval, paired_bootstrap
from automl_meta.metrics import TaskType

__all__ = ["Evaluation"]

REGRETS = ("regret", "normalized_regret")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Regrets of recommenders and baselines on data sets they were not fitted on.

    Parameters
    ----------
    metric : str
        Name of the metric.
    task_type : {"classification", "regression"}
        Of all data sets.
    ks : tuple of int
        Numbers of tried configurations.
    recommenders : tuple of str
        Names of what was evaluated; all other names in the frames are baselines.
    regrets : DataFrame
        Columns ``name``, ``dataset_id``, ``family``, ``k``, ``regret`` (of the best of the first
        k, in the unit of the metric) and ``normalized_regret`` (0 best known, 1 useless). A
        regret is at most the data set's regret scale (see `recommenders.regret_scales`), so that
        one diverged fit does not decide a mean.
    first_picks : DataFrame
        Columns ``name``, ``dataset_id``, ``family``, ``rank`` (of the first pick among all that
        is known on the data set, from 1).
    covered : DataFrame
        Columns ``name``, ``dataset_id``, ``family``, ``covered`` (whether the score of a
        recommended configuration lies in its interval) and ``width`` of the interval.
    notes : tuple of str
        What was decided on the way.
    """

    metric: str
    task_type: TaskType
    ks: tuple[int, ...]
    recommenders: tuple[str, ...]
    regrets: pd.DataFrame
    first_picks: pd.DataFrame
    covered: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Recommenders first, then baselines."""
        return tuple(self.regrets["name"].unique())

    def table(self) -> pd.DataFrame:
        """Means over data sets, one row for each name.

        Columns ``regret@k`` and ``normalized@k`` for each k, ``rank`` and ``coverage_80`` (NaN
        for baselines).
        """
        table = pd.DataFrame(index=pd.Index(self.names, name="name"))
        for column, prefix in zip(REGRETS, ("regret", "normalized"), strict=True):
            means = self.regrets.pivot_table(index="name", columns="k", values=column, aggfunc="mean")
            for k in self.ks:
                table[f"{prefix}@{k}"] = means[k].reindex(table.index)
        table["rank"] = self.first_picks.groupby("name")["rank"].mean()
        table["coverage_80"] = self.covered.groupby("name")["covered"].mean()
        return table.astype("float64")

    def paired(
        self,
        name: str,
        other: str,
        k: int,
        *,
        regret: str = "normalized_regret",
        n_resamples: int = 2000,
        random_state: int = 0,
    ) -> Interval:
        """Mean difference of regret, `name` minus `other`, with its 95 % interval over families.

        Negative speaks for `name`; it is clear if the whole interval is. Data sets on which one
        of the two cannot be judged are left out.
        """
        wide = self.regrets[self.regrets["k"] == k].pivot(index="dataset_id", columns="name", values=regret)
        families = self.regrets.drop_duplicates("dataset_id").set_index("dataset_id")["family"]
        return paired_bootstrap(
            (wide[name] - wide[other]).to_numpy(),
            families.reindex(wide.index).to_numpy(dtype=object).astype(str),
            n_resamples=n_resamples,
            random_state=random_state,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, NaN as None.

        ``results`` holds the means of each name, ``coverage_80`` of each recommender, and
        ``paired[a][b][regret][k]`` the difference a minus b as ``{"mean", "low", "high"}``.
        """
        table = self.table()
        return {
            "task_type": self.task_type,
            "metric": self.metric,
            "n_datasets": int(self.regrets["dataset_id"].nunique()),
            "n_families": int(self.regrets["family"].nunique()),
            "results": {
                name: {
                    "regret": {str(k): _number(table.at[name, f"regret@{k}"]) for k in self.ks},
                    "normalized_regret": {
                        str(k): _number(table.at[name, f"normalized@{k}"]) for k in self.ks
                    },
                    "rank": _number(table.at[name, "rank"]),
                }
                for name in self.names
            },
            "coverage_80": {name: _number(table.at[name, "coverage_80"]) for name in self.recommenders},
            "paired": {
                name: {other: self._differences(name, other) for other in self.names if other != name}
                for name in self.recommenders
            },
            "notes": list(self.notes),
        }

    def _differences(self, name: str, other: str) -> dict[str, Any]:
        return {
            regret: {
                str(k): {
                    key: _number(value)
                    for key, value in self.paired(name, other, k, regret=regret)._asdict().items()
                }
                for k in self.ks
            }
            for regret in REGRETS
        }


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
