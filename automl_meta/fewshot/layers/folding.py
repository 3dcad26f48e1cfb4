"""The first convolution and its batch normalisation as one convolution.

A normalisation needs the mean and the variance of what the convolution gives. Of a linear map of image
patches both follow from the mean and the covariance of the patches, ``mean = w p`` and ``variance = w C w'``,
which are tiny where images have one channel, and the same for all weights. So the first layer, whose output is
the largest of all, is never read to be normalised: its weights are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from automl_meta.fewshot.layers.batch_norm import EPSILON

__all__ = ["PatchMoments", "fold_batch_norm"]


@dataclass(frozen=True)
class PatchMoments:
    """Mean and covariance of the patches that a first convolution sees, task by task.

    Parameters
    ----------
    mean : Tensor of shape (n_tasks, patch_size, 1)
    covariance : Tensor of shape (n_tasks, patch_size, patch_size)
    """

    mean: Tensor
    covariance: Tensor

    @classmethod
    def of(cls, x: Tensor, size: int, stride: int) -> PatchMoments:
        """Measure images of shape (n_tasks, n_images, channels, height, width)."""
        unfolded = torch.nn.functional.unfold(x.flatten(0, 1), size, padding=size // 2, stride=stride)
        patches = unfolded.unflatten(0, x.shape[:2])
        mean = patches.mean((1, 3))
        centred = patches.sub_(mean[:, None, :, None])
        covariance = (centred @ centred.mT).sum(1) / (patches.shape[1] * patches.shape[3])
        return cls(mean[..., None], covariance)


def fold_batch_norm(
    weight: Tensor, scale: Tensor, shift: Tensor, moments: PatchMoments
) -> tuple[Tensor, Tensor]:
    """Weights and bias of the convolution that gives the normalised, scaled and shifted output at once.

    Parameters
    ----------
    weight : Tensor of shape (n_tasks, out_channels, in_channels, size, size)
    scale, shift : Tensor of shape (n_tasks, out_channels)
    moments : PatchMoments

    Returns
    -------
    weight : Tensor of the shape of `weight`
    bias : Tensor of shape (n_tasks, out_channels, 1)
    """
    flat = weight.flatten(2)
    variance = (torch.bmm(flat, moments.covariance) * flat).sum(-1, keepdim=True)
    rate = scale[..., None] * torch.rsqrt(variance + EPSILON)
    folded = flat * rate
    bias = torch.baddbmm(shift[..., None], folded, moments.mean, alpha=-1)
    return folded.view_as(weight), bias
