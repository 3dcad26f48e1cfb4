"""ImageFolderSource: classification tasks from image files in one folder per class."""

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
    """Classification tasks from a folder with one subfolder of image files per class.

    Parameters
    ----------
    folder : str or Path
        Folder of the subfolders.
    input_shape : sequence of three int, default=(1, 28, 28)
        Channels (1 for greyscale, 3 for RGB), height and width that images are converted to.
    inverted : bool, default=False
        Whether to invert brightness, for dark ink on bright paper.
    device : torch.device or str, default='cpu'
        Device that the tasks are sampled on.

    Raises
    ------
    DataError
        If there are fewer than two classes, or an image cannot be read.
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
        """The description of the examples, saved with learners trained on them."""
        return {"kind": "image", "input_shape": list(self.input_shape), "inverted": self.inverted}


def read_image_folder(
    folder: Path, shape: tuple[int, ...], *, inverted: bool
) -> tuple[np.ndarray, list[str]]:
    """Read the images of a folder with one subfolder per class.

    Returns
    -------
    images : ndarray of uint8 of shape (n_images, *shape)
        Images.
    labels : list of str
        Name of the subfolder of each image.

    Raises
    ------
    DataError
        If there are no images, or an image cannot be read.
    """
    files = [
        file
        for inner in (sorted(folder.iterdir()) if folder.is_dir() else [])
        if inner.is_dir()
        for file in image_files(inner)
    ]
    if not files:
        raise DataError(
            f"{folder} contains no subfolders with images; create one subfolder per class, with files such as "
            f"{', '.join(SUFFIXES[:3])}."
        )
    images = np.stack([read_image(file, shape, str(file), inverted=inverted) for file in files])
    return images, [file.parent.name for file in files]


def image_files(folder: Path) -> list[Path]:
    """Return the image files of a folder, sorted by name."""
    return [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES]
