"""``automl-meta collect``: make experience."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl_meta.cli.shared import STORE_HELP, TASK_TYPE_HELP, names, print_json, printable, say
from automl_meta.cli.tables import (
    FILE_HELP,
    ColumnKinds,
    DateFormat,
    DecimalMark,
    Separator,
    column_kinds,
    load_task,
)

if TYPE_CHECKING:
    import pandas as pd

    from automl_meta.algorithms import Algorithm
    from automl_meta.metrics import TaskType
    from automl_meta.task import TabularTask

_HELP = """Evaluate many configurations on your data sets and remember the results.

What is stored already is not run again: after an interruption, the same command goes on where it was.

Examples:

  automl-meta collect mine.csv --target y

  automl-meta collect --index datasets.csv --samples 10 --jobs 4

The index is a CSV file with the columns file and target, and optionally name, task and family
(data sets that share rows or a simulator); files are relative to it.
"""


def command(
    files: Annotated[
        list[str] | None, typer.Argument(help=f"Data sets: {FILE_HELP[0].lower()}{FILE_HELP[1:]}")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column to predict, in each of the files.")] = None,
    index: Annotated[Path | None, typer.Option(help="A CSV file that lists data sets.")] = None,
    only: Annotated[str | None, typer.Option(help="Algorithms to try, by name, with commas.")] = None,
    exclude: Annotated[str, typer.Option(help="Algorithms not to try, by name, with commas.")] = "",
    samples: Annotated[
        int, typer.Option(min=0, help="Configurations of each search space besides the default.")
    ] = 5,
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 5,
    repeats: Annotated[
        int,
        typer.Option(min=1, help="Cross-validations on data sets of under 300 rows, where one says little."),
    ] = 1,
    max_train_rows: Annotated[
        int, typer.Option(min=10, help="Training folds are sampled down to so many rows.")
    ] = 5000,
    time_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds for one configuration on one data set.")
    ] = 60.0,
    memory_limit: Annotated[float, typer.Option(min=1, help="MiB for one configuration.")] = 4096.0,
    jobs: Annotated[int, typer.Option(help="Evaluations at a time; -1 is one for each core.")] = 1,
    backend: Annotated[
        str, typer.Option(help="A joblib backend, such as threading, loky or dask.")
    ] = "threading",
    task_type: Annotated[str | None, typer.Option(help=TASK_TYPE_HELP)] = None,
    separator: Separator = None,
    decimal: DecimalMark = None,
    date_format: DateFormat = None,
    columns: ColumnKinds = None,
    source: Annotated[str, typer.Option(help="The name under which the runs are stored.")] = "local",
    store: Annotated[str | None, typer.Option(help=STORE_HELP)] = None,
    seed: Annotated[
        bool, typer.Option("--seed/--no-seed", help="Whether a new store starts with the shipped experience.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from automl_meta.exceptions import UsageError
    from automl_meta.experiments import Campaign, Limits
    from automl_meta.records import Protocol, Source
    from automl_meta.store import MetadataStore

    if not files and index is None:
        raise UsageError("Give data sets to collect experience on: files with --target, or --index FILE.")
    tasks = [
        load_task(file, target, task_type, separator, decimal, date_format, column_kinds(columns))
        for file in files or []
    ]
    families: dict[str, str] = {}
    if index is not None:
        listed, families = _read_index(index)
        tasks += listed
    chosen = _algorithms({task.task_type for task in tasks}, names(only), names(exclude) or [])
    with MetadataStore(store, seed=seed) as opened:
        campaign = Campaign(
            opened,
            chosen,
            n_sampled=samples,
            protocol=Protocol(folds, max_train_rows=max_train_rows),
            small_repeats=repeats,
            limits=Limits(time_limit, int(memory_limit * 2**20)),
            source=Source(source),
            n_jobs=jobs,
            backend=backend,
        )
        shown = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        errors = Console(stderr=True)
        for task in tasks:
            for note in task.notes:
                say(f"{task.name}: note: {note}", errors)
        try:
            with Progress(*shown, console=errors) as bar:
                line = bar.add_task("runs", total=None)
                end = campaign.run(
                    tasks,
                    families=families,
                    progress=lambda state: bar.update(
                        line, description=printable(state.task)[:30], completed=state.done, total=state.total
                    ),
                )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "Interrupted. What was done is stored; the same command goes on from there."
            ) from None
        summary = {
            "datasets": len(tasks),
            "runs": end.total,
            "failed_now": end.failed,
            "kept_aside": end.kept_aside,
            "store": opened.url,
        }
    if json:
        print_json(summary)
    else:
        stored = end.total - end.kept_aside
        say(
            f"{stored} runs on {len(tasks)} data sets are in the store; {end.failed} of those made now failed."
        )
    if end.kept_aside:
        raise typer.Exit(1)


command.__doc__ = _HELP


def _algorithms(kinds: set[TaskType], only: list[str] | None, exclude: list[str]) -> list[Algorithm]:
    """Choose for each kind of task; a name that only the other kind knows is no error."""
    from automl_meta.algorithms import ALGORITHMS, algorithms_for

    chosen: list[Algorithm] = []
    for kind in sorted(kinds):
        elsewhere = {a.name for a in ALGORITHMS} - {a.name for a in ALGORITHMS if a.task_type == kind}
        chosen += algorithms_for(
            kind,
            only=None if only is None else [name for name in only if name not in elsewhere],
            exclude=[name for name in exclude if name not in elsewhere],
        )
    return chosen


def _read_index(path: Path) -> tuple[list[TabularTask], dict[str, str]]:
    from automl_meta.exceptions import DataError
    from automl_meta.task import TabularTask

    frame = _read_as_text(path)
    missing = [column for column in ("file", "target") if column not in frame.columns]
    if missing:
        raise DataError(
            f"{path} has no column {' and no column '.join(missing)}; an index needs file and target."
        )
    kinds: dict[object, TaskType] = {
        "binary": "classification", "multiclass": "classification",
        "classification": "classification", "regression": "regression",
    }  # fmt: skip
    tasks, families = [], {}
    for row in frame.to_dict("records"):
        task = TabularTask.from_file(
            path.parent / row["file"],
            row["target"],
            task_type=kinds.get(row.get("task"), "auto"),
            name=row.get("name") or None,
        )
        tasks.append(task)
        if row.get("family"):
            families[task.name] = row["family"]
    return tasks, families


def _read_as_text(path: Path) -> pd.DataFrame:
    """Read an index as it is written: names such as ``None``, ``nan``, ``True`` or ``007`` are names."""
    from automl_meta.task.reading import read_raw

    frame = read_raw(path).frame
    return frame.astype(object).where(frame.notna(), "").map(str)
