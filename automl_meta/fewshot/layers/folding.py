"""Folding of batch normalisation into the weights of the first convolution.

Normalisation needs the mean and the variance of the convolution's output. Since a convolution is a linear map of
image patches, both follow from the mean p and the covariance C of the patches: ``mean = w p`` and
``variance = w C w'``. These are small for images with one channel and do not depend on the weights. Normalising the
weights instead of the output saves a pass over the output of the first layer, which is the largest of all.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from automl_meta.fewshot.layers.batch_norm import EPSILON

__all__ = ["PatchMoments", "fold_batch_norm"]


@dataclass(frozen=True)
class PatchMoments:
    """Mean and covariance of the image patches of each task.

    Parameters
    ----------
    mean : Tensor of shape (n_tasks, patch_size, 1)
        Mean of the patches.
    covariance : Tensor of shape (n_tasks, patch_size, patch_size)
        Covariance matrix of the patches.
    """

    mean: Tensor
    covariance: Tensor

    @classmethod
    def of(cls, x: Tensor, size: int, stride: int) -> PatchMoments:
        """Compute the moments of the patches that a convolution with zero padding sees.

        Parameters
        ----------
        x : Tensor of shape (n_tasks, n_images, channels, height, width)
            Images.
        size : int
            Height and width of a patch, an odd number.
        stride : int
            Stride of the convolution.

        Returns
        -------
        PatchMoments
            Moments of each task.
        """
        unfolded = torch.nn.functional.unfold(x.flatten(0, 1), size, padding=size // 2, stride=stride)
        patches = unfolded.unflatten(0, x.shape[:2])
        mean = patches.mean((1, 3))
        centred = patches.sub_(mean[:, None, :, None])
        covariance = (centred @ centred.mT).sum(1) / (patches.shape[1] * patches.shape[3])
        return cls(mean[..., None], covariance)


def fold_batch_norm(
    weight: Tensor, scale: Tensor, shift: Tensor, moments: PatchMoments
) -> tuple[Tensor, Tensor]:
    """Fold batch normalisation into a convolution.

    Parameters
    ----------
    weight : Tensor of shape (n_tasks, out_channels, in_channels, size, size)
        Weights of the convolution.
    scale : Tensor of shape (n_tasks, out_channels)
        Factor of each normalised channel.
    shift : Tensor of shape (n_tasks, out_channels)
        Offset of each normalised channel.
    moments : PatchMoments
        Moments of the input patches of the convolution.

    Returns
    -------
    weight : Tensor of the shape of `weight`
        Weights of the convolution whose output is normalised.
    bias : Tensor of shape (n_tasks, out_channels, 1)
        Bias of that convolution.
    """
    flat = weight.flatten(2)
    variance = (torch.bmm(flat, moments.covariance) * flat).sum(-1, keepdim=True)
    rate = scale[..., None] * torch.rsqrt(variance + EPSILON)
    folded = flat * rate
    bias = torch.baddbmm(shift[..., None], folded, moments.mean, alpha=-1)
    return folded.view_as(weight), bias
