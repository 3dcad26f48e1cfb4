"""ResNet12: a residual network for few-shot learning."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones.backbone import Backbone, Normalisation, Weights, check_normalisation
from automl_meta.fewshot.layers import (
    batch_norm_relu,
    channels_to_tasks,
    convolve,
    group_norm,
    tasks_to_channels,
)

__all__ = ["ResNet12"]

_SLOPE = 0.1  # negative slope of the leaky ReLUs


class ResNet12(Backbone):
    """Four residual blocks of three convolutions each, followed by global average pooling.

    Parameters
    ----------
    input_shape : sequence of three int, default=(3, 84, 84)
        Channels, height and width of an image.
    n_filters : sequence of four int, default=(64, 160, 320, 640)
        Number of filters per block.
    normalisation : {'episode', 'group'}, default='episode'
        Whether to use batch normalisation with the statistics of the current batch, or group normalisation
        (eight groups) with the statistics of each image.

    Raises
    ------
    UsageError
        If a parameter is out of range.

    References
    ----------
    .. [1] K. Lee, S. Maji, A. Ravichandran, S. Soatto: "Meta-Learning with Differentiable Convex
       Optimization", CVPR 2019, https://arxiv.org/abs/1904.03758

    Examples
    --------
    >>> ResNet12((1, 28, 28), n_filters=(8, 8, 8, 16))(torch.zeros(1, 2, 1, 28, 28)).shape
    torch.Size([1, 2, 16])
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 84, 84),
        n_filters: Sequence[int] = (64, 160, 320, 640),
        normalisation: Normalisation = "episode",
    ) -> None:
        super().__init__(input_shape)
        check_normalisation(normalisation)
        if len(self.input_shape) != 3 or min(self.input_shape[1:]) < 16:
            raise UsageError(
                f"input_shape is {self.input_shape}; ResNet12 requires (channels, height, width) with "
                "at least 16 pixels."
            )
        if len(n_filters) != 4 or (normalisation == "group" and any(n % 8 for n in n_filters)):
            raise UsageError(
                f"n_filters is {tuple(n_filters)}; it must contain four numbers, multiples of 8 for "
                "group normalisation."
            )
        self.n_filters = tuple(int(n) for n in n_filters)
        self.normalisation = normalisation
        n_inputs = self.input_shape[0]
        for block, n_outputs in enumerate(self.n_filters):
            shapes = [
                (n_inputs, 3),
                (n_outputs, 3),
                (n_outputs, 3),
                (n_inputs, 1),
            ]  # the last is the shortcut
            for part, (n_from, size) in enumerate(shapes):
                weight = torch.empty(n_outputs, n_from, size, size)
                nn.init.kaiming_normal_(weight, a=_SLOPE)
                self.register_parameter(f"weight_{block}_{part}", nn.Parameter(weight))
                self.register_parameter(f"scale_{block}_{part}", nn.Parameter(torch.ones(n_outputs)))
                self.register_parameter(f"shift_{block}_{part}", nn.Parameter(torch.zeros(n_outputs)))
            n_inputs = n_outputs
        self.n_features = n_inputs

    @override
    def bytes_per_example(self) -> int:
        pixels = self.input_shape[1] * self.input_shape[2]
        return sum(4 * 10 * n * pixels // 4**i for i, n in enumerate(self.n_filters))

    @override
    def prepare(self, x: Tensor) -> Tensor:
        images = tasks_to_channels(super().prepare(x))
        return images if self.activation_dtype is None else images.to(self.activation_dtype)

    @override
    def features(self, prepared: Tensor, weights: Weights) -> Tensor:
        x = prepared
        n_tasks = len(weights["weight_0_0"])
        for block in range(4):
            shortcut = self._layer(f"{block}_3", x, weights, n_tasks, 1.0)
            x = self._layer(f"{block}_0", x, weights, n_tasks, _SLOPE)
            x = self._layer(f"{block}_1", x, weights, n_tasks, _SLOPE)
            x = self._layer(f"{block}_2", x, weights, n_tasks, 1.0) + shortcut
            x = torch.nn.functional.max_pool2d(torch.nn.functional.leaky_relu(x, _SLOPE), 2)
        return channels_to_tasks(x.mean((2, 3)), n_tasks).to(weights["weight_0_0"].dtype)

    def _layer(self, name: str, x: Tensor, weights: Weights, n_tasks: int, slope: float) -> Tensor:
        scale, shift = weights[f"scale_{name}"].flatten(), weights[f"shift_{name}"].flatten()
        x = convolve(x, weights[f"weight_{name}"].flatten(0, 1).to(x.dtype), None, 1, n_tasks)
        if self.normalisation == "episode":
            return batch_norm_relu(x, scale, shift, slope)
        x = group_norm(x, 8 * n_tasks, scale.to(x.dtype), shift.to(x.dtype))
        return torch.nn.functional.leaky_relu(x, slope)
