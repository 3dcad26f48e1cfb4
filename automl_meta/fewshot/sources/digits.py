"""DigitsSource: the digits data set of scikit-learn, available offline."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.sources.array import ArraySource

__all__ = ["DigitsSource"]


class DigitsSource(ArraySource):
    """Tasks from the 1,797 handwritten digits of scikit-learn, enlarged to 16 x 16 pixels.

    Parameters
    ----------
    part : {'train', 'test', 'all'}, default='train'
        The digits 0 to 4, the digits 5 to 9, or all. There is no validation part, since there are only ten classes.
    device : torch.device or str, default='cpu'
        Device that the tasks are sampled on.

    Raises
    ------
    UsageError
        If `part` is unknown.

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
        images = np.minimum(digits.images[kept] * 16, 255).astype(np.uint8)  # values are 0 to 16
        super().__init__(images.repeat(2, 1).repeat(2, 2), digits.target[kept], device=device)
