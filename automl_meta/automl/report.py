"""TuningReport: trials, costs and the final model of a search."""

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
    """Summary of a search: trials, costs and the final model.

    Parameters
    ----------
    metric : str
        Metric of all scores, greater is better.
    study : str
        Name of the Optuna study.
    best_score : float
        Score of the best single configuration.
    score : float
        Score of the final model's out-of-fold predictions; greater than `best_score` for an
        ensemble. It is slightly optimistic, since it was selected among many.
    members : tuple of (str, float)
        Configurations of the final model as text, and their weights.
    n_trials : int
        Number of trials of the whole study.
    by_origin, by_status : mapping of str to int
        Number of trials by origin, and by status.
    seconds : mapping of str to float
        Wall seconds of this process: ``describe``, ``tune``, ``ensemble``, ``refit``, ``total``.
    notes : tuple of str
        Notes for the user.
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
        """Summarise the trials of a study and the final model.

        Parameters
        ----------
        model : TabularModel
            Final model.
        study : str
            Name of the study.
        trials : sequence of FrozenTrial
            All trials of the study.
        seconds : mapping of str to float
            Wall seconds by step.
        notes : sequence of str
            Notes for the user.

        Returns
        -------
        TuningReport
            Summary.
        """
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
        """Convert the report to plain values for JSON.

        Returns
        -------
        dict
            One entry per field.
        """
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
    """Tabulate the trials of a study.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Trials of the study.
    space : JointSpace
        Search space of the trials.

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
    except UsageError:  # its process died before it had parameters
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
