"""Group normalisation."""

from __future__ import annotations

import torch
from torch import Tensor

from automl_meta.fewshot.layers.batch_norm import EPSILON

__all__ = ["group_norm"]


def group_norm(x: Tensor, n_groups: int, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise groups of channels within each image, then scale and shift each channel.

    Parameters
    ----------
    x : Tensor of shape (n_images, n_channels, height, width)
        Input.
    n_groups : int
        Number of groups, a divisor of the number of channels.
    scale : Tensor of shape (n_channels,)
        Factor of each normalised channel.
    shift : Tensor of shape (n_channels,)
        Offset of each normalised channel.

    Returns
    -------
    Tensor of the shape of `x`
        Output.

    Notes
    -----
    Composed of elementary operations, whose derivatives are correct in the channels-last memory format.

    References
    ----------
    .. [1] Y. Wu, K. He: "Group Normalization", ECCV 2018, https://arxiv.org/abs/1803.08494
    """
    grouped = x.unflatten(1, (n_groups, -1))
    variance, mean = torch.var_mean(grouped, (2, 3, 4), correction=0, keepdim=True)
    normalised = ((grouped - mean) * torch.rsqrt(variance + EPSILON)).flatten(1, 2)
    return normalised * scale[:, None, None] + shift[:, None, None]
