"""Images as arrays of bytes."""

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
    """Read an image file as bytes of a shape.

    Parameters
    ----------
    file : path or binary file
    shape : tuple of three int
        Channels (1 or 3), height and width.
    name : str
        What it is called in an error.
    inverted : bool
        Whether dark is to be 255: ink on paper.
    most_pixels : int, optional
        That the file may have; by default what Pillow takes for a bomb is refused.

    Returns
    -------
    ndarray of uint8 of the shape

    Raises
    ------
    DataError
        If it is no image, or broken.
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
    except Exception as error:  # what a damaged image raises is in nobody's contract
        raise DataError(
            f"{name} is not an image that can be read ({error}); replace it or remove it."
        ) from error
    pixels = np.asarray(small, dtype=np.uint8)
    pixels = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
    return 255 - pixels if inverted else np.ascontiguousarray(pixels)
