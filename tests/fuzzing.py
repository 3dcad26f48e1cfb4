"""Damage that is repeatable, and a process that reads what was damaged and may die of it.

A `Child` calls a function in a process of its own, and says how each call ended: an answer, an error of automl_meta in
one line, or one of the three that must not be (`BAD`). `fuzz` does that with seeded damage, and counts.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import resource
import signal
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import psutil

from automl_meta.exceptions import AutomlMetaError

_WAITING = 12
BAD = ("traceback", "crash", "hang")

Damage = Callable[[bytes, np.random.Generator], bytes]


class Outcome(NamedTuple):
    """How one call ended: kind is ok, error (one line), traceback, crash or hang."""

    kind: str
    text: str
    seconds: float


class Child:
    """A process that calls functions of importable modules, and is replaced when it dies or hangs.

    Parameters
    ----------
    seconds : float
        Of work that one call may take; twelve times as much may pass.
    memory : int
        Bytes that the process may hold; beyond them a call ends with a MemoryError, which counts as a traceback.
    """

    def __init__(self, seconds: float = 5.0, memory: int = 4 << 30) -> None:
        self.seconds, self.memory = seconds, memory
        self._process: Any = None
        self._connection: Connection | None = None
        self._first: tuple[Callable[..., object], tuple] | None = None

    def prepare(self, function: Callable[..., object], *arguments: object) -> Outcome:
        """Call what each new process is to call first, in as long as its imports take."""
        self._first = function, arguments
        return self._prepared()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, function: Callable[..., object], *arguments: object) -> Outcome:
        """Call a function with arguments that can be pickled, and say how it ended."""
        if self._connection is None and self._first is not None:
            self._prepared()
        return self._called(function, arguments, self.seconds)

    def _prepared(self) -> Outcome:
        assert self._first is not None
        return self._called(*self._first, 120.0)

    def _called(self, function: Callable[..., object], arguments: tuple, seconds: float) -> Outcome:
        connection = self._started()
        begin = time.monotonic()
        before = self._cpu_seconds()
        connection.send((function, arguments))
        while not connection.poll(0.2):
            spent, passed = self._cpu_seconds() - before, time.monotonic() - begin
            if spent > seconds or passed > _WAITING * seconds:  # a loaded machine is no hang
                self._end()
                return Outcome("hang", f"no answer after {spent:.1f} s of work, {passed:.0f} s", passed)
        try:
            kind, text = connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            self._end()
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return Outcome("crash", name, time.monotonic() - begin)
        return Outcome(kind, text, time.monotonic() - begin)

    def _cpu_seconds(self) -> float:
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def _started(self) -> Connection:
        if self._connection is None:
            context = multiprocessing.get_context("spawn")
            self._connection, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other, self.memory), daemon=True)
            self._process.start()
            other.close()
            self._connection.recv()  # it has started
        return self._connection

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


def _serve(connection: Connection, memory: int) -> None:
    """Answer calls until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    warnings.simplefilter("ignore")
    connection.send("started")
    while True:
        try:
            function, arguments = connection.recv()
        except EOFError:
            return
        connection.send(_called(function, arguments))


def _called(function: Callable[..., object], arguments: tuple) -> tuple[str, str]:
    try:
        return "ok", repr(function(*arguments))[:300]
    except AutomlMetaError as error:
        text = str(error)
        return ("error" if text.strip() and "\n" not in text.strip() else "traceback"), text[:2000]
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return "traceback", f"{type(error).__name__}: {str(error)[:300]} ({place})"


class Tally(NamedTuple):
    """What came of all tries: how many of each kind, and the bad ones with their seeds."""

    name: str
    tries: int
    kinds: Counter[str]
    bad: list[tuple[int, Outcome]]
    seconds: float
    slowest: float

    HEADER = "name | tries | answers | refused | tracebacks | crashes | hangs | seconds | slowest"

    @property
    def line(self) -> str:
        """A row of a table."""
        counts = (self.kinds[kind] for kind in ("ok", "error", *BAD))
        return " | ".join(
            [self.name, str(self.tries), *map(str, counts), f"{self.seconds:.1f}", f"{self.slowest:.2f}"]
        )


def fuzz(
    child: Child,
    function: Callable[[Path], object],
    intact: Path,
    folder: Path,
    seeds: Iterable[int],
    damage: Damage,
    name: str = "",
) -> Tally:
    """Damage a file by each seed, in turn, and call a function with the path of what came of it.

    Each new process reads the intact file first, so that what it imports takes none of the time.
    """
    content = intact.read_bytes()
    prepared = child.prepare(function, intact)
    if prepared.kind != "ok":
        raise ValueError(f"{intact} is not read before it is damaged: {prepared}")
    outcomes, begin = [], time.monotonic()
    path = folder / intact.name
    for seed in seeds:
        path.write_bytes(damage(content, np.random.default_rng(seed)))
        outcomes.append((seed, child.run(function, path)))
    path.unlink(missing_ok=True)
    return Tally(
        name or intact.name,
        len(outcomes),
        Counter(outcome.kind for _, outcome in outcomes),
        [(seed, outcome) for seed, outcome in outcomes if outcome.kind in BAD],
        time.monotonic() - begin,
        max(outcome.seconds for _, outcome in outcomes),
    )


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
