"""``automl-meta evaluate``: does the advice help?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from automl_meta.cli._shared import STORE_HELP, console, names, print_json

if TYPE_CHECKING:
    from automl_meta.evaluation import Evaluation

_HELP = """Measure whether the advice helps, on the experience in the store.

One family of data sets after another is left out, advised from the others, and the advice is
compared with what is known of it. Regret is what is missing to the best known score.

Examples:

  automl-meta evaluate

  automl-meta evaluate --metric r2 --recommenders Portfolio,NearestDatasets --json
"""


def command(
    metric: Annotated[
        str | None, typer.Option(help="By which the advice is judged; decides the type of task.")
    ] = None,
    task_type: Annotated[
        str | None, typer.Option(help="'classification' (the default) or 'regression'.")
    ] = None,
    recommenders: Annotated[
        str | None, typer.Option(help="Class names, with commas; all by default.")
    ] = None,
    splits: Annotated[
        int | None, typer.Option(min=2, help="Leave out families in so many groups, not one by one.")
    ] = None,
    store: Annotated[str | None, typer.Option(help=STORE_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from automl_meta.algorithms import get_algorithm
    from automl_meta.evaluation import leave_family_out
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
    lightgbm = get_algorithm("lightgbm", chosen.task_type).default_configuration.configuration_id
    with MetadataStore(store) as opened:
        experience = opened.meta_dataset(chosen, chosen.task_type)
    baselines = {"LightGBM default": lightgbm} if lightgbm in experience.configurations.index else {}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("families", total=None)
        evaluation = leave_family_out(
            experience,
            {name: members[name]() for name in wanted},
            baselines=baselines,
            n_splits=splits,
            progress=lambda done, total: bar.update(line, completed=done, total=total),
        )
    if json:
        print_json(evaluation.to_dict())
    else:
        _show(evaluation, len(experience.datasets))


command.__doc__ = _HELP


def _show(evaluation: Evaluation, n_datasets: int) -> None:
    from rich.table import Table

    frame = evaluation.table()
    console.print(f"{evaluation.metric} on {n_datasets} data sets, each advised by other families only.")
    console.print(
        "Mean regret (what is missing to the best known score) after k configurations; less is better."
    )
    table = Table(box=None)
    table.add_column("", no_wrap=True)
    for k in evaluation.ks:
        table.add_column(f"k={k}", justify="right")
    table.add_column("first's rank", justify="right")
    table.add_column("80 % holds", justify="right")
    for name, row in frame.iterrows():
        coverage = row["coverage_80"]
        table.add_row(
            str(name),
            *(f"{row[f'regret@{k}']:.4f}" for k in evaluation.ks),
            f"{row['rank']:.1f}",
            "" if coverage != coverage else f"{coverage:.0%}",
        )
    console.print(table)
    for note in evaluation.notes:
        console.print(f"note: {note}", markup=False)
