"""Planner: chooses the next configuration from the observations and the past tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import qmc

from automl_meta.transfer import KnownTasks, matching_weights
from automl_meta.tuning.activity import Activity
from automl_meta.tuning.domain import Domain, is_among
from automl_meta.tuning.encoded_space import EncodedSpace, Matrix
from automl_meta.tuning.gaussian_model import GaussianModel, Inputs, Prior, most_telling
from automl_meta.tuning.matern import Vector
from automl_meta.tuning.origin import Origin
from automl_meta.tuning.surfaces import PastRows, Surfaces

_ADVISED = 3  # trials chosen by the portfolio before there is a model; at most the number of past tasks
_INITIAL = 5  # space-filling trials without a history
_POOL = 300  # random starting points of the acquisition search
_MOST_MODELLED = 300  # modelled observations: the best and the latest
_TAIL = 5.0  # regrets are clipped at this multiple of the median regret
_MOST_PAST = 2000  # past rows from which the conditions of the space are learnt
_TRUST = 4.0  # prior odds that the history helps
_WARY_EVERY = 10  # without a history, every tenth trial uses a more uncertain model


@dataclass(frozen=True, eq=False)
class Observed:
    """Observations on the current task.

    Parameters
    ----------
    rows : ndarray of shape (n_finished, n_columns)
        Finished configurations, encoded.
    values : ndarray of shape (n_finished,)
        Their values, greater is better.
    pending : ndarray of shape (n_pending, n_columns)
        Configurations under evaluation.
    """

    rows: Matrix
    values: Vector
    pending: Matrix

    @property
    def taken(self) -> Matrix:
        """All rows, finished and pending."""
        return np.vstack([self.rows, self.pending])

    def with_pending(self, row: Vector) -> Observed:
        """Copy with one more pending row."""
        return Observed(self.rows, self.values, np.vstack([self.pending, row]))


@dataclass(frozen=True, eq=False)
class Plan:
    """A configuration to try, and its origin."""

    row: Vector
    origin: Origin


class Planner:
    """Portfolio first, then expected improvement under two models weighed by their evidence.

    Parameters
    ----------
    space : EncodedSpace
        Search space of all rows.
    tasks : sequence of PastRows
        Past tasks, possibly none.
    seed : int
        Random seed of the surfaces and of the space-filling sequence.
    """

    def __init__(self, space: EncodedSpace, tasks: Sequence[PastRows], seed: int) -> None:
        self._space, self._seed = space, seed
        rng = np.random.default_rng([seed, 1])
        past = np.vstack([np.empty((0, len(space))), *(task.rows for task in tasks)])
        self._past = past[rng.permutation(len(past))[:_MOST_PAST]]
        self._surfaces = Surfaces(space, tasks, rng) if tasks and len(space) else None

    def plan(self, observed: Observed, fixed: Vector, rng: np.random.Generator) -> Plan:
        """Choose the next configuration.

        Parameters
        ----------
        observed : Observed
            Observations so far.
        fixed : ndarray of shape (n_columns,)
            Values fixed in advance; NaN for all others.
        rng : Generator
            Samples the candidates.
        """
        activity = Activity(self._space, self._past, observed.rows)
        domain = Domain(self._space, activity, fixed)
        n_taken = len(observed.taken)
        if self._surfaces is not None and n_taken < min(_ADVISED, len(self._surfaces)):
            return Plan(self._advised(self._surfaces, domain, observed, rng), Origin("advice", n_taken + 1))
        if (n_taken < _INITIAL and self._surfaces is None) or len(observed.rows) < 2:
            return Plan(self._filling(domain, observed, rng), Origin("space-filling"))
        return self._modelled(domain, observed, rng)

    def _advised(
        self, surfaces: Surfaces, domain: Domain, observed: Observed, rng: np.random.Generator
    ) -> Vector:
        weights = matching_weights(surfaces.predict(observed.rows), observed.values, surfaces.scale)
        scale = np.ones(len(surfaces))
        best_so_far = -np.vstack([scale, surfaces.predict(observed.taken).T]).min(axis=0)

        def gain(rows: Matrix) -> Vector:
            scores = -np.clip(surfaces.predict(rows), 0.0, 1.0)
            return KnownTasks(scores, scale, weights).expected_improvement(best_so_far)

        return domain.search(gain, self._starts(domain, observed, rng), observed.taken, rng)

    def _filling(self, domain: Domain, observed: Observed, rng: np.random.Generator) -> Vector:
        """Next point of a Halton sequence."""
        n_taken, n_columns = len(observed.taken), max(1, len(self._space))
        point = qmc.Halton(n_columns, seed=self._seed).random(n_taken + 1)[-1][: len(self._space)]
        categories = self._space.categories
        row = domain.valid(np.where(categories > 0, np.floor(point * categories), point)[None, :], rng)[0]
        return domain.fresh(observed.taken, rng) if is_among(row, observed.taken) else row

    def _modelled(self, domain: Domain, observed: Observed, rng: np.random.Generator) -> Plan:
        chosen = most_telling(observed.values, _MOST_MODELLED)
        rows, values = observed.rows[chosen], _without_tail(observed.values[chosen])
        models, log_weights = self._models(rows, values)
        pending = self._inputs(observed.pending)
        models = [model.believing(pending) for model in models]

        def score(candidates: Matrix) -> Vector:
            inputs = self._inputs(candidates)
            each = [
                weight + model.log_improvement(inputs)
                for model, weight in zip(models, log_weights, strict=True)
            ]
            return logsumexp(each, axis=0)

        row = domain.search(score, self._starts(domain, observed, rng), observed.taken, rng)
        is_local = self._surfaces is None or log_weights[0] > np.log(0.5)
        return Plan(row, Origin("local" if is_local else "transferred"))

    def _models(self, rows: Matrix, values: Vector) -> tuple[list[GaussianModel], Vector]:
        """The model that knows this study only, then that of the history; logarithms of their weights."""
        inputs, prior = self._inputs(rows), self._cold_prior(values)
        if self._surfaces is None:
            # Fitted to a few good values that are all alike, a model is sure of too much, and the
            # study would stay where it is: now and then its parameters are as they were expected.
            is_wary = len(values) % _WARY_EVERY == 0
            return [GaussianModel(inputs, values, prior, fitted=not is_wary)], np.zeros(1)
        models = [GaussianModel(inputs, values, one) for one in (prior, self._warm_prior(self._surfaces))]
        evidence = np.array([models[0].evidence, models[1].evidence + np.log(_TRUST)])
        return models, evidence - logsumexp(evidence)

    def _cold_prior(self, values: Vector) -> Prior:
        spread = float(values.std()) or 1.0
        n = len(self._space)
        return Prior(spread, 0.5, 1.0, 0.5, 1e-3, 1.5, np.full(n, 0.7), 0.8, self._space.owners, False)

    def _warm_prior(self, surfaces: Surfaces) -> Prior:
        # Few tasks tell little of how different tasks can be.
        residual = 0.05 + 0.5 / len(surfaces)
        return Prior(
            surfaces.scale,
            1.0,
            residual,
            1.0,
            1e-3,
            1.5,
            surfaces.lengthscales,
            0.5,
            self._space.owners,
            True,
        )

    def _inputs(self, rows: Matrix) -> Inputs:
        points = self._space.embed(rows)
        if self._surfaces is None:
            return Inputs(points, np.zeros(len(rows)), np.zeros((len(rows), 0)))
        regrets = self._surfaces.predict(rows)
        mean = regrets.mean(axis=0)
        return Inputs(points, -mean, -(regrets - mean).T / np.sqrt(len(regrets)))

    def _starts(self, domain: Domain, observed: Observed, rng: np.random.Generator) -> Matrix:
        """Random rows, the best rows of the past tasks, and neighbours of the best observations."""
        starts = [domain.sample(_POOL, rng)]
        if self._surfaces is not None:
            starts.append(domain.valid(self._surfaces.best_rows, rng))
        if len(observed.rows):
            best = observed.rows[np.argsort(-observed.values, kind="stable")[:5]]
            starts.append(domain.mutated(np.repeat(best, 10, axis=0), 0.1, rng))
        return np.vstack(starts)


def _without_tail(values: Vector) -> Vector:
    """Clip the worst values, since a diverged run must not determine the scale."""
    best, median = values.max(), float(np.median(values))
    if len(values) < 5 or best <= median:
        return values
    return np.maximum(values, best - _TAIL * (best - median))
