"""Batch normalisation by batch statistics fused with ReLU, with hand-written first and second derivatives."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

__all__ = ["EPSILON", "batch_norm_relu"]

EPSILON = 1e-5  # added to variances


def batch_norm_relu(x: Tensor, scale: Tensor, shift: Tensor, slope: float = 0.0) -> Tensor:
    """Normalise each channel over images and positions, scale, shift and apply a leaky ReLU.

    Parameters
    ----------
    x : Tensor of shape (n_images, n_channels, height, width)
        Input.
    scale : Tensor of shape (n_channels,)
        Factor of each normalised channel.
    shift : Tensor of shape (n_channels,)
        Offset of each normalised channel.
    slope : float, default=0.0
        Slope of the activation for negative values: 0 is ReLU, 1 is the identity.

    Returns
    -------
    Tensor of the shape of `x`
        Output.

    Notes
    -----
    The statistics are those of the batch; there are no running statistics, which would leak between tasks. First and
    second derivatives take two passes over memory each; PyTorch's composite second derivative takes a dozen.

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
        """Differentiate ``<u, dx> + <a, d_scale> + <b, d_shift>``, including mean and variance.

        With normalised inputs z, ``dx = scale * inverse * (g - d_shift / m - z * d_scale / m)``, ``d_scale =
        sum(g z)`` and ``d_shift = sum(g)``. The map from g to dx is symmetric, so that applying it to u gives the
        main part of the gradient of g and two of the three sums that the remaining terms depend on.
        """
        g, x, scale, out, mean, inverse, d_scale, d_shift = ctx.saved_tensors
        part = -x.shape[1] / x.numel()  # -1 / number of values per channel
        mapped, sum_uz, sum_u = torch.ops.aten.native_batch_norm_backward(
            u, x, scale, None, None, mean, inverse, True, EPSILON, [True] * 3
        )
        rate = scale * inverse
        rest = (
            (u * g).sum((0, 2, 3)).addcmul_(sum_u, d_shift, value=part).addcmul_(sum_uz, d_scale, value=part)
        )
        of_g = torch.addcmul(a, rate, sum_uz, value=part) * inverse
        of_z = (of_g * d_scale).addcmul_(rate * inverse, rest) * part
        of_x = torch.stack([of_z * inverse, a * inverse])
        constants = torch.addcmul(torch.stack([of_g * d_shift * part, b]), of_x, mean, value=-1)
        of_mapped = inverse * d_scale * part
        rows = torch.cat([of_x, constants, of_g[None], of_mapped[None]])[..., None, None]
        x_in_x, x_in_g, one_in_x, one_in_g, g_in_x, mapped_in_x = rows.unbind()
        grad_x = torch.addcmul(one_in_x, mapped, mapped_in_x).addcmul_(g, g_in_x).addcmul_(x, x_in_x)
        grad_g = torch.addcmul(mapped.add_(one_in_g), x, x_in_g)
        return _rectifier_gradient(grad_g, out, ctx.slope), grad_x, inverse * rest, None, None, None, None
