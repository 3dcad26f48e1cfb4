"""Session: what the steps of one call of fit share."""

from __future__ import annotations

from dataclasses import dataclass, field

from automl_meta.automl.interruption import Interruption
from automl_meta.exceptions import StoreError, UsageError
from automl_meta.experiments import Keeper
from automl_meta.records import Run

__all__ = ["Session"]


@dataclass
class Session:
    """What the steps of one call of fit share: notes for the user, Ctrl-C and the store.

    Parameters
    ----------
    notes : list of str
        Decisions that the user should know of.
    keeper : Keeper, optional
        Takes every run.
    interruption : Interruption
        Its context is the caller's, around all that a Ctrl-C must not cost.
    """

    notes: list[str] = field(default_factory=list)
    keeper: Keeper | None = None
    interruption: Interruption = field(default_factory=Interruption)

    def note(self, text: str) -> None:
        """Take down, once, what the user should know."""
        if text not in self.notes:
            self.notes.append(text)

    def remember(self, run: Run) -> None:
        """Put a run into the store; one that cannot be written must not cost the study."""
        if self.keeper is None:
            return
        try:
            self.keeper.add_runs([run])
        except (StoreError, UsageError) as error:
            self.note(f"The runs could not be kept: {error}")
