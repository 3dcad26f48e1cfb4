"""Reproducible damage of files: the same generator gives the same damage."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

__all__ = ["Damage", "damaged", "damaged_json", "damaged_safetensors", "damaged_zip", "either"]

Damage = Callable[[bytes, np.random.Generator], bytes]

# Damage of any bytes ---------------------------------------------------------------------------


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes as a bad disk, a broken transfer or an editor leaves them."""
    for _ in range(int(rng.integers(1, 4))):
        content = _BYTE_DAMAGE[int(rng.integers(len(_BYTE_DAMAGE)))](content, rng)
    return content


def _block(content: bytes, rng: np.random.Generator, longest: int = 64) -> tuple[int, int]:
    begin = int(rng.integers(max(1, len(content))))
    return begin, min(len(content), begin + int(rng.integers(1, longest + 1)))


def _flip_bits(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for place in rng.integers(max(1, len(content)), size=int(rng.integers(1, 9))):
        if place < len(changed):
            changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwrite(content: bytes, rng: np.random.Generator) -> bytes:
    begin, end = _block(content, rng)
    return content[:begin] + rng.bytes(end - begin) + content[end:]


def _fill(content: bytes, rng: np.random.Generator) -> bytes:
    begin, end = _block(content, rng)
    return content[:begin] + bytes([int(rng.choice([0x00, 0x7F, 0xFF]))]) * (end - begin) + content[end:]


def _extreme_number(content: bytes, rng: np.random.Generator) -> bytes:
    number = int(rng.choice([0, 1, -1, 2**31 - 1, -(2**31), 2**62, -(2**62)]))
    written = number.to_bytes(8, "little", signed=True)[: int(rng.choice([4, 8]))]
    begin = int(rng.integers(max(1, len(content))))
    return content[:begin] + written + content[begin + len(written) :]


def _truncate(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def _duplicate(content: bytes, rng: np.random.Generator) -> bytes:
    begin, end = _block(content, rng, 512)
    return content[:end] + content[begin:end] + content[end:]


def _delete(content: bytes, rng: np.random.Generator) -> bytes:
    begin, end = _block(content, rng, 512)
    return content[:begin] + content[end:]


def _swap(content: bytes, rng: np.random.Generator) -> bytes:
    a, b, c = sorted(int(place) for place in rng.integers(len(content) + 1, size=3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


_BYTE_DAMAGE: tuple[Damage, ...] = (
    _flip_bits, _flip_bits, _overwrite, _fill, _extreme_number, _truncate, _duplicate, _delete, _swap,
)  # fmt: skip


# Damage of what is inside, with all checksums right --------------------------------------------


def damaged_zip(content: bytes, rng: np.random.Generator) -> bytes:
    """An archive that is whole, of which some members are not: JSON, arrays or other bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    names = list(members)
    for _ in range(int(rng.integers(1, 4))):
        # The one that says what the others are is as likely as all of these.
        of_json = [name for name in names if name.endswith(".json")]
        name = str(rng.choice(of_json if of_json and rng.random() < 0.5 else names))
        members[name] = _damaged_member(name, members[name], rng)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return made.getvalue()


def _damaged_member(name: str, member: bytes, rng: np.random.Generator) -> bytes:
    if name.endswith(".json"):
        return json.dumps(damaged_json(json.loads(member), rng)).encode()
    if name.endswith(".npy") and rng.random() < 0.8:
        return _damaged_array(member, rng)
    return damaged(member, rng)


def _damaged_array(member: bytes, rng: np.random.Generator) -> bytes:
    """Another value, shape or type, as NumPy writes it."""
    try:
        array = np.load(io.BytesIO(member), allow_pickle=False)
    except ValueError:
        return damaged(member, rng)
    values = array.copy()
    kind = int(rng.integers(5))
    if kind < 3 and values.size:
        raw = values.reshape(-1).view(np.uint8).reshape(values.size, -1)
        width = values.dtype.itemsize
        place, size = int(rng.integers(values.size)), min(width, int(rng.choice([1, 2, 4, 8])))
        offset = int(rng.integers(0, width - size + 1))
        number = int(rng.choice([0, 1, -1, 2**6, 2**31 - 1, -(2**31), 2**62]))
        raw[place, offset : offset + size] = np.frombuffer(
            number.to_bytes(8, "little", signed=True), np.uint8
        )[:size]
    elif kind == 3:
        values = values.reshape(-1)[: int(rng.integers(values.size + 1))]
    else:
        values = (
            values[None] if rng.random() < 0.5 else np.zeros(values.shape, rng.choice(["<i4", "<f4", "<U3"]))
        )
    made = io.BytesIO()
    np.save(made, values, allow_pickle=False)
    return made.getvalue()


def damaged_json(value: Any, rng: np.random.Generator) -> Any:
    """JSON of which some leaves are others, or parts are gone, doubled or at another place."""
    value = json.loads(json.dumps(value))
    places = list(_places(value))
    for _ in range(int(rng.integers(1, 4))):
        holder, key = places[int(rng.integers(len(places)))]
        if (isinstance(holder, list) and key >= len(holder)) or (
            isinstance(holder, dict) and key not in holder
        ):
            continue  # gone with an earlier change
        kind = int(rng.integers(6))
        if kind == 0:
            del holder[key]
        elif kind == 1:
            other_holder, other_key = places[int(rng.integers(len(places)))]
            try:
                holder[key] = json.loads(json.dumps(other_holder[other_key]))
            except (KeyError, IndexError):
                continue
        elif kind == 2 and isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[key] = _other_leaf(holder[key], rng)
    return value


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


_LEAVES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 7, 2**31, -(2**31), 2**63, 10**30, 0.5, -1e300, float("nan"), float("inf"), "", "x",
    "\x00", "ä" * 50, [], [1], {}, {"a": 1}, [[]],
)  # fmt: skip


def _other_leaf(value: Any, rng: np.random.Generator) -> Any:
    """Another value; text that is JSON itself, as in the files of skops, stays such."""
    new = _LEAVES[int(rng.integers(len(_LEAVES)))]
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            return new if rng.random() < 0.5 else value[: len(value) // 2]
        if not isinstance(inner, (dict, list)) or rng.random() < 0.3:
            return json.dumps(new)
        return json.dumps(damaged_json(inner, rng)) if inner else json.dumps(new)
    return new


def damaged_safetensors(content: bytes, rng: np.random.Generator) -> bytes:
    """A file of tensors of which the description, its JSON or the numbers are others."""
    length = int.from_bytes(content[:8], "little")
    header, tensors = json.loads(content[8 : 8 + length]), content[8 + length :]
    if rng.random() < 0.3:
        header = damaged_json(header, rng)
    else:
        about = json.loads(header["__metadata__"]["automl_meta"])
        header["__metadata__"]["automl_meta"] = json.dumps(damaged_json(about, rng))
    if rng.random() < 0.2:
        tensors = damaged(tensors, rng)
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + tensors


def either(*kinds: Damage) -> Damage:
    """One of some kinds of damage, each as likely."""
    return lambda content, rng: kinds[int(rng.integers(len(kinds)))](content, rng)
