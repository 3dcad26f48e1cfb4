import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from automl_meta.fewshot import Conv4
from automl_meta.fewshot.layers import (
    PatchMoments,
    batch_norm_relu,
    channels_to_tasks,
    convolve,
    fold_batch_norm,
    group_norm,
    tasks_to_channels,
)


def double(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_has_right_first_and_second_derivatives(stride: int, groups: int) -> None:
    arguments = double(3, 2 * groups, 5, 4), double(2 * groups, 2, 3, 3, seed=1), double(2 * groups, seed=2)
    assert gradcheck(lambda x, w, b: convolve(x, w, b, stride, groups), arguments)
    assert gradgradcheck(lambda x, w, b: convolve(x, w, b, stride, groups), arguments)


@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0])
def test_batch_norm_has_right_first_and_second_derivatives(slope: float) -> None:
    arguments = double(3, 4, 3, 2), double(4, seed=1), double(4, seed=2)
    assert gradcheck(lambda *given: batch_norm_relu(*given, slope), arguments)
    assert gradgradcheck(lambda *given: batch_norm_relu(*given, slope), arguments)


def test_batch_norm_is_that_of_pytorch() -> None:
    x, scale, shift = double(3, 4, 3, 2), double(4, seed=1), double(4, seed=2)
    expected = torch.nn.functional.batch_norm(x, None, None, scale, shift, training=True).relu()
    torch.testing.assert_close(batch_norm_relu(x, scale, shift), expected)


def test_group_norm_is_that_of_pytorch() -> None:
    x, scale, shift = double(3, 6, 3, 2), double(6, seed=1), double(6, seed=2)
    expected = torch.nn.functional.group_norm(x, 3, scale, shift)
    torch.testing.assert_close(group_norm(x, 3, scale, shift), expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_folding_gives_what_normalising_gives(stride: int) -> None:
    x = torch.rand(2, 5, 3, 7, 6, dtype=torch.float64) + 1.0
    weight, scale, shift = double(2, 4, 3, 3, 3), double(2, 4, seed=1), double(2, 4, seed=2)
    folded, bias = fold_batch_norm(weight, scale, shift, PatchMoments.of(x, 3, stride))
    got = convolve(tasks_to_channels(x), folded.flatten(0, 1), bias.flatten(), stride, groups=2)
    for task in range(2):
        plain = torch.conv2d(x[task], weight[task], None, stride, 1)
        plain = torch.nn.functional.batch_norm(plain, None, None, scale[task], shift[task], training=True)
        torch.testing.assert_close(channels_to_tasks(got, 2)[task], plain)


@pytest.mark.parametrize("n_tasks", [1, 3])
def test_channels_lie_last_whatever_the_number_of_tasks(n_tasks: int) -> None:
    x = torch.rand(n_tasks, 5, 1, 6, 4)
    beside = tasks_to_channels(x)
    assert beside.stride() == (24 * n_tasks, 1, 4 * n_tasks, n_tasks)
    assert torch.equal(channels_to_tasks(beside, n_tasks), x)
    assert torch.conv2d(beside, torch.rand(8 * n_tasks, 1, 3, 3), groups=n_tasks).stride(1) == 1


def test_folding_has_right_first_and_second_derivatives() -> None:
    moments = PatchMoments.of(torch.rand(2, 5, 1, 7, 6, dtype=torch.float64), 3, 1)
    arguments = double(2, 4, 1, 3, 3), double(2, 4, seed=1), double(2, 4, seed=2)
    assert gradcheck(lambda *given: fold_batch_norm(*given, moments), arguments)
    assert gradgradcheck(lambda *given: fold_batch_norm(*given, moments), arguments)


def test_few_and_many_images_are_normalised_alike() -> None:
    torch.manual_seed(0)
    backbone = Conv4((1, 9, 9), n_filters=4, pooling="stride").double()
    x = torch.rand(2, 33, 1, 9, 9, dtype=torch.float64)
    prepared = backbone.prepare(x)
    assert prepared.moments is not None
    plain = backbone.features(type(prepared)(prepared.images, None), backbone.weights(2))
    torch.testing.assert_close(backbone.features(prepared, backbone.weights(2)), plain)
