"""``automl-meta store``: look at the experience, take it elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from automl_meta.cli.shared import STORE_HELP, print_json, say
from automl_meta.cli.tables import load_task

app = typer.Typer(help="Look at the stored experience, take it elsewhere.", no_args_is_help=True)
Store = Annotated[str | None, typer.Option(help=STORE_HELP)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


@app.command()
def info(store: Store = None, json: Json = False) -> None:
    """Say what is stored: data sets, runs, failures, by kind and source."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store, create=False) as opened:
        content = opened.info()
    if json:
        print_json(content)
        return
    for name, value in content.items():
        if isinstance(value, dict):
            say(f"{name}: " + ", ".join(f"{key} {number}" for key, number in value.items()))
        else:
            say(f"{name}: {value}")


@app.command()
def path(store: Store = None, json: Json = False) -> None:
    """Print where the store lies."""
    from automl_meta.store.location import resolve_url, shown_store

    place = shown_store(resolve_url(store))
    if json:
        print_json({"store": place})
    elif sys.stdout.isatty():
        say(place)
    else:
        typer.echo(os.fsencode(place))  # byte for byte, for scripts


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; it is made if it is not there.")],
    skip_damaged: Annotated[
        bool, typer.Option(help="Leave out data sets that are not as they were written.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Write the experience as CSV files that anything can read, and that another store can import."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store, create=False) as opened:
        left_out = opened.export(folder, skip_damaged=skip_damaged)
    if json:
        print_json({"folder": str(folder), "left_out": left_out})
        return
    for dataset_id in left_out:
        say(f"Left out, since it is not as it was written: data set {dataset_id}.")
    say(f"Written to {folder}.")


@app.command("import")
def import_(
    what: Annotated[str, typer.Argument(help="A folder that export has written; or: optuna URL.")],
    url: Annotated[
        str | None, typer.Argument(help="With optuna: the storage of its studies, a URL or a file.")
    ] = None,
    study: Annotated[str | None, typer.Option(help="Only this one of the studies.")] = None,
    data: Annotated[
        str | None, typer.Option(help="The file that was tuned on, where the study does not say it.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column that was predicted.")] = None,
    metric: Annotated[str | None, typer.Option(help="What the values of the study are.")] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="Whose parameters they are, if of one algorithm.")
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Read experience: an exported folder, a file of results that were kept, or the studies of an Optuna storage.

    Studies that "automl-meta tune" made say themselves what they are about. Trials that are not
    understood are counted by reason.
    """
    from automl_meta.algorithms import ALGORITHMS
    from automl_meta.exceptions import UsageError
    from automl_meta.store import MetadataStore

    if what == "optuna":
        if url is None:
            raise UsageError("Say where the studies are: store import optuna URL.")
        _import_studies(url, study, data, target, metric, algorithm, store, json)
        return
    if url is not None:
        raise UsageError(f"There is no importer {what!r}: give a folder, or optuna URL.")
    with MetadataStore(store) as opened:
        before = opened.info()["runs_by_algorithm"]
        count = opened.import_folder(what) if Path(what).is_dir() else opened.import_spooled(what)
        after = opened.info()["runs_by_algorithm"]
    known = {algorithm.name for algorithm in ALGORITHMS}
    unknown = {name: n - before.get(name, 0) for name, n in sorted(after.items()) if name not in known}
    unknown = {name: n_new for name, n_new in unknown.items() if n_new}
    if json:
        print_json({"n_new": count, "unknown_algorithms": unknown})
        return
    say(f"{count} new runs.")
    for name, n_new in unknown.items():
        say(f"  {n_new} of the algorithm {name!r}, which is not known here: kept, and never recommended")


def _import_studies(
    url: str,
    study: str | None,
    data: str | None,
    target: str | None,
    metric: str | None,
    algorithm: str | None,
    store: str | None,
    json: bool,
) -> None:
    import optuna

    from automl_meta._utils.databases import shown_url
    from automl_meta._utils.optuna_studies import readable
    from automl_meta.automl.study_storage import open_storage, storage_names
    from automl_meta.exceptions import UsageError
    from automl_meta.importers import import_study
    from automl_meta.store import MetadataStore

    storage = open_storage(url, create=False)
    shown = shown_url(url)
    with readable(f"The storage {shown}"):
        known = sorted(storage_names(storage))
    if study is not None and study not in known:
        raise UsageError(f"There is no study {study!r} in {shown}. There are: {', '.join(known) or 'none'}.")
    task = None if data is None else load_task(data, target, None)
    with MetadataStore(store) as opened:
        found = []
        for name in [study] if study is not None else known:
            with readable(f"The study {name!r}"):
                loaded = optuna.load_study(study_name=name, storage=storage)
            found.append(import_study(opened, loaded, dataset=task, space=algorithm, metric=metric))
    if json:
        print_json([vars(one) for one in found])
        return
    for one in found:
        say(f"{one.study}: {one.n_new} new runs, {one.n_known} known")
        for reason, count in one.skipped.items():
            say(f"  {count} left out: {reason}")


@app.command()
def check(store: Store = None, json: Json = False) -> None:
    """Verify that nothing in the store contradicts itself; exit code 1 if something does."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store, create=False) as opened:
        problems = opened.check()
    if json:
        print_json({"problems": problems})
    else:
        for problem in problems:
            say(problem)
        say("Nothing wrong." if not problems else f"{len(problems)} problems.")
    if problems:
        raise typer.Exit(1)
