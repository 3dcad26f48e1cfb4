"""Origin: where the configuration of a trial came from, as the trial's user attribute says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from optuna.trial import FrozenTrial

__all__ = ["ORIGIN", "Origin", "origin_of"]

ORIGIN = "automl_meta:origin"
"""User attribute of a trial that holds its origin as text."""

_RANKED = re.compile(r"(\w+) rank (\d+)")


@dataclass(frozen=True)
class Origin:
    """Where a configuration came from.

    Parameters
    ----------
    kind : str
        ``"default"``; ``"advice"`` of the experience; ``"transferred"`` (chosen by a model of past
        tasks and of this one); ``"local"`` (by a model of this study alone); ``"space-filling"``;
        ``"fallback"`` (quick to fit, after the default took too long); ``"enqueued"`` by somebody
        else; or ``""`` if it is not known.
    rank : int, optional
        Rank in the advice, from 1.

    Examples
    --------
    >>> str(Origin("advice", 3))
    'advice rank 3'
    >>> Origin.parse("advice rank 3")
    Origin(kind='advice', rank=3)
    """

    kind: str
    rank: int | None = None

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read what `str` wrote; any other text is a kind of its own.

        Parameters
        ----------
        text : str
            Text of the user attribute `ORIGIN`.

        Returns
        -------
        Origin
            Kind, and rank if the text gives one.
        """
        ranked = _RANKED.fullmatch(text)
        return cls(text) if ranked is None else cls(ranked[1], int(ranked[2]))

    def __str__(self) -> str:
        return self.kind if self.rank is None else f"{self.kind} rank {self.rank}"


def origin_of(trial: FrozenTrial) -> Origin:
    """Return where the configuration of a trial came from.

    Parameters
    ----------
    trial : FrozenTrial
        Trial of any study.

    Returns
    -------
    Origin
        Of kind ``""`` if the trial does not say.
    """
    return Origin.parse(str(trial.user_attrs.get(ORIGIN, "")))
