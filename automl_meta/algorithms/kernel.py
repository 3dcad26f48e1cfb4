"""Support vector machines and Gaussian processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution
from sklearn.base import BaseEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.common import default_weight, for_classes, on_scaled_target
from automl_meta.algorithms.preprocessing import scaled_numbers
from automl_meta.algorithms.search_space import Condition, SearchSpace
from automl_meta.metrics import TaskType
from automl_meta.task import TabularTask


def _linear_svm(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    if task.task_type == "classification":
        return LinearSVC(**parameters, max_iter=2000, random_state=seed)
    return on_scaled_target(LinearSVR(**parameters, max_iter=2000, random_state=seed))


def _linear_svm_algorithm(task_type: TaskType) -> Algorithm:
    epsilon = {"epsilon": FloatDistribution(1e-3, 1.0, log=True)} if task_type == "regression" else {}
    return Algorithm(
        name="linear_svm",
        task_type=task_type,
        description="Linear boundary with maximum margin. Good with many features; no probabilities.",
        space=SearchSpace(for_classes({"C": FloatDistribution(1e-4, 1e3, log=True), **epsilon}, task_type)),
        defaults=default_weight({"C": 1.0, **({"epsilon": 0.1} if epsilon else {})}, task_type),
        estimator=_linear_svm,
        preprocessing=scaled_numbers,
    )


def _rbf_svm(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    rest = {name: value for name, value in parameters.items() if name not in ("gamma_rule", "gamma")}
    gamma = "scale" if parameters["gamma_rule"] == "scale" else parameters["gamma"]
    if task.task_type == "classification":
        return SVC(gamma=gamma, **rest, random_state=seed)
    return on_scaled_target(SVR(gamma=gamma, **rest))


def _rbf_svm_algorithm(task_type: TaskType) -> Algorithm:
    epsilon = {"epsilon": FloatDistribution(1e-3, 1.0, log=True)} if task_type == "regression" else {}
    return Algorithm(
        name="rbf_svm",
        task_type=task_type,
        description="Smooth non-linear boundary. Very good on small data; slow with many rows, no probabilities.",
        space=SearchSpace(
            for_classes(
                {
                    "C": FloatDistribution(1e-2, 1e3, log=True),
                    "gamma_rule": CategoricalDistribution(("scale", "value")),
                    "gamma": FloatDistribution(1e-4, 10.0, log=True),
                    **epsilon,
                },
                task_type,
            ),
            {"gamma": Condition("gamma_rule", ("value",))},
        ),
        defaults=default_weight(
            {"C": 1.0, "gamma_rule": "scale", **({"epsilon": 0.1} if epsilon else {})}, task_type
        ),
        estimator=_rbf_svm,
        preprocessing=scaled_numbers,
    )


def _gaussian_process(parameters: Mapping[str, Any], task: TabularTask, seed: int) -> BaseEstimator:
    shape = RBF() if parameters["kernel"] == "rbf" else Matern(nu=parameters["nu"])
    kernel = ConstantKernel() * shape + WhiteKernel(parameters["noise"])
    if parameters["linear"]:
        kernel = kernel + DotProduct()
    return GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)


LINEAR_SVM_CLASSIFIER = _linear_svm_algorithm("classification")
LINEAR_SVM_REGRESSOR = _linear_svm_algorithm("regression")
RBF_SVM_CLASSIFIER = _rbf_svm_algorithm("classification")
RBF_SVM_REGRESSOR = _rbf_svm_algorithm("regression")

GAUSSIAN_PROCESS = Algorithm(
    name="gaussian_process",
    task_type="regression",
    description="Posterior over smooth functions. Excellent on small, smooth data; slow with more rows.",
    space=SearchSpace(
        {
            "kernel": CategoricalDistribution(("rbf", "matern")),
            "nu": CategoricalDistribution((0.5, 1.5, 2.5)),
            "noise": FloatDistribution(1e-4, 1.0, log=True),
            "linear": CategoricalDistribution((False, True)),
        },
        {"nu": Condition("kernel", ("matern",))},
    ),
    defaults={"kernel": "matern", "nu": 2.5, "noise": 0.1, "linear": False},
    estimator=_gaussian_process,
    preprocessing=scaled_numbers,
    max_rows=500,
)
