"""Files that are written whole or not at all."""

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
    """A path beside a file, to write to; at the end what was written takes the place of the file.

    Nobody sees half of it: neither a reader at that moment, nor anybody after a death in the middle or a failure,
    which leaves the file as it was. Several processes may do so at once; the last one wins. A link stays, and
    what it leads to is replaced.

    Raises
    ------
    OSError
        If the folder cannot be written to, or what is there is no file but a folder or a device.

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
        raise FileExistsError(errno.EEXIST, "it is no file that can be replaced", str(file))
    part = path.with_name(f".{path.name[:40]}.{uuid.uuid4().hex}.part")
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
