"""Where the tasks lie in memory: beside each other as groups of channels, the channels last."""

from __future__ import annotations

from torch import Tensor

__all__ = ["channels_to_tasks", "tasks_to_channels"]


def tasks_to_channels(x: Tensor) -> Tensor:
    """Turn (n_tasks, n_images, channels, height, width) into (n_images, n_tasks * channels, height, width).

    One grouped convolution then serves all tasks, and the statistics of a channel are those of one task.
    """
    return x.permute(1, 3, 4, 0, 2).flatten(3).permute(0, 3, 1, 2)


def channels_to_tasks(x: Tensor, n_tasks: int) -> Tensor:
    """Turn (n_images, n_tasks * channels, ...) into (n_tasks, n_images, channels, ...)."""
    return x.unflatten(1, (n_tasks, -1)).transpose(0, 1)
