"""MAML against a plain loop over tasks, of PyTorch's own layers and one autograd graph."""

import math
from typing import Any

import pytest
import torch

from automl_meta.exceptions import UsageError
from automl_meta.fewshot import ANIL, FOMAML, MAML, MLP, Conv4, Episode, MetaSGD, Reptile, SinusoidSource
from automl_meta.testing.fewshot import example_episode

F = torch.nn.functional


def plain_features(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Conv4 with strides, of one task: (n_images, n_filters)."""
    for i in range(4):
        x = torch.conv2d(x, weights[f"backbone.weight_{i}"], None, 2, 1)
        mean = x.mean((0, 2, 3), keepdim=True)
        variance = ((x - mean) ** 2).mean((0, 2, 3), keepdim=True)
        scale, shift = (weights[f"backbone.{part}_{i}"].view(1, -1, 1, 1) for part in ("scale", "shift"))
        x = ((x - mean) / (variance + 1e-5).sqrt() * scale + shift).relu()
    return x.mean((2, 3))


def plain_loss(
    parameters: dict[str, torch.Tensor], episode: Episode, n_steps: int, rate: float, first_order: bool
) -> torch.Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for task in range(len(episode)):
        weights = dict(parameters)
        for _ in range(n_steps):
            logits = F.linear(
                plain_features(episode.support_x[task], weights), weights["head_weight"], weights["head_bias"]
            )
            loss = F.cross_entropy(logits, episode.support_y[task])
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=not first_order)
            weights = {
                name: value - rate * gradient
                for (name, value), gradient in zip(weights.items(), gradients, strict=True)
            }
        logits = F.linear(
            plain_features(episode.query_x[task], weights), weights["head_weight"], weights["head_bias"]
        )
        total = total + F.cross_entropy(logits, episode.query_y[task]) / len(episode)
    return total


@pytest.mark.parametrize("kind", [MAML, FOMAML])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_the_meta_gradient_is_that_of_a_plain_loop(kind: type[MAML], n_steps: int) -> None:
    torch.manual_seed(0)
    backbone = Conv4((1, 9, 9), n_filters=6, pooling="stride")
    learner = kind(backbone, n_outputs=3, n_steps=n_steps, learning_rate=0.3).double()
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    episode = example_episode(learner, n_tasks=3)
    names, parameters = zip(*learner.named_parameters(), strict=True)
    expected = plain_loss(
        dict(zip(names, parameters, strict=True)), episode, n_steps, 0.3, first_order=kind is FOMAML
    )
    torch.testing.assert_close(learner.loss(episode), expected, rtol=0, atol=1e-10)
    ours = torch.autograd.grad(learner.loss(episode), parameters)
    for mine, theirs in zip(ours, torch.autograd.grad(expected, parameters), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


def small(kind: type[MAML], **options: object) -> MAML:
    torch.manual_seed(0)
    return kind(MLP((2,), hidden=(8,)), **options).double()  # type: ignore[arg-type,return-value]


def test_second_order_is_another_gradient_than_first_order() -> None:
    learners = [small(kind, n_steps=2, learning_rate=0.5) for kind in (MAML, FOMAML)]
    episode = example_episode(learners[0])
    losses = [learner.loss(episode) for learner in learners]
    assert losses[0].item() == pytest.approx(losses[1].item())
    gradients = [
        torch.autograd.grad(loss, learner.backbone.weight_0)[0]
        for loss, learner in zip(losses, learners, strict=True)
    ]
    assert not torch.allclose(*gradients, rtol=1e-3)


def test_anil_adapts_the_last_layer_alone() -> None:
    learner = small(ANIL)
    assert set(learner.initial_weights(1, 3)) == {"head_weight", "head_bias"}
    assert not adapted_outputs(learner, example_episode(learner)).requires_grad


def test_reptile_moves_towards_the_end_of_the_steps() -> None:
    learner = small(Reptile, n_steps=3, learning_rate=0.1, n_outputs=3)
    episode = example_episode(learner, n_tasks=1)
    start = learner.head_weight.detach().clone()
    learner.loss(episode).backward()
    x = torch.cat([episode.support_x, episode.query_x], 1)
    y = torch.cat([episode.support_y, episode.query_y], 1)
    weights = learner.initial_weights(1, 3)
    for _ in range(3):
        loss = F.cross_entropy(learner.outputs(x, weights)[0], y[0])
        weights = {
            name: value - 0.1 * gradient
            for (name, value), gradient in zip(
                weights.items(), torch.autograd.grad(loss, list(weights.values())), strict=True
            )
        }
    torch.testing.assert_close(learner.head_weight.grad, (start - weights["head_weight"][0]).detach() / 0.1)


def test_meta_sgd_starts_as_maml_and_learns_its_rates() -> None:
    learners = [small(kind, n_steps=2, learning_rate=0.5) for kind in (MAML, MetaSGD)]
    episode = example_episode(learners[0])
    losses = [learner.loss(episode) for learner in learners]
    assert losses[0].item() == pytest.approx(losses[1].item())
    losses[1].backward()
    assert all(rate.grad is not None for rate in learners[1].parameter_rates.values())


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert MAML(MLP((2,))).config == {
        "n_outputs": None,
        "n_steps": 1,
        "n_test_steps": None,
        "learning_rate": 0.4,
        "regression": False,
        "multi_step_loss": "last",
        "per_step_rates": False,
    }
    assert not MAML(MLP((2,))).is_regressor
    assert MAML(MLP((2,)), regression=True).is_regressor
    assert type(small(MAML, learning_rate=1).learning_rate) is float


@pytest.mark.parametrize("n_outputs", [None, 1, 200])
def test_the_output_layer_starts_random_with_unit_scale_and_without_bias(n_outputs: int | None) -> None:
    torch.manual_seed(0)
    learner = MAML(MLP((2,), hidden=(400,)), n_outputs=n_outputs)
    assert learner.head_weight.shape == (n_outputs or 1, 400)
    assert learner.head_weight.std().item() == pytest.approx(400**-0.5, rel=0.15)
    assert abs(learner.head_weight.mean().item()) < 0.01
    assert torch.equal(learner.head_bias, torch.zeros(n_outputs or 1))


def test_all_weights_are_adapted_and_each_task_has_its_own() -> None:
    learner = small(MAML, n_outputs=3)
    weights = learner.initial_weights(4, 3)
    assert {name: value.shape for name, value in weights.items()} == {
        "weight_0": (4, 8, 2),
        "bias_0": (4, 8),
        "head_weight": (4, 3, 8),
        "head_bias": (4, 3),
    }
    assert all(torch.equal(value[0], value[3]) for value in weights.values())
    assert learner.initial_head(2, 3).keys() == {"head_weight", "head_bias"}


def plain_outputs(learner: MAML, episode: Episode, rates: list[list[torch.Tensor]]) -> torch.Tensor:
    """Outputs of an MLP of one layer for the queries of the first task, after one step for each row of rates."""

    def outputs(x: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
        return F.linear(F.linear(x, weights[0], weights[1]).relu(), weights[2], weights[3])

    initial = learner.initial_weights(1, episode.n_way)
    weights = [initial[name][0] for name in ("weight_0", "bias_0", "head_weight", "head_bias")]
    criterion = F.mse_loss if learner.is_regressor else F.cross_entropy
    for row in rates:
        loss = criterion(outputs(episode.support_x[0], weights), episode.support_y[0])
        gradients = torch.autograd.grad(loss, weights)
        weights = [w - rate * g for w, rate, g in zip(weights, row, gradients, strict=True)]
    return outputs(episode.query_x[0], weights).detach()


def adapted_outputs(learner: MAML, episode: Episode) -> torch.Tensor:
    return learner.adapt(episode.support_x, episode.support_y, episode.n_way)(episode.query_x)[0]


@pytest.mark.parametrize(
    "options", [{"n_outputs": 3}, {}, {"n_outputs": 1, "regression": True}, {"regression": True}]
)
@pytest.mark.parametrize("n_test_steps", [None, 1, 4])
def test_adapting_takes_the_steps_of_a_plain_loop(options: dict[str, Any], n_test_steps: int | None) -> None:
    learner = small(MAML, n_steps=2, n_test_steps=n_test_steps, learning_rate=0.3, **options)
    episode = example_episode(learner)
    rates = [[torch.tensor(0.3)] * 4] * (n_test_steps or 2)
    outputs = adapted_outputs(learner, episode)
    assert outputs.shape == (6, 1 if learner.is_regressor else 3)
    torch.testing.assert_close(outputs, plain_outputs(learner, episode, rates))


def test_two_numbers_are_predicted_at_once() -> None:
    learner = small(MAML, n_outputs=2, regression=True, learning_rate=0.1)
    x, y = torch.rand(1, 5, 2, dtype=torch.float64), torch.rand(1, 5, 2, dtype=torch.float64)
    episode = Episode(x, y, x, y, None)
    expected = plain_outputs(learner, episode, [[torch.tensor(0.1)] * 4])
    torch.testing.assert_close(adapted_outputs(learner, episode), expected)


def test_a_uniform_multi_step_loss_is_the_mean_over_the_steps() -> None:
    episode = example_episode(small(MAML))
    uniform = small(MAML, n_steps=3, multi_step_loss="uniform").loss(episode)
    alone = [small(MAML, n_steps=n).loss(episode) for n in (1, 2, 3)]
    torch.testing.assert_close(uniform, torch.stack(alone).mean())


def test_the_annealed_loss_ends_at_the_last_step() -> None:
    learner = small(MAML, n_steps=3, multi_step_loss="annealed")
    episode = example_episode(learner)
    at_first = learner.loss(episode)
    last = small(MAML, n_steps=3).loss(episode)
    torch.testing.assert_close(at_first, small(MAML, n_steps=3, multi_step_loss="uniform").loss(episode))
    assert not torch.allclose(at_first, last)
    for progress, share in ((0.25, 0.5), (0.5, 0.0), (0.75, 0.0), (1.0, 0.0)):
        learner.progress = progress
        torch.testing.assert_close(learner.loss(episode), share * at_first + (1 - share) * last)


def test_more_steps_can_be_taken_at_the_test() -> None:
    learner = small(MAML, regression=True, n_steps=1, n_test_steps=20, learning_rate=0.05)
    episode = SinusoidSource().sample(None, 10, 10, generator=torch.Generator().manual_seed(0))
    x = torch.cat([episode.support_x, episode.support_x**2 / 10], -1).double()
    y = episode.support_y.double()
    error = ((learner.adapt(x, y, None)(x) - y) ** 2).mean()
    learner.n_test_steps = 1
    assert error < ((learner.adapt(x, y, None)(x) - y) ** 2).mean()


def test_learnt_rates_start_from_the_learning_rate_and_are_learnt() -> None:
    learner = small(MAML, n_outputs=3, n_steps=3, per_step_rates=True, learning_rate=0.2)
    assert torch.equal(learner.rates.detach().float(), torch.full((3, 4), 0.2))
    episode = example_episode(learner)
    torch.testing.assert_close(
        learner.loss(episode),
        small(MAML, n_outputs=3, n_steps=3, learning_rate=learner.rates[0, 0].item()).loss(episode),
    )
    learner.loss(episode).backward()
    assert (learner.rates.grad != 0).all()
    assert not hasattr(small(MAML), "rates")


@pytest.mark.parametrize(("n_steps", "n_test_steps"), [(3, None), (3, 5), (2, 4)])
def test_each_step_and_tensor_has_a_rate_of_its_own(n_steps: int, n_test_steps: int | None) -> None:
    learner = small(MAML, n_steps=n_steps, n_test_steps=n_test_steps, per_step_rates=True)
    with torch.no_grad():
        learner.rates.copy_(torch.arange(1.0, 4 * n_steps + 1).view(n_steps, 4) / 20)
    rates = [list(row) for row in learner.rates.detach()]
    rates += [rates[-1]] * ((n_test_steps or n_steps) - n_steps)  # steps beyond those of training
    episode = example_episode(learner)
    torch.testing.assert_close(adapted_outputs(learner, episode), plain_outputs(learner, episode, rates))


def test_queries_after_steps_without_importance_are_not_computed() -> None:
    class Counting(MAML):
        n_outputs_computed = 0

        def outputs(self, inputs: Any, weights: Any) -> torch.Tensor:
            self.n_outputs_computed += 1
            return super().outputs(inputs, weights)

    learner = small(Counting, n_steps=3)
    learner.loss(example_episode(learner))
    assert learner.n_outputs_computed == 3 + 1


def test_a_shared_row_takes_any_number_of_classes_and_rows_of_their_own_do_not() -> None:
    x, y = torch.rand(1, 4, 2, dtype=torch.float64), torch.arange(4)[None]
    assert small(MAML).adapt(x, y, 4)(x).shape == (1, 4, 4)
    with pytest.raises(UsageError, match=r"4 classes.*n_outputs=3.*n_outputs=None"):
        small(MAML, n_outputs=3).adapt(x, y, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "n_steps is 0"),
        ({"n_steps": -1}, "n_steps is -1"),
        ({"n_steps": 2, "n_test_steps": 0}, "n_test_steps is 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1"),
        ({"learning_rate": math.inf}, "learning_rate is inf"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"n_outputs": 0}, "n_outputs is 0"),
        ({"n_outputs": -1}, "n_outputs is -1"),
        ({"multi_step_loss": "some"}, "multi_step_loss"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small(MAML, **options)


def test_by_default_one_step_of_four_tenths_is_taken_from_one_shared_row() -> None:
    learner = MAML(MLP((2,)))
    assert (learner.n_steps, learner.n_test_steps, learner.learning_rate) == (1, None, 0.4)
    assert (learner.n_outputs, learner.multi_step_loss) == (None, "last")
    assert not learner.regression
    assert not learner.per_step_rates
    assert learner.head_weight.shape[0] == 1
    assert (learner.head_bias == 0.0).all()


@pytest.mark.parametrize(
    "options",
    [{"n_test_steps": 0}, {"n_test_steps": -1}, {"learning_rate": float("inf")}, {"learning_rate": -0.1}],
)
def test_more_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        small(MAML, **options)


def test_the_smallest_options_are_accepted() -> None:
    learner = small(MAML, n_steps=1, n_test_steps=1, n_outputs=1, learning_rate=1e-9)
    assert learner.head_weight.shape[0] == 1


def test_the_annealed_loss_moves_to_the_last_step_in_the_first_half_of_training() -> None:
    learner = small(MAML, n_steps=2, multi_step_loss="annealed")
    episode = example_episode(learner)
    one, two = (small(MAML, n_steps=n).loss(episode) for n in (1, 2))
    for progress, share in ((0.0, 0.5), (0.25, 0.25), (0.5, 0.0), (1.0, 0.0)):
        learner.progress = progress
        torch.testing.assert_close(learner.loss(episode), share * one + (1 - share) * two)


def test_more_steps_than_rates_go_on_with_the_last_rate() -> None:
    learner = small(MAML, n_steps=2, n_test_steps=3, per_step_rates=True)
    episode = example_episode(learner)
    with torch.no_grad():
        learner.rates[1] = 0.0
    longer = learner.adapt(episode.support_x, episode.support_y, episode.n_way)(episode.query_x)
    learner.n_test_steps = 1
    once = learner.adapt(episode.support_x, episode.support_y, episode.n_way)(episode.query_x)
    torch.testing.assert_close(longer, once)
