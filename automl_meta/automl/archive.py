"""Read the skops archive of a model safely, whatever the file holds.

skops refuses types that are not trusted. The rest is checked here: nothing is unpacked to more than the size of the
file explains, and no object is created on which compiled code could fail (see `native`).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from skops.io._audit import Node, audit_tree, get_tree
from skops.io._general import ObjectNode
from skops.io._numpy import NdArrayNode
from skops.io._scipy import SparseMatrixNode
from skops.io._sklearn import ReduceNode
from skops.io._utils import read_schema

from automl_meta.automl.native import CHECKED_STATES, check_estimators
from automl_meta.automl.trusted import TRUSTED_TYPES
from automl_meta.exceptions import DataError

__all__ = ["read_archive"]

# A model of 200 trees is compressed to a third, its description to a fiftieth.
_MOST_PACKED = 50
_ALWAYS = 16 << 20  # bytes that any file may unpack to
_MOST_NODES = 20_000_000  # counted along all paths


def read_archive(file: str | Path) -> Any:
    """Create the object that an archive describes.

    Raises
    ------
    DataError
        If it is inconsistent, or would take more memory than the file explains. On a damaged archive, skops may
        raise anything else.
    skops.io.exceptions.UntrustedTypesFoundException
        If it holds a type that is not trusted.
    """
    with _Archive(file) as archive:
        schema, context = read_schema(archive)
        root = get_tree(schema, context, trusted=list(TRUSTED_TYPES))
    nodes = list(_in_order(root))
    audit_tree(root, trusted=list(TRUSTED_TYPES))
    for node in nodes:
        _check_node(node)
    made = root.construct()
    check_estimators(made)
    return made


class _Archive(zipfile.ZipFile):
    """Archive that unpacks to what its size explains, and each part of which is read once."""

    def __init__(self, file: str | Path) -> None:
        super().__init__(file)
        self._packed = Path(file).stat().st_size
        sizes = [part.file_size for part in self.infolist()]
        if sum(sizes) > _ALWAYS + _MOST_PACKED * self._packed:
            raise DataError(f"it would unpack to {sum(sizes) / 2**30:.1f} GiB")
        self._left = set(self.namelist())

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        """Read a part, which is possible only once."""
        if name not in self._left:
            raise DataError(f"{str(name)[:50]} is not in it, or is used more than once")
        self._left.remove(name)
        content = super().read(name, pwd)
        if name == "schema.json":
            n_objects = content.count(b"{") + content.count(b"[")
            if len(content) > _ALWAYS + 16 * self._packed or n_objects > 50_000 + self._packed // 8:
                raise DataError("it describes more than it could hold")
        return content


def _in_order(root: Node) -> Iterator[Node]:
    """Each node once, after its children.

    Nodes can be shared, so that a small file can describe an endless tree; therefore all paths are counted.
    """
    weights: dict[int, int] = {}

    def visit(node: Node) -> Iterator[Node]:
        weights[id(node)] = 1  # one that contains itself counts once here, and cannot be created later
        total = 1
        for child in _children(node):
            if id(child) not in weights:
                yield from visit(child)
            total += weights[id(child)]
        if total > _MOST_NODES:
            raise DataError("its parts hold each other too often")
        weights[id(node)] = total
        yield node

    return visit(root)


def _children(node: Node) -> Iterator[Node]:
    for child in node.children.values():
        several = child.values() if isinstance(child, dict) else child if isinstance(child, list) else [child]
        yield from (one for one in several if isinstance(one, Node))


def _check_node(node: Any) -> None:
    if isinstance(node, SparseMatrixNode):
        with zipfile.ZipFile(node.content) as parts:
            if sum(part.file_size for part in parts.infolist()) > 1000 * len(node.content.getbuffer()):
                raise DataError("a sparse matrix in it is packed too densely")
    elif isinstance(node, NdArrayNode) and node.type == "numpy":
        _check_array(node.buffer)
    elif isinstance(node, (ObjectNode, ReduceNode)) and (
        check := CHECKED_STATES.get(f"{node.module_name}.{node.class_name}")
    ):
        state = node.attrs
        if state is None:
            raise DataError(f"its {node.class_name} is empty")
        arguments = node.args.construct() if hasattr(node, "args") else None
        check(state.construct(), arguments)


def _check_array(buffer: io.BytesIO) -> None:
    """NumPy allocates the memory that the header of an array declares, before it reads the content."""
    version = np.lib.format.read_magic(buffer)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(buffer)
    n_values = 1
    for length in shape:
        n_values *= length
    if n_values * dtype.itemsize != len(buffer.getbuffer()) - buffer.tell() or (
        not dtype.itemsize and n_values
    ):
        raise DataError("an array in it is not as long as it says")
    buffer.seek(0)
