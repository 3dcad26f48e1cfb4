"""Constant predictions, the baseline of every other algorithm."""

from __future__ import annotations

from optuna.distributions import CategoricalDistribution
from sklearn.dummy import DummyClassifier, DummyRegressor

from automl_meta.algorithms.algorithm import Algorithm
from automl_meta.algorithms.preprocessing import ordinal_codes
from automl_meta.algorithms.search_space import SearchSpace

DUMMY_CLASSIFIER = Algorithm(
    name="dummy",
    task_type="classification",
    description="Always predicts the most frequent class. If it wins, the features are uninformative.",
    space=SearchSpace(),
    defaults={},
    estimator=lambda parameters, task, seed: DummyClassifier(strategy="prior"),
    preprocessing=lambda task, seed: ordinal_codes(task, seed, keep_missing=True),
)

DUMMY_REGRESSOR = Algorithm(
    name="dummy",
    task_type="regression",
    description="Always predicts the mean or median. If it wins, the features are uninformative.",
    space=SearchSpace({"strategy": CategoricalDistribution(("mean", "median"))}),
    defaults={"strategy": "mean"},
    estimator=lambda parameters, task, seed: DummyRegressor(**parameters),
    preprocessing=lambda task, seed: ordinal_codes(task, seed, keep_missing=True),
)
