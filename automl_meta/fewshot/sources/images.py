"""Reading of image files."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from automl_meta.exceptions import DataError

__all__ = ["read_image"]


def read_image(
    file: str | Path | IO[bytes],
    shape: tuple[int, ...],
    name: str,
    *,
    inverted: bool,
    most_pixels: int | None = None,
) -> np.ndarray:
    """Read an image file and resize it.

    Parameters
    ----------
    file : str, Path or binary file
        Image file.
    shape : tuple of three int
        Channels (1 for greyscale, 3 for RGB), height and width of the result.
    name : str
        Name of the file in error messages.
    inverted : bool
        Whether to invert brightness.
    most_pixels : int, optional
        Largest number of pixels of the file; None leaves the limit to Pillow.

    Returns
    -------
    ndarray of uint8 of shape `shape`
        Pixels.

    Raises
    ------
    DataError
        If the file is not an image, is damaged, or is too large.
    """
    channels, height, width = shape
    try:
        with Image.open(file) as image:
            if most_pixels is not None and image.width * image.height > most_pixels:
                raise ValueError(f"it has {image.width} by {image.height} pixels")
            small = image.convert("L" if channels == 1 else "RGB").resize(
                (width, height), Image.Resampling.BOX
            )
    except FileNotFoundError:
        raise
    except Exception as error:  # damaged images may raise anything
        raise DataError(f"{name} is not a readable image ({error}); replace or remove it.") from error
    pixels = np.asarray(small, dtype=np.uint8)
    pixels = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
    return 255 - pixels if inverted else np.ascontiguousarray(pixels)
