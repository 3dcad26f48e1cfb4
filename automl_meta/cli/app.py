"""The command-line application with all commands."""

from __future__ import annotations

from typing import Annotated

import typer

from automl_meta.cli import collect, describe, evaluate, fewshot, predict, recommend, store, tune

__all__ = ["app"]

app = typer.Typer(
    name="automl-meta",
    help="Meta-learning: recommendations and tuning for tabular data from past experiments, and few-shot models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("automl_meta"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


app.command("recommend")(recommend.command)
app.command("describe")(describe.command)
app.command("collect")(collect.command)
app.command("tune")(tune.command)
app.command("predict")(predict.command)
app.command("evaluate")(evaluate.command)
app.add_typer(store.app, name="store")
app.add_typer(fewshot.app, name="fewshot")
