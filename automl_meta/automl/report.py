"""TuningReport: what was tried, what it cost, and what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from automl_meta.algorithms import JointSpace
from automl_meta.automl.model import TabularModel
from automl_meta.automl.trials import Measured, completed, score_of, status_of
from automl_meta.exceptions import UsageError
from automl_meta.tuning import origin_of

__all__ = ["TuningReport", "runs_frame"]


@dataclass(frozen=True)
class TuningReport:
    """What was tried, what it cost, and what came out.

    Parameters
    ----------
    metric : str
        Of all scores, greater is better.
    study : str
        Name of the Optuna study.
    best_score : float
        Of the best configuration alone.
    score : float
        Of the final model's out-of-fold predictions: more than `best_score` where an ensemble is.
        Chosen among many, it is a little optimistic.
    members : tuple of (str, float)
        Configurations of the final model in words, and their weights.
    n_trials : int
        Of the whole study.
    by_origin, by_status : mapping of str to int
        Trials by where they came from, and by how they ended.
    seconds : mapping of str to float
        Wall seconds of this process: ``describe``, ``tune``, ``ensemble``, ``refit``, ``total``.
    notes : tuple of str
        What was decided on the way, in words.
    """

    metric: str
    study: str
    best_score: float
    score: float
    members: tuple[tuple[str, float], ...]
    n_trials: int
    by_origin: Mapping[str, int]
    by_status: Mapping[str, int]
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        model: TabularModel,
        study: str,
        trials: Sequence[FrozenTrial],
        *,
        seconds: Mapping[str, float],
        notes: Sequence[str],
    ) -> TuningReport:
        """What the trials of a study and the model that came out of it say."""
        return cls(
            metric=model.metric,
            study=study,
            best_score=max(map(score_of, completed(trials))),
            score=model.cv_score,
            members=tuple(zip(model.configurations, model.weights, strict=True)),
            n_trials=len(trials),
            by_origin=dict(Counter(origin_of(trial).kind or "unknown" for trial in trials)),
            by_status=dict(Counter(status_of(trial) for trial in trials)),
            seconds=seconds,
            notes=tuple(dict.fromkeys(notes)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **{key: value for key, value in vars(self).items() if key not in ("members", "notes")},
            "members": [{"configuration": name, "weight": weight} for name, weight in self.members],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        failed = sum(n for status, n in self.by_status.items() if status not in ("ok", "running", "waiting"))
        origins = ", ".join(f"{n} {origin}" for origin, n in self.by_origin.items())
        lines = [
            f"{self.metric} {self.score:.4g} in cross-validation (best single configuration {self.best_score:.4g})",
            f"{self.n_trials} trials ({origins}), {failed} of them failed, in {self.seconds['total']:.1f} s",
        ]
        lines += [f"  {weight:.2f} x {name}" for name, weight in self.members]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def runs_frame(trials: Sequence[FrozenTrial], space: JointSpace) -> pd.DataFrame:
    """Every trial of a study as a row.

    Returns
    -------
    DataFrame
        Columns ``trial`` (int64), ``origin``, ``algorithm``, ``configuration_id`` (str),
        ``parameters`` (dict), ``score`` (float64, NaN if it failed), ``status``, ``reason`` (str),
        ``seconds``, ``fit_seconds`` (float64, CPU), ``expected_score`` (float64) and ``run_id`` (str).
    """
    return pd.DataFrame([_row(trial, space) for trial in trials], columns=_COLUMNS).astype(_DTYPES)


_DTYPES = {"score": "float64", "seconds": "float64", "fit_seconds": "float64", "expected_score": "float64"}
_COLUMNS = [
    "trial",
    "origin",
    "algorithm",
    "configuration_id",
    "parameters",
    "score",
    "status",
    "reason",
    "seconds",
    "fit_seconds",
    "expected_score",
    "run_id",
]


def _row(trial: FrozenTrial, space: JointSpace) -> list[Any]:
    try:
        configuration = space.configuration(trial.params)
        algorithm, parameters = configuration.algorithm, dict(configuration.parameters)
    except UsageError:  # its process died before it said what it would try
        algorithm, parameters = "", {}
    said, measured = trial.user_attrs.get, Measured.of(trial)
    return [
        trial.number,
        str(origin_of(trial)),
        algorithm,
        said("configuration_id", ""),
        parameters,
        trial.value if trial.state == TrialState.COMPLETE else None,
        status_of(trial),
        said("reason", ""),
        measured.seconds,
        measured.fit_seconds,
        said("expected_score"),
        measured.run_id,
    ]
