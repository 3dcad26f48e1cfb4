"""The formats of files of few-shot learning, as `fuzzing_files` has those of tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from damage import damaged, damaged_safetensors, damaged_zip, either
from drawings import write_archive
from fuzzing_files import Format

from automl_meta.fewshot import (
    MAML,
    MLP,
    ArraySource,
    FewShotClassifier,
    OmniglotSource,
    load,
    meta_fit,
    save,
)

_X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
_Y = np.arange(40) % 5


def _source() -> ArraySource:
    return ArraySource(_X, _Y)


def write_learner(path: Path) -> None:
    torch.manual_seed(0)
    learner = MAML(MLP((4,), (6,)), n_steps=2, learning_rate=0.1)
    meta_fit(learner, _source(), n_episodes=8, n_query=2, random_state=0)
    save(learner, path)


def answer(path: Path) -> object:
    return FewShotClassifier(load(path)).fit(_X[:10], _Y[:10]).predict(_X[10:13])


def train(path: Path, n_episodes: int = 12) -> object:
    torch.manual_seed(0)
    learner = MAML(MLP((4,), (6,)), n_steps=1, learning_rate=0.1)
    options = {"n_query": 2, "n_valid_episodes": 2, "random_state": 0, "valid_every": 4}
    return meta_fit(
        learner, _source(), valid_source=_source(), checkpoint=path, n_episodes=n_episodes, **options
    ).episodes


def read_omniglot(path: Path) -> object:
    return OmniglotSource(path.parent, "train", "alphabets", rotations=False, size=8).n_classes


FEWSHOT: Mapping[str, Format] = {
    "learner.safetensors": Format(write_learner, answer, either(damaged, damaged_safetensors)),
    "checkpoint": Format(lambda path: train(path, 8), train, either(damaged, damaged_safetensors)),
    "images_background.zip": Format(
        lambda path: write_archive(path, "AB", 2, 2), read_omniglot, either(damaged, damaged_zip)
    ),
}
