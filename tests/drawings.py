"""Small image files and archives in the layout of Omniglot."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["drawing", "write_archive", "write_folders"]


def drawing(seed: int) -> bytes:
    """A PNG of one bit per pixel, in which ink is 0."""
    pixels = np.random.default_rng(seed).random((105, 105)) > 0.1
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    return file.getvalue()


def write_archive(
    path: Path, alphabets: Iterable[str], n_characters: int, n_drawings: int, first_seed: int = 0
) -> None:
    """Write an archive like those of Omniglot; every drawing differs."""
    seed = first_seed
    with zipfile.ZipFile(path, "w") as archive:
        for alphabet in alphabets:
            for character in range(1, n_characters + 1):
                for drawer in range(1, n_drawings + 1):
                    name = f"{alphabet}/character{character:02d}/{seed:04d}_{drawer:02d}.png"
                    archive.writestr(f"{path.stem}/{name}", drawing(seed))
                    seed += 1


def write_folders(folder: Path, names: Iterable[str], n_images: int) -> None:
    """Write a folder of images per class; every image differs."""
    for i, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(n_images):
            (folder / name / f"{number}.png").write_bytes(drawing(n_images * i + number))
