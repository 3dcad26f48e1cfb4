"""Few-shot learning: meta-train on many tasks, then learn new classes from a handful of examples."""

from importlib.util import find_spec

from automl_meta.exceptions import MissingDependencyError

for _name in ("torch", "safetensors", "PIL"):
    if find_spec(_name) is None:
        raise MissingDependencyError(
            f"Few-shot learning needs {_name}, which is not installed. Install the extra 'fewshot', from a "
            "checkout by: pip install -e '.[fewshot]'"
        )

from automl_meta.fewshot.anil import ANIL
from automl_meta.fewshot.backbones import MLP, Backbone, Conv4, ResNet12
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.evaluation import Evaluation, evaluate
from automl_meta.fewshot.few_shot_classifier import FewShotClassifier
from automl_meta.fewshot.finetuning import FineTuning
from automl_meta.fewshot.fomaml import FOMAML
from automl_meta.fewshot.learner import FewShotLearner, Predictor
from automl_meta.fewshot.maml import MAML
from automl_meta.fewshot.meta_sgd import MetaSGD
from automl_meta.fewshot.meta_training import meta_fit
from automl_meta.fewshot.prototypical import PrototypicalNetwork
from automl_meta.fewshot.reptile import Reptile
from automl_meta.fewshot.saving import LEARNERS, load, save
from automl_meta.fewshot.sources import (
    ArraySource,
    DigitsSource,
    ImageFolderSource,
    OmniglotSource,
    SinusoidSource,
    TabularSource,
    TaskSource,
)
from automl_meta.fewshot.training_options import TrainingOptions, TrainingProgress, TrainingResult

__all__ = [
    "ANIL",
    "FOMAML",
    "LEARNERS",
    "MAML",
    "MLP",
    "ArraySource",
    "Backbone",
    "Conv4",
    "DigitsSource",
    "Episode",
    "Evaluation",
    "FewShotClassifier",
    "FewShotLearner",
    "FineTuning",
    "ImageFolderSource",
    "MetaSGD",
    "OmniglotSource",
    "Predictor",
    "PrototypicalNetwork",
    "Reptile",
    "ResNet12",
    "SinusoidSource",
    "TabularSource",
    "TaskSource",
    "TrainingOptions",
    "TrainingProgress",
    "TrainingResult",
    "evaluate",
    "load",
    "meta_fit",
    "save",
]
