"""DigitsSource: scikit-learn's digits, to try things out offline."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.sources.array import ArraySource

__all__ = ["DigitsSource"]


class DigitsSource(ArraySource):
    """The 1,797 handwritten digits of scikit-learn, as images of 16 x 16 pixels.

    Parameters
    ----------
    part : {'train', 'test', 'all'}, default='train'
        The digits 0 to 4, the digits 5 to 9, or all. There is no part for validation: ten classes are few.
    device : str or torch.device, default='cpu'

    Raises
    ------
    UsageError
        If the part is unknown.

    Examples
    --------
    >>> DigitsSource("test").sample(n_way=5, n_shot=1, n_query=15).query_x.shape
    torch.Size([1, 75, 1, 16, 16])
    """

    def __init__(self, part: str = "train", device: torch.device | str = "cpu") -> None:
        parts = {"train": range(5), "test": range(5, 10), "all": range(10)}
        if part not in parts:
            raise UsageError(f"part is {part!r}; it must be one of {', '.join(parts)}.")
        digits = load_digits()
        kept = np.isin(digits.target, parts[part])
        images = np.minimum(digits.images[kept] * 16, 255).astype(np.uint8)  # 0 to 16 there
        super().__init__(images.repeat(2, 1).repeat(2, 2), digits.target[kept], device=device)
