"""Origin: where the configuration of a trial came from, as the study's log says it."""

from __future__ import annotations

from optuna.trial import FrozenTrial

__all__ = ["ORIGIN", "origin_of"]

ORIGIN = "automl_meta:origin"
"""The user attribute of a trial that holds it."""


def origin_of(trial: FrozenTrial) -> str:
    """Say where a trial's configuration came from.

    Returns
    -------
    str
        ``"default"``, ``"advice rank 1"`` (and so on), ``"transferred"`` (a model of past tasks and
        of this one chose it), ``"local"`` (this study alone decided), ``"space-filling"``, or
        ``""`` if it is not known.
    """
    return str(trial.user_attrs.get(ORIGIN, ""))
