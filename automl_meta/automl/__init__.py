"""The whole flow: describe a table, ask the experience, tune within one budget, fit the best."""

from automl_meta.automl.classifier import AutoMLClassifier
from automl_meta.automl.model import TabularModel
from automl_meta.automl.regressor import AutoMLRegressor
from automl_meta.automl.report import TuningReport
from automl_meta.automl.tuner import TuningProgress

__all__ = [
    "AutoMLClassifier",
    "AutoMLRegressor",
    "TabularModel",
    "TuningProgress",
    "TuningReport",
]
