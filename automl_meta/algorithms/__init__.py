"""Catalogue of the algorithms that can be recommended."""

from __future__ import annotations

from collections.abc import Collection

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.boosting import (
    ADABOOST_CLASSIFIER,
    ADABOOST_REGRESSOR,
    HIST_GRADIENT_BOOSTING_CLASSIFIER,
    HIST_GRADIENT_BOOSTING_REGRESSOR,
    LIGHTGBM_CLASSIFIER,
    LIGHTGBM_REGRESSOR,
)
from automl_meta.algorithms.discriminant import LDA, QDA
from automl_meta.algorithms.dummy import DUMMY_CLASSIFIER, DUMMY_REGRESSOR
from automl_meta.algorithms.joint_space import ALGORITHM, JointSpace, joint_name, joint_parameters
from automl_meta.algorithms.kernel import (
    GAUSSIAN_PROCESS,
    LINEAR_SVM_CLASSIFIER,
    LINEAR_SVM_REGRESSOR,
    RBF_SVM_CLASSIFIER,
    RBF_SVM_REGRESSOR,
)
from automl_meta.algorithms.linear import (
    ELASTIC_NET,
    LOGISTIC_REGRESSION,
    RIDGE,
    SGD_CLASSIFIER,
    SGD_REGRESSOR,
)
from automl_meta.algorithms.naive_bayes import GAUSSIAN_NAIVE_BAYES
from automl_meta.algorithms.neighbors import KNN_CLASSIFIER, KNN_REGRESSOR
from automl_meta.algorithms.neural import MLP_CLASSIFIER, MLP_REGRESSOR
from automl_meta.algorithms.search_space import Condition, SearchSpace
from automl_meta.algorithms.trees import (
    DECISION_TREE_CLASSIFIER,
    DECISION_TREE_REGRESSOR,
    EXTRA_TREES_CLASSIFIER,
    EXTRA_TREES_REGRESSOR,
    RANDOM_FOREST_CLASSIFIER,
    RANDOM_FOREST_REGRESSOR,
)
from automl_meta.exceptions import UsageError
from automl_meta.metrics import TaskType

__all__ = [
    "ALGORITHM",
    "ALGORITHMS",
    "Algorithm",
    "Condition",
    "JointSpace",
    "SearchSpace",
    "algorithms_for",
    "get_algorithm",
    "joint_name",
    "joint_parameters",
]

ALGORITHMS: tuple[Algorithm, ...] = (
    DUMMY_CLASSIFIER,
    DUMMY_REGRESSOR,
    LOGISTIC_REGRESSION,
    RIDGE,
    ELASTIC_NET,
    SGD_CLASSIFIER,
    SGD_REGRESSOR,
    LDA,
    QDA,
    GAUSSIAN_NAIVE_BAYES,
    KNN_CLASSIFIER,
    KNN_REGRESSOR,
    DECISION_TREE_CLASSIFIER,
    DECISION_TREE_REGRESSOR,
    RANDOM_FOREST_CLASSIFIER,
    RANDOM_FOREST_REGRESSOR,
    EXTRA_TREES_CLASSIFIER,
    EXTRA_TREES_REGRESSOR,
    HIST_GRADIENT_BOOSTING_CLASSIFIER,
    HIST_GRADIENT_BOOSTING_REGRESSOR,
    LIGHTGBM_CLASSIFIER,
    LIGHTGBM_REGRESSOR,
    ADABOOST_CLASSIFIER,
    ADABOOST_REGRESSOR,
    LINEAR_SVM_CLASSIFIER,
    LINEAR_SVM_REGRESSOR,
    RBF_SVM_CLASSIFIER,
    RBF_SVM_REGRESSOR,
    GAUSSIAN_PROCESS,
    MLP_CLASSIFIER,
    MLP_REGRESSOR,
)
"""All algorithms, roughly from simple to complex."""


def algorithms_for(
    task_type: TaskType, *, only: Collection[str] | None = None, exclude: Collection[str] = ()
) -> tuple[Algorithm, ...]:
    """List the algorithms for a type of task.

    Parameters
    ----------
    task_type : {"classification", "regression"}
        Type of task.
    only : collection of str, optional
        Names of the algorithms to consider; all by default.
    exclude : collection of str
        Names of algorithms to exclude.

    Returns
    -------
    tuple of Algorithm
        In the order of the catalogue.

    Raises
    ------
    UsageError
        If a name is unknown, or no algorithm is left.
    """
    known = [algorithm for algorithm in ALGORITHMS if algorithm.task_type == task_type]
    for name in (*(only or ()), *exclude):
        get_algorithm(name, task_type)
    chosen = tuple(a for a in known if (only is None or a.name in only) and a.name not in exclude)
    if not chosen:
        raise UsageError("No algorithm is left to choose from. Exclude fewer algorithms.")
    return chosen


def get_algorithm(name: str, task_type: TaskType) -> Algorithm:
    """Look up an algorithm by name.

    Parameters
    ----------
    name : str
        Name of the algorithm.
    task_type : {"classification", "regression"}
        Type of task.

    Returns
    -------
    Algorithm
        The algorithm of this name.

    Raises
    ------
    UsageError
        If there is no algorithm of this name for this type of task.

    Examples
    --------
    >>> print(get_algorithm("ridge", "regression").default_configuration)
    ridge(alpha=1)
    """
    for algorithm in ALGORITHMS:
        if algorithm.name == name and algorithm.task_type == task_type:
            return algorithm
    names = ", ".join(algorithm.name for algorithm in ALGORITHMS if algorithm.task_type == task_type)
    raise UsageError(f"There is no algorithm {name!r} for {task_type}. Choose from: {names}.")
