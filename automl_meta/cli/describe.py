"""``automl-meta describe``: a data set as numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from automl_meta.cli._shared import TASK_TYPE_HELP, console, load_task, names, print_json

_HELP = """Describe a data set by its meta-features, the numbers by which data sets are compared.

Examples:

  automl-meta describe sklearn:iris

  automl-meta describe data.csv --target y --groups simple,statistical --json
"""


def command(
    file: Annotated[str, typer.Argument(help="A CSV, Parquet or ARFF file, or sklearn:NAME.")],
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    groups: Annotated[
        str | None, typer.Option(help="Groups of meta-features, with commas; all by default.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds; what is not done then is left out.")
    ] = None,
    task_type: Annotated[str | None, typer.Option(help=TASK_TYPE_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    from automl_meta.metafeatures import extract_metafeatures

    task = load_task(file, target, task_type)
    found = extract_metafeatures(task, groups=names(groups), time_budget=time_limit)
    if json:
        print_json({"metafeatures": found.values, "reasons": found.reasons, "seconds": found.seconds})
        return
    from rich.table import Table

    console.print(repr(task), highlight=False)
    for note in task.notes:
        console.print(f"  note: {note}", markup=False)
    table = Table(box=None)
    table.add_column("meta-feature")
    table.add_column("value", justify="right")
    table.add_column("")
    for name, value in found.values.items():
        table.add_row(name, "" if value != value else f"{value:.5g}", found.reasons.get(name, ""))
    console.print(table)
    total = sum(found.seconds.values())
    costs = ", ".join(f"{group} {seconds:.2f}" for group, seconds in found.seconds.items())
    console.print(f"{len(found.values)} meta-features in {total:.2f} s ({costs})", highlight=False)


command.__doc__ = _HELP
