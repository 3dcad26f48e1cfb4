"""Contract tests of a `FewShotLearner`, a `Backbone` and a `TaskSource`."""

from __future__ import annotations

import copy
import gc
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot import Backbone, Episode, FewShotLearner, TaskSource, load, save

__all__ = [
    "DEVICES",
    "BackboneContract",
    "FewShotLearnerContract",
    "RegressionSourceContract",
    "TaskSourceContract",
]

DEVICES = ("cpu", *(("cuda",) if torch.cuda.is_available() else ()))
N_WAY = 3


def example_episode(learner: FewShotLearner, n_tasks: int = 2, n_query: int = 2, seed: int = 0) -> Episode:
    """Create tasks for a learner, in its precision and on its device."""
    generator = torch.Generator().manual_seed(seed)
    shape = learner.backbone.input_shape
    parameter = next(learner.parameters())

    def drawn(*size: int) -> Tensor:
        return torch.rand(*size, generator=generator, dtype=torch.float64).to(parameter)

    n_support = 2 * N_WAY
    x = drawn(n_tasks, n_support + N_WAY * n_query, *shape)
    if learner.is_regressor:
        y = drawn(n_tasks, x.shape[1], 1)
        return Episode(x[:, :n_support], y[:, :n_support], x[:, n_support:], y[:, n_support:], None)
    labels = torch.arange(N_WAY, device=parameter.device)
    return Episode(
        x[:, :n_support],
        labels.repeat_interleave(2).expand(n_tasks, -1),
        x[:, n_support:],
        labels.repeat_interleave(n_query).expand(n_tasks, -1),
        N_WAY,
        labels.expand(n_tasks, -1),
    )


def _outputs(learner: FewShotLearner, episode: Episode) -> Tensor:
    return learner.adapt(episode.support_x, episode.support_y, episode.n_way)(episode.query_x)


def _gradient(learner: FewShotLearner, loss: Tensor) -> Tensor:
    gradients = torch.autograd.grad(
        loss, list(learner.parameters()), allow_unused=True, materialize_grads=True
    )
    return torch.cat([gradient.flatten() for gradient in gradients])


