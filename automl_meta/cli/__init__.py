"""Command line: one module for each command."""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Sequence

from automl_meta._utils.printable import printable
from automl_meta.exceptions import (
    AutomlMetaError,
    AutomlMetaWarning,
    DataError,
    StoreError,
    StudyError,
    UsageError,
    WorkerError,
)

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: exit code 2 for errors that the user can fix, 1 for other failures.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments; those of the process by default.

    Raises
    ------
    SystemExit
        Always, with the exit code.
    """
    warnings.showwarning = _show_warning
    try:
        from automl_meta.cli.app import app  # here, since Ctrl-C may arrive during these slow imports

        app(None if arguments is None else list(arguments), prog_name="automl-meta")
    except AutomlMetaError as error:
        is_fixable = isinstance(error, (UsageError, DataError, StoreError, StudyError, WorkerError))
        _fail(str(error), 2 if is_fixable else 1)
    except KeyboardInterrupt as error:
        _fail(str(error) or "Interrupted.", 130)
    except SystemExit as end:
        # Typer converts an interruption to an exit without a message.
        interruption = end.__context__ and end.__context__.__cause__
        if isinstance(interruption, KeyboardInterrupt):
            _fail(str(interruption) or "Interrupted.", 130)
        raise
    except MemoryError:
        _fail("Out of memory. Give fewer rows or columns.", 1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has closed the pipe
        sys.exit(1)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            _fail(
                "The disk is full, or a quota is reached. Free some space and run the same command again: nothing "
                "stored is lost.",
                1,
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
