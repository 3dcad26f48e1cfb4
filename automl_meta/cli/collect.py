"""``automl-meta collect``: evaluate configurations and store the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl_meta.cli.shared import STORE_HELP, TASK_TYPE_HELP, names, note, print_json, printable, say
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
    from automl_meta.experiments import Campaign, CampaignProgress
    from automl_meta.metrics import TaskType
    from automl_meta.task import TabularTask

_HELP = """Evaluate many configurations on your data sets and store the results.

Runs that are already stored are not repeated: after an interruption, run the same command again to
continue.

Examples:

  automl-meta collect mine.csv --target y

  automl-meta collect --index datasets.csv --samples 10 --jobs 4

The index is a CSV file with the columns file and target, and optionally name, task (type of task)
and family (shared by data sets that share rows or a simulator); files are relative to it.
"""


def command(
    files: Annotated[
        list[str] | None, typer.Argument(help=f"Data sets: {FILE_HELP[0].lower()}{FILE_HELP[1:]}")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Target column, in each of the files.")] = None,
    index: Annotated[Path | None, typer.Option(help="CSV file that lists data sets.")] = None,
    only: Annotated[str | None, typer.Option(help="Algorithms to evaluate, comma-separated.")] = None,
    exclude: Annotated[str, typer.Option(help="Algorithms to leave out, comma-separated.")] = "",
    samples: Annotated[
        int, typer.Option(min=0, help="Sampled configurations of each algorithm, besides the default.")
    ] = 5,
    folds: Annotated[int, typer.Option(min=2, help="Number of cross-validation folds.")] = 5,
    repeats: Annotated[
        int,
        typer.Option(
            min=1, help="Number of repeated cross-validations on data sets with fewer than 300 rows."
        ),
    ] = 1,
    max_train_rows: Annotated[
        int, typer.Option(min=10, help="Maximum number of training rows; larger folds are sampled down.")
    ] = 5000,
    time_limit: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Seconds for the whole collection, once the files are read; none by default."
        ),
    ] = None,
    trial_time_limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds of one evaluation, all folds together.")
    ] = 60.0,
    memory_limit: Annotated[float, typer.Option(min=1, help="MiB of one evaluation.")] = 4096.0,
    jobs: Annotated[int, typer.Option(help="Number of parallel evaluations; -1 uses all cores.")] = 1,
    backend: Annotated[
        str, typer.Option(help="Joblib backend, such as threading, loky or dask.")
    ] = "threading",
    task_type: Annotated[str | None, typer.Option(help=TASK_TYPE_HELP)] = None,
    separator: Separator = None,
    decimal: DecimalMark = None,
    date_format: DateFormat = None,
    columns: ColumnKinds = None,
    source: Annotated[str, typer.Option(help="Source name of the stored runs.")] = "local",
    store: Annotated[str | None, typer.Option(help=STORE_HELP)] = None,
    shipped: Annotated[
        bool,
        typer.Option(
            "--shipped/--no-shipped", help="Whether a new store starts with the shipped experience."
        ),
    ] = True,
    no_seed: Annotated[bool, typer.Option("--no-seed", hidden=True)] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Random seed of folds, row samples and models; 0 by default.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    from automl_meta.exceptions import UsageError
    from automl_meta.experiments import Campaign, Limits
    from automl_meta.records import Protocol, Source
    from automl_meta.store import MetadataStore

    _note_new_meanings(time_limit is not None, seed is not None, no_seed)
    if not files and index is None:
        raise UsageError("Give data sets to collect experience on: files with --target, or --index FILE.")
    tasks = [
        load_task(file, target, task_type, separator, decimal, date_format, column_kinds(columns))
        for file in files or []
    ]
    listed, families = ([], {}) if index is None else _read_index(index)
    tasks += listed
    chosen = _algorithms({task.task_type for task in tasks}, names(only), names(exclude) or [])
    with MetadataStore(store, seed=shipped and not no_seed) as opened:
        campaign = Campaign(
            opened,
            chosen,
            n_sampled=samples,
            protocol=Protocol(folds, max_train_rows=max_train_rows, seed=seed or 0),
            small_repeats=repeats,
            limits=Limits(trial_time_limit, int(memory_limit * 2**20)),
            source=Source(source),
            n_jobs=jobs,
            backend=backend,
        )
        end = _run(campaign, tasks, families, time_limit)
        _report(end, len(tasks), opened.url, as_json=json)
    if end.kept_aside:
        raise typer.Exit(1)


command.__doc__ = _HELP


def _note_new_meanings(time_limit: bool, seed: bool, no_seed: bool) -> None:
    """Tell of options that were given, and whose meaning or name is new in this release."""
    if time_limit:
        note(
            "--time-limit is now seconds for the whole command; --trial-time-limit is seconds of one evaluation."
        )
    if seed:
        note("--seed is now the random seed; --shipped and --no-shipped decide what a new store starts with.")
    if no_seed:
        note("--no-seed is now called --no-shipped; the old name will be removed in the next release.")


def _run(
    campaign: Campaign, tasks: list[TabularTask], families: dict[str, str], time_limit: float | None
) -> CampaignProgress:
    """Run a campaign behind a progress bar."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    errors = Console(stderr=True)
    for task in tasks:
        for text in task.notes:
            say(f"{task.name}: note: {text}", errors)
    shown = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*shown, console=errors) as bar:
            line = bar.add_task("runs", total=None)
            return campaign.run(
                tasks,
                families=families,
                time_limit=time_limit,
                progress=lambda state: bar.update(
                    line, description=printable(state.task)[:30], completed=state.done, total=state.total
                ),
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Interrupted. Finished runs are stored; run the same command again to continue."
        ) from None


def _report(end: CampaignProgress, n_datasets: int, url: str, *, as_json: bool) -> None:
    left = end.total - end.done
    if as_json:
        print_json(
            {
                "datasets": n_datasets,
                "runs": end.done,
                "left": left,
                "failed_now": end.failed,
                "kept_aside": end.kept_aside,
                "store": url,
            }
        )
        return
    stored = end.done - end.kept_aside
    say(f"{stored} runs on {n_datasets} data sets are in the store; {end.failed} of those made now failed.")
    if left:
        say(f"The time limit left out {left} runs; run the same command again to continue.")


def _algorithms(kinds: set[TaskType], only: list[str] | None, exclude: list[str]) -> list[Algorithm]:
    """Algorithms for each type of task; a name that only the other type has is no error."""
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
    """Read an index as text, so that ``None``, ``nan``, ``True`` or ``007`` stay names."""
    from automl_meta.task.reading import read_raw

    frame = read_raw(path).frame
    return frame.astype(object).where(frame.notna(), "").map(str)
