"""Tables in the commands: options, reading, and display of the columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from automl_meta.cli.shared import cell, console, say
from automl_meta.exceptions import UsageError
from automl_meta.task import Column, TabularTask
from automl_meta.task.columns import KINDS
from automl_meta.task.tabular_task import BUNDLED
from automl_meta.task.values import hashable

__all__ = [
    "FILE_HELP",
    "ColumnKinds",
    "DateFormat",
    "DecimalMark",
    "Separator",
    "column_kinds",
    "load_task",
    "show_task",
    "task_json",
]

FILE_HELP = (
    "A CSV, Excel, JSON, Parquet, Feather or ARFF file, optionally compressed; a web address; - for standard input; or "
    "sklearn:NAME."
)
Separator = Annotated[
    str | None, typer.Option("--sep", help="Field separator of a CSV file; detected by default.")
]
DecimalMark = Annotated[
    str | None, typer.Option("--decimal", help="Decimal mark of numbers, '.' or ','; detected by default.")
]
DateFormat = Annotated[
    str | None, typer.Option("--date-format", help="Format of dates, such as %d.%m.%Y; detected by default.")
]
ColumnKinds = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="NAME:KIND",
        help="Kind of a column: numeric, categorical, boolean, datetime, text, or identifier, which excludes it. "
        "Comma-separated, or repeat the option.",
    ),
]

_MOST_SHOWN = 30
_NAME_AND_KIND = re.compile(rf"(.+?):({'|'.join(KINDS)}|drop)(?:,|$)", re.DOTALL)


def load_task(
    file: str,
    target: str | None,
    task_type: str | None,
    separator: str | None = None,
    decimal: str | None = None,
    date_format: str | None = None,
    kinds: Mapping[str, Any] | None = None,
) -> TabularTask:
    """Load a task from a file, or a data set bundled with scikit-learn as ``sklearn:NAME``."""
    guess: Any = task_type or "auto"  # other values are refused by the task
    mark: Any = decimal
    if file.startswith("sklearn:"):
        if separator or decimal or date_format or kinds:
            raise UsageError(
                "--sep, --decimal, --date-format and --columns apply to files, not to sklearn:NAME."
            )
        return TabularTask.bundled(file.removeprefix("sklearn:"), task_type=guess)
    if target is None:
        raise UsageError(
            f"Name the target column of {file}: --target NAME. "
            f"(For a demonstration without a file: sklearn:{BUNDLED[0]}.)"
        )
    return TabularTask.from_file(
        file,
        target,
        task_type=guess,
        separator=separator,
        decimal=mark,
        date_format=date_format,
        kinds=kinds,
    )


def column_kinds(texts: list[str] | None) -> dict[str, Any]:
    """Parse ``name:kind`` pairs; a name may contain commas and colons.

    Raises
    ------
    UsageError
        If a text is invalid.
    """
    kinds: dict[str, Any] = {}
    for text in texts or []:
        found = list(_NAME_AND_KIND.finditer(text))
        if not found or "".join(match.group(0) for match in found) != text:
            raise UsageError(
                f"--columns is {text!r}; it must be NAME:KIND, such as zip:categorical, where the kind is one of "
                f"{', '.join(kind for kind in KINDS if kind != 'constant')}."
            )
        kinds |= {
            name: "identifier" if kind == "drop" else kind
            for name, kind in (match.groups() for match in found)
        }
    return kinds


def show_task(task: TabularTask) -> None:
    """Print the columns of a table, with notes on conversions, inferred kinds and exclusions."""
    from rich.table import Table

    say(repr(task))
    table = Table(box=None, padding=(0, 2, 0, 2))
    for heading, justify in (
        ("column", "left"),
        ("kind", "left"),
        ("missing", "right"),
        ("distinct", "right"),
        ("", "left"),
    ):
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name, column in list(task.columns.items())[:_MOST_SHOWN]:
        about = _column_json(task, name, column)
        missing = f"{about['missing']:.1%}" if about["missing"] else "-"
        left_out = f"left out: {about['dropped']}" if about["dropped"] else ""
        unfit = f"{about['unfit']} invalid values" if about["unfit"] else ""
        table.add_row(
            cell(name),
            about["kind"],
            missing,
            str(about["distinct"]),
            cell("; ".join(filter(None, (left_out, unfit)))),
        )
    console.print(table)
    if rest := [column.kind for column in task.columns.values()][_MOST_SHOWN:]:
        counts = ", ".join(f"{rest.count(kind)} {kind}" for kind in KINDS if kind in rest)
        say(f"  … and {len(rest)} more columns ({counts}); --json lists all")
    for note in task.notes:
        say(f"  note: {note}")


def task_json(task: TabularTask) -> dict[str, Any]:
    """Convert the description of a table for JSON."""
    return {
        "name": task.name,
        "type": task.task_type,
        "n_rows": task.n_rows,
        "n_features": task.n_features,
        "n_classes": len(task.classes),
        "fingerprint": task.fingerprint,
        "column_kinds": task.column_kinds,
        "columns": {name: _column_json(task, name, column) for name, column in task.columns.items()},
        "notes": list(task.notes),
    }


def _column_json(task: TabularTask, name: str, about: Column) -> dict[str, Any]:
    values = task.X[name]
    number = (
        None if about.number is None else {"decimal": about.number.decimal, "units": list(about.number.units)}
    )
    return {
        "kind": about.kind,
        "missing": float(values.isna().mean()),
        "distinct": int(hashable(values).nunique()),
        "unfit": about.n_unfit,
        "dropped": about.dropped,
        "number_format": number,
        "date_format": about.date_format or None,
        "notes": list(about.notes),
    }
