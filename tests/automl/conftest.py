import numpy as np
import optuna
import pandas as pd
import pytest

from automl_meta.algorithms import JointSpace, algorithms_for
from automl_meta.testing.algorithms import mixed_task

QUICK = ["dummy", "decision_tree", "lda"]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def space() -> JointSpace:
    return JointSpace(algorithms_for("classification", only=["knn", "lda", "decision_tree", "rbf_svm"]))


@pytest.fixture(scope="session")
def table() -> tuple[pd.DataFrame, np.ndarray]:
    """A table with columns of every kind and missing values, and labels that are text."""
    task = mixed_task("classification", n_rows=120)
    return task.X, task.y.to_numpy()