class FewShotLearnerContract:
    """Contract of every few-shot learner.

    Subclasses parametrise ``member`` with a learner in double precision, for three classes or for regression. A test
    that a member fails by design is overridden by a strict xfail that gives the reason.
    """

    @pytest.fixture(params=DEVICES)
    def learner(self, member: FewShotLearner, request: pytest.FixtureRequest) -> FewShotLearner:
        return copy.deepcopy(member).to(request.param)

    def test_adapting_changes_nothing_in_the_learner(self, learner: FewShotLearner) -> None:
        before = copy.deepcopy(learner.state_dict())
        _outputs(learner, example_episode(learner))
        after = learner.state_dict()
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert all(parameter.grad is None for parameter in learner.parameters())

    def test_adapting_is_deterministic(self, learner: FewShotLearner) -> None:
        episode, state = example_episode(learner), torch.get_rng_state()
        first = _outputs(learner, episode)
        assert torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(1)
        assert torch.equal(_outputs(learner, episode), first)

    def test_outputs_have_one_number_for_each_class(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        outputs = _outputs(learner, episode)
        assert outputs.shape == (2, episode.query_x.shape[1], 1 if learner.is_regressor else N_WAY)
        assert outputs.dtype == next(learner.parameters()).dtype
        assert outputs.device == episode.query_x.device
        assert not outputs.requires_grad

    def test_the_support_decides(self, learner: FewShotLearner) -> None:
        episode, other = example_episode(learner), example_episode(learner, seed=1)
        adapted = learner.adapt(other.support_x, other.support_y, other.n_way)
        assert not torch.allclose(adapted(episode.query_x), _outputs(learner, episode))

    def test_the_order_of_the_support_is_irrelevant(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        order = torch.randperm(episode.support_x.shape[1], generator=torch.Generator().manual_seed(1))
        shuffled = learner.adapt(episode.support_x[:, order], episode.support_y[:, order], episode.n_way)
        torch.testing.assert_close(shuffled(episode.query_x), _outputs(learner, episode))

    def test_renaming_the_classes_permutes_the_outputs(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        renamed = learner.adapt(episode.support_x, (episode.support_y + 1) % N_WAY, episode.n_way)
        expected = _outputs(learner, episode)
        torch.testing.assert_close(renamed(episode.query_x).roll(-1, -1), expected)

    def test_many_tasks_at_once_are_the_tasks_one_by_one(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner, n_tasks=3)
        alone = torch.cat([_outputs(learner, task) for task in episode.split(1)])
        torch.testing.assert_close(_outputs(learner, episode), alone, rtol=0, atol=1e-10)
        losses = torch.stack([learner.loss(task) for task in episode.split(1)])
        torch.testing.assert_close(learner.loss(episode), losses.mean(), rtol=0, atol=1e-10)
        gradients = torch.stack([_gradient(learner, learner.loss(task)) for task in episode.split(1)])
        together = _gradient(learner, learner.loss(episode))
        torch.testing.assert_close(together, gradients.mean(0), rtol=0, atol=1e-10)

    def test_padding_counts_for_nothing(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        kept = torch.ones(episode.support_y.shape[:2], dtype=torch.bool, device=learner.device)
        kept[1, ::2] = False
        visible = kept.view(*kept.shape, *[1] * (episode.support_x.ndim - 2))
        uneven = replace(episode, support_x=torch.where(visible, episode.support_x, 9.0), support_mask=kept)
        first, second = episode.split(1)
        second = replace(second, support_x=second.support_x[:, 1::2], support_y=second.support_y[:, 1::2])
        expected = (learner.loss(first) + learner.loss(second)) / 2
        torch.testing.assert_close(learner.loss(uneven), expected, rtol=0, atol=1e-10)

    def test_the_meta_gradient_is_that_of_finite_differences(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        gradient = _gradient(learner, learner.loss(episode))
        generator = torch.Generator().manual_seed(2)
        parameters = list(learner.parameters())
        for _ in range(3):
            flat = torch.randn(len(gradient), generator=generator, dtype=torch.float64).to(gradient)
            parts = flat.split([parameter.numel() for parameter in parameters])
            values = []
            for sign in (1, -2, 1):
                with torch.no_grad():
                    for parameter, part in zip(parameters, parts, strict=True):
                        parameter.add_(part.view_as(parameter), alpha=sign * 1e-6)
                values.append(float(learner.loss(episode).detach()))
            assert float(gradient @ flat) == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7)

    def test_memory_is_flat_over_many_tasks(self, learner: FewShotLearner) -> None:
        def living() -> int:
            return sum(type(thing) is Tensor for thing in gc.get_objects())

        episode = example_episode(learner)
        _outputs(learner, episode)
        gc.collect()
        before = living()
        for _ in range(5):
            _outputs(learner, episode)
        assert living() <= before

    def test_it_survives_a_file(self, learner: FewShotLearner, tmp_path: Path) -> None:
        path = tmp_path / "learner.safetensors"
        learner = learner.float()
        save(learner, path)
        again = load(path, device=learner.device)
        assert type(again) is type(learner)
        episode = example_episode(learner)
        assert torch.equal(_outputs(again, episode), _outputs(learner, episode))

    def test_a_support_that_cannot_be_learnt_from_is_refused(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        holed = episode.support_x.clone()
        holed[0, 0] = float("nan")
        with pytest.raises(DataError, match="NaN"):
            learner.adapt(holed, episode.support_y, episode.n_way)
        with pytest.raises(DataError, match="shape"):
            learner.adapt(episode.support_x[..., :-1], episode.support_y, episode.n_way)(
                episode.query_x[..., :-1]
            )
        with pytest.raises(DataError, match="empty"):
            learner.adapt(episode.support_x[:, :0], episode.support_y[:, :0], episode.n_way)
        with pytest.raises(UsageError, match="n_way"):
            learner.adapt(episode.support_x, episode.support_y, N_WAY if learner.is_regressor else None)

    def test_a_support_without_an_example_of_a_class_is_refused(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        with pytest.raises(DataError, match=f"classes 0 to {N_WAY}"):
            learner.adapt(episode.support_x, episode.support_y, N_WAY + 1)


class BackboneContract:
    """Contract of every backbone.

    Subclasses parametrise ``member`` with a small backbone in double precision.
    """

    @pytest.fixture(params=DEVICES)
    def backbone(self, member: Backbone, request: pytest.FixtureRequest) -> Backbone:
        return copy.deepcopy(member).to(request.param)

    @pytest.fixture
    def x(self, backbone: Backbone) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        size = (2, 3, *backbone.input_shape)
        drawn = torch.rand(size, generator=generator, dtype=torch.float64)
        return drawn.to(next(backbone.parameters()))

    def test_features_are_vectors_of_the_declared_length(self, backbone: Backbone, x: Tensor) -> None:
        features = backbone(x)
        assert features.shape == (2, 3, backbone.n_features)
        assert features.dtype == x.dtype
        assert features.device == x.device
        assert torch.isfinite(features).all()

    def test_each_task_has_its_own_weights(self, backbone: Backbone, x: Tensor) -> None:
        weights = {name: value * value.new_tensor([1.0, 1.5]).view(2, *[1] * (value.ndim - 1)) for name, value in backbone.weights(2).items()}  # fmt: skip
        together = backbone.features(backbone.prepare(x), weights)
        for task in range(2):
            own = {name: value[task : task + 1] for name, value in weights.items()}
            alone = backbone.features(backbone.prepare(x[task : task + 1]), own)
            torch.testing.assert_close(together[task : task + 1], alone, rtol=0, atol=1e-10)

    def test_only_a_backbone_that_says_so_mixes_examples(self, backbone: Backbone, x: Tensor) -> None:
        changed = x.clone()
        changed[:, 1:] *= 0.3
        before, after = backbone(x)[:, :1], backbone(changed)[:, :1]
        assert torch.allclose(before, after, rtol=0, atol=1e-10) != backbone.mixes_examples

    def test_bytes_are_brightness_from_0_to_255(self, backbone: Backbone, x: Tensor) -> None:
        images = (255 * x).to(torch.uint8)
        torch.testing.assert_close(backbone(images), backbone(images.to(x.dtype) / 255))

    def test_first_and_second_derivatives_are_right(self, backbone: Backbone, x: Tensor) -> None:
        """Along two random directions of the weights, since single weights are too many."""
        generator = torch.Generator().manual_seed(1)
        weights = {name: value.detach() for name, value in backbone.weights(2).items()}
        directions = [
            {name: torch.randn(value.shape, generator=generator).to(value) for name, value in weights.items()}
            for _ in range(2)
        ]

        def features(*steps: Tensor) -> Tensor:
            moved = {
                name: value + sum(step * way[name] for step, way in zip(steps, directions, strict=True))
                for name, value in weights.items()
            }
            return backbone.features(backbone.prepare(x), moved)

        steps = [x.new_zeros((), requires_grad=True) for _ in directions]
        assert gradcheck(features, steps, fast_mode=True)
        assert gradgradcheck(features, steps, fast_mode=True)

    def test_its_arguments_make_the_same_network(self, backbone: Backbone, x: Tensor) -> None:
        arguments = json.loads(json.dumps(backbone.config))
        again = type(backbone)(**arguments).to(x)
        again.load_state_dict(backbone.state_dict())
        assert torch.equal(again(x), backbone(x))

    def test_its_memory_grows_with_the_example(self, backbone: Backbone) -> None:
        assert isinstance(backbone.bytes_per_example(), int)
        assert backbone.bytes_per_example() >= 4 * backbone.n_features

    def test_examples_of_another_shape_are_refused(self, backbone: Backbone, x: Tensor) -> None:
        with pytest.raises(DataError, match=r"Examples have shape"):
            backbone(x[..., :-1])


class SourceContract:
    """What the contracts of all sources share; subclasses say what ``n_way`` is."""

    n_way: int | None

    def draw(self, source: TaskSource, seed: int = 0) -> Episode:
        """Sample four tasks of two support and three query examples per class."""
        generator = torch.Generator(source.device).manual_seed(seed)
        return source.sample(self.n_way, 2, 3, n_tasks=4, generator=generator)

    def test_shapes_are_as_told(self, source: TaskSource) -> None:
        drawn, n_way = self.draw(source), self.n_way or 1
        assert len(drawn) == 4
        assert drawn.n_way == self.n_way
        assert drawn.support_x.shape == (4, 2 * n_way, *source.input_shape)
        assert drawn.query_x.shape == (4, 3 * n_way, *source.input_shape)
        assert drawn.support_y.shape[:2] == (4, 2 * n_way)
        assert drawn.query_y.shape[:2] == (4, 3 * n_way)
        assert not drawn.is_uneven

    def test_the_generator_decides(self, source: TaskSource) -> None:
        state = torch.get_rng_state()
        first, again, other = (self.draw(source, seed) for seed in (0, 0, 1))
        assert torch.equal(torch.get_rng_state(), state)  # not even unused draws from the global generator
        for part in ("support_x", "support_y", "query_x", "query_y"):
            assert torch.equal(getattr(first, part), getattr(again, part))
        for part in ("support_x", "query_x"):
            assert not torch.equal(getattr(first, part), getattr(other, part))

    def test_support_and_queries_share_no_example(self, source: TaskSource) -> None:
        """Of a source whose examples all differ."""
        for task in self.draw(source).split(1):
            examples = torch.cat([task.support_x, task.query_x], 1)[0].flatten(1)
            assert len(examples.unique(dim=0)) == len(examples)

    def test_there_may_be_no_queries(self, source: TaskSource) -> None:
        drawn = source.sample(self.n_way, 1, 0)
        assert drawn.query_x.shape == (1, 0, *source.input_shape)
        assert drawn.query_y.shape[1] == 0

    @pytest.mark.parametrize("device", DEVICES)
    def test_it_moves_to_a_device(self, source: TaskSource, device: str) -> None:
        moved = source.to(device)
        assert moved.device.type == device
        assert self.draw(moved).query_x.device.type == device
        assert moved.input_shape == source.input_shape
        assert moved.n_classes == source.n_classes

    def test_its_description_is_json(self, source: TaskSource) -> None:
        description = json.loads(json.dumps(source.description))
        assert tuple(description["input_shape"]) == source.input_shape
        assert isinstance(description["kind"], str)

    @pytest.mark.parametrize("wrong", [{"n_shot": 0}, {"n_query": -1}, {"n_tasks": 0}])
    def test_numbers_out_of_range_are_refused(self, source: TaskSource, wrong: dict[str, int]) -> None:
        with pytest.raises(UsageError, match=f"{next(iter(wrong))} {next(iter(wrong.values()))}"):
            source.sample(
                self.n_way, wrong.get("n_shot", 1), wrong.get("n_query", 1), wrong.get("n_tasks", 1)
            )


class RegressionSourceContract(SourceContract):
    """Contract of every source of regression tasks.

    Subclasses provide the source as the fixture or parameter ``source``.
    """

    n_way = None

    def test_targets_are_numbers(self, source: TaskSource) -> None:
        assert source.n_classes is None
        drawn = self.draw(source)
        for y in (drawn.support_y, drawn.query_y):
            assert y.ndim == 3
            assert y.is_floating_point()
            assert torch.isfinite(y).all()

    def test_classes_are_refused(self, source: TaskSource) -> None:
        with pytest.raises(UsageError, match="n_way"):
            source.sample(2, 1, 1)


class TaskSourceContract(SourceContract):
    """Contract of every source of classes.

    Subclasses provide the source as the fixture or parameter ``source``, with three classes or more of five examples
    or more, which all differ.
    """

    n_way = 2

    def test_each_class_has_its_number_of_examples(self, source: TaskSource) -> None:
        drawn = self.draw(source)
        for y, n in ((drawn.support_y, 2), (drawn.query_y, 3)):
            assert (torch.nn.functional.one_hot(y, 2).sum(1) == n).all()

    def test_the_classes_of_a_task_differ(self, source: TaskSource) -> None:
        class_ids = self.draw(source).class_ids
        assert class_ids is not None
        assert class_ids.shape == (4, 2)
        assert (class_ids[:, 0] != class_ids[:, 1]).all()
        assert int(class_ids.max()) < (source.n_classes or 0)
        assert int(class_ids.min()) >= 0

    def test_uneven_shots_are_masked(self, source: TaskSource) -> None:
        episode = source.sample(2, (1, 2), 1, n_tasks=30, generator=torch.Generator().manual_seed(0))
        assert episode.support_mask is not None
        shots = (torch.nn.functional.one_hot(episode.support_y, 2) * episode.support_mask[..., None]).sum(1)
        assert set(shots.flatten().tolist()) == {1, 2}

    def test_too_much_asked_is_a_clear_error(self, source: TaskSource) -> None:
        with pytest.raises(DataError, match=r"classes were requested"):
            source.sample(100000, 1, 1)
        with pytest.raises(DataError, match=r"Class .+ has \d+ examples; 1000000 shots"):
            source.sample(2, 1000000, 1)
        with pytest.raises(UsageError, match="n_way"):
            source.sample(None, 1, 1)
