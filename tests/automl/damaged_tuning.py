"""A study that is tuned on after it was damaged, in a process that may die of it."""

from pathlib import Path

from automl_meta import AutoMLClassifier, TabularTask

__all__ = ["make", "tune_on"]

IRIS = TabularTask.bundled("iris")


def classifier(path: Path, n_trials: int) -> AutoMLClassifier:
    return AutoMLClassifier(
        n_trials=n_trials,
        algorithms=["lda", "knn"],
        cv=2,
        store=False,
        storage=path,
        study_name="m",
        random_state=0,
    )


def make(path: Path) -> Path:
    """A study as `tune` leaves it."""
    classifier(path, 4).fit(IRIS)
    return path


def tune_on(path: Path) -> str:
    """Two trials more, and a model."""
    model = classifier(path, 6).fit(IRIS)
    assert len(model.predict(IRIS.X)) == 150
    return str(model.report_)
