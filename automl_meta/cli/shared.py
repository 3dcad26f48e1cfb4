"""What the commands share: how names are listed, how text and JSON are printed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from automl_meta._utils.plain import plain
from automl_meta._utils.printable import UNFIT, printable
from automl_meta.exceptions import AutomlMetaWarning, UsageError

__all__ = ["cell", "check_writable", "console", "names", "note", "print_json", "printable", "say"]

console = Console()

STORE_HELP = "Where the experience lies: a file or any SQLAlchemy URL. Default: your own store."
TASK_TYPE_HELP = "'classification' or 'regression', where the guess is wrong."


def check_writable(path: Path, *, make_folder: bool = False) -> None:
    """Check that a file can be written, before the work whose result it is to hold.

    Raises
    ------
    UsageError
        If it cannot.
    """
    if make_folder:
        with contextlib.suppress(OSError):  # reported below
            path.parent.mkdir(parents=True, exist_ok=True)
    try:
        obstacle = _obstacle(Path(os.path.realpath(path)))  # where a link leads
    except OSError as error:  # a name that is too long for the file system
        obstacle = str(error.strerror)
    if obstacle:
        raise UsageError(f"{path} cannot be written: {obstacle}.")


def _obstacle(path: Path) -> str:
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        return "give a file in an existing, writable folder"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return "it is not a regular file"
    if path.exists() and not os.access(path, os.W_OK):
        return "it is read-only"
    return ""


def names(text: str | None) -> list[str] | None:
    """Split a list of names at commas; None stays None."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def note(text: str) -> None:
    """Print a note on standard error, as `main` does with warnings of this library."""
    warnings.warn(text, AutomlMetaWarning, stacklevel=2)


def say(text: object, to: Console = console) -> None:
    """Print one line. Nothing in it is markup, commands the terminal or is too strange for its encoding."""
    to.print(cell(text, to), soft_wrap=True)


def cell(text: object, to: Console = console) -> Text:
    """Make a text fit to stand in a table or a line of Rich."""
    shown = printable(text)
    return Text(shown.encode(to.encoding, "backslashreplace").decode(to.encoding))


def print_json(content: Any) -> None:
    """Print one JSON object; what is not a finite number becomes null.

    What would command a terminal is escaped as JSON does it, so that the names are the same when it is read.
    """
    is_unicode = "utf" in (sys.stdout.encoding or "").lower()
    for line in json.dumps(plain(content), indent=2, ensure_ascii=not is_unicode).split("\n"):
        sys.stdout.write(UNFIT.sub(_json_escape, line) + "\n")


def _json_escape(found: re.Match[str]) -> str:
    pair = found.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[i : i + 2].hex()}" for i in range(0, len(pair), 2))
