"""The members that each contract runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automl_meta.algorithms import ALGORITHMS
from automl_meta.experiments import Evaluator, InProcessEvaluator
from automl_meta.metafeatures import EXTRACTORS
from automl_meta.recommenders import RECOMMENDERS as RECOMMENDER_CLASSES

if TYPE_CHECKING:
    from automl_meta.fewshot import FewShotLearner

__all__ = ["ALGORITHMS", "EVALUATORS", "METAFEATURE_EXTRACTORS", "RECOMMENDERS", "few_shot_learners"]

EVALUATORS = (Evaluator, InProcessEvaluator)
METAFEATURE_EXTRACTORS = EXTRACTORS
RECOMMENDERS = tuple(member() for member in RECOMMENDER_CLASSES)


def few_shot_learners() -> dict[str, FewShotLearner]:
    """Small learners in double precision; a function, since torch is an extra."""
    import torch

    from automl_meta.fewshot import (
        ANIL,
        FOMAML,
        MAML,
        MLP,
        Conv4,
        FineTuning,
        MetaSGD,
        PrototypicalNetwork,
        Reptile,
        ResNet12,
    )

    torch.manual_seed(0)
    strided = Conv4((1, 9, 9), n_filters=4, pooling="stride")
    pooled = Conv4((2, 17, 16), n_filters=4)
    grouped = Conv4((1, 9, 9), n_filters=8, pooling="stride", normalisation="group")
    members = {
        "prototypes": PrototypicalNetwork(pooled),
        "prototypes, in turns": PrototypicalNetwork(pooled, temperature=2.0, turns=True),
        "prototypes, cosine": PrototypicalNetwork(grouped, distance="cosine"),
        "prototypes, residual": PrototypicalNetwork(ResNet12((1, 16, 16), n_filters=(2, 2, 2, 4))),
        "maml": MAML(strided, n_steps=2, learning_rate=0.1),
        "maml, pooled": MAML(pooled, n_steps=2, learning_rate=0.1),
        "maml, group norm": MAML(grouped, n_steps=2, learning_rate=0.1),
        "maml, residual": MAML(ResNet12((1, 16, 16), n_filters=(2, 2, 2, 4)), n_steps=2, learning_rate=0.1),
        "maml, plus": MAML(
            strided, n_steps=3, learning_rate=0.1, multi_step_loss="uniform", per_step_rates=True
        ),
        "maml, regression": MAML(MLP((2,), hidden=(8, 8)), n_steps=3, learning_rate=0.1, regression=True),
        "fomaml": FOMAML(strided, n_steps=2, learning_rate=0.1),
        "anil": ANIL(strided, n_steps=3, learning_rate=0.1),
        "reptile": Reptile(strided, n_steps=2, learning_rate=0.1),
        "meta-sgd": MetaSGD(strided, n_steps=2, learning_rate=0.1),
        "fine-tuning": FineTuning(pooled, n_classes=3, n_steps=5),
    }
    return {name: learner.double() for name, learner in members.items()}
