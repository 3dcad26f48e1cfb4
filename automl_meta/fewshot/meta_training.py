"""Meta-training of a learner on tasks sampled from a source."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from automl_meta._utils.memory import keep_freed_memory
from automl_meta._utils.random import seed_of
from automl_meta.exceptions import TrainingError, UsageError
from automl_meta.fewshot import distributed
from automl_meta.fewshot.checkpoint import load_checkpoint, save_checkpoint
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.evaluation import evaluate
from automl_meta.fewshot.learner import FewShotLearner
from automl_meta.fewshot.sources import TaskSource
from automl_meta.fewshot.training_options import TrainingOptions, TrainingProgress, TrainingResult

__all__ = ["choose_device", "meta_fit"]

_CHECK_EVERY = 20  # iterations between reads of the loss, each of which synchronises a GPU


def choose_device(device: str = "auto") -> torch.device:
    """Return the device of a name; for 'auto', a GPU if available, else the CPU.

    Raises
    ------
    UsageError
        If the device is unknown or not available.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise UsageError(f"device is {device!r}; it must be auto, cpu, cuda or cuda:N.") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"device is {device!r}, but no CUDA device is available; use cpu or auto.")
    return chosen


def meta_fit(
    learner: FewShotLearner,
    source: TaskSource,
    options: TrainingOptions | None = None,
    *,
    valid_source: TaskSource | None = None,
    checkpoint: str | Path | None = None,
    random_state: int | None = None,
    device: str = "auto",
    progress: Callable[[TrainingProgress], None] | None = None,
    **changes: Any,
) -> TrainingResult:
    """Meta-train a learner in place on tasks sampled from a source.

    On a CPU with glibc, the process retains up to 1 GiB of freed memory from then on.

    Under ``torchrun``, the processes share each batch of tasks and average the gradients; the result equals that of
    a single process on the same tasks.

    Parameters
    ----------
    learner : FewShotLearner
        Learner to train; it is modified and moved to the device.
    source : TaskSource
        Source of training tasks.
    options : TrainingOptions, optional
        Training options; None takes those given as keywords.
    valid_source : TaskSource, optional
        Source of validation tasks, with other classes. If given, the parameters with the best validation score
        are kept.
    checkpoint : str or Path, optional
        File that the training state is written to at each validation, at the end and on Ctrl-C. If it exists,
        training resumes from it, with the same result as an uninterrupted run (unless limited by time).
    random_state : int, optional
        Random seed of the sampled tasks; None gives different results on each call. The initial parameters are
        those of the learner.
    device : str, default='auto'
        Device to train on; 'auto' takes a GPU if available, else the CPU.
    progress : callable, optional
        Function that is called periodically with a `TrainingProgress`.
    **changes
        Fields of `TrainingOptions` to set or override.

    Returns
    -------
    TrainingResult
        Statistics of the training.

    Raises
    ------
    TrainingError
        If the loss is NaN or infinite.
    UsageError
        If a parameter is invalid, or the checkpoint belongs to another learner or to other options.

    Examples
    --------
    >>> from automl_meta.fewshot import DigitsSource, MLP, PrototypicalNetwork, meta_fit
    >>> learner = PrototypicalNetwork(MLP((1, 16, 16), hidden=(64,)))
    >>> meta_fit(learner, DigitsSource(), n_episodes=20, random_state=0).episodes
    20
    """
    chosen = TrainingOptions(**(({} if options is None else vars(options)) | changes))
    where = choose_device(device)
    if where.type == "cpu":
        keep_freed_memory()
    with distributed.process_group(where):
        training = _Training(learner.to(where), source.to(where), chosen, valid_source, seed_of(random_state))
        training.checkpoint = None if checkpoint is None else Path(checkpoint)
        training.resume()
        try:
            with _deferred_interrupt() as interrupted:
                training.run(progress or (lambda state: None), interrupted)
        finally:
            learner.backbone.activation_dtype = None
    return training.result


@contextmanager
def _deferred_interrupt() -> Iterator[list[bool]]:
    """Make the first Ctrl-C append to a list, so that the current step completes; the second one interrupts."""
    interrupted: list[bool] = []
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def note(number: int, frame: object) -> None:
        if interrupted:
            raise KeyboardInterrupt
        interrupted.append(True)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


