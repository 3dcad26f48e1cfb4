"""Sources of few-shot tasks."""

from automl_meta.fewshot.sources.array import ArraySource
from automl_meta.fewshot.sources.digits import DigitsSource
from automl_meta.fewshot.sources.image_folder import ImageFolderSource
from automl_meta.fewshot.sources.omniglot import OmniglotSource
from automl_meta.fewshot.sources.sinusoid import SinusoidSource
from automl_meta.fewshot.sources.tabular import TabularSource
from automl_meta.fewshot.sources.task_source import Shots, TaskSource

__all__ = [
    "ArraySource",
    "DigitsSource",
    "ImageFolderSource",
    "OmniglotSource",
    "Shots",
    "SinusoidSource",
    "TabularSource",
    "TaskSource",
]
