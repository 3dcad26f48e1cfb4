"""Batch normalisation by the statistics of the batch alone, and the rectifier, with both derivatives by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

__all__ = ["EPSILON", "batch_norm_relu"]

EPSILON = 1e-5  # added to variances


def batch_norm_relu(x: Tensor, scale: Tensor, shift: Tensor, slope: float = 0.0) -> Tensor:
    """Normalise each channel over images and positions, scale, shift and rectify.

    Parameters
    ----------
    x : Tensor of shape (n_images, n_channels, height, width)
    scale, shift : Tensor of shape (n_channels,)
    slope : float, default=0.0
        Of the rectifier below zero: 0 is ReLU, 1 leaves everything as it is.

    Returns
    -------
    Tensor of the shape of `x`

    Notes
    -----
    Nothing but the batch decides the statistics, and none are kept: a statistic that runs along would leak
    from task to task. Derivatives to the second order, in two passes over the memory each; PyTorch's
    composite second derivative takes a dozen.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy: "Batch Normalization: Accelerating Deep Network Training by Reducing
       Internal Covariate Shift", ICML 2015, https://arxiv.org/abs/1502.03167
    """
    return _BatchNormReLU.apply(x, scale, shift, slope)


def _rectifier_gradient(dy: Tensor, out: Tensor, slope: float) -> Tensor:
    if slope == 1.0:
        return dy
    if slope == 0.0:
        return torch.ops.aten.threshold_backward(dy, out, 0)
    return torch.ops.aten.leaky_relu_backward(dy, out, slope, True)


class _BatchNormReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor, slope: float) -> Tensor:
        out, mean, inverse = torch.native_batch_norm(x, scale, shift, None, None, True, 0.0, EPSILON)
        if slope == 0.0:
            out.relu_()
        elif slope != 1.0:
            torch.nn.functional.leaky_relu_(out, slope)
        ctx.save_for_backward(x, scale, out, mean, inverse)
        ctx.slope = slope
        return out

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        return *_BatchNormReLUGradient.apply(dy, *ctx.saved_tensors, ctx.slope), None


class _BatchNormReLUGradient(Function):
    @staticmethod
    def forward(
        ctx: Any,
        dy: Tensor,
        x: Tensor,
        scale: Tensor,
        out: Tensor,
        mean: Tensor,
        inverse: Tensor,
        slope: float,
    ) -> Any:
        g = _rectifier_gradient(dy, out, slope)
        dx, d_scale, d_shift = torch.ops.aten.native_batch_norm_backward(
            g, x, scale, None, None, mean, inverse, True, EPSILON, [True] * 3
        )
        ctx.save_for_backward(g, x, scale, out, mean, inverse, d_scale, d_shift)
        ctx.slope = slope
        return dx, d_scale, d_shift

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Tensor, a: Tensor, b: Tensor) -> Any:
        """Differentiate ``<u, dx> + <a, d_scale> + <b, d_shift>``, mean and variance included.

        With normalised inputs z, ``dx = scale * inverse * (g - d_shift / m - z * d_scale / m)``,
        ``d_scale = sum(g z)`` and ``d_shift = sum(g)``. All sums over a channel follow from three.
        """
        g, x, scale, out, mean, inverse, d_scale, d_shift = ctx.saved_tensors
        m = x.numel() // x.shape[1]
        sums = (0, 2, 3)
        sum_u = u.sum(sums)
        sum_uz = inverse * ((u * x).sum(sums) - mean * sum_u)
        rest = (u * g).sum(sums) - (sum_u * d_shift + sum_uz * d_scale) / m
        rate = scale * inverse
        of_g = a - rate * sum_uz / m
        of_u = -rate * d_scale / m
        sum_h = (a - rate * sum_uz / m) * d_shift - rate * sum_u * d_scale / m
        sum_hz = a * d_scale - 2 * rate * sum_uz * d_scale / m
        of_z = -inverse * (sum_hz + scale * inverse * rest) / m

        c = (1, -1, 1, 1)
        constant_x = -inverse * sum_h / m - of_z * inverse * mean
        grad_x = torch.addcmul(constant_x.view(c), u, (inverse * of_u).view(c))
        grad_x.addcmul_(g, (inverse * of_g).view(c)).addcmul_(x, (of_z * inverse).view(c))
        grad_g = torch.addcmul((b - rate * sum_u / m - of_g * inverse * mean).view(c), u, rate.view(c))
        grad_g.addcmul_(x, (of_g * inverse).view(c))
        grad_dy = _rectifier_gradient(grad_g, out, ctx.slope)
        return grad_dy, grad_x, inverse * rest, None, None, None, None
