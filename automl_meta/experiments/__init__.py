"""Experiments: evaluate configurations on tasks under limits, and store the runs."""

from automl_meta.experiments.campaign import Campaign, CampaignProgress
from automl_meta.experiments.describe import DatasetDescription, dataset_record, describe_dataset
from automl_meta.experiments.evaluate import OutOfFold, evaluate, evaluate_out_of_fold, score_responses
from automl_meta.experiments.evaluator import Evaluator, Limits
from automl_meta.experiments.evaluator_like import EvaluatorLike
from automl_meta.experiments.fitting import Fitted, fit_whole, takes_weights
from automl_meta.experiments.folds import Folds, fewer_rows
from automl_meta.experiments.in_process import InProcessEvaluator
from automl_meta.experiments.keeping import Keeper

__all__ = [
    "Campaign",
    "CampaignProgress",
    "DatasetDescription",
    "Evaluator",
    "EvaluatorLike",
    "Fitted",
    "Folds",
    "InProcessEvaluator",
    "Keeper",
    "Limits",
    "OutOfFold",
    "dataset_record",
    "describe_dataset",
    "evaluate",
    "evaluate_out_of_fold",
    "fewer_rows",
    "fit_whole",
    "score_responses",
    "takes_weights",
]
