"""TabularModel: what is left of it all, to predict with, to save and to load."""

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
from automl_meta.automl.soundness import check_soundness
from automl_meta.exceptions import AutomlMetaError, AutomlMetaWarning, DataError, UsageError
from automl_meta.metrics import TaskType
from automl_meta.records import Environment
from automl_meta.task import Column, ColumnKind, read_table
from automl_meta.task.frames import as_frame
from automl_meta.task.reading import read_raw

__all__ = ["TabularModel"]

_FORMAT = 2  # 1, of version 0.1.0, knew of columns no more than their kinds
_FIELDS = (
    "task_type", "pipelines", "weights", "configurations", "columns", "labels", "target", "metric", "cv_score", "versions",
)  # fmt: skip
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
        Of its out-of-fold predictions, greater is better; afterwards ``cv_score``.

    Attributes
    ----------
    versions : dict of str to str
        Of the libraries that it was made with.

    """

    _file: str | None = None  # that it was read from

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
        """Plain values for the columns, so that a file of it needs no further trusted type."""
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
            raise DataError("what it says of itself is incomplete")
        check_soundness(**self.__dict__)

    def __repr__(self) -> str:
        """What it is, how good it was, and what it was made with."""
        parts = zip(self.configurations, self.weights, strict=True)
        members = " + ".join(f"{weight:.2g} {name}" for name, weight in parts)
        metric = f"{self.metric or 'score'} {self.cv_score:.4g} in cross-validation"
        made = ", ".join(f"{name} {self.versions.get(name)}" for name in ("automl_meta", *_CRITICAL))
        return (
            f"TabularModel({self.task_type} of {self.target!r} from {len(self.columns)} columns by {members}; {metric}; "
            f"made with {made})"
        )

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

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Of a model from a file, say whatever goes wrong in one line: nothing is sure of what it holds."""
        try:
            yield
        except (AutomlMetaError, MemoryError):
            raise
        except Exception as error:
            if self._file is None:
                raise
            raise DataError(
                f"The model {self._file} cannot predict these rows ({_first_line(error)}): it is damaged, or does not fit "
                "this version. Tune again."
            ) from error

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
        with self._told():
            return self._mean_probabilities(self._table(X))

    def score(self, X: pd.DataFrame | ArrayLike, y: ArrayLike) -> float:
        """Score predictions for rows whose target is known: accuracy, or R² for regression, as in scikit-learn.

        Parameters
        ----------
        X : as in `predict`
        y : array-like of shape (n_rows,)
            Labels as they were given in training, or numbers.

        Returns
        -------
        float
            Greater is better.

        Raises
        ------
        UsageError
            If `y` has another length, or none of its labels is known.
        DataError
            As `predict`.
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
        """Write it to a file, which `load` reads, and see that it can be read.

        Raises
        ------
        UsageError
            If it holds what no file may hold, such as an algorithm of your own that is no part of scikit-learn.
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
        from skops.io.exceptions import UntrustedTypesFoundException

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InconsistentVersionWarning)  # one warning below is enough
                model = read_archive(file)
        except FileNotFoundError:
            raise DataError(f"There is no file {file}.") from None
        except UntrustedTypesFoundException as error:
            raise DataError(f"{file} holds what no model of automl_meta has. {_first_line(error)}") from error
        except Exception as error:  # what a damaged archive raises is not in anybody's contract
            raise DataError(
                f"{file} is not a model that `automl-meta tune` has written, or is damaged: {_first_line(error)}."
            ) from error
        if not isinstance(model, cls):
            raise DataError(f"{file} holds a {type(model).__name__}, not a model of automl_meta.")
        model._file = str(file)
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


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(repr, names[:8])) + (", …" if len(names) > 8 else "")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
