"""``automl-meta evaluate``: evaluate the recommenders on the stored experience."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl_meta.cli.shared import STORE_HELP, cell, check_writable, console, names, print_json, say

if TYPE_CHECKING:
    from automl_meta.evaluation import ReplayReport

_KS = (1, 3, 5, 10)
_KS_PLOTTED = tuple(range(1, 11))
_BUDGETS_PLOTTED = (0.3, 1.0, 3.0, 10.0, 30.0, 60.0)

_HELP = """Evaluate the recommenders on the experience in the store.

Each family of data sets is held out in turn, and recommendations from the other families are
compared with its stored scores. Recommenders are asked for one configuration at a time and receive the
scores of earlier trials. Regret is the difference to the best known score; under a time budget, a trial
costs five fits, those of a five-fold cross-validation.

Examples:

  automl-meta evaluate

  automl-meta evaluate --metric r2 --plot regret.svg

  automl-meta evaluate --recommenders Portfolio,NearestDatasets --budgets 5,30 --json
"""


def command(
    metric: Annotated[
        str | None, typer.Option(help="Metric of the evaluation; also determines the type of task.")
    ] = None,
    task_type: Annotated[
        str | None, typer.Option(help="Type of task, 'classification' (default) or 'regression'.")
    ] = None,
    recommenders: Annotated[
        str | None, typer.Option(help="Comma-separated class names of recommenders; all by default.")
    ] = None,
    budgets: Annotated[
        str, typer.Option(help="Comma-separated time budgets in seconds for which to report the regret.")
    ] = "1,10,60",
    feedback: Annotated[
        bool,
        typer.Option(
            "--feedback/--list",
            help="Report the score of each trial to the recommender, or request a single list.",
        ),
    ] = True,
    splits: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Number of cross-validation folds over families; by default each family is held out alone.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Plot the regret against trials and seconds to this .svg, .png or .pdf file."),
    ] = None,
    store: Annotated[str | None, typer.Option(help=STORE_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from automl_meta.algorithms import get_algorithm
    from automl_meta.evaluation import check_plot_file, leave_family_out, plot_evaluation
    from automl_meta.exceptions import UsageError
    from automl_meta.metrics import default_metric, get_metric
    from automl_meta.recommenders import RECOMMENDERS
    from automl_meta.store import MetadataStore

    if task_type not in (None, "classification", "regression"):
        raise UsageError(f"--task-type is {task_type!r}; it must be 'classification' or 'regression'.")
    kind = task_type or (get_metric(metric).task_type if metric else "classification")
    chosen = get_metric(metric, kind) if metric else default_metric(kind)  # type: ignore[arg-type]
    members = {member.__name__: member for member in RECOMMENDERS}
    wanted = names(recommenders) or list(members)
    unknown = [name for name in wanted if name not in members]
    if unknown:
        raise UsageError(f"There is no recommender {unknown[0]!r}. Choose from: {', '.join(members)}.")
    shown = _budgets(budgets)
    if plot is not None:
        check_writable(plot)  # before the evaluation, which takes a while
        check_plot_file(plot)
    lightgbm = get_algorithm("lightgbm", chosen.task_type).default_configuration.configuration_id
    with MetadataStore(store, create=False) as opened:
        experience = opened.meta_dataset(chosen, chosen.task_type)
    baselines = {"LightGBM default": lightgbm} if lightgbm in experience.configurations.index else {}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("families", total=None)
        evaluation = leave_family_out(
            experience,
            {name: members[name]() for name in wanted},
            ks=_KS if plot is None else _KS_PLOTTED,
            seconds=shown if plot is None else sorted({*shown, *_BUDGETS_PLOTTED}),
            feedback=feedback,
            baselines=baselines,
            n_splits=splits,
            progress=lambda done, total: bar.update(line, completed=done, total=total),
        )
    if plot is not None:
        plot_evaluation(evaluation, plot)
    if json:
        print_json(evaluation.to_dict())
    else:
        _show(evaluation, len(experience.datasets), shown)


command.__doc__ = _HELP


def _budgets(text: str) -> tuple[float, ...]:
    from automl_meta.exceptions import UsageError

    try:
        given = {float(budget) for budget in text.split(",") if budget.strip()}
    except ValueError as error:
        raise UsageError(f"--budgets must be comma-separated numbers of seconds; it is {text!r}.") from error
    return tuple(sorted(given))


def _show(evaluation: ReplayReport, n_datasets: int, budgets: tuple[float, ...]) -> None:
    from rich.table import Table

    frame = evaluation.table()
    say(f"{evaluation.metric} on {n_datasets} data sets, with recommendations from other families only.")
    say(
        "Mean regret (difference to the best known score, lower is better) after k trials or within a time budget, rank "
        "of the first recommendation, and coverage of the 80 % intervals."
    )
    table = Table(box=None)
    table.add_column("", no_wrap=True)
    for k in _KS:
        table.add_column(f"k={k}", justify="right")
    for seconds in budgets:
        table.add_column(f"{seconds:g} s", justify="right")
    table.add_column("rank", justify="right")
    table.add_column("80 %", justify="right")
    for name, row in frame.iterrows():
        coverage = row["coverage_80"]
        table.add_row(
            cell(name),
            *(f"{row[f'regret@{k}']:.3f}" for k in _KS),
            *(f"{row[f'regret@{seconds:g}s']:.3f}" for seconds in budgets),
            f"{row['rank']:.1f}",
            "" if coverage != coverage else f"{coverage:.0%}",
        )
    console.print(table)
    for note in evaluation.notes:
        say(f"note: {note}")
