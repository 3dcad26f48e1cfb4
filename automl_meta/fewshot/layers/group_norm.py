"""Group normalisation: the statistics of each image alone."""

from __future__ import annotations

import torch
from torch import Tensor

from automl_meta.fewshot.layers.batch_norm import EPSILON

__all__ = ["group_norm"]


def group_norm(x: Tensor, n_groups: int, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise groups of channels over their positions, image by image, then scale and shift each channel.

    Parameters
    ----------
    x : Tensor of shape (n_images, n_channels, height, width)
    n_groups : int
        A divisor of the number of channels.
    scale, shift : Tensor of shape (n_channels,)

    Returns
    -------
    Tensor of the shape of `x`

    Notes
    -----
    Of elementary operations, since the derivatives must be right for channels that lie last in memory.

    References
    ----------
    .. [1] Y. Wu, K. He: "Group Normalization", ECCV 2018, https://arxiv.org/abs/1803.08494
    """
    grouped = x.unflatten(1, (n_groups, -1))
    variance, mean = torch.var_mean(grouped, (2, 3, 4), correction=0, keepdim=True)
    normalised = ((grouped - mean) * torch.rsqrt(variance + EPSILON)).flatten(1, 2)
    return normalised * scale[:, None, None] + shift[:, None, None]
