"""How to meta-train, how far it is, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from automl_meta.exceptions import UsageError
from automl_meta.fewshot.sources import Shots

__all__ = ["TrainingOptions", "TrainingProgress", "TrainingResult"]


@dataclass(frozen=True)
class TrainingOptions:
    """How to meta-train.

    Parameters
    ----------
    n_episodes : int, optional
        Tasks to train on, all in all.
    time_limit, cpu_limit : float, optional
        Seconds of the wall clock, or of the process's CPU time. At least one of the three limits is needed; the
        first that is reached ends the training, and the learning rate falls along with it.
    n_way, n_shot, n_query : int
        Classes of a task (None in regression), and examples of each. `n_shot` may be a range.
    n_tasks : int, default=4
        Tasks of one step of the optimiser, over all processes.
    optimizer : {'adamw', 'adam', 'sgd'}, default='adamw'
    learning_rate : float, default=1e-3
    weight_decay : float, default=0.0
    schedule : {'cosine', 'constant'}, default='cosine'
        How the learning rate goes on: to zero along a half wave, or as it is.
    max_gradient_norm : float, default=10.0
        Longer gradients are shortened to it.
    precision : {'float32', 'bfloat16'}, default='float32'
        Of the backbone's activations in training; parameters, statistics and losses stay as they are.
    valid_way : int, optional
        Classes of a validation task; `n_way` by default.
    n_valid_episodes : int, default=200
    valid_every : int, optional
        Episodes between validations; a tenth of `n_episodes` by default, or of the time.
    patience : int, optional
        Validations without a better one after which training stops. The best parameters are kept in any case.
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
                "one or more of them, above 0."
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
    """Where training stands.

    Parameters
    ----------
    fraction : float
        Of the budget that is spent, from 0 to 1.
    episodes : int
        Tasks trained on.
    seconds : float
        Wall clock, earlier runs of the same training included.
    loss : float
        Mean over the last iterations.
    valid_score : float or None
        The last validation's accuracy, or minus the squared error.
    """

    fraction: float
    episodes: int
    seconds: float
    loss: float
    valid_score: float | None


@dataclass
class TrainingResult:
    """What training came to.

    Parameters
    ----------
    episodes : int
        Tasks trained on.
    seconds, cpu_seconds : float
    stopped_by : str
        'episodes', 'time' or 'patience'.
    best_score : float or None
        Of the validations; None without any.
    history : list of dict
        A row for each validation: episodes, loss, score.
    """

    episodes: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stopped_by: str = ""
    best_score: float | None = None
    history: list[dict[str, float | None]] = field(default_factory=list)
