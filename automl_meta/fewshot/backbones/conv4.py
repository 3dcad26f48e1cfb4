"""Conv4: four convolutional blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from typing_extensions import override

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.backbones.backbone import Backbone, Normalisation, Weights, check_normalisation
from automl_meta.fewshot.layers import (
    PatchMoments,
    batch_norm_relu,
    channels_to_tasks,
    convolve,
    fold_batch_norm,
    group_norm,
    tasks_to_channels,
)

__all__ = ["Conv4"]

# Output of one layer on a CPU; larger allocations are requested from the system anew each time, which takes longer
# than filling them.
_SLICE_BYTES = 31 * 2**20


class _Prepared(NamedTuple):
    images: Tensor  # (n_images, n_tasks * channels, height, width)
    moments: PatchMoments | None


class Conv4(Backbone):
    """Four blocks of convolution, normalisation and ReLU, the backbone of most few-shot papers.

    Parameters
    ----------
    input_shape : sequence of three int, default=(1, 28, 28)
        Channels, height and width of an image.
    n_filters : int, default=64
        Number of filters per convolution.
    pooling : {'max', 'stride'}, default='max'
        How each block halves the image: by max-pooling, with the flattened last feature map as features
        (prototypical networks [1]_), or by convolutions of stride 2, with global average pooling (MAML on
        Omniglot [2]_).
    normalisation : {'episode', 'group'}, default='episode'
        Whether to use batch normalisation with the statistics of the current batch, or group normalisation
        (eight groups) with the statistics of each image.

    Raises
    ------
    UsageError
        If a parameter is out of range.

    References
    ----------
    .. [1] J. Snell, K. Swersky, R. Zemel: "Prototypical Networks for Few-shot Learning", NeurIPS 2017,
       https://arxiv.org/abs/1703.05175
    .. [2] C. Finn, P. Abbeel, S. Levine: "Model-Agnostic Meta-Learning for Fast Adaptation of Deep
       Networks", ICML 2017, https://arxiv.org/abs/1703.03400

    Examples
    --------
    >>> Conv4()(torch.zeros(2, 5, 1, 28, 28)).shape  # 2 tasks of 5 images
    torch.Size([2, 5, 64])
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        n_filters: int = 64,
        pooling: Literal["max", "stride"] = "max",
        normalisation: Normalisation = "episode",
    ) -> None:
        super().__init__(input_shape)
        check_normalisation(normalisation)
        if pooling not in ("max", "stride"):
            raise UsageError(f"pooling is {pooling!r}; it must be 'max' or 'stride'.")
        if len(self.input_shape) != 3:
            raise UsageError(f"input_shape is {self.input_shape}; Conv4 requires (channels, height, width).")
        if pooling == "max" and min(self.input_shape[1:]) < 16:
            raise UsageError(
                f"Images of shape {self.input_shape} cannot be halved four times; height and width must be at least 16."
            )
        if normalisation == "group" and n_filters % 8:
            raise UsageError(f"n_filters is {n_filters}; group normalisation requires a multiple of 8.")
        self.n_filters = n_filters
        self.pooling = pooling
        self.normalisation = normalisation
        for i in range(4):
            n_inputs = self.input_shape[0] if i == 0 else n_filters
            weight = torch.empty(n_filters, n_inputs, 3, 3)
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
            self.register_parameter(f"weight_{i}", nn.Parameter(weight))
            self.register_parameter(f"scale_{i}", nn.Parameter(torch.ones(n_filters)))
            self.register_parameter(f"shift_{i}", nn.Parameter(torch.zeros(n_filters)))
        positions = math.prod(side // 16 for side in self.input_shape[1:])
        self.n_features = n_filters * (positions if pooling == "max" else 1)

    @property
    def _stride(self) -> int:
        return 2 if self.pooling == "stride" else 1

    @override
    def bytes_per_example(self) -> int:
        _, height, width = self.input_shape
        pixels = height * width // self._stride**2
        return 4 * self.n_filters * pixels * 4 // 3 * (3 if self.pooling == "max" else 2)

    @override
    def prepare(self, x: Tensor) -> _Prepared:
        x = super().prepare(x)
        is_folded = self.normalisation == "episode"
        moments = PatchMoments.of(x, 3, self._stride) if is_folded else None
        images = tasks_to_channels(x)
        return _Prepared(
            images if self.activation_dtype is None else images.to(self.activation_dtype), moments
        )

    @override
    def features(self, prepared: _Prepared, weights: Weights) -> Tensor:
        x = prepared.images
        n_tasks = len(weights["weight_0"])
        for i in range(4):
            x = self._block(i, x, weights, prepared.moments if i == 0 else None, n_tasks)
        if self.pooling == "stride":
            x = x.mean((2, 3))
        return channels_to_tasks(x, n_tasks).flatten(2).to(weights["weight_0"].dtype)

    def _block(
        self, i: int, x: Tensor, weights: Weights, moments: PatchMoments | None, n_tasks: int
    ) -> Tensor:
        weight, scale, shift = (weights[f"{part}_{i}"] for part in ("weight", "scale", "shift"))
        if moments is not None:
            weight, bias = fold_batch_norm(weight, scale, shift, moments)
            kernel, offset = weight.flatten(0, 1).to(x.dtype), bias.flatten().to(x.dtype)
            # The images no longer depend on each other, so that slices of them can be computed separately.
            parts = [
                self._rectified(convolve(part, kernel, offset, self._stride, n_tasks))
                for part in x.split(self._slice(x, n_tasks))
            ]
            return parts[0] if len(parts) == 1 else torch.cat(parts)
        x = convolve(x, weight.flatten(0, 1).to(x.dtype), None, self._stride, n_tasks)
        if self.normalisation == "group":
            return self._rectified(
                group_norm(x, 8 * n_tasks, scale.flatten().to(x.dtype), shift.flatten().to(x.dtype))
            )
        if self.pooling == "stride":
            return batch_norm_relu(x, scale.flatten(), shift.flatten())
        return self._rectified(batch_norm_relu(x, scale.flatten(), shift.flatten(), slope=1.0))

    def _slice(self, x: Tensor, n_tasks: int) -> int:
        """Return the number of images that the first layer computes at a time."""
        if x.device.type != "cpu":
            return len(x)
        pixels = x.shape[2] * x.shape[3] // self._stride**2
        return max(1, _SLICE_BYTES // (n_tasks * self.n_filters * pixels * x.element_size()))

    def _rectified(self, x: Tensor) -> Tensor:
        """Pool, then rectify: ReLU commutes with max-pooling and has fewer values to process after it."""
        return (torch.nn.functional.max_pool2d(x, 2) if self.pooling == "max" else x).relu_()
