"""Atomic replacement of files."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(file: str | Path) -> Iterator[Path]:
    """Context manager that yields a temporary path and atomically replaces a file with it on exit.

    No reader ever sees a partially written file. If the body raises or the process dies, the file keeps its
    previous content. With several concurrent writers, the last one wins. A symbolic link is kept and its target
    replaced.

    Raises
    ------
    OSError
        If the directory is not writable, or the path is not a regular file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/a.txt") as path:
    ...         _ = path.write_text("all of it")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    path = Path(os.path.realpath(file))
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise FileExistsError(errno.EEXIST, "not a regular file that can be replaced", str(file))
    part = path.with_name(f".{path.name[:40]}.{uuid.uuid4().hex}.part")
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
