"""ScoreModel: gradient boosting from meta-features and hyperparameters to regret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl_meta.recommenders.experience_matrix import ExperienceMatrix
from automl_meta.recommenders.recommender import Recommender
from automl_meta.records import Configuration

__all__ = ["ScoreModel"]


class ScoreModel(Recommender):
    """Rank configurations by their normalised regret as LightGBM predicts it.

    The target is the deviation of a configuration's regret on a data set from its mean over all
    data sets. Out-of-fold predictions for held-out families give the spread. Fitting takes seconds.

    Parameters
    ----------
    n_estimators : int, default=150
        Number of boosting rounds.
    learning_rate : float, default=0.05
        Learning rate of the boosting.
    num_leaves : int, default=15
        Maximum number of leaves of a tree.
    n_folds : int, default=3
        Number of folds of families for the out-of-fold predictions.
    random_state : int, default=0
        Random seed of the folds and the column subsampling.

    References
    ----------
    Eggensperger et al. (2015), Efficient benchmarking of hyperparameter optimizers via
    surrogates, AAAI. Ke et al. (2017), LightGBM, NeurIPS.
    """

    def __init__(
        self,
        n_estimators: int = 150,
        learning_rate: float = 0.05,
        num_leaves: int = 15,
        n_folds: int = 3,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.n_folds = n_folds
        self.random_state = random_state

    def _learn(self, experience: ExperienceMatrix) -> None:
        self._features = _configuration_features(experience.configurations)
        everything = np.ones(len(experience.best), dtype=bool)
        regrets = np.empty_like(experience.regrets)
        for held_out in self._folds(experience.families):
            fitted = self._fitted(experience, everything & ~held_out if not held_out.all() else everything)
            for row in np.flatnonzero(held_out):
                regrets[row] = self._predicted(fitted, self._space.known[row])
        self._known_gaps = np.exp(self._difficulty.left_out[:, 1:]) * regrets
        self._model = self._fitted(experience, everything)

    def _expected_gaps(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(self._difficulty.predict(point)[1]) * self._predicted(self._model, np.nan_to_num(point))

    def _folds(self, families: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
        codes = np.random.default_rng(self.random_state).permutation(np.unique(families))
        n_folds = max(min(self.n_folds, len(codes)), 1)
        return [np.isin(families, codes[fold::n_folds]) for fold in range(n_folds)]

    def _fitted(
        self, experience: ExperienceMatrix, rows: NDArray[np.bool_]
    ) -> tuple[Any, NDArray[np.float64]]:
        from lightgbm import LGBMRegressor  # slow to import, and not needed by the other recommenders

        regrets, known = experience.regrets[rows], experience.known[rows]
        mean = regrets.mean(axis=0)
        datasets, columns = np.nonzero(known)
        table = np.hstack([self._space.known[rows][datasets], self._features[columns], mean[columns, None]])
        model = LGBMRegressor(
            n_estimators=self.n_estimators,
            learning_rate=self.learning_rate,
            num_leaves=self.num_leaves,
            min_child_samples=20,
            colsample_bytree=0.5,
            max_bin=63,
            random_state=self.random_state,
            n_jobs=1,
            deterministic=True,
            force_row_wise=True,
            verbosity=-1,
        )
        model.fit(table, (regrets - mean)[datasets, columns])
        return model.booster_, mean

    def _predicted(
        self, fitted: tuple[Any, NDArray[np.float64]], point: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        booster, mean = fitted
        repeated = np.broadcast_to(point, (len(mean), len(point)))
        table = np.hstack([repeated, self._features, mean[:, None]])
        return np.clip(mean + booster.predict(table, num_threads=1), 0.0, 1.0)


def _configuration_features(configurations: Sequence[Configuration]) -> NDArray[np.float64]:
    """One column for each algorithm and each hyperparameter name, NaN where it does not apply.

    Values that are not numbers are ordinally encoded.
    """
    algorithms = sorted({configuration.algorithm for configuration in configurations})
    names = sorted({name for configuration in configurations for name in configuration.parameters})
    columns = [
        [float(configuration.algorithm == algorithm) for configuration in configurations]
        for algorithm in algorithms
    ]
    for name in names:
        values = [configuration.parameters.get(name) for configuration in configurations]
        words = sorted({str(value) for value in values if not _is_number(value) and value is not None})
        columns.append(
            [
                np.nan
                if value is None
                else float(value)
                if _is_number(value)
                else float(words.index(str(value)))
                for value in values
            ]
        )
    return np.array(columns, dtype=np.float64).T


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)
