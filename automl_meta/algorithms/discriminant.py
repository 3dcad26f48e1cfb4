"""Linear and quadratic discriminant analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.preprocessing import scaled_numbers
from automl_meta.algorithms.search_space import Condition, SearchSpace
from automl_meta.task import TabularTask


def _lda(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    if parameters["shrinkage_rule"] == "none":
        return LinearDiscriminantAnalysis()
    shrinkage = "auto" if parameters["shrinkage_rule"] == "auto" else parameters["shrinkage"]
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)


LDA = Algorithm(
    name="lda",
    task_type="classification",
    description="Gaussian classes with a shared covariance matrix. Very fast; good with few rows.",
    space=SearchSpace(
        {
            "shrinkage_rule": CategoricalDistribution(("none", "auto", "value")),
            "shrinkage": FloatDistribution(0.0, 1.0),
        },
        {"shrinkage": Condition("shrinkage_rule", ("value",))},
    ),
    defaults={"shrinkage_rule": "none"},
    estimator=_lda,
    preprocessing=scaled_numbers,
)

QDA = Algorithm(
    name="qda",
    task_type="classification",
    description="Gaussian classes with separate covariance matrices. Fast; needs many rows per class.",
    space=SearchSpace({"shrinkage": FloatDistribution(1e-2, 1.0, log=True)}),
    # scikit-learn's default, no shrinkage, fails on collinear features.
    defaults={"shrinkage": 0.1},
    estimator=lambda parameters, task, seed: QuadraticDiscriminantAnalysis(solver="eigen", **parameters),
    preprocessing=scaled_numbers,
)
