"""ImageFolderSource: tasks from image files, a folder for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from automl_meta.exceptions import DataError
from automl_meta.fewshot.sources.array import ArraySource
from automl_meta.fewshot.sources.images import read_image

__all__ = ["ImageFolderSource", "read_image_folder"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")


class ImageFolderSource(ArraySource):
    """Classification tasks from a folder that holds a folder of image files for each class.

    Parameters
    ----------
    folder : str or Path
    input_shape : sequence of three int, default=(1, 28, 28)
        Channels (1 is grey, 3 colour), height and width to which images are brought.
    inverted : bool, default=False
        Whether dark is to be bright: for ink on paper.
    device : str or torch.device, default='cpu'

    Raises
    ------
    DataError
        If there are fewer than two classes, or a file is no image.
    """

    def __init__(
        self,
        folder: str | Path,
        input_shape: Sequence[int] = (1, 28, 28),
        inverted: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        images, labels = read_image_folder(Path(folder), tuple(input_shape), inverted=inverted)
        self.inverted = inverted
        super().__init__(images, labels, device=device)

    @property
    def description(self) -> dict[str, Any]:
        """What an example is."""
        return {"kind": "image", "input_shape": list(self.input_shape), "inverted": self.inverted}


def read_image_folder(
    folder: Path, shape: tuple[int, ...], *, inverted: bool
) -> tuple[np.ndarray, list[str]]:
    """Read a folder of folders of images.

    Returns
    -------
    images : ndarray of uint8 of shape (n_images, *shape)
    labels : list of str
        The names of the folders.

    Raises
    ------
    DataError
        If there is none, or a file with the ending of an image is no image.
    """
    files = [
        file
        for inner in (sorted(folder.iterdir()) if folder.is_dir() else [])
        if inner.is_dir()
        for file in image_files(inner)
    ]
    if not files:
        raise DataError(
            f"{folder} holds no folders with images; make a folder for each class, with files such as "
            f"{', '.join(SUFFIXES[:3])}."
        )
    images = np.stack([read_image(file, shape, str(file), inverted=inverted) for file in files])
    return images, [file.parent.name for file in files]


def image_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, sorted by name."""
    return [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES]