class _Training:
    """State and steps of a meta-training."""

    def __init__(
        self,
        learner: FewShotLearner,
        source: TaskSource,
        options: TrainingOptions,
        valid_source: TaskSource | None,
        seed: int,
    ) -> None:
        self.learner, self.source, self.options, self.seed = learner, source, options, seed
        self.valid_source = None if valid_source is None else valid_source.to(source.device)
        self.generator = torch.Generator(source.device).manual_seed(seed % 2**63)
        self.parameters = list(learner.parameters())
        self.optimizer = self._optimizer()
        self.result = TrainingResult()
        self.best: dict[str, torch.Tensor] | None = None
        self.checkpoint: Path | None = None
        self.losses: list[torch.Tensor] = []
        self.chunk = 0  # computed once: the query synchronises a GPU, and its free memory shrinks with use
        self.next_valid = 0.0
        self.started = (0.0, 0.0)
        learner.description = source.description | {"n_way": options.n_way, "n_shot": options.n_shot}

    def run(self, progress: Callable[[TrainingProgress], None], interrupted: list[bool]) -> None:
        """Train until a limit is reached."""
        options, result = self.options, self.result
        if options.precision == "bfloat16":
            self.learner.backbone.activation_dtype = torch.bfloat16
        self.learner.train()
        # Time spent before a resumption counts.
        self.started = (time.monotonic() - result.seconds, time.process_time() - result.cpu_seconds)
        self.next_valid = self.next_valid or self._valid_step()
        fraction = self._fraction()
        while fraction < 1 and not result.stopped_by:
            self.learner.progress = fraction
            for group in self.optimizer.param_groups:
                factor = 0.5 * (1 + math.cos(math.pi * fraction)) if options.schedule == "cosine" else 1.0
                group["lr"] = options.learning_rate * factor
            self.losses.append(self._step())
            fraction = self._fraction()
            is_due = len(self.losses) >= _CHECK_EVERY or fraction >= min(1.0, self.next_valid)
            if is_due:
                progress(self._report(fraction))
            if self._is_interrupted(interrupted, is_due):
                self.save()
                raise KeyboardInterrupt
        self._finish()

    def _is_interrupted(self, interrupted: list[bool], is_due: bool) -> bool:
        """Whether to stop; several processes agree on it when they read their losses."""
        if distributed.world_size() == 1:
            return bool(interrupted)
        return is_due and distributed.largest(float(bool(interrupted)), self.source.device) > 0

    def _step(self) -> torch.Tensor:
        """Take one optimiser step; return the loss of the tasks of this process."""
        options = self.options
        batch = self.source.sample(
            options.n_way, options.n_shot, options.n_query, options.n_tasks, self.generator
        )
        mine = _own_share(batch)
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.source.device)
        self.chunk = self.chunk or self.learner.tasks_per_chunk(mine)
        for chunk in mine.split(self.chunk):
            loss = self.learner.loss(chunk) * (len(chunk) / len(mine))
            loss.backward()
            total += loss.detach()
        distributed.average_gradients(self.parameters, len(mine) / len(batch))
        torch.nn.utils.clip_grad_norm_(self.parameters, options.max_gradient_norm)
        self.optimizer.step()
        self.result.episodes += len(batch)
        return total

    def _report(self, fraction: float) -> TrainingProgress:
        """Read the losses; validate and save the checkpoint when due."""
        loss = float(torch.stack(self.losses).mean())
        loss = distributed.largest(loss if math.isfinite(loss) else math.inf, self.source.device)
        self.losses.clear()
        if not math.isfinite(loss):
            raise TrainingError(
                f"Meta-training diverged: after {self.result.episodes} episodes the loss is NaN or infinite. "
                f"Lower learning_rate ({self.options.learning_rate}) or the inner-loop learning rate of the learner, "
                "increase n_tasks, or set precision='float32'."
                + ("" if self.checkpoint is None else f" {self.checkpoint} holds the last valid state.")
            )
        score = None
        if fraction >= min(1.0, self.next_valid):
            score = self._validate(loss)
            self.next_valid = fraction + self._valid_step()
            self.save()
        return TrainingProgress(fraction, self.result.episodes, self.result.seconds, loss, score)

    def _validate(self, loss: float) -> float | None:
        """Evaluate on the validation source, and keep the parameters if they are the best so far."""
        options, result = self.options, self.result
        score = None
        if self.valid_source is not None:
            n_shot = options.n_shot if isinstance(options.n_shot, int) else options.n_shot[0]
            found = evaluate(
                self.learner,
                self.valid_source,
                n_way=options.valid_way or options.n_way,
                n_shot=n_shot,
                n_query=options.n_query,
                n_episodes=options.n_valid_episodes,
            )
            score = found.score
            if result.best_score is None or score > result.best_score:
                result.best_score = score
                self.best = {name: value.clone() for name, value in self.learner.state_dict().items()}
        result.history.append({"episodes": result.episodes, "loss": loss, "score": score})
        if options.patience is not None and score is not None:
            scores = [row["score"] for row in result.history]
            if len(scores) - 1 - scores.index(result.best_score) >= options.patience:
                result.stopped_by = "patience"
        return score

    def _finish(self) -> None:
        self.result.stopped_by = self.result.stopped_by or (
            "episodes" if self.result.episodes >= (self.options.n_episodes or math.inf) else "time"
        )
        self.save()
        if self.best is not None:
            self.learner.load_state_dict(self.best)
        self.learner.progress = 1.0
        self.learner.eval()

    def _fraction(self) -> float:
        """Return the spent fraction of the budget."""
        options, result = self.options, self.result
        result.seconds = time.monotonic() - self.started[0]
        result.cpu_seconds = time.process_time() - self.started[1]
        spent = [
            used / limit
            for used, limit in (
                (result.episodes, options.n_episodes),
                (result.seconds, options.time_limit),
                (result.cpu_seconds, options.cpu_limit),
            )
            if limit is not None
        ]
        timed = options.time_limit is not None or options.cpu_limit is not None
        return distributed.largest(max(spent), self.source.device) if timed else max(spent)

    def _valid_step(self) -> float:
        """Return the interval between validations as a fraction of the budget."""
        options = self.options
        if options.valid_every is None or options.n_episodes is None:
            return 0.1
        return options.valid_every / options.n_episodes

    def _optimizer(self) -> torch.optim.Optimizer:
        rate, decay = self.options.learning_rate, self.options.weight_decay
        if self.options.optimizer == "sgd":
            return torch.optim.SGD(self.parameters, lr=rate, weight_decay=decay)
        kind = torch.optim.AdamW if self.options.optimizer == "adamw" else torch.optim.Adam
        return kind(self.parameters, lr=rate, weight_decay=decay, fused=True)

    def save(self) -> None:
        """Write the checkpoint, if requested, in the first process."""
        if self.checkpoint is not None and distributed.rank() == 0:
            save_checkpoint(
                self.checkpoint, self.learner, self.optimizer, self.generator, self.best, self._about()
            )

    def resume(self) -> None:
        """Resume from the checkpoint if it exists."""
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        about, self.best = load_checkpoint(
            self.checkpoint, self.learner, self.optimizer, self.generator, self._about()
        )
        self.result = TrainingResult(**about["result"] | {"stopped_by": ""})
        self.losses = [torch.tensor(loss, device=self.source.device) for loss in about["losses"]]
        self.next_valid = about["next_valid"]

    def _about(self) -> dict[str, Any]:
        return {
            "options": asdict(self.options),
            "seed": self.seed,
            "result": asdict(self.result),
            "next_valid": self.next_valid,
            "losses": [float(loss) for loss in self.losses],
        }


def _own_share(batch: Episode) -> Episode:
    """Return every n-th task of the batch, so that the shares of n processes differ by at most one task."""
    n = distributed.world_size()
    if n == 1:
        return batch
    if len(batch) < n:
        raise UsageError(f"{n} processes cannot share {len(batch)} tasks; set n_tasks to at least {n}.")
    return batch[slice(distributed.rank(), None, n)]
