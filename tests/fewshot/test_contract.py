from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra fewshot is not installed")

import torch
from contracts import few_shot_backbones, few_shot_learners, few_shot_regression_sources, few_shot_sources

from automl_meta.exceptions import UsageError
from automl_meta.fewshot import (
    LEARNERS,
    MLP,
    Episode,
    FewShotLearner,
    PrototypicalNetwork,
    SinusoidSource,
    TaskSource,
)
from automl_meta.fewshot import sources as all_sources
from automl_meta.fewshot.backbones import BACKBONES
from automl_meta.testing.fewshot import (
    BackboneContract,
    FewShotLearnerContract,
    RegressionSourceContract,
    TaskSourceContract,
)

MEMBERS = few_shot_learners()
REGRESSORS = [name for name, member in MEMBERS.items() if member.is_regressor]
FIRST_ORDER = ["fomaml", "reptile"]
OTHERS = [name for name in MEMBERS if name not in {*REGRESSORS, *FIRST_ORDER}]


def parametrised(names: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("member", [MEMBERS[name] for name in names], ids=names)


@parametrised(OTHERS)
class TestLearners(FewShotLearnerContract):
    pass


@parametrised(FIRST_ORDER)
class TestFirstOrderLearners(FewShotLearnerContract):
    @pytest.mark.xfail(
        strict=True,
        raises=AssertionError,
        reason="the gradient is not the derivative of the loss, by definition",
    )
    def test_the_meta_gradient_is_that_of_finite_differences(self, learner: FewShotLearner) -> None:
        super().test_the_meta_gradient_is_that_of_finite_differences(learner)


@parametrised(REGRESSORS)
class TestRegressors(FewShotLearnerContract):
    @pytest.mark.xfail(strict=True, raises=AssertionError, reason="targets are numbers, not names of classes")
    def test_renaming_the_classes_permutes_the_outputs(self, learner: FewShotLearner) -> None:
        super().test_renaming_the_classes_permutes_the_outputs(learner)

    @pytest.mark.xfail(strict=True, raises=UsageError, reason="there are no classes")
    def test_a_support_without_an_example_of_a_class_is_refused(self, learner: FewShotLearner) -> None:
        super().test_a_support_without_an_example_of_a_class_is_refused(learner)


NETWORKS = few_shot_backbones()


@pytest.mark.parametrize("member", NETWORKS.values(), ids=NETWORKS)
class TestBackbones(BackboneContract):
    pass


CLASS_SOURCES, REGRESSION_SOURCES = few_shot_sources(), few_shot_regression_sources()
SOURCES = CLASS_SOURCES | REGRESSION_SOURCES


@pytest.fixture(scope="module")
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TaskSource:
    return SOURCES[request.param](tmp_path_factory.mktemp("source"))


@pytest.mark.parametrize("source", CLASS_SOURCES, indirect=True)
class TestSources(TaskSourceContract):
    pass


@pytest.mark.parametrize("source", REGRESSION_SOURCES, indirect=True)
class TestRegressionSources(RegressionSourceContract):
    pass


def test_every_member_is_under_its_contract(tmp_path: Path) -> None:
    assert {type(member) for member in MEMBERS.values()} == set(LEARNERS)
    assert {type(network) for network in NETWORKS.values()} == set(BACKBONES)
    folders = [tmp_path / str(number) for number in range(len(SOURCES))]
    for folder in folders:
        folder.mkdir()
    made = {type(make(folder)) for make, folder in zip(SOURCES.values(), folders, strict=True)}
    exported = {getattr(all_sources, name) for name in all_sources.__all__}
    kinds = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, TaskSource)}
    assert made == kinds - {TaskSource}


class GlobalSource(SinusoidSource):
    """Ignores its generator."""

    def sample(self, n_way, n_shot, n_query, n_tasks=1, generator=None):
        return super().sample(n_way, n_shot, n_query, n_tasks)


class ConstantSource(SinusoidSource):
    """Has a seed of its own."""

    def sample(self, n_way, n_shot, n_query, n_tasks=1, generator=None):
        return super().sample(n_way, n_shot, n_query, n_tasks, torch.Generator().manual_seed(7))


class WastefulSource(SinusoidSource):
    """Draws from the global generator what it does not use."""

    def sample(self, n_way, n_shot, n_query, n_tasks=1, generator=None):
        torch.rand(1)
        return super().sample(n_way, n_shot, n_query, n_tasks, generator)


@pytest.mark.parametrize("kind", [GlobalSource, ConstantSource, WastefulSource])
def test_a_source_that_ignores_its_generator_breaks_the_contract(kind: Callable[[], TaskSource]) -> None:
    with pytest.raises(AssertionError):
        RegressionSourceContract().test_the_generator_decides(kind())


class RepeatingSource(SinusoidSource):
    """Asks what was in the support."""

    def sample(self, n_way, n_shot, n_query, n_tasks=1, generator=None):
        drawn = super().sample(n_way, n_shot, n_query, n_tasks, generator)
        return Episode(
            drawn.query_x[:, :n_shot], drawn.query_y[:, :n_shot], drawn.query_x, drawn.query_y, None
        )


def test_a_source_that_repeats_its_support_breaks_the_contract() -> None:
    with pytest.raises(AssertionError):
        RegressionSourceContract().test_support_and_queries_share_no_example(RepeatingSource())


class NoisyLearner(PrototypicalNetwork):
    """Answers at random."""

    def adapt(self, support_x, support_y, n_way):
        predictor = super().adapt(support_x, support_y, n_way)
        return lambda query_x: predictor(query_x) + torch.rand(())


class IdleLearner(PrototypicalNetwork):
    """Answers whatever the support is."""

    def adapt(self, support_x, support_y, n_way):
        return super().adapt(torch.ones_like(support_x), support_y, n_way)


def test_a_learner_that_draws_or_ignores_its_support_breaks_the_contract() -> None:
    contract = FewShotLearnerContract()
    with pytest.raises(AssertionError):
        contract.test_adapting_is_deterministic(NoisyLearner(MLP((2,))).double())
    with pytest.raises(AssertionError):
        contract.test_the_support_decides(IdleLearner(MLP((2,))).double())
