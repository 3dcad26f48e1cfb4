"""The few-shot methods: their public face, and the classes by which saved learners are loaded."""

from __future__ import annotations

from automl_meta.fewshot.anil import ANIL
from automl_meta.fewshot.finetuning import FineTuning
from automl_meta.fewshot.fomaml import FOMAML
from automl_meta.fewshot.learner import FewShotLearner
from automl_meta.fewshot.maml import MAML
from automl_meta.fewshot.meta_sgd import MetaSGD
from automl_meta.fewshot.prototypical import PrototypicalNetwork
from automl_meta.fewshot.reptile import Reptile

__all__ = [
    "ANIL",
    "FOMAML",
    "LEARNERS",
    "MAML",
    "FineTuning",
    "MetaSGD",
    "PrototypicalNetwork",
    "Reptile",
]

LEARNERS: tuple[type[FewShotLearner], ...] = (
    PrototypicalNetwork,
    MAML,
    FOMAML,
    ANIL,
    Reptile,
    MetaSGD,
    FineTuning,
)
