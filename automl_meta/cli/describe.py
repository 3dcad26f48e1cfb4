"""``automl-meta describe``: columns and meta-features of a data set."""

from __future__ import annotations

from typing import Annotated

import typer

from automl_meta.cli.shared import TASK_TYPE_HELP, cell, console, names, print_json, say
from automl_meta.cli.tables import (
    FILE_HELP,
    ColumnKinds,
    DateFormat,
    DecimalMark,
    Separator,
    column_kinds,
    load_task,
    show_task,
    task_json,
)

_HELP = """Describe a data set: the kinds of its columns, and its meta-features, by which data sets are compared.

Examples:

  automl-meta describe sklearn:iris

  automl-meta describe data.csv --target y --groups simple,statistical --json

  automl-meta describe sales.csv --target revenue --date-format %d/%m/%Y --columns zip:categorical
"""


def command(
    file: Annotated[str, typer.Argument(help=FILE_HELP)],
    target: Annotated[str | None, typer.Option(help="Target column.")] = None,
    groups: Annotated[
        str | None, typer.Option(help="Comma-separated groups of meta-features; all by default.")
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(min=0.0, help="Time limit in seconds; groups not computed by then are left out."),
    ] = None,
    task_type: Annotated[str | None, typer.Option(help=TASK_TYPE_HELP)] = None,
    separator: Separator = None,
    decimal: DecimalMark = None,
    date_format: DateFormat = None,
    columns: ColumnKinds = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    from automl_meta.metafeatures import extract_metafeatures

    task = load_task(file, target, task_type, separator, decimal, date_format, column_kinds(columns))
    found = extract_metafeatures(task, groups=names(groups), time_limit=time_limit)
    if json:
        described = {"metafeatures": found.values, "reasons": found.reasons, "seconds": found.seconds}
        print_json({**described, "task": task_json(task)})
        return
    from rich.table import Table

    show_task(task)
    table = Table(box=None)
    table.add_column("meta-feature")
    table.add_column("value", justify="right")
    table.add_column("")
    for name, value in found.values.items():
        table.add_row(name, "" if value != value else f"{value:.5g}", cell(found.reasons.get(name, "")))
    console.print(table)
    total = sum(found.seconds.values())
    costs = ", ".join(f"{group} {seconds:.2f}" for group, seconds in found.seconds.items())
    say(f"{len(found.values)} meta-features in {total:.2f} s ({costs})")


command.__doc__ = _HELP
