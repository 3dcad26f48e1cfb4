"""Unpacking that ends: a small file may stand for more than the memory holds."""

from __future__ import annotations

from typing import Protocol

import psutil

from automl_meta.exceptions import DataError

__all__ = ["check_unpacked", "most_unpacked", "read_unpacked"]

_SHARE = 4  # of the free memory: what is read of unpacked bytes takes several times their size
_LEAST = 64 << 20
_BLOCK = 1 << 20  # streams set memory aside for what they are asked for


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def most_unpacked() -> int:
    """How many bytes may be unpacked now: a quarter of the memory that is free."""
    return max(_LEAST, psutil.virtual_memory().available // _SHARE)


def check_unpacked(size: int, name: str) -> None:
    """See that so many bytes may be unpacked.

    Raises
    ------
    DataError
        If not.
    """
    if size > (most := most_unpacked()):
        raise DataError(
            f"{name} unpacks to {size / 2**30:.1f} GiB or more; {most / 2**30:.1f} GiB fit into the memory that is free. "
            "Give fewer rows or columns."
        )


def read_unpacked(stream: _Readable, name: str) -> bytes:
    """Read all of a stream that unpacks as it is read, which is not asked for more than fits.

    Raises
    ------
    DataError
        If it holds more.
    """
    blocks, size = [], 0
    while block := stream.read(_BLOCK):
        size += len(block)
        check_unpacked(size, name)
        blocks.append(block)
    return b"".join(blocks)
