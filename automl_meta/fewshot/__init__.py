"""Few-shot learning: meta-train on many tasks, then learn new classes from a handful of examples."""

from importlib.util import find_spec

from automl_meta.exceptions import MissingDependencyError

for _name in ("torch", "safetensors", "PIL"):
    if find_spec(_name) is None:
        raise MissingDependencyError(
            f"Few-shot learning needs {_name}, which is not installed. Install the extra 'fewshot', from a "
            "checkout by: pip install -e '.[fewshot]'"
        )

# A member of a family is exported by the face of its family alone.
from automl_meta.fewshot import backbones, methods, sources
from automl_meta.fewshot.backbones import *
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.evaluation import Evaluation, evaluate
from automl_meta.fewshot.few_shot_classifier import FewShotClassifier
from automl_meta.fewshot.learner import FewShotLearner, Predictor
from automl_meta.fewshot.meta_training import meta_fit
from automl_meta.fewshot.methods import *
from automl_meta.fewshot.saving import load, save
from automl_meta.fewshot.sources import *
from automl_meta.fewshot.training_options import TrainingOptions, TrainingProgress, TrainingResult

__all__ = [
    "Episode",
    "Evaluation",
    "FewShotClassifier",
    "FewShotLearner",
    "Predictor",
    "TrainingOptions",
    "TrainingProgress",
    "TrainingResult",
    "evaluate",
    "load",
    "meta_fit",
    "save",
]
__all__ += backbones.__all__
__all__ += methods.__all__
__all__ += sources.__all__
