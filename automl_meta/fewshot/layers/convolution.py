"""A convolution whose derivatives of every order consist of the same three operations.

The input gradient and the weight gradient of a convolution are bilinear, like the convolution itself, and the
derivatives of each of the three are the other two. PyTorch's own second derivative instead takes a transposed
convolution with the batch as channels, once per group.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

__all__ = ["convolve"]


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, groups: int = 1
) -> Tensor:
    """Convolve with zero padding that preserves the size (divided by the stride, rounded up).

    Parameters
    ----------
    x : Tensor of shape (n_images, groups * in_channels, height, width)
        Input.
    weight : Tensor of shape (groups * out_channels, in_channels, size, size)
        Kernels of odd size.
    bias : Tensor of shape (groups * out_channels,), optional
        Offset of each output channel; None is no offset.
    stride : int, default=1
        Stride in both directions.
    groups : int, default=1
        Number of groups of channels: one per task, which gives each task its own weights.

    Returns
    -------
    Tensor of shape (n_images, groups * out_channels, ceil(height / stride), ceil(width / stride))
        Output.
    """
    # Convert the memory format once; otherwise each of the derivatives would convert it again.
    weight = weight.contiguous(memory_format=torch.channels_last)
    return _Convolution.apply(x, weight, bias, stride, groups)


def _gradients(dy: Tensor, x: Tensor, weight: Tensor, stride: int, groups: int, which: list[bool]) -> Any:
    padding = weight.shape[-1] // 2
    return torch.ops.aten.convolution_backward(
        dy, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups, which
    )


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, groups: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = stride, groups
        return torch.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, 1, groups)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        dx = _InputGradient.apply(dy, weight, x, *ctx.geometry) if ctx.needs_input_grad[0] else None
        dw = _WeightGradient.apply(dy, x, weight, *ctx.geometry) if ctx.needs_input_grad[1] else None
        return dx, dw, dy.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None, None, None


class _InputGradient(Function):
    """Gradient of the input; only the shape of `like`, the input, is used."""

    @staticmethod
    def forward(ctx: Any, dy: Tensor, weight: Tensor, like: Tensor, stride: int, groups: int) -> Tensor:
        ctx.save_for_backward(dy, weight)
        ctx.geometry = stride, groups
        return _gradients(dy, like, weight, stride, groups, [True, False, False])[0]

    @staticmethod
    def backward(ctx: Any, ddx: Tensor) -> Any:
        dy, weight = ctx.saved_tensors
        d_dy = _Convolution.apply(ddx, weight, None, *ctx.geometry) if ctx.needs_input_grad[0] else None
        dw = _WeightGradient.apply(dy, ddx, weight, *ctx.geometry) if ctx.needs_input_grad[1] else None
        return d_dy, dw, None, None, None


class _WeightGradient(Function):
    """Gradient of the weight; only the shape of `like`, the weight, is used."""

    @staticmethod
    def forward(ctx: Any, dy: Tensor, x: Tensor, like: Tensor, stride: int, groups: int) -> Tensor:
        ctx.save_for_backward(dy, x)
        ctx.geometry = stride, groups
        return _gradients(dy, x, like, stride, groups, [False, True, False])[1]

    @staticmethod
    def backward(ctx: Any, ddw: Tensor) -> Any:
        dy, x = ctx.saved_tensors
        d_dy = _Convolution.apply(x, ddw, None, *ctx.geometry) if ctx.needs_input_grad[0] else None
        dx = _InputGradient.apply(dy, ddw, x, *ctx.geometry) if ctx.needs_input_grad[1] else None
        return d_dy, dx, None, None, None
