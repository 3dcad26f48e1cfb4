"""What is done with stores and exports that were damaged, in a process that may die of it."""

import gzip
import hashlib
import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
from damage import damaged
from store.store_workers import fill

from automl_meta.exceptions import AutomlMetaError, StoreError
from automl_meta.store import MetadataStore

__all__ = ["advises", "answers", "damaged", "few_bits", "import_export", "in_export", "make", "packed", "use"]


def make(path: Path, n_datasets: int = 3, n_configurations: int = 5) -> Path:
    """A store in one file, without a log beside it."""
    with MetadataStore(path, seed=False) as store:
        fill(store, n_datasets, n_configurations)
    return settled(path)


def settled(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def answers(path: Path) -> list[str]:
    """What recommenders learn from a store."""
    with MetadataStore(path, seed=False, create=False) as store:
        metas = (store.meta_dataset("accuracy", "classification"), store.meta_dataset("r2", "regression"))
        frames = [f for m in metas for f in (m.datasets, m.metafeatures, m.configurations, m.runs)]
        return [hashlib.sha256(frame.to_csv().encode()).hexdigest() for frame in frames]


def use(path: Path, right: list[str]) -> str:
    """Ask a store all there is to ask; what it answers must be right."""
    errors = []
    for ask in (advises, _tells, _looks_at_itself, _exports):
        try:
            ask(path, right)
        except AutomlMetaError as error:
            if "\n" in str(error):
                raise ValueError("more than one line") from error
            errors.append(error)
    if errors:
        raise errors[0]
    return "answered"


def advises(path: Path, right: list[str]) -> None:
    """Ask a store for what recommenders learn; only the right answer will do."""
    for log in path.parent.glob(f"{path.name}-*"):
        log.unlink()  # of the store that lay here before
    if answers(path) != right:
        raise ValueError("other advice")


def _tells(path: Path, right: list[str]) -> None:
    with MetadataStore(path, seed=False, create=False) as store:
        store.info()
        store.datasets()
        list(store.runs())


def _looks_at_itself(path: Path, right: list[str]) -> None:
    with MetadataStore(path, seed=False, create=False) as store:
        store.check()


def _exports(path: Path, right: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, MetadataStore(path, seed=False, create=False) as store:
        store.export(folder, skip_damaged=True)
        store.export(folder)


def few_bits(content: bytes, rng: np.random.Generator) -> bytes:
    """One or two bits, anywhere: what most easily goes unnoticed."""
    changed = bytearray(content)
    for place in rng.integers(100, len(changed), size=int(rng.integers(1, 3))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def packed(folder: Path, path: Path) -> Path:
    """An exported folder as one file of JSON: name to content, unpacked, in hexadecimal digits."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "checksums.json")
    content = {str(file.relative_to(folder)): _plain(file).hex() for file in files}
    path.write_text(json.dumps(content))
    return path


def _plain(file: Path) -> bytes:
    content = file.read_bytes()
    return gzip.decompress(content) if file.suffix == ".gz" else content


def in_export(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage one of the files, within what is packed, so that no checksum tells."""
    files = json.loads(content)
    name = sorted(files)[int(rng.integers(len(files)))]
    files[name] = damaged(bytes.fromhex(files[name]), rng).hex()
    return json.dumps(files).encode()


def import_export(path: Path) -> str:
    """Import such a folder into a new store, which is then empty or without a fault."""
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        _unpack(path, folder)
        with MetadataStore("sqlite://", seed=False) as store:
            try:
                store.import_folder(folder)
            except StoreError:
                if store.info()["datasets"] or store.info()["runs"]:
                    raise ValueError("half of it was added") from None
                raise
            if problems := store.check():
                raise ValueError(f"imported, and wrong: {problems[0]}")
            for _ in store.runs():
                pass
    finally:
        shutil.rmtree(folder)
    return "imported"


def _unpack(path: Path, folder: Path) -> None:
    (folder / "runs").mkdir()
    checksums = {}
    for name, digits in json.loads(path.read_text()).items():
        content = bytes.fromhex(digits)
        content = gzip.compress(content) if name.endswith(".gz") else content
        (folder / name).write_bytes(content)
        checksums[name] = hashlib.sha256(content).hexdigest()
    (folder / "checksums.json").write_text(json.dumps(checksums))
