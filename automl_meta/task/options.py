"""What the user says of a table, and what its clear columns tell of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from automl_meta.exceptions import UsageError
from automl_meta.task.columns import KINDS, ColumnKind
from automl_meta.task.date_formats import check_date_format
from automl_meta.task.numbers import Decimal

__all__ = ["Hints", "ReadingOptions"]


@dataclass(frozen=True)
class ReadingOptions:
    """What the user says of a table, where the guess is wrong.

    Parameters
    ----------
    decimal : {".", ","}, optional
        The decimal mark of numbers that are text.
    date_format : str, optional
        Of `strptime`; for columns that can be read so.
    kinds : mapping of str to ColumnKind
        Column name to kind; ``"identifier"`` leaves a column out.
    is_file : bool
        Whether the table is text of a file, in which ``NA`` and the like stand for missing values.

    Raises
    ------
    UsageError
        If one of them is none of these.
    """

    decimal: Decimal | None = None
    date_format: str | None = None
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict)
    is_file: bool = False

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise UsageError(f"The decimal mark is {self.decimal!r}; it must be '.' or ','.")
        if self.date_format is not None and not check_date_format(self.date_format):
            raise UsageError(
                f"The date format is {self.date_format!r}; it must be one of strptime, such as '%d.%m.%Y'."
            )
        for name, kind in self.kinds.items():
            if kind not in KINDS or kind == "constant":
                choices = ", ".join(repr(known) for known in KINDS if known != "constant")
                raise UsageError(f"Column {name!r} cannot be of the kind {kind!r}. Choose one of: {choices}.")


class Hints(NamedTuple):
    """What the clear columns of a table tell of the others."""

    decimal: Decimal | None = None
    day_first: bool | None = None
