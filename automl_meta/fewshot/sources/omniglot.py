"""OmniglotSource: handwritten characters from fifty alphabets."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot.sources.array import ArraySource, Augmentation
from automl_meta.fewshot.sources.download import download as fetch
from automl_meta.fewshot.sources.images import read_image

__all__ = ["OmniglotSource"]

OFFICIAL = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"
# Checksums of the official archives.
CHECKSUMS = {
    "images_background": ("md5", "68d2efa1b9178cc56df9314c21c6e718"),
    "images_evaluation": ("md5", "6b91aef0f799c5bb55b94e3f2daec811"),
    "images_background_small1": (
        "sha256",
        "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
    ),
    "images_background_small2": (
        "sha256",
        "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
    ),
}
# Class lists of the split of Vinyals et al.; each character is listed four times, once per rotation.
LISTS = "https://raw.githubusercontent.com/jakesnell/prototypical-networks/c9bb4d258267c11cb6e23f0a19242d24ca98ad8a/data/omniglot/splits/vinyals/"
LIST_CHECKSUMS = {
    "train.txt": "984522c194c30fb678ce53304a160a42faf5403ad4f9a67010f32dd3a35738e0",
    "val.txt": "11f99e54faee3e26f53d3231c1cceac5bf7b8730e9be31cb6dab256551dc0c1a",
    "trainval.txt": "5276ae50c755596d0bff7f2284e85625695549a85ee6e36b6491ad1e5d1cc26a",
    "test.txt": "845264cc5c156180828ccf17915668b17ee21424d0170df6e7d81676aa5d1204",
}
# Limits of one drawing; those of Omniglot have 105 by 105 pixels.
_MOST_BYTES, _MOST_PIXELS = 1 << 20, 1 << 20
_BOTH = ("images_background", "images_evaluation")
# Split and part: archives, and the list of classes if the part does not have all classes of these.
_PARTS: dict[tuple[str, str], tuple[tuple[str, ...], str | None]] = {
    ("vinyals", "train"): (_BOTH, "train.txt"),
    ("vinyals", "valid"): (_BOTH, "val.txt"),
    ("vinyals", "trainval"): (_BOTH, "trainval.txt"),
    ("vinyals", "test"): (_BOTH, "test.txt"),
    ("alphabets", "train"): (("images_background",), None),
    ("alphabets", "test"): (("images_evaluation",), None),
    ("small1", "train"): (("images_background_small1",), None),
    ("small2", "train"): (("images_background_small2",), None),
    ("small1", "test"): (("images_evaluation",), None),
    ("small2", "test"): (("images_evaluation",), None),
}


class OmniglotSource(ArraySource):
    """Tasks from Omniglot: 1,623 characters with 20 drawings each, as bytes with ink at 255.

    Parameters
    ----------
    folder : str or Path
        Folder of the official archives ``images_background.zip`` and ``images_evaluation.zip`` and, for the split
        'vinyals', of the lists ``splits/vinyals/{train,val,trainval,test}.txt`` with one ``alphabet/character`` per
        line.
    part : {'train', 'valid', 'trainval', 'test'}, default='train'
        Part of the split; 'valid' and 'trainval' exist only in 'vinyals'.
    split : {'vinyals', 'alphabets', 'small1', 'small2'}, default='vinyals'
        The 1,028, 172 and 423 characters of [2]_, the 30 background and 20 evaluation alphabets of [1]_, or one of
        the smaller background sets of 5 alphabets. The training part of 'vinyals' contains characters of evaluation
        alphabets, so do not evaluate learners trained on it on the other splits.
    rotations : bool, default=True
        Whether each rotation of a character by 90 degrees is a class of its own.
    within_alphabet : bool, default=False
        Whether the classes of a task come from one alphabet.
    size : int, default=28
        Height and width in pixels.
    augment : callable, optional
        Augmentation function, as in `ArraySource`.
    download : bool, default=False
        Whether to download missing files: the archives from the official repository, the lists from that of
        prototypical networks.
    device : torch.device or str, default='cpu'
        Device that the tasks are sampled on.

    Raises
    ------
    UsageError
        If `split` or `part` is unknown.
    DataError
        If an archive or a list is missing, damaged or empty, or contains an unreadable image.

    References
    ----------
    .. [1] B. M. Lake, R. Salakhutdinov, J. B. Tenenbaum: "Human-level concept learning through probabilistic
       program induction", Science 350, 2015, https://doi.org/10.1126/science.aab3050
    .. [2] O. Vinyals, C. Blundell, T. Lillicrap, K. Kavukcuoglu, D. Wierstra: "Matching Networks for One
       Shot Learning", NeurIPS 2016, https://arxiv.org/abs/1606.04080
    """

    def __init__(
        self,
        folder: str | Path,
        part: Literal["train", "valid", "trainval", "test"] = "train",
        split: Literal["vinyals", "alphabets", "small1", "small2"] = "vinyals",
        rotations: bool = True,
        within_alphabet: bool = False,
        size: int = 28,
        augment: Augmentation | None = None,
        download: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        if (split, part) not in _PARTS:
            known = ", ".join(f"{s} {p}" for s, p in _PARTS)
            raise UsageError(f"The split {split!r} has no part {part!r}; known splits and parts are {known}.")
        archives, listed = _PARTS[split, part]
        folder = Path(folder)
        lists = folder / "splits" / "vinyals"
        if download and listed is not None:
            fetch(LISTS + listed, lists / listed, LIST_CHECKSUMS[listed])
        kept = None if listed is None else _read_list(lists / listed)
        images, names = [], []
        for archive in archives:
            path = folder / f"{archive}.zip"
            if download:
                algorithm, checksum = CHECKSUMS[archive]
                fetch(f"{OFFICIAL}{archive}.zip", path, checksum, algorithm)
            for name, image in _read_archive(path, kept, size):
                names.append(name)
                images.append(image)
        missing = [] if kept is None else sorted(kept - set(names))
        if missing:
            raise DataError(
                f"{missing[0]} and {len(missing) - 1} more listed characters are not in {folder}."
            )
        x, y = np.stack(images), np.asarray(names)
        if rotations:
            turns = range(4)
            x = np.concatenate([np.rot90(x, k, (2, 3)) for k in turns])
            y = np.concatenate([np.char.add(y, f"/{90 * k}") for k in turns])
        groups = np.char.add(_part_of(y, 0), _part_of(y, 2)) if within_alphabet else None
        super().__init__(x, y, groups, augment, device)

    @property
    def description(self) -> dict[str, Any]:
        """The description of the examples: dark ink on bright paper is inverted."""
        return {"kind": "image", "input_shape": list(self.input_shape), "inverted": True}


def _part_of(names: np.ndarray, position: int) -> np.ndarray:
    return np.asarray(["".join(name.split("/")[position : position + 1]) for name in names])


def _read_list(path: Path) -> set[str]:
    if not path.exists():
        raise DataError(
            f"The list {path} is missing. It contains the characters of this part, one alphabet/character per line. "
            "Pass download=True (--download) to download it; split='alphabets' needs no list."
        )
    try:
        kept = {"/".join(line.split("/")[:2]) for line in path.read_text(encoding="utf-8").split()}
    except UnicodeDecodeError as error:
        raise DataError(
            f"The list {path} is not a text file ({error}); remove it and download it again."
        ) from None
    if not kept:
        raise DataError(f"The list {path} is empty; remove it and download it again.")
    return kept


def _read_archive(path: Path, kept: set[str] | None, size: int) -> list[tuple[str, np.ndarray]]:
    """Return the name, alphabet/character, and the image of each drawing."""
    if not path.exists():
        raise DataError(
            f"{path} is missing. Save the archive of Omniglot there, or pass download=True (--download)."
        )
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                parts = member.filename.split("/")
                name = "/".join(parts[-3:-1])
                if member.filename.endswith(".png") and (kept is None or name in kept):
                    found.append((name, _drawing(archive, member, size)))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:  # damaged archives may raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{path} is not a complete archive ({reason}); remove it and download it again."
        ) from error
    if not found and kept is None:
        raise DataError(f"{path} contains no images named alphabet/character/drawing.png; download it again.")
    return found


def _drawing(archive: zipfile.ZipFile, member: zipfile.ZipInfo, size: int) -> np.ndarray:
    if member.file_size > _MOST_BYTES:
        raise DataError(
            f"{member.filename} has {member.file_size:,} bytes, more than any drawing; download the archive again."
        )
    content = io.BytesIO(archive.read(member))
    return read_image(content, (1, size, size), member.filename, inverted=True, most_pixels=_MOST_PIXELS)
