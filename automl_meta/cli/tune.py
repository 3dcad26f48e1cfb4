"""``automl-meta tune``: search for a model within a budget, and save it."""

from __future__ import annotations

import shlex
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl_meta.cli.shared import (
    STORE_HELP,
    TASK_TYPE_HELP,
    check_writable,
    names,
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
)

if TYPE_CHECKING:
    from automl_meta.automl import TuningProgress
    from automl_meta.automl.classifier import AutoMLClassifier
    from automl_meta.automl.regressor import AutoMLRegressor
    from automl_meta.task import TabularTask

_HELP = """Select, tune and ensemble models for a data set within a budget, starting from past experiments.

Every trial is stored and improves later recommendations. Ctrl-C ends the search and keeps the best
model. With --storage and --study, the same command continues a search; several processes, on one
machine or many, can share one budget.

Examples:

  automl-meta tune data.csv --target y --time-limit 60 --out model.skops

  automl-meta tune data.csv --target y --trials 100 --jobs 4 --storage study.db --study mine

  automl-meta tune data.csv --target sick --metric average_precision --positive yes

  automl-meta predict model.skops new.csv
"""


def command(
    file: Annotated[str, typer.Argument(help=FILE_HELP)],
    target: Annotated[str | None, typer.Option(help="Target column.")] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Seconds for the whole search, once the file is read; 60 without --trials."),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Number of trials of the whole study.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to save the model to, such as model.skops.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metric to optimise, by its scikit-learn name.")] = None,
    positive: Annotated[
        str | None,
        typer.Option(help="Positive one of two labels, for metrics such as f1 and average_precision."),
    ] = None,
    cv: Annotated[int, typer.Option(help="Number of cross-validation folds.")] = 5,
    groups: Annotated[
        str | None,
        typer.Option(
            help="Column with the group of each row; groups are not split, and it is not a feature."
        ),
    ] = None,
    algorithms: Annotated[
        str | None, typer.Option(help="Algorithms to choose from, comma-separated.")
    ] = None,
    ensemble: Annotated[
        bool,
        typer.Option(
            "--ensemble/--no-ensemble", help="Whether to ensemble the best models if that scores higher."
        ),
    ] = True,
    trial_time_limit: Annotated[
        float | None, typer.Option(help="Seconds of one trial; a quarter of the time limit by default.")
    ] = None,
    memory_limit: Annotated[float | None, typer.Option(help="MiB of memory of one trial.")] = None,
    jobs: Annotated[int, typer.Option(help="Number of parallel trials; -1 uses all cores.")] = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Storage of the Optuna study: an SQLAlchemy URL, an SQLite file, or a .journal file."
        ),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Name of the study, by which other processes join it.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Require that the study exists, and continue it.")
    ] = False,
    task_type: Annotated[str | None, typer.Option(help=TASK_TYPE_HELP)] = None,
    separator: Separator = None,
    decimal: DecimalMark = None,
    date_format: DateFormat = None,
    columns: ColumnKinds = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Random seed of folds, models and search.")] = None,
    store: Annotated[str | None, typer.Option(help=STORE_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    from automl_meta.automl import AutoMLClassifier, AutoMLRegressor
    from automl_meta.automl.interruption import Interruption
    from automl_meta.exceptions import UsageError

    if (study is not None or resume) and storage is None:
        raise UsageError("--study and --resume need --storage: a file or a URL.")
    if resume and study is None:
        raise UsageError("--resume needs the name of the study: --study NAME.")
    if out is not None:
        check_writable(out)
    if groups is not None and (file.startswith("sklearn:") or target is None):
        raise UsageError("--groups is a column of a file: give a file and --target.")
    kinds = column_kinds(columns) | ({} if groups is None else {groups: "identifier"})
    task = load_task(file, target, task_type, separator, decimal, date_format, kinds)
    task, group_values = _without_groups(task, groups)
    make = AutoMLClassifier if task.task_type == "classification" else AutoMLRegressor
    with _progress(trials, time_limit if time_limit or trials else 60.0) as progress:
        model = make(
            metric,
            positive=positive,
            time_limit=time_limit,
            n_trials=trials,
            algorithms=names(algorithms),
            cv=cv,
            ensemble=ensemble,
            trial_time_limit=trial_time_limit,
            memory_limit=None if memory_limit is None else int(memory_limit * 2**20),
            n_jobs=jobs,
            storage=storage,
            study_name=study,
            resume=resume,
            store=store,
            random_state=seed,
            progress=progress,
        ).fit(task, groups=group_values)
    with Interruption() as late:  # the model must not be lost any more
        written = None if out is None else _saved(model, out)
        if json:
            print_json(_as_json(model, written))
        else:
            _show(model, written)
    if written != out:
        raise typer.Exit(1)
    if model.interrupted_ or late.came:
        raise typer.Exit(130)


command.__doc__ = _HELP


def _saved(model: AutoMLClassifier | AutoMLRegressor, out: Path) -> Path:
    """Save the model and return its path: a temporary one, with a warning, if `out` cannot be written."""
    from automl_meta.exceptions import AutomlMetaWarning

    try:
        model.save(out)
    except OSError as error:
        spare = Path(tempfile.mkdtemp(prefix="automl-meta-"), out.name)
        model.save(spare)
        warnings.warn(
            f"{out} cannot be written: {error.strerror}. The model was saved to {spare}.",
            AutomlMetaWarning,
            stacklevel=2,
        )
        return spare
    return out


def _without_groups(task: TabularTask, groups: str | None) -> tuple[TabularTask, Any]:
    """The task without the group column, and the group of each row."""
    if groups is None:
        return task, None
    columns = {name: column for name, column in task.columns.items() if name != groups}
    return replace(task, X=task.X[list(columns)], columns=columns), task.X[groups].astype(str).to_numpy()


@contextmanager
def _progress(trials: int | None, time_limit: float | None) -> Iterator[Callable[[TuningProgress], None]]:
    """Progress bar on standard error: best score, trials, time."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    budget = f"of {trials} trials" if trials is not None else f"in {time_limit:g} s"
    described, limited = TextColumn("{task.description}", markup=False), TextColumn(budget, markup=False)
    columns = (described, BarColumn(), limited, TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        line = bar.add_task("describing the data", total=trials if trials is not None else time_limit)

        def show(state: TuningProgress) -> None:
            done = state.n_trials if trials is not None else state.seconds
            text = f"best {state.best_score:.4g} after {state.n_trials} trials"
            bar.update(line, completed=done, description=text)

        yield show


def _as_json(model: AutoMLClassifier | AutoMLRegressor, out: Path | None) -> dict[str, Any]:
    best = model.best_configuration_
    return {
        **model.report_.to_dict(),
        "best": {"algorithm": best.algorithm, "configuration": dict(best.parameters)},
        "model": None if out is None else str(out),
        "interrupted": model.interrupted_,
        "trials": model.runs_.to_dict("records"),
    }


def _show(model: AutoMLClassifier | AutoMLRegressor, out: Path | None) -> None:
    for line in str(model.report_).split("\n"):
        say(line)
    say(f"Best single configuration: {model.best_configuration_}")
    if out is None:
        say("The model was not saved: give --out model.skops.")
    else:
        say(f"Written to {out}. Use it: automl-meta predict {shlex.quote(str(out))} new.csv")
