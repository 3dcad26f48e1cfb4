"""Evaluation of a learner on tasks of a source."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.learner import FewShotLearner
from automl_meta.fewshot.sources import TaskSource

__all__ = ["Evaluation", "evaluate"]

_BATCH = 50  # tasks sampled at once; fixed, so that the sampled tasks do not depend on the available memory
_BINS = 15  # confidence bins of the calibration error
_Z = 1.959964  # 97.5 % quantile of the normal distribution


@dataclass(frozen=True)
class Evaluation:
    """Metrics averaged over the evaluated tasks.

    Parameters
    ----------
    n_episodes : int
        Number of tasks.
    accuracy : float or None
        Mean accuracy, from 0 to 1; None in regression.
    interval : float
        Half-width of the 95 % confidence interval of the accuracy, or of the squared error in regression.
    nll : float or None
        Mean negative log-likelihood of the true class, in nats.
    brier : float or None
        Mean squared error of the probabilities, summed over the classes: 0 is best, 2 is worst.
    ece : float or None
        Expected calibration error over 15 equal-width bins of confidence.
    mse : float or None
        Mean squared error; None in classification.
    """

    n_episodes: int
    accuracy: float | None
    interval: float
    nll: float | None = None
    brier: float | None = None
    ece: float | None = None
    mse: float | None = None

    @property
    def score(self) -> float:
        """Accuracy, or the negative mean squared error in regression; greater is better."""
        return self.accuracy if self.accuracy is not None else -(self.mse or 0.0)

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the metrics by name.

        Returns
        -------
        dict
            One item per parameter of this class.
        """
        return asdict(self)

    def __str__(self) -> str:
        if self.accuracy is None:
            return f"mean squared error {self.mse:.4f} ± {self.interval:.4f} over {self.n_episodes} tasks"
        return (
            f"accuracy {100 * self.accuracy:.2f} ± {100 * self.interval:.2f} % over {self.n_episodes} tasks "
            f"(NLL {self.nll:.3f}, Brier {self.brier:.3f}, ECE {self.ece:.3f})"
        )


def evaluate(
    learner: FewShotLearner,
    source: TaskSource,
    *,
    n_way: int | None = 5,
    n_shot: int = 1,
    n_query: int = 15,
    n_episodes: int = 1000,
    random_state: int = 0,
) -> Evaluation:
    """Adapt to sampled tasks and score the predictions for their queries.

    Parameters
    ----------
    learner : FewShotLearner
        Meta-trained learner on the device of the source; it is not changed.
    source : TaskSource
        Source of tasks, whose classes the learner was not trained on.
    n_way : int or None, default=5
        Number of classes per task; None in regression.
    n_shot : int, default=1
        Number of support examples per class.
    n_query : int, default=15
        Number of query examples per class.
    n_episodes : int, default=1000
        Number of tasks.
    random_state : int, default=0
        Random seed of the sampled tasks.

    Returns
    -------
    Evaluation
        Metrics averaged over the tasks.

    Raises
    ------
    UsageError
        If `n_episodes` is below 2.

    Examples
    --------
    >>> from automl_meta.fewshot import DigitsSource, MLP, PrototypicalNetwork
    >>> untrained = PrototypicalNetwork(MLP((1, 16, 16), hidden=(64,)))
    >>> evaluate(untrained, DigitsSource("test"), n_episodes=50).accuracy > 0.5
    True
    """
    if n_episodes < 2:
        raise UsageError(f"n_episodes is {n_episodes}; a confidence interval needs at least 2.")
    generator = torch.Generator(source.device).manual_seed(random_state)
    parts: list[Tensor] = []
    bins = torch.zeros(3, _BINS, device=source.device, dtype=torch.float64)
    for start in range(0, n_episodes, _BATCH):
        n_tasks = min(_BATCH, n_episodes - start)
        batch = source.sample(n_way, n_shot, n_query, n_tasks, generator)
        for episode in batch.split(learner.tasks_per_chunk(batch)):
            parts.append(_scores(learner, episode, bins))
    figures = torch.cat(parts).double()
    mean = figures.mean(0).tolist()
    interval = _Z * float(figures[:, 0].std()) / math.sqrt(n_episodes)
    if n_way is None:
        return Evaluation(n_episodes, None, interval, mse=mean[0])
    count, confidence, hits = bins
    ece = float((confidence - hits).abs().sum() / count.sum())
    return Evaluation(n_episodes, mean[0], interval, nll=mean[1], brier=mean[2], ece=ece)


@torch.no_grad()
def _scores(learner: FewShotLearner, episode: Episode, bins: Tensor) -> Tensor:
    """Return a row of metrics per task and add to the calibration bins."""
    outputs = learner.adapt(episode.support_x, episode.support_y, episode.n_way)(episode.query_x)
    if episode.n_way is None:
        return ((outputs - episode.query_y) ** 2).mean((1, 2))[:, None]
    probabilities = outputs.float().softmax(-1)
    right = torch.nn.functional.one_hot(episode.query_y, episode.n_way)
    nll = -outputs.float().log_softmax(-1).gather(-1, episode.query_y[..., None])[..., 0]
    brier = ((probabilities - right) ** 2).sum(-1)
    confidence, guess = probabilities.max(-1)
    hits = (guess == episode.query_y).double()
    position = (confidence * _BINS).long().clamp_(0, _BINS - 1).flatten()  # NaN falls into the first bin
    for row, values in zip(bins, (torch.ones_like(hits), confidence.double(), hits), strict=True):
        row.index_add_(0, position, values.flatten())
    return torch.stack([hits.float().mean(1), nll.mean(1), brier.mean(1)], 1)
