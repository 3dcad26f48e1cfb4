"""User options for reading a table, and hints from unambiguous columns for the others."""

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
    """Formats and kinds specified by the user, which override the inferred ones.

    Parameters
    ----------
    decimal : {".", ","}, optional
        Decimal mark of numbers given as text.
    date_format : str, optional
        A `strptime` format, applied to all columns that can be parsed with it.
    kinds : mapping of str to ColumnKind
        Kinds of columns by name; ``"identifier"`` drops a column.
    is_file : bool
        Whether the table is the text of a file, in which texts such as ``NA`` denote missing values.

    Raises
    ------
    UsageError
        If an option has an invalid value.
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
                f"The date format is {self.date_format!r}; it must be a strptime format, such as '%d.%m.%Y'."
            )
        for name, kind in self.kinds.items():
            if kind not in KINDS or kind == "constant":
                choices = ", ".join(repr(known) for known in KINDS if known != "constant")
                raise UsageError(f"Column {name!r} cannot have the kind {kind!r}. Choose one of: {choices}.")


class Hints(NamedTuple):
    """Formats of the unambiguous columns of a table, used for the ambiguous ones."""

    decimal: Decimal | None = None
    day_first: bool | None = None
