"""``automl-meta recommend``: recommendations for a data set."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from automl_meta.cli.shared import (
    STORE_HELP,
    TASK_TYPE_HELP,
    cell,
    console,
    names,
    note,
    print_json,
    say,
)
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

if TYPE_CHECKING:
    from automl_meta.recommenders import Recommendation
    from automl_meta.task import TabularTask

_HELP = """Recommend algorithms with configurations for a data set, from past experiments.

Only a few fast models are fitted, to compute meta-features.

Examples:

  automl-meta recommend sklearn:wine

  automl-meta recommend data.csv --target y --metric roc_auc --fit-time-limit 10

  automl-meta recommend data.csv --target sick --metric f1 --positive yes

  automl-meta recommend data.csv --target y --code > model.py
"""


def command(
    file: Annotated[str, typer.Argument(help=FILE_HELP)],
    target: Annotated[str | None, typer.Option(help="Target column.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metric to optimise, by scikit-learn's name.")] = None,
    positive: Annotated[
        str | None,
        typer.Option(help="Positive class of two, as in tune; does not affect the ranking."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Number of configurations.")] = 5,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds for the recommendation, once the file is read.")
    ] = None,
    fit_time_limit: Annotated[
        float | None, typer.Option(help="Seconds of one fit: leave out slower configurations.")
    ] = None,
    only: Annotated[str | None, typer.Option(help="Algorithms to choose from, comma-separated.")] = None,
    exclude: Annotated[str, typer.Option(help="Algorithms to leave out, comma-separated.")] = "",
    landmarkers: Annotated[
        bool, typer.Option("--landmarkers/--no-landmarkers", help="Fit quick models as meta-features.")
    ] = True,
    task_type: Annotated[str | None, typer.Option(help=TASK_TYPE_HELP)] = None,
    separator: Separator = None,
    decimal: DecimalMark = None,
    date_format: DateFormat = None,
    columns: ColumnKinds = None,
    store: Annotated[str | None, typer.Option(help=STORE_HELP)] = None,
    code: Annotated[
        bool, typer.Option("--code", help="Print the first recommendation as a Python script.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    from automl_meta.advice import recommend
    from automl_meta.metrics import get_metric, stand_in_notes

    if time_limit is not None:
        note("--time-limit is now seconds for the whole command; --fit-time-limit is seconds of one fit.")
    task = load_task(file, target, task_type, separator, decimal, date_format, column_kinds(columns))
    if positive is not None:
        from automl_meta.automl.positive import positive_code

        positive_code(positive, task.classes)
    advice = recommend(
        task,
        metric=metric,
        top=top,
        time_limit=time_limit,
        fit_time_limit=fit_time_limit,
        only=names(only),
        exclude=names(exclude) or (),
        landmarkers=landmarkers,
        store=store,
    )
    if json:
        print_json({**advice.to_dict(), "task": task_json(task)})
    elif code:
        from automl_meta.cli.generated_code import script

        ranked_by = get_metric(advice.metric, task.task_type)
        sys.stdout.write(script(task, file, advice.configurations[0].configuration, ranked_by, separator))
        for text in stand_in_notes(metric or ranked_by.name, ranked_by):
            typer.echo(text, err=True)
    else:
        _show(task, advice)


command.__doc__ = _HELP


def _show(task: TabularTask, advice: Recommendation) -> None:
    from rich.table import Table

    show_task(task)
    say(f"Expected {advice.metric} (greater is better), with 80 % intervals:")
    table = Table(box=None)
    for heading in ("#", "algorithm", "expected", "between", "one fit", "best?"):
        table.add_column(
            heading, justify="left" if heading == "algorithm" else "right", no_wrap=heading != "algorithm"
        )
    for entry in advice.configurations:
        low, high = entry.interval
        table.add_row(
            str(entry.rank),
            cell(entry.configuration),
            f"{entry.expected_score:.4g}",
            f"{low:.3g} .. {high:.3g}",
            _duration(entry.expected_seconds),
            f"{entry.chance_of_best:.0%}",
        )
    console.print(table)
    for text in advice.notes:
        say(f"  note: {text}")
    if advice.nearest:
        say("Evidence: the most similar data sets, and the best algorithm on each")
        for neighbour in advice.nearest[:5]:
            say(
                f"  {neighbour.dataset} (distance {neighbour.distance:.2f}): {neighbour.best_algorithm}, {neighbour.best_score:.4g}"
            )
    say("The first recommendation as a script: --code. All details, including run ids: --json.")


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
