"""Where the tasks lie in memory: beside each other as groups of channels, the channels last."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["channels_to_tasks", "tasks_to_channels"]


def tasks_to_channels(x: Tensor) -> Tensor:
    """Turn (n_tasks, n_images, channels, height, width) into (n_images, n_tasks * channels, height, width).

    One grouped convolution then serves all tasks, and the statistics of a channel are those of one task. The
    strides are written out: of a dimension of length one PyTorch leaves them open, and then takes the slow
    convolutions for channels that do not lie last.
    """
    n_tasks, n_images, channels, height, width = x.shape
    n = n_tasks * channels
    strides = (height * width * n, 1, width * n, n)
    beside = torch.empty_strided((n_images, n, height, width), strides, dtype=x.dtype, device=x.device)
    beside.unflatten(1, (n_tasks, channels)).copy_(x.transpose(0, 1))
    return beside


def channels_to_tasks(x: Tensor, n_tasks: int) -> Tensor:
    """Turn (n_images, n_tasks * channels, ...) into (n_tasks, n_images, channels, ...)."""
    return x.unflatten(1, (n_tasks, -1)).transpose(0, 1)
