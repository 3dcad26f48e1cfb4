"""Helpers shared by the commands: options, and output of text and JSON."""

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

STORE_HELP = "Store location: a file or an SQLAlchemy URL. Default: your own store."
TASK_TYPE_HELP = "Type of task, 'classification' or 'regression'; inferred by default."


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
    """Split comma-separated names; None stays None."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def note(text: str) -> None:
    """Print a note on standard error, as `main` does with warnings of this library."""
    warnings.warn(text, AutomlMetaWarning, stacklevel=2)


def say(text: object, to: Console = console) -> None:
    """Print one line without markup; control characters, and those the terminal cannot encode, are escaped."""
    to.print(cell(text, to), soft_wrap=True)


def cell(text: object, to: Console = console) -> Text:
    """Convert text for a table or line of Rich, without markup and with escaped control characters."""
    shown = printable(text)
    return Text(shown.encode(to.encoding, "backslashreplace").decode(to.encoding))


def print_json(content: Any) -> None:
    """Print one JSON object; NaN and infinity become null.

    Control characters are escaped as in JSON, so that parsing restores them.
    """
    is_unicode = "utf" in (sys.stdout.encoding or "").lower()
    for line in json.dumps(plain(content), indent=2, ensure_ascii=not is_unicode).split("\n"):
        sys.stdout.write(UNFIT.sub(_json_escape, line) + "\n")


def _json_escape(found: re.Match[str]) -> str:
    pair = found.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[i : i + 2].hex()}" for i in range(0, len(pair), 2))
