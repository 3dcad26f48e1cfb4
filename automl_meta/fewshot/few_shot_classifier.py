"""FewShotClassifier: a meta-trained learner as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from automl_meta.exceptions import DataError
from automl_meta.fewshot.learner import FewShotLearner
from automl_meta.fewshot.sources.array import as_tensor

__all__ = ["FewShotClassifier"]


class FewShotClassifier(ClassifierMixin, BaseEstimator):
    """Classify new classes from a handful of examples, with a learner meta-trained on other classes.

    Parameters
    ----------
    learner : FewShotLearner
        Meta-trained learner; it is not changed. Computation takes place on its device.
    transductive : bool, default=False
        Whether queries that are predicted together may inform each other: with a backbone that normalises by
        episode statistics, they are then normalised together. By default, each query is normalised with the
        support only, so that its prediction does not depend on the other queries.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of values per example.

    Examples
    --------
    >>> from automl_meta.fewshot import DigitsSource, FewShotClassifier, MLP, PrototypicalNetwork
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    >>> classifier = FewShotClassifier(PrototypicalNetwork(MLP((2,)))).fit(X, ["low", "low", "high"])
    >>> classifier.predict(X).tolist(), classifier.predict_proba(X[:1]).shape
    (['low', 'low', 'high'], (1, 2))
    """

    def __init__(self, learner: FewShotLearner, transductive: bool = False) -> None:
        self.learner = learner
        self.transductive = transductive

    def fit(self, X: Any, y: Any) -> FewShotClassifier:
        """Adapt the learner to the support.

        Parameters
        ----------
        X : array-like of shape (n_examples, *features)
            Support examples: images (uint8 from 0 to 255, or floats as in training), rows, or a data frame of
            numeric columns.
        y : array-like of shape (n_examples,)
            Labels of any type; classes may have different numbers of examples.

        Returns
        -------
        FewShotClassifier
            The fitted classifier.

        Raises
        ------
        DataError
            If there is only one class, a value is missing, or the examples do not have the shape of training.
        """
        labels = np.asarray(y)
        if pd.isna(labels).any():
            raise DataError(f"y has {int(pd.isna(labels).sum())} missing values; remove those examples.")
        self._standardisation: tuple[Tensor, Tensor] | None = None
        x = self._examples(X, "fit")
        if labels.shape != (len(x),):
            raise DataError(
                f"X holds {len(x)} examples, but y has shape {labels.shape}; give one label per example."
            )
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"All examples belong to one class, {labels[:1].tolist()}; give at least two classes."
            )
        if self.learner.description.get("kind") == "table":
            self._standardisation = self._measure(x)
        self.n_features_in_ = int(np.prod(self.learner.backbone.input_shape))
        self._support_x = self._standardised(x)[None]
        self._support_y = torch.from_numpy(codes).to(self.learner.device)[None]
        self._predictor = self.learner.adapt(self._support_x, self._support_y, len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_queries, *features)
            Query examples, like those of `fit`.

        Returns
        -------
        ndarray of shape (n_queries, n_classes)
            Probabilities, with the columns ordered as in `classes_`.

        Raises
        ------
        DataError
            If the examples do not have the shape of training, or the probabilities are NaN.
        """
        check_is_fitted(self, "classes_")
        query = self._standardised(self._examples(X, "predict"))
        if self.transductive or not self.learner.backbone.mixes_examples:
            logits = self._predictor(query[None])[0]
        else:
            logits = torch.cat([self._alone(one) for one in query[:, None]])
        probabilities = logits.double().softmax(-1).cpu().numpy()
        if not np.isfinite(probabilities).all():
            raise DataError(
                "The predicted probabilities are NaN: values of X are not finite or are much larger than in "
                "training, or the meta-training diverged."
            )
        return probabilities

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class of each query.

        Parameters
        ----------
        X : array-like of shape (n_queries, *features)
            Query examples, like those of `fit`.

        Returns
        -------
        ndarray of shape (n_queries,)
            Predicted labels.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]

    def _alone(self, query: Tensor) -> Tensor:
        """Compute the logits of one query, normalised with the support."""
        if self.learner.joins_support:
            return self._predictor(query[None])[0]
        return self._predictor(torch.cat([self._support_x, query[None]], 1))[0, -1:]

    def _examples(self, X: Any, where: str) -> Tensor:
        """Move examples to the device of the learner and reshape them for its backbone."""
        x = as_tensor(X)
        shape = self.learner.backbone.input_shape
        if tuple(x.shape[1:]) != shape and x[0:1].numel() == np.prod(shape) and x.ndim == 2:
            x = x.reshape(len(x), *shape)  # flattened images, as scikit-learn holds them
        if tuple(x.shape[1:]) != shape or len(x) == 0:
            raise DataError(
                f"{where} got {len(x)} examples of shape {tuple(x.shape[1:])}; the learner was trained on examples of "
                f"shape {shape}. Reshape or resize X."
            )
        return x.to(self.learner.device)

    def _measure(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the columns, of the training table or else of the support."""
        description = self.learner.description
        if description.get("mean") is not None:
            mean, spread = (torch.tensor(description[name]).to(x) for name in ("mean", "spread"))
        else:
            mean, spread = x.mean(0), x.std(0)
        return mean, torch.where(spread > 0, spread, torch.ones_like(spread))

    def _standardised(self, x: Tensor) -> Tensor:
        if self._standardisation is None:
            return x
        mean, spread = self._standardisation
        return (x - mean) / spread
