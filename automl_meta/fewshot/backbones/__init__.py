"""Networks that map examples to features."""

from automl_meta.fewshot.backbones.backbone import Backbone, Weights
from automl_meta.fewshot.backbones.conv4 import Conv4
from automl_meta.fewshot.backbones.mlp import MLP
from automl_meta.fewshot.backbones.resnet12 import ResNet12

__all__ = ["BACKBONES", "MLP", "Backbone", "Conv4", "ResNet12", "Weights"]

BACKBONES: tuple[type[Backbone], ...] = (Conv4, ResNet12, MLP)
