"""Layers of the backbones: twice differentiable, with separate weights per task."""

from automl_meta.fewshot.layers.batch_norm import batch_norm_relu
from automl_meta.fewshot.layers.convolution import convolve
from automl_meta.fewshot.layers.folding import PatchMoments, fold_batch_norm
from automl_meta.fewshot.layers.group_norm import group_norm
from automl_meta.fewshot.layers.tasks import channels_to_tasks, tasks_to_channels

__all__ = [
    "PatchMoments",
    "batch_norm_relu",
    "channels_to_tasks",
    "convolve",
    "fold_batch_norm",
    "group_norm",
    "tasks_to_channels",
]
