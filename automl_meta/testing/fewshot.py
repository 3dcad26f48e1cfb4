"""The contracts of a `FewShotLearner` and of a `TaskSource`."""

from __future__ import annotations

import copy
import gc
from pathlib import Path

import pytest
import torch
from torch import Tensor

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot import Episode, FewShotLearner, TaskSource, load, save

__all__ = ["DEVICES", "FewShotLearnerContract", "TaskSourceContract"]

DEVICES = ("cpu", *(("cuda",) if torch.cuda.is_available() else ()))
N_WAY = 3


def example_episode(learner: FewShotLearner, n_tasks: int = 2, n_query: int = 2, seed: int = 0) -> Episode:
    """Tasks that fit a learner, in its own precision and on its device."""
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
    """What every learner keeps; parametrise ``member`` with one in double precision, for three classes."""

    loss_is_a_function = True  # False where the gradient is deliberately not that of the loss

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

    def test_outputs_have_one_number_for_each_class(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        outputs = _outputs(learner, episode)
        assert outputs.shape == (2, episode.query_x.shape[1], 1 if learner.is_regressor else N_WAY)
        assert outputs.dtype == next(learner.parameters()).dtype
        assert outputs.device == episode.query_x.device
        assert not outputs.requires_grad

    def test_the_order_of_the_support_is_irrelevant(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        order = torch.randperm(episode.support_x.shape[1], generator=torch.Generator().manual_seed(1))
        shuffled = learner.adapt(episode.support_x[:, order], episode.support_y[:, order], episode.n_way)
        torch.testing.assert_close(shuffled(episode.query_x), _outputs(learner, episode))

    def test_renaming_the_classes_permutes_the_outputs(self, learner: FewShotLearner) -> None:
        episode = example_episode(learner)
        if learner.is_regressor:
            return
        renamed = learner.adapt(episode.support_x, (episode.support_y + 1) % N_WAY, N_WAY)(episode.query_x)
        torch.testing.assert_close(renamed.roll(-1, -1), _outputs(learner, episode))

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
        uneven = Episode(
            torch.where(kept.view(*kept.shape, *[1] * (episode.support_x.ndim - 2)), episode.support_x, 9.0),
            episode.support_y,
            episode.query_x,
            episode.query_y,
            episode.n_way,
            episode.class_ids,
            kept,
        )
        first, second = episode.split(1)
        second = Episode(
            second.support_x[:, 1::2],
            second.support_y[:, 1::2],
            second.query_x,
            second.query_y,
            second.n_way,
            second.class_ids,
        )
        expected = (learner.loss(first) + learner.loss(second)) / 2
        torch.testing.assert_close(learner.loss(uneven), expected, rtol=0, atol=1e-10)

    def test_the_meta_gradient_is_that_of_finite_differences(self, learner: FewShotLearner) -> None:
        if not self.loss_is_a_function:
            pytest.xfail("the method's gradient is not the derivative of its loss, by definition")
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
            learner.adapt(episode.support_x, episode.support_y, 3 if learner.is_regressor else None)
        if not learner.is_regressor:
            with pytest.raises(DataError, match="classes 0 to 3"):
                learner.adapt(episode.support_x, episode.support_y, 4)


class TaskSourceContract:
    """What every source of classes keeps; parametrise ``source`` with one that has three classes or more."""

    @pytest.fixture
    def drawn(self, source: TaskSource) -> Episode:
        return source.sample(2, 2, 3, n_tasks=4, generator=torch.Generator().manual_seed(0))

    def test_shapes_are_as_told(self, source: TaskSource, drawn: Episode) -> None:
        assert drawn.support_x.shape == (4, 4, *source.input_shape)
        assert drawn.query_x.shape == (4, 6, *source.input_shape)
        assert drawn.n_way == 2
        assert drawn.class_ids is not None
        assert drawn.class_ids.shape == (4, 2)

    def test_each_class_has_its_number_of_examples(self, drawn: Episode) -> None:
        for y, n in ((drawn.support_y, 2), (drawn.query_y, 3)):
            assert (torch.nn.functional.one_hot(y, 2).sum(1) == n).all()

    def test_the_classes_of_a_task_differ(self, source: TaskSource, drawn: Episode) -> None:
        assert drawn.class_ids is not None
        assert (drawn.class_ids[:, 0] != drawn.class_ids[:, 1]).all()
        assert int(drawn.class_ids.max()) < (source.n_classes or 0)

    def test_the_generator_decides(self, source: TaskSource, drawn: Episode) -> None:
        again = source.sample(2, 2, 3, n_tasks=4, generator=torch.Generator().manual_seed(0))
        other = source.sample(2, 2, 3, n_tasks=4, generator=torch.Generator().manual_seed(1))
        assert torch.equal(again.support_x, drawn.support_x)
        assert torch.equal(again.query_x, drawn.query_x)
        assert not torch.equal(other.query_x, drawn.query_x)

    def test_uneven_shots_are_masked(self, source: TaskSource) -> None:
        episode = source.sample(2, (1, 2), 1, n_tasks=30, generator=torch.Generator().manual_seed(0))
        assert episode.support_mask is not None
        shots = (torch.nn.functional.one_hot(episode.support_y, 2) * episode.support_mask[..., None]).sum(1)
        assert set(shots.flatten().tolist()) == {1, 2}

    def test_too_much_asked_is_a_clear_error(self, source: TaskSource) -> None:
        with pytest.raises(DataError, match=r"classes were requested"):
            source.sample(100000, 1, 1)
        with pytest.raises(DataError, match=r"Class '?.+ has \d+ examples; 1000000 shots"):
            source.sample(2, 1000000, 1)
        with pytest.raises(UsageError, match="n_shot"):
            source.sample(2, 0, 1)
        with pytest.raises(UsageError, match="n_way"):
            source.sample(None, 1, 1)
