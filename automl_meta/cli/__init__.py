"""The command line: one file for each command, reading from top to bottom as verbs."""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer

from automl_meta.cli import collect, describe, evaluate, fewshot, predict, recommend, store, tune
from automl_meta.cli._shared import printable
from automl_meta.exceptions import (
    AutomlMetaError,
    AutomlMetaWarning,
    DataError,
    StoreError,
    StudyError,
    UsageError,
    WorkerError,
)

__all__ = ["app", "main"]

_MENDABLE = (UsageError, DataError, StoreError, StudyError, WorkerError)
"""What the user can mend: exit code 2."""

app = typer.Typer(
    name="automl-meta",
    help="Learns to learn: advice and tuning for tables from past experiments, and few-shot models.",
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: exit code 2 for what the user can mend, 1 for other failures.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Raises
    ------
    SystemExit
        Always, with the exit code.
    """
    warnings.showwarning = _show_warning
    try:
        app(None if arguments is None else list(arguments), prog_name="automl-meta")
    except AutomlMetaError as error:
        _fail(str(error), 2 if isinstance(error, _MENDABLE) else 1)
    except KeyboardInterrupt as error:
        _fail(str(error) or "Interrupted.", 130)
    except MemoryError:
        _fail("Out of memory. Give fewer rows or columns.", 1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone: nobody is left to tell
        sys.exit(1)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _fail(
                "The disk is full. Free some space and run the same command again: nothing stored is lost.", 1
            )
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}.", 1)


def _fail(message: str, code: int) -> None:
    print(f"automl-meta: {printable(message)}", file=sys.stderr)  # noqa: T201
    sys.exit(code)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    if issubclass(category, AutomlMetaWarning):
        print(f"automl-meta: note: {printable(message)}", file=sys.stderr)  # noqa: T201
