"""Options, progress and result of meta-training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.sources import Shots

__all__ = ["TrainingOptions", "TrainingProgress", "TrainingResult"]


@dataclass(frozen=True)
class TrainingOptions:
    """Options of meta-training.

    Parameters
    ----------
    n_episodes : int, optional
        Total number of training tasks. At least one of this, `time_limit` and `cpu_limit` is required; the first
        limit that is reached ends the training, and the learning-rate schedule follows it.
    time_limit : float, optional
        Time limit in seconds.
    cpu_limit : float, optional
        Limit of the CPU time of the process in seconds.
    n_way : int or None, default=5
        Number of classes per task; None in regression.
    n_shot : int or (int, int), default=1
        Number of support examples per class, or the range that each class draws its number from.
    n_query : int, default=15
        Number of query examples per class.
    n_tasks : int, default=4
        Number of tasks per optimiser step, over all processes.
    optimizer : {'adamw', 'adam', 'sgd'}, default='adamw'
        Optimiser.
    learning_rate : float, default=1e-3
        Initial learning rate of the optimiser.
    weight_decay : float, default=0.0
        Weight decay of the optimiser.
    schedule : {'cosine', 'constant'}, default='cosine'
        Learning-rate schedule: cosine decay to zero, or constant.
    max_gradient_norm : float, default=10.0
        Norm to which larger gradients are clipped.
    precision : {'float32', 'bfloat16'}, default='float32'
        Data type of the backbone's activations in training; parameters, statistics and losses are not affected.
    valid_way : int, optional
        Number of classes per validation task; None takes `n_way`.
    n_valid_episodes : int, default=200
        Number of tasks per validation.
    valid_every : int, optional
        Number of training tasks between validations; None validates after every tenth of the budget.
    patience : int, optional
        Number of validations without improvement after which training stops; None never stops early. The best
        parameters are kept in any case.

    Raises
    ------
    UsageError
        If no limit is given, or an option is out of range.
    """

    n_episodes: int | None = None
    time_limit: float | None = None
    cpu_limit: float | None = None
    n_way: int | None = 5
    n_shot: Shots = 1
    n_query: int = 15
    n_tasks: int = 4
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: Literal["cosine", "constant"] = "cosine"
    max_gradient_norm: float = 10.0
    precision: Literal["float32", "bfloat16"] = "float32"
    valid_way: int | None = None
    n_valid_episodes: int = 200
    valid_every: int | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        limits = (self.n_episodes, self.time_limit, self.cpu_limit)
        if all(limit is None for limit in limits) or any(
            limit is not None and not limit > 0 for limit in limits
        ):
            raise UsageError(
                f"n_episodes is {self.n_episodes}, time_limit {self.time_limit}, cpu_limit {self.cpu_limit}; give "
                "at least one of them, each above 0."
            )
        if self.n_tasks < 1 or not self.learning_rate > 0:
            raise UsageError(
                f"n_tasks is {self.n_tasks}, learning_rate {self.learning_rate}; both must be above 0."
            )
        for name, value, known in (
            ("optimizer", self.optimizer, ("adamw", "adam", "sgd")),
            ("schedule", self.schedule, ("cosine", "constant")),
            ("precision", self.precision, ("float32", "bfloat16")),
        ):
            if value not in known:
                raise UsageError(f"{name} is {value!r}; it must be one of {', '.join(known)}.")


@dataclass(frozen=True)
class TrainingProgress:
    """Progress of a meta-training.

    Parameters
    ----------
    fraction : float
        Spent fraction of the budget, from 0 to 1.
    episodes : int
        Number of tasks trained on.
    seconds : float
        Elapsed time in seconds, including the runs before a resumption.
    loss : float
        Mean loss since the last report.
    valid_score : float or None
        Validation score if a validation has just taken place: accuracy, or negative mean squared error.
    """

    fraction: float
    episodes: int
    seconds: float
    loss: float
    valid_score: float | None


@dataclass
class TrainingResult:
    """Statistics of a meta-training.

    Parameters
    ----------
    episodes : int
        Number of tasks trained on.
    seconds : float
        Elapsed time in seconds.
    cpu_seconds : float
        CPU time of the process in seconds.
    stopped_by : str
        Limit that ended the training: 'episodes', 'time' or 'patience'.
    best_score : float or None
        Best validation score; None without validation.
    history : list of dict
        One item per validation, with the keys 'episodes', 'loss' and 'score'.
    """

    episodes: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stopped_by: str = ""
    best_score: float | None = None
    history: list[dict[str, float | None]] = field(default_factory=list)
