"""Memory-safe decompression: a small file may expand to more than fits into memory."""

from __future__ import annotations

from typing import Protocol

import psutil

from automl_meta.exceptions import DataError

__all__ = ["check_unpacked", "most_unpacked", "read_unpacked"]

_SHARE = 4  # divisor of the available memory: a parsed table takes several times its decompressed size
_LEAST = 64 << 20
_BLOCK = 1 << 20  # streams allocate a buffer of the requested size


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def most_unpacked() -> int:
    """Number of bytes that may currently be decompressed: a quarter of the available memory."""
    return max(_LEAST, psutil.virtual_memory().available // _SHARE)


def check_unpacked(size: int, name: str) -> None:
    """Check that a number of bytes may be decompressed.

    Raises
    ------
    DataError
        If `size` exceeds `most_unpacked`.
    """
    if size > (most := most_unpacked()):
        raise DataError(
            f"{name} expands to at least {size / 2**30:.1f} GiB; at most {most / 2**30:.1f} GiB fit into the available "
            "memory. Use fewer rows or columns."
        )


def read_unpacked(stream: _Readable, name: str) -> bytes:
    """Read a decompressing stream to its end, block by block.

    Raises
    ------
    DataError
        If the content exceeds `most_unpacked`.
    """
    blocks, size = [], 0
    while block := stream.read(_BLOCK):
        size += len(block)
        check_unpacked(size, name)
        blocks.append(block)
    return b"".join(blocks)
