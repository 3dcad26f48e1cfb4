"""Naive Bayes."""

from __future__ import annotations

from optuna.distributions import FloatDistribution
from sklearn.naive_bayes import GaussianNB

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.preprocessing import scaled_numbers
from automl_meta.algorithms.search_space import SearchSpace

GAUSSIAN_NAIVE_BAYES = Algorithm(
    name="gaussian_nb",
    task_type="classification",
    description="Gaussian features, independent within classes. Fastest; good with very few rows, overconfident.",
    space=SearchSpace({"var_smoothing": FloatDistribution(1e-11, 1e-1, log=True)}),
    defaults={"var_smoothing": 1e-9},
    estimator=lambda parameters, task, seed: GaussianNB(**parameters),
    preprocessing=scaled_numbers,
)
