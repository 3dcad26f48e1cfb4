"""Memory layout of tasks: groups of channels in the channels-last memory format."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["channels_to_tasks", "tasks_to_channels"]


def tasks_to_channels(x: Tensor) -> Tensor:
    """Arrange tasks as groups of channels.

    One grouped convolution then computes all tasks, and the statistics of a channel are those of one task.

    Parameters
    ----------
    x : Tensor of shape (n_tasks, n_images, channels, height, width)
        Images of each task.

    Returns
    -------
    Tensor of shape (n_images, n_tasks * channels, height, width)
        Images in the channels-last memory format.
    """
    # The strides are explicit: PyTorch's are ambiguous for dimensions of length 1, and it then selects the slow
    # convolutions of other memory formats.
    n_tasks, n_images, channels, height, width = x.shape
    n = n_tasks * channels
    strides = (height * width * n, 1, width * n, n)
    arranged = torch.empty_strided((n_images, n, height, width), strides, dtype=x.dtype, device=x.device)
    arranged.unflatten(1, (n_tasks, channels)).copy_(x.transpose(0, 1))
    return arranged


def channels_to_tasks(x: Tensor, n_tasks: int) -> Tensor:
    """Separate tasks that are arranged as groups of channels.

    Parameters
    ----------
    x : Tensor of shape (n_images, n_tasks * channels, ...)
        Images as returned by `tasks_to_channels`.
    n_tasks : int
        Number of tasks.

    Returns
    -------
    Tensor of shape (n_tasks, n_images, channels, ...)
        Images of each task.
    """
    return x.unflatten(1, (n_tasks, -1)).transpose(0, 1)
