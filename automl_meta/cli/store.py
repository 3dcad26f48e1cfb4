"""``automl-meta store``: inspect, export and import experience."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from automl_meta.cli.shared import STORE_HELP, print_json, say
from automl_meta.cli.tables import load_task

app = typer.Typer(help="Inspect, export and import experience.", no_args_is_help=True)
Store = Annotated[str | None, typer.Option(help=STORE_HELP)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def info(store: Store = None, json: Json = False) -> None:
    """Summarise the store: data sets and runs by algorithm, status, source and protocol."""
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
    """Print the store location."""
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
    folder: Annotated[Path, typer.Argument(help="Output folder; created if necessary.")],
    skip_damaged: Annotated[
        bool, typer.Option(help="Leave out damaged data sets instead of failing.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Export the experience to a folder of CSV files, which another store can import."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store, create=False) as opened:
        left_out = opened.export(folder, skip_damaged=skip_damaged)
    if json:
        print_json({"folder": str(folder), "left_out": left_out})
        return
    for dataset_id in left_out:
        say(f"Left out, since it is damaged: data set {dataset_id}.")
    say(f"Written to {folder}.")


@app.command("import")
def import_(
    what: Annotated[str, typer.Argument(help="Exported folder, or file of spooled results; or: optuna URL.")],
    url: Annotated[
        str | None, typer.Argument(help="With optuna: storage of the studies, a URL or a file.")
    ] = None,
    study: Annotated[str | None, typer.Option(help="Name of the study to import; all by default.")] = None,
    data: Annotated[
        str | None, typer.Option(help="Data set of the study, if the study does not name it.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Target column.")] = None,
    metric: Annotated[str | None, typer.Option(help="Metric of the values of the study.")] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="Algorithm of the parameters, if the study has only one.")
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Import experience: an exported folder, a file of spooled results, or the studies of an Optuna storage.

    Studies of "automl-meta tune" name their data set, metric and algorithms themselves. Trials that
    cannot be imported are counted by reason.
    """
    from automl_meta.algorithms import ALGORITHMS
    from automl_meta.exceptions import UsageError
    from automl_meta.store import MetadataStore

    if what == "optuna":
        if url is None:
            raise UsageError("Pass the storage of the studies: store import optuna URL.")
        _import_studies(url, study, data, target, metric, algorithm, store, json)
        return
    if url is not None:
        raise UsageError(f"There is no importer {what!r}: pass a folder, a file, or optuna URL.")
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
        say(
            f"  {n_new} of the algorithm {name!r}, which is not in the catalogue: stored, but never recommended"
        )


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
    """Check the integrity of the store; exit code 1 if there are problems."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store, create=False) as opened:
        problems = opened.check()
    if json:
        print_json({"problems": problems})
    else:
        for problem in problems:
            say(problem)
        say("No problems." if not problems else f"{len(problems)} problems.")
    if problems:
        raise typer.Exit(1)
