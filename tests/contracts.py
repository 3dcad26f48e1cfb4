"""The members that each contract runs on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from drawings import write_archive, write_folders

from automl_meta.algorithms import ALGORITHMS
from automl_meta.experiments import Evaluator, InProcessEvaluator
from automl_meta.metafeatures import EXTRACTORS
from automl_meta.recommenders import RECOMMENDERS as RECOMMENDER_CLASSES

if TYPE_CHECKING:
    from automl_meta.fewshot import Backbone, FewShotLearner, TaskSource

__all__ = [
    "ALGORITHMS",
    "EVALUATORS",
    "METAFEATURE_EXTRACTORS",
    "RECOMMENDERS",
    "few_shot_backbones",
    "few_shot_learners",
    "few_shot_regression_sources",
    "few_shot_sources",
]

EVALUATORS = (Evaluator, InProcessEvaluator)
METAFEATURE_EXTRACTORS = EXTRACTORS
RECOMMENDERS = tuple(member() for member in RECOMMENDER_CLASSES)


def few_shot_learners() -> dict[str, FewShotLearner]:
    """Create small learners in double precision; a function, since torch is an extra."""
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
    grouped = Conv4((1, 17, 17), n_filters=8, pooling="stride", normalisation="group")
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


def few_shot_backbones() -> dict[str, Backbone]:
    """Create small backbones in double precision."""
    import torch

    from automl_meta.fewshot import MLP, Conv4, ResNet12

    torch.manual_seed(0)
    members = {
        "conv4, strided": Conv4((1, 9, 9), n_filters=4, pooling="stride"),
        "conv4, pooled": Conv4((2, 17, 16), n_filters=4),
        "conv4, group norm": Conv4((1, 17, 17), n_filters=8, pooling="stride", normalisation="group"),
        "resnet12": ResNet12((1, 16, 16), n_filters=(2, 2, 2, 4)),
        "resnet12, group norm": ResNet12((2, 16, 17), n_filters=(8, 8, 8, 8), normalisation="group"),
        "mlp": MLP((2, 3), hidden=(8, 5)),
    }
    return {name: backbone.double() for name, backbone in members.items()}


def few_shot_sources() -> dict[str, Callable[[Path], TaskSource]]:
    """Functions that create small sources of classes, from files in an empty folder if need be."""
    from automl_meta.fewshot import (
        ArraySource,
        DigitsSource,
        ImageFolderSource,
        OmniglotSource,
        TabularSource,
    )

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=60), "b": ["u", "v", "w"] * 20, "c": ["p", "q", "r", "s"] * 15}
    )
    y = np.repeat(["one", "two", "three", "four"], [5, 6, 7, 20])
    images, rows = rng.integers(0, 256, (38, 4, 5), dtype=np.uint8), rng.normal(size=(38, 3))

    def image_folder(folder: Path) -> TaskSource:
        write_folders(folder, "abc", 5)
        return ImageFolderSource(folder, (3, 12, 10), inverted=True)

    def omniglot(folder: Path) -> TaskSource:
        write_archive(folder / "images_background.zip", "AB", 2, 5)
        return OmniglotSource(folder, "train", "alphabets", within_alphabet=True)

    return {
        "digits": lambda folder: DigitsSource(),
        "images": lambda folder: ArraySource(images, y),
        "groups": lambda folder: ArraySource(rows, y, groups=[1] * 11 + [2] * 27),
        "table": lambda folder: TabularSource(frame, "c"),
        "tables": lambda folder: TabularSource(
            {"first": frame, "second": frame.sample(frac=1, random_state=0)}, "c"
        ),
        "image folder": image_folder,
        "omniglot": omniglot,
    }


def few_shot_regression_sources() -> dict[str, Callable[[Path], TaskSource]]:
    """Functions that create sources of regression tasks, as `few_shot_sources` does."""
    from automl_meta.fewshot import SinusoidSource

    return {"sinusoid": lambda folder: SinusoidSource()}
