from dataclasses import replace

import numpy as np
import pytest
import torch

from automl_meta.exceptions import UsageError
from automl_meta.fewshot import (
    MLP,
    ArraySource,
    Conv4,
    Episode,
    FineTuning,
    PrototypicalNetwork,
    ResNet12,
    evaluate,
)
from automl_meta.fewshot.training_options import TrainingOptions


def test_prototypes_are_class_means_and_logits_squared_distances() -> None:
    learner = PrototypicalNetwork(MLP((3,), hidden=(5,))).double()
    x = torch.rand(1, 5, 3, dtype=torch.float64)
    y = torch.tensor([[0, 1, 1, 0, 1]])
    query = torch.rand(1, 4, 3, dtype=torch.float64)
    features, asked = learner.backbone(x)[0], learner.backbone(query)[0]
    means = torch.stack([features[[0, 3]].mean(0), features[[1, 2, 4]].mean(0)])
    expected = (-(torch.cdist(asked, means) ** 2)).softmax(-1)
    torch.testing.assert_close(learner.adapt(x, y, 2)(query)[0].softmax(-1), expected)


def test_in_turns_every_example_is_support_of_the_others() -> None:
    torch.manual_seed(0)
    learner = PrototypicalNetwork(MLP((3,), hidden=(5,)), temperature=2.0, turns=True).double()
    x = torch.rand(1, 2, 3, 3, dtype=torch.float64)  # 2 classes of 3 examples
    y = torch.tensor([[0, 1]])
    episode = Episode(x[:, :, :1].flatten(1, 2), y, x[:, :, 1:].flatten(1, 2), y.repeat_interleave(2, 1), 2)
    losses = []
    for turn in range(3):
        others = [i for i in range(3) if i != turn]
        logits = learner.adapt(x[:, :, turn], y, 2)(x[:, :, others].flatten(1, 2))
        losses.append(torch.nn.functional.cross_entropy(logits[0], torch.tensor([0, 0, 1, 1])))
    torch.testing.assert_close(learner.loss(episode), torch.stack(losses).mean())


def test_turns_need_even_tasks() -> None:
    learner = PrototypicalNetwork(MLP((3,)), turns=True)
    x = torch.rand(1, 3, 3)
    uneven = Episode(x, torch.tensor([[0, 0, 1]]), x, torch.tensor([[0, 1, 1]]), 2)
    learner.loss(uneven)  # three of each, all in all
    with pytest.raises(UsageError, match="turns=False"):
        learner.loss(replace(uneven, query_y=torch.tensor([[0, 0, 1]])))
    with pytest.raises(UsageError, match="turns=False"):
        learner.loss(replace(uneven, support_mask=torch.tensor([[True, True, False]])))
    with pytest.raises(UsageError, match="temperature is 0"):
        PrototypicalNetwork(MLP((3,)), temperature=0)


def test_fine_tuning_normalises_queries_together_with_the_support() -> None:
    torch.manual_seed(0)
    learner = FineTuning(Conv4((1, 16, 16), n_filters=8), n_classes=3, n_steps=2)
    support, query = torch.rand(1, 2, 1, 16, 16), torch.rand(1, 1, 1, 16, 16)
    predictor = learner.adapt(support, torch.tensor([[0, 1]]), 2)
    # On its own, a query that is darker all over would be normalised to the same.
    assert not torch.allclose(predictor(query), predictor(0.3 * query), atol=1e-3)


def test_the_way_at_prediction_may_be_unlike_training() -> None:
    learner = PrototypicalNetwork(MLP((3,)))
    for n_way in (2, 7):
        x = torch.rand(1, n_way, 3)
        assert learner.adapt(x, torch.arange(n_way)[None], n_way)(x).shape == (1, n_way, n_way)


def test_prototypes_of_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="n_way"):
        PrototypicalNetwork(MLP((3,))).adapt(torch.rand(1, 2, 3), torch.rand(1, 2, 1), None)


def test_fine_tuning_fits_its_support() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, 4)) * 3
    y = np.repeat(np.arange(6), 20)
    source = ArraySource(centres[y] + rng.normal(size=(120, 4)), y)
    torch.manual_seed(0)
    learner = FineTuning(MLP((4,), hidden=(32,)), n_classes=6)
    assert (evaluate(learner, source, n_shot=5, n_episodes=20).accuracy or 0) > 0.8


def test_fine_tuning_refuses_classes_beyond_its_own() -> None:
    source = ArraySource(np.random.default_rng(0).normal(size=(60, 4)), np.repeat(np.arange(6), 10))
    with pytest.raises(UsageError, match="created with n_classes=3"):
        FineTuning(MLP((4,)), n_classes=3).loss(source.sample(6, 1, 1))


@pytest.mark.parametrize("kind", [Conv4, ResNet12])
@pytest.mark.parametrize("word", ["running", "batch", "none"])
def test_running_statistics_are_refused_with_the_remedy(kind: type, word: str) -> None:
    with pytest.raises(UsageError, match=r"'episode'.*'group'"):
        kind((1, 28, 28), normalisation=word)


@pytest.mark.parametrize(
    "wrong",
    [
        {"input_shape": (28, 28)},
        {"input_shape": (1, 8, 8)},
        {"pooling": "mean"},
        {"n_filters": 12, "normalisation": "group"},
    ],
)
def test_conv4_refuses_what_it_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Conv4(**wrong)  # type: ignore[arg-type]


def test_bfloat16_activations_stay_near_those_of_float32() -> None:
    torch.manual_seed(0)
    x = (torch.rand(1, 20, 1, 28, 28) < 0.1).float()
    backbone = Conv4()
    exact = backbone(x).detach()
    backbone.activation_dtype = torch.bfloat16
    rough = backbone(x).detach()
    assert rough.dtype == torch.float32
    assert float((rough - exact).norm() / exact.norm()) < 0.05


def test_bytes_are_brightness_from_0_to_255() -> None:
    torch.manual_seed(0)
    backbone = Conv4(n_filters=8)
    x = torch.randint(0, 256, (1, 3, 1, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(backbone(x), backbone(x.float() / 255))


def test_training_needs_a_limit() -> None:
    with pytest.raises(UsageError, match="n_episodes"):
        TrainingOptions()
