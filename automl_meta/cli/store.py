"""``automl-meta store``: look at the experience, take it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl_meta.cli._shared import STORE_HELP, console, print_json

app = typer.Typer(help="Look at the stored experience, take it elsewhere.", no_args_is_help=True)
Store = Annotated[str | None, typer.Option(help=STORE_HELP)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


@app.command()
def info(store: Store = None, json: Json = False) -> None:
    """Say what is stored: data sets, runs, failures, by kind and source."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store) as opened:
        content = opened.info()
    if json:
        print_json(content)
        return
    for name, value in content.items():
        if isinstance(value, dict):
            console.print(
                f"{name}: " + ", ".join(f"{key} {number}" for key, number in value.items()), highlight=False
            )
        else:
            console.print(f"{name}: {value}", highlight=False)


@app.command()
def path(store: Store = None) -> None:
    """Print where the store lies."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store) as opened:
        print(opened.path or opened.url)  # noqa: T201 - one plain line, for scripts


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; it is made if it is not there.")],
    store: Store = None,
) -> None:
    """Write the experience as CSV files that anything can read, and that another store can import."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store) as opened:
        opened.export(folder)
    console.print(f"Written to {folder}.", highlight=False)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="What export has written.")], store: Store = None
) -> None:
    """Read experience that another store has exported."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store) as opened:
        count = opened.import_folder(folder)
    console.print(f"{count} new runs.", highlight=False)


@app.command()
def check(store: Store = None) -> None:
    """Verify that nothing in the store contradicts itself; exit code 1 if something does."""
    from automl_meta.store import MetadataStore

    with MetadataStore(store) as opened:
        problems = opened.check()
    for problem in problems:
        console.print(problem, markup=False, highlight=False)
    console.print("Nothing wrong." if not problems else f"{len(problems)} problems.")
    if problems:
        raise typer.Exit(1)
