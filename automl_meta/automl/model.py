"""TabularModel: a fitted model or ensemble that predicts, and can be saved and loaded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.metrics import r2_score
from sklearn.pipeline import Pipeline

from automl_meta._utils.isolation import default_settings
from automl_meta._utils.replacing import replacing
from automl_meta.automl.archive import read_archive
from automl_meta.automl.soundness import CRITICAL, check_soundness, check_versions
from automl_meta.exceptions import AutomlMetaError, AutomlMetaWarning, DataError, UsageError
from automl_meta.metrics import TaskType
from automl_meta.records import Environment
from automl_meta.task import Column, ColumnKind, read_table
from automl_meta.task.frames import as_frame
from automl_meta.task.reading import read_raw

__all__ = ["TabularModel"]

_FORMAT = 2  # format 1, of version 0.1.0, had only the kinds of the columns
_FIELDS = (
    "task_type", "pipelines", "weights", "configurations", "columns", "labels", "target", "metric", "cv_score", "versions",
)  # fmt: skip


class TabularModel:
    """Fitted pipelines with their weights, the labels, and the columns of the training data.

    `AutoMLClassifier` and `AutoMLRegressor` make it. Its file holds only scikit-learn and LightGBM
    objects of known types, and is never unpickled.

    Parameters
    ----------
    task_type : {"classification", "regression"}
        Type of task.
    pipelines : sequence of Pipeline
        Pipelines fitted on class codes.
    weights : array-like of shape (n_pipelines,)
        Weights of the pipelines in the mean; they sum to one.
    configurations : sequence of str
        Configurations of the pipelines as text.
    columns : mapping of str to Column
        Content and format of each column of the training data, in order.
    labels : ndarray of shape (n_classes,)
        Labels of the codes 0, 1, …; empty for regression.
    target : str
        Name of the target.
    metric : str
        Metric that was optimised.
    score : float
        Score of the out-of-fold predictions, greater is better; kept as ``cv_score``.

    Attributes
    ----------
    versions : dict of str to str
        Versions of the libraries that fitted it.
    """

    _file: str | None = None  # that it was loaded from

    def __init__(
        self,
        task_type: TaskType,
        pipelines: Sequence[Pipeline],
        weights: ArrayLike,
        configurations: Sequence[str],
        columns: Mapping[str, Column],
        labels: NDArray[Any],
        *,
        target: str = "target",
        metric: str = "",
        score: float = float("nan"),
    ) -> None:
        self.task_type = task_type
        self.pipelines = list(pipelines)
        self.weights = [float(weight) for weight in np.asarray(weights)]
        self.configurations = list(configurations)
        self.columns = dict(columns)
        self.labels = labels
        self.target = target
        self.metric = metric
        self.cv_score = score
        self.versions = {**Environment.current().versions, "format": str(_FORMAT)}

    def __getstate__(self) -> dict[str, Any]:
        """State with plain values for the columns, so that the file needs no further trusted type."""
        state = {name: getattr(self, name) for name in _FIELDS if name not in ("columns", "cv_score")}
        columns = {name: column.to_dict() for name, column in self.columns.items()}
        return {**state, "columns": columns, "score": self.cv_score}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read the state of this version or of 0.1.0."""
        state = dict(state)
        kinds = state.pop("column_kinds", {})
        columns = {name: Column.of_version_0_1(kind) for name, kind in kinds.items()}
        columns |= {name: Column.from_dict(content) for name, content in state.pop("columns", {}).items()}
        self.__dict__.update(state, columns=columns, cv_score=state.pop("score"))
        if set(self.__dict__) != set(_FIELDS):
            raise DataError("its description is incomplete")
        check_soundness(**self.__dict__)

    def __repr__(self) -> str:
        """Describe members, score and versions."""
        parts = zip(self.configurations, self.weights, strict=True)
        members = " + ".join(f"{weight:.2g} {name}" for name, weight in parts)
        metric = f"{self.metric or 'score'} {self.cv_score:.4g} in cross-validation"
        made = ", ".join(f"{name} {self.versions.get(name)}" for name in ("automl_meta", *CRITICAL))
        return (
            f"TabularModel({self.task_type} of {self.target!r} from {len(self.columns)} columns by {members}; {metric}; "
            f"made with {made})"
        )

    @property
    def column_kinds(self) -> dict[str, ColumnKind]:
        """Kind of each column of the training data."""
        return {name: column.kind for name, column in self.columns.items()}

    def read_table(self, file: str | Path, separator: str | None = None) -> pd.DataFrame:
        """Read new rows for `predict` from a file, a URL or standard input.

        Values stay text, so that each column is parsed as in training.

        Parameters
        ----------
        file : str or Path
            File, URL, or ``"-"`` for standard input; see `automl_meta.task.read_table`.
        separator : str, optional
            Column separator of a text file; detected by default.

        Returns
        -------
        DataFrame
            Rows of the file.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        if self.versions["format"] == "1":  # trained on what pandas read from a file
            return read_table(file, separator)
        return read_raw(file, separator).frame

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn any error of a loaded model, which may hold anything, into one line."""
        try:
            yield
        except (AutomlMetaError, MemoryError):
            raise
        except Exception as error:
            if self._file is None:
                raise
            raise DataError(
                f"The model {self._file} cannot predict these rows ({_first_line(error)}): it is damaged, or does not fit "
                "this version. Fit it again."
            ) from error

    @default_settings()
    def predict(self, X: pd.DataFrame | ArrayLike) -> NDArray[Any]:
        """Predict labels as given in training, or numbers.

        Parameters
        ----------
        X : DataFrame of pandas, Polars or PyArrow, or array-like of shape (n_rows, n_features)
            Columns are matched by name, in any order; other columns are ignored. Values may have
            another format than in training, such as numbers as text. The encoder of each algorithm
            handles unseen categories.

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels or numbers.

        Raises
        ------
        DataError
            If a column is missing, or its content differs from that of training.

        Warns
        -----
        AutomlMetaWarning
            If values were parsed differently than in training, or most values of a column are unseen.
        """
        with self._told():
            return self._predicted(self._table(X))

    def _predicted(self, table: pd.DataFrame) -> NDArray[Any]:
        if len(table) == 0:
            return self.labels[:0] if self.task_type == "classification" else np.empty(0)
        if self.task_type == "regression":
            predicted = [pipeline.predict(table) for pipeline in self.pipelines]
            return np.average(predicted, axis=0, weights=self.weights)
        if len(self.pipelines) == 1:
            return self.labels[self.pipelines[0].predict(table)]
        return self.labels[self._mean_probabilities(table).argmax(axis=1)]

    @default_settings()
    def predict_proba(self, X: pd.DataFrame | ArrayLike) -> NDArray[np.float64]:
        """Predict class probabilities.

        Pipelines without probabilities vote with 0 and 1.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Rows as in `predict`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities, with columns in the order of `labels`.

        Raises
        ------
        UsageError
            For regression.
        DataError
            As in `predict`.
        """
        if self.task_type == "regression":
            raise UsageError("A regression has no probabilities: use predict.")
        with self._told():
            return self._mean_probabilities(self._table(X))

    def score(self, X: pd.DataFrame | ArrayLike, y: ArrayLike) -> float:
        """Return the accuracy of the predictions, or R² for regression, as in scikit-learn.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Rows as in `predict`.
        y : array-like of shape (n_rows,)
            True labels as given in training, or numbers.

        Returns
        -------
        float
            Score, greater is better.

        Raises
        ------
        UsageError
            If `y` has another length, or none of its labels is known.
        DataError
            As in `predict`.
        """
        truth, predicted = np.asarray(y), self.predict(X)
        if truth.shape != predicted.shape:
            raise UsageError(f"y has shape {truth.shape}, but X has {len(predicted)} rows.")
        if self.task_type == "regression":
            return float(r2_score(truth.astype(float), predicted))
        if len(truth) and not set(truth.tolist()) & set(self.labels.tolist()):
            raise UsageError(
                f"y holds labels such as {truth.tolist()[0]!r}; the model knows {_listed(self.labels.tolist())}."
            )
        return float(np.mean(truth.astype(object) == predicted.astype(object)))

    def save(self, file: str | Path) -> None:
        """Save the model to a file, and check that `load` can read it.

        Parameters
        ----------
        file : str or Path
            File to write; replaced if it exists.

        Raises
        ------
        UsageError
            If the model has parts of types that are not trusted, such as an estimator of your own.
        OSError
            If the file cannot be written.
        """
        from skops import io
        from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

        with replacing(file) as part:
            try:
                io.dump(self, part)
                read_archive(part)
            except UntrustedTypesFoundException as error:
                raise UsageError(f"The model cannot be saved. {_first_line(error)}") from error
            except (UnsupportedTypeException, DataError) as error:
                raise UsageError(f"The model cannot be saved: {_first_line(error)}.") from error

    @classmethod
    def load(cls, file: str | Path) -> TabularModel:
        """Load a model that `save` wrote, without running any code from the file.

        Parameters
        ----------
        file : str or Path
            File of the model.

        Returns
        -------
        TabularModel
            Fitted model.

        Raises
        ------
        DataError
            If the file does not exist, is damaged, or holds types that are not trusted.

        Warns
        -----
        AutomlMetaWarning
            If another version of scikit-learn or LightGBM fitted the model.
        """
        from skops.io.exceptions import UntrustedTypesFoundException

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InconsistentVersionWarning)  # one warning below is enough
                model = read_archive(file)
        except FileNotFoundError:
            raise DataError(f"There is no file {file}.") from None
        except UntrustedTypesFoundException as error:
            raise DataError(f"{file} holds what no model of automl_meta has. {_first_line(error)}") from error
        except Exception as error:  # a damaged archive may raise anything
            raise DataError(
                f"{file} is not a model that `automl-meta tune` has written, or is damaged: {_first_line(error)}."
            ) from error
        if not isinstance(model, cls):
            raise DataError(f"{file} holds a {type(model).__name__}, not a model of automl_meta.")
        model._file = str(file)
        check_versions(model.versions, _FORMAT, file)
        return model

    def _mean_probabilities(self, table: pd.DataFrame) -> NDArray[np.float64]:
        total = np.zeros((len(table), len(self.labels)))
        if len(table) == 0:
            return total
        for pipeline, weight in zip(self.pipelines, self.weights, strict=True):
            if hasattr(pipeline, "predict_proba"):
                total[:, pipeline.classes_] += weight * pipeline.predict_proba(table)
            else:
                total[np.arange(len(table)), pipeline.predict(table)] += weight
        return total

    def aligned(self, X: pd.DataFrame) -> pd.DataFrame:
        """Select the columns of the training data by name, in their order.

        Parameters
        ----------
        X : DataFrame
            New rows.

        Returns
        -------
        DataFrame
            Columns of the training data. Constant and identifier columns, which are not used, are
            filled with NaN if they are missing.

        Raises
        ------
        DataError
            If another column is missing.
        """
        names = list(self.columns)
        unused = [name for name, column in self.columns.items() if column.kind in ("constant", "identifier")]
        if missing := [name for name in names if name not in X.columns and name not in unused]:
            given = [name for name in X.columns if name not in names]
            hint = f" These are there that it does not know: {_listed(given)}." if given else ""
            raise DataError(f"X lacks columns that the model learnt from: {_listed(missing)}.{hint}")
        return X.reindex(columns=names)

    def _table(self, X: pd.DataFrame | ArrayLike) -> pd.DataFrame:
        names = list(self.columns)
        frame = as_frame(X)
        if isinstance(X, (np.ndarray, list, tuple)):
            if frame.shape[1] != len(names):
                raise DataError(
                    f"X has shape {frame.shape}; the model expects {len(names)} columns: {_listed(names)}."
                )
            frame = frame.set_axis(names, axis=1)
        frame = self.aligned(frame)
        conformed = {name: column.conform(frame[name]) for name, column in self.columns.items()}
        if notes := [found.note for found in conformed.values() if found.note]:
            warnings.warn("; ".join(notes) + ".", AutomlMetaWarning, stacklevel=3)
        return pd.DataFrame({name: found.values for name, found in conformed.items()}, index=frame.index)


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(repr, names[:8])) + (", …" if len(names) > 8 else "")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
