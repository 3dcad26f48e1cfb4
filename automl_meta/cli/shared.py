"""What the commands share: how names are listed, how text and JSON are printed."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from automl_meta._utils.printable import UNFIT, printable
from automl_meta.exceptions import UsageError

__all__ = ["cell", "check_writable", "console", "names", "print_json", "printable", "say"]

console = Console()

STORE_HELP = "Where the experience lies: a file or any SQLAlchemy URL. Default: your own store."
TASK_TYPE_HELP = "'classification' or 'regression', where the guess is wrong."


def check_writable(path: Path, *, make_folder: bool = False) -> None:
    """See that a file can be written, before the work that is to go into it."""
    if make_folder:
        with contextlib.suppress(OSError):  # it is told below
            path.parent.mkdir(parents=True, exist_ok=True)
    real = Path(os.path.realpath(path))  # where a link leads
    if real.is_dir() or not real.parent.is_dir() or not os.access(real.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written: give a file in a folder that is there and writable.")
    if real.is_symlink() or (real.exists() and not real.is_file()):
        raise UsageError(f"{path} cannot be written: it is no file but a device or the like.")
    if real.exists() and not os.access(real, os.W_OK):
        raise UsageError(f"{path} cannot be written: it is protected.")


def names(text: str | None) -> list[str] | None:
    """Split a list of names at commas; None stays None."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


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
    for line in json.dumps(_finite(content), indent=2, ensure_ascii=not is_unicode).split("\n"):
        sys.stdout.write(UNFIT.sub(_json_escape, line) + "\n")


def _json_escape(found: re.Match[str]) -> str:
    pair = found.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[i : i + 2].hex()}" for i in range(0, len(pair), 2))


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    if hasattr(content, "item"):
        content = content.item()
    return None if isinstance(content, float) and not math.isfinite(content) else content
