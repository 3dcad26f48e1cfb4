"""Making experience: configurations evaluated on tasks, under limits, into runs."""

from automl_meta.experiments.campaign import Campaign, Progress
from automl_meta.experiments.evaluate import evaluate
from automl_meta.experiments.evaluator import Evaluator, Limits

__all__ = ["Campaign", "Evaluator", "Limits", "Progress", "evaluate"]
