"""MAML against a plain loop over tasks, of PyTorch's own layers and one autograd graph."""

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
    assert set(small(ANIL).initial_weights(1, 3)) == {"head_weight", "head_bias"}


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


def test_a_uniform_multi_step_loss_is_the_mean_over_the_steps() -> None:
    episode = example_episode(small(MAML))
    uniform = small(MAML, n_steps=3, multi_step_loss="uniform").loss(episode)
    alone = [small(MAML, n_steps=n).loss(episode) for n in (1, 2, 3)]
    torch.testing.assert_close(uniform, torch.stack(alone).mean())


def test_the_annealed_loss_ends_at_the_last_step() -> None:
    learner = small(MAML, n_steps=3, multi_step_loss="annealed")
    episode = example_episode(learner)
    at_first = learner.loss(episode)
    learner.progress = 0.5
    torch.testing.assert_close(learner.loss(episode), small(MAML, n_steps=3).loss(episode))
    assert not torch.allclose(at_first, learner.loss(episode))


def test_more_steps_can_be_taken_at_the_test() -> None:
    learner = small(MAML, regression=True, n_steps=1, n_test_steps=20, learning_rate=0.05)
    episode = SinusoidSource().sample(None, 10, 10, generator=torch.Generator().manual_seed(0))
    x = torch.cat([episode.support_x, episode.support_x**2 / 10], -1).double()
    y = episode.support_y.double()
    error = ((learner.adapt(x, y, None)(x) - y) ** 2).mean()
    learner.n_test_steps = 1
    assert error < ((learner.adapt(x, y, None)(x) - y) ** 2).mean()


def test_each_step_has_a_rate_of_its_own() -> None:
    learner = small(MAML, n_steps=3, per_step_rates=True)
    episode = example_episode(learner)
    with torch.no_grad():
        learner.rates[1] = 0.0
        once_more = learner.task_losses(episode)
        learner.rates[1], learner.rates[2] = learner.rates[2].clone(), 0.0
        in_other_order = learner.task_losses(episode)
        learner.rates[1] = 0.0
    torch.testing.assert_close(once_more, in_other_order)
    assert not torch.allclose(once_more, learner.task_losses(episode))


def test_a_shared_row_takes_any_number_of_classes_and_rows_of_their_own_do_not() -> None:
    x, y = torch.rand(1, 4, 2, dtype=torch.float64), torch.arange(4)[None]
    assert small(MAML).adapt(x, y, 4)(x).shape == (1, 4, 4)
    with pytest.raises(UsageError, match=r"4 classes.*n_outputs=3.*n_outputs=None"):
        small(MAML, n_outputs=3).adapt(x, y, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "n_steps"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"n_outputs": 0}, "n_outputs"),
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
