import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from automl_meta.exceptions import UsageError
from automl_meta.fewshot import MLP, DigitsSource, Episode, PrototypicalNetwork, evaluate


@pytest.fixture(scope="module")
def learner() -> PrototypicalNetwork:
    torch.manual_seed(0)
    return PrototypicalNetwork(MLP((1, 16, 16), hidden=(8,)))


def test_figures_are_those_of_the_answers(learner: PrototypicalNetwork) -> None:
    found = evaluate(
        learner, DigitsSource("test"), n_way=3, n_shot=1, n_query=4, n_episodes=30, random_state=5
    )
    episode = DigitsSource("test").sample(3, 1, 4, 30, torch.Generator().manual_seed(5))
    chances = learner.adapt(episode.support_x, episode.support_y, 3)(episode.query_x).softmax(-1).numpy()
    right = episode.query_y.numpy()
    hits = chances.argmax(-1) == right
    assert found.accuracy == pytest.approx(hits.mean())
    assert found.interval == pytest.approx(1.96 * hits.mean(1).std(ddof=1) / 30**0.5, rel=1e-3)
    flat = chances.reshape(-1, 3).astype(float)
    assert found.nll == pytest.approx(log_loss(right.ravel(), flat / flat.sum(1, keepdims=True)), rel=1e-4)
    assert found.brier == pytest.approx(((flat - np.eye(3)[right.ravel()]) ** 2).sum(1).mean(), rel=1e-5)
    confidence, gap = flat.max(1), 0.0
    for low in np.arange(15) / 15:
        inside = (confidence >= low) & (confidence < low + 1 / 15)
        gap += abs((confidence - hits.ravel())[inside].sum())
    assert found.ece == pytest.approx(gap / len(confidence), abs=1e-6)


class OneByOne(PrototypicalNetwork):
    def tasks_per_chunk(self, episode: Episode) -> int:
        return 1


def test_memory_does_not_decide_which_tasks_are_drawn(learner: PrototypicalNetwork) -> None:
    options = {"n_query": 3, "n_episodes": 60}
    whole = evaluate(learner, DigitsSource("test"), **options)
    alone = evaluate(OneByOne(learner.backbone), DigitsSource("test"), **options)
    assert alone.accuracy == pytest.approx(whole.accuracy)


def test_an_interval_needs_two_tasks(learner: PrototypicalNetwork) -> None:
    with pytest.raises(UsageError, match="n_episodes"):
        evaluate(learner, DigitsSource("test"), n_episodes=1)


def test_a_result_reads_as_a_sentence(learner: PrototypicalNetwork) -> None:
    assert "% over 2 tasks" in str(evaluate(learner, DigitsSource("test"), n_episodes=2))
