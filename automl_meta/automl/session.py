"""Session: what the steps of one call of fit share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from automl_meta.automl.interruption import Interruption
from automl_meta.exceptions import StoreError, UsageError
from automl_meta.experiments import Keeper
from automl_meta.records import Run
from automl_meta.store import MetadataStore

__all__ = ["Session"]


@dataclass
class Session:
    """What the steps of one call of fit share: notes for the user, Ctrl-C and the store.

    Parameters
    ----------
    notes : list of str
        Notes for the user.
    keeper : Keeper, optional
        Takes every run.
    interruption : Interruption
        The caller enters its context.
    """

    notes: list[str] = field(default_factory=list)
    keeper: Keeper | None = None
    interruption: Interruption = field(default_factory=Interruption)

    @contextmanager
    def opened(self, store: MetadataStore | str | Path | bool | None) -> Iterator[None]:
        """Open the store of the session, and close it if it was opened here; False is no store."""
        if store is False:
            yield
        elif isinstance(store, MetadataStore):
            self.keeper = Keeper(store)
            yield
        else:
            with self.interruption.raised():  # a locked store is waited for
                opened = MetadataStore(None if store is True else store)
            with opened:
                self.keeper = Keeper(opened)
                yield

    def note(self, text: str) -> None:
        """Add a note for the user, once."""
        if text not in self.notes:
            self.notes.append(text)

    def remember(self, run: Run) -> None:
        """Put a run into the store; the study goes on if that fails."""
        if self.keeper is None:
            return
        try:
            self.keeper.add_runs([run])
        except (StoreError, UsageError) as error:
            self.note(f"The runs could not be stored: {error}")
