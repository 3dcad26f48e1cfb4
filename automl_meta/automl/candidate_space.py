"""Search space of the algorithms that are applicable to a task."""

from __future__ import annotations

from collections.abc import Collection

from automl_meta.algorithms import ALGORITHMS, Algorithm, JointSpace, algorithms_for
from automl_meta.automl.scoring import Scoring
from automl_meta.exceptions import UsageError
from automl_meta.experiments import takes_weights
from automl_meta.records import Configuration
from automl_meta.task import TabularTask

__all__ = ["candidate_space", "own_algorithm"]


def candidate_space(
    task: TabularTask,
    algorithms: Collection[str | Algorithm] | None,
    scoring: Scoring,
    *,
    weighted: bool = False,
) -> JointSpace:
    """Build the space of the algorithms that support the task, its weights and the scoring.

    Parameters
    ----------
    task : TabularTask
        Task to learn.
    algorithms : collection of str or Algorithm, optional
        Algorithms to choose from, by name or your own; the whole catalogue by default.
    scoring : Scoring
        Metric to optimise.
    weighted : bool
        Whether rows have weights.

    Raises
    ------
    UsageError
        If no algorithm is left.
    """
    given = None if algorithms is None else list(algorithms)
    named = None if given is None else [a for a in given if not isinstance(a, Algorithm)]
    own = [a for a in given or () if isinstance(a, Algorithm)]
    kept: list[Algorithm] = []
    for algorithm in [*(() if named == [] else algorithms_for(task.task_type, only=named)), *own]:
        if not algorithm.supports(task):
            continue
        pipeline = algorithm.build(algorithm.default_configuration, task)
        if weighted and not takes_weights(pipeline):
            continue
        if scoring.wants_probabilities and not hasattr(pipeline, "predict_proba"):
            continue
        kept.append(algorithm)
    if not kept:
        raise UsageError(
            f"None of the chosen algorithms can be tried on these {task.n_rows} rows"
            + (" with weights" if weighted else "")
            + f" and scored by {scoring.name}. Choose others."
        )
    return JointSpace(tuple(kept))


def own_algorithm(space: JointSpace, configuration: Configuration) -> Algorithm | None:
    """Algorithm of a configuration if the user brought it; None if workers find it in the catalogue."""
    algorithm = space.algorithm(configuration.algorithm)
    return None if algorithm in ALGORITHMS else algorithm
