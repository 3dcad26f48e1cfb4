"""TabularModel: what is left of it all, to predict with, to save and to load."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from automl_meta._utils.isolation import default_settings
from automl_meta.exceptions import AutomlMetaWarning, DataError, UsageError
from automl_meta.metrics import TaskType
from automl_meta.records import Environment
from automl_meta.task import Column, ColumnKind, read_table
from automl_meta.task.frames import as_frame
from automl_meta.task.reading import read_raw

__all__ = ["TabularModel"]

_FORMAT = 2  # 1, of version 0.1.0, knew of columns no more than their kinds
_CRITICAL = ("scikit-learn", "lightgbm")  # whose fitted models change from version to version


class TabularModel:
    """Fitted pipelines with weights, the labels, and the columns that they learnt from.

    Made by `AutoMLClassifier` and `AutoMLRegressor`; a file of it is read by nothing but plain
    scikit-learn and LightGBM objects of known types, never by unpickling.

    Parameters
    ----------
    task_type : {"classification", "regression"}
        What it predicts.
    pipelines : sequence of Pipeline
        Fitted on codes of classes.
    weights : array-like of shape (n_pipelines,)
        Of each in the mean; they sum to one.
    configurations : sequence of str
        What each is, in words.
    columns : mapping of str to Column
        What each column held and how its values were written, in their order.
    labels : ndarray of shape (n_classes,)
        For the codes 0, 1, …; empty for regression.
    target : str
        What is predicted.
    metric : str
        By which it was chosen.
    score : float
        Of its out-of-fold predictions, greater is better.
    """

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
        self.score = score
        self.versions = {**Environment.current().versions, "format": str(_FORMAT)}

    def __getstate__(self) -> dict[str, Any]:
        """Plain values for the columns, so that a file of it needs no further trusted type."""
        return {**self.__dict__, "columns": {name: column.to_dict() for name, column in self.columns.items()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Read the state of this version or of 0.1.0."""
        state = dict(state)
        kinds = state.pop("column_kinds", {})
        columns = {name: Column.of_version_0_1(kind) for name, kind in kinds.items()}
        columns |= {name: Column.from_dict(content) for name, content in state.pop("columns", {}).items()}
        self.__dict__.update(state, columns=columns)

    @property
    def column_kinds(self) -> dict[str, ColumnKind]:
        """The kind of each column that was learnt from."""
        return {name: column.kind for name, column in self.columns.items()}

    def read_table(self, file: str | Path, separator: str | None = None) -> pd.DataFrame:
        """Read new rows from a file, an address or standard input, for `predict`.

        Text of the file is left as it is, so that each column reads its values as it learnt to.

        Parameters
        ----------
        file, separator
            As in `automl_meta.task.read_table`.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        if self.versions["format"] == "1":  # learnt from what pandas made of a file
            return read_table(file, separator)
        return read_raw(file, separator).frame

    @default_settings()
    def predict(self, X: pd.DataFrame | ArrayLike) -> NDArray[Any]:
        """Predict labels, as they were given, or numbers.

        Parameters
        ----------
        X : DataFrame of pandas, Polars or PyArrow, or array-like of shape (n_rows, n_features)
            Columns are found by name, in any order; further ones are ignored. Values may come in another
            form than in training, such as numbers as text. Categories that were never seen count as missing,
            or as the encoder of each algorithm takes them.

        Returns
        -------
        ndarray of shape (n_rows,)

        Raises
        ------
        DataError
            If a column is missing, or holds something else than the one that was learnt from.

        Warns
        -----
        AutomlMetaWarning
            If values were read in another way than in training, or most values of a column are unseen.
        """
        table = self._table(X)
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
        """Predict probabilities, of shape (n_rows, n_classes), in the order of `labels`.

        Models without probabilities vote: theirs are 0 and 1.

        Raises
        ------
        UsageError
            For regression.
        DataError
            As `predict`.
        """
        if self.task_type == "regression":
            raise UsageError("A regression has no probabilities: use predict.")
        return self._mean_probabilities(self._table(X))

    def save(self, file: str | Path) -> None:
        """Write it to a file, which `load` reads.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from skops import io

        path = Path(file)
        part = path.with_name(path.name + ".part")  # a death in the middle leaves no half of a file
        try:
            io.dump(self, part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, file: str | Path) -> TabularModel:
        """Read a model that `save` wrote. Types that no model has are refused, and nothing is run.

        Raises
        ------
        DataError
            If there is no such file, it is none of these, or it holds something else.

        Warns
        -----
        AutomlMetaWarning
            If it was made with another version of scikit-learn or LightGBM.
        """
        from skops import io
        from skops.io.exceptions import UntrustedTypesFoundException

        from automl_meta.automl.trusted import TRUSTED_TYPES

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InconsistentVersionWarning)  # one warning below is enough
                model = io.load(file, trusted=list(TRUSTED_TYPES))
        except FileNotFoundError:
            raise DataError(f"There is no file {file}.") from None
        except UntrustedTypesFoundException as error:
            raise DataError(f"{file} holds what no model of automl_meta has. {error}") from error
        except Exception as error:  # what a damaged archive raises is not in anybody's contract
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{file} is not a model that `automl-meta tune` has written: {reason}") from error
        if not isinstance(model, cls):
            raise DataError(f"{file} holds a {type(model).__name__}, not a model of automl_meta.")
        model._check_versions(file)
        return model

    def _check_versions(self, file: str | Path) -> None:
        if int(self.versions["format"]) > _FORMAT:
            raise DataError(f"{file} was written by a newer automl_meta: install that one.")
        now = Environment.current().versions
        for name in _CRITICAL:
            if self.versions.get(name) != now[name]:
                warnings.warn(
                    f"{file} was made with {name} {self.versions.get(name)}, and this is {now[name]}: "
                    "predictions may differ.",
                    AutomlMetaWarning,
                    stacklevel=3,
                )

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
        """The columns that were learnt from, found by name, in their order; those of no use may be missing.

        Raises
        ------
        DataError
            If other columns are missing.
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


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (", …" if len(names) > 8 else "")
