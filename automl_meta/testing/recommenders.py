"""Contract tests of a `Recommender`."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from automl_meta.exceptions import NoExperienceError, UsageError
from automl_meta.recommenders import Recommendation, Recommender
from automl_meta.records import MetaDataset
from automl_meta.testing.experience import synthetic_experience, task_like

__all__ = ["RecommenderContract"]

ALL = 1000  # more than there are configurations


def _ids(recommendation: Recommendation) -> list[str]:
    return [ranked.configuration.configuration_id for ranked in recommendation.configurations]


def _shuffled(meta: MetaDataset, seed: int) -> MetaDataset:
    return replace(
        meta,
        datasets=meta.datasets.sample(frac=1.0, random_state=seed),
        metafeatures=meta.metafeatures.sample(frac=1.0, random_state=seed).sample(
            frac=1.0, axis=1, random_state=seed
        ),
        configurations=meta.configurations.sample(frac=1.0, random_state=seed + 1),
        runs=meta.runs.sample(frac=1.0, random_state=seed + 2).reset_index(drop=True),
    )


def _aligned(meta: MetaDataset) -> MetaDataset:
    return replace(meta, metafeatures=meta.metafeatures.loc[meta.datasets.index])


class RecommenderContract:
    """Contract of every recommender; parametrise ``recommender`` with an unfitted instance."""

    @pytest.fixture
    def meta(self) -> MetaDataset:
        return synthetic_experience()

    @pytest.fixture
    def task(self, meta: MetaDataset) -> dict[str, float]:
        return task_like(meta, "data-003")

    def test_ranks_run_from_one_and_nothing_is_repeated(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        recommendation = clone(recommender).fit(meta).recommend(task, ALL)
        assert [ranked.rank for ranked in recommendation.configurations] == list(range(1, 9))
        assert sorted(_ids(recommendation)) == sorted(meta.configurations.index)

    def test_a_shorter_list_is_the_beginning_of_a_longer_one(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        fitted = clone(recommender).fit(meta)
        assert _ids(fitted.recommend(task, 3)) == _ids(fitted.recommend(task, 6))[:3]

    def test_figures_are_finite_and_consistent(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        recommendation = clone(recommender).fit(meta).recommend(task, ALL)
        for ranked in recommendation.configurations:
            low, high = ranked.interval
            assert low <= ranked.expected_score <= high <= meta.metric.best
            assert np.isfinite(low)
            assert 0.0 < ranked.expected_seconds < np.inf
            assert 0.0 <= ranked.chance_of_best <= 1.0
        chances = sum(ranked.chance_of_best for ranked in recommendation.configurations)
        assert chances == pytest.approx(1.0)
        assert json.loads(json.dumps(recommendation.to_dict(), allow_nan=False))["recommendations"]

    def test_missing_and_unknown_metafeatures_are_fine(
        self, recommender: Recommender, meta: MetaDataset
    ) -> None:
        holed = meta.metafeatures.copy()
        holed.iloc[::3, 0] = np.nan
        holed["never"] = np.nan
        fitted = clone(recommender).fit(replace(meta, metafeatures=holed))
        for asked in (
            {},
            {"curvature": float("nan"), "easiness": float("inf"), "noise": 0.0},
            {"of_another_world": 1.0},
            {"n_rows": float("nan"), "curvature": 1.0},
        ):
            recommendation = fitted.recommend(asked, 5)
            assert len(recommendation.configurations) == 5
            assert all(np.isfinite(ranked.expected_score) for ranked in recommendation.configurations)
            json.dumps(recommendation.to_dict(), allow_nan=False)
        assert fitted.recommend({}).far_from_experience

    @pytest.mark.parametrize("kept", ["nothing", "failures"])
    def test_empty_experience_is_a_clear_error(
        self, recommender: Recommender, meta: MetaDataset, kept: str
    ) -> None:
        runs = meta.runs.iloc[:0] if kept == "nothing" else meta.runs.assign(score=np.nan, status="crash")
        with pytest.raises(NoExperienceError, match=r"Collect or import"):
            clone(recommender).fit(replace(meta, runs=runs))

    def test_the_order_of_the_experience_is_irrelevant(
        self, recommender: Recommender, task: dict[str, float]
    ) -> None:
        meta = synthetic_experience(missing=0.2, failed=0.1)
        expected = clone(recommender).fit(meta).recommend(task, ALL)
        for seed in range(3):
            got = clone(recommender).fit(_aligned(_shuffled(meta, seed))).recommend(task, ALL)
            assert got.to_dict() == expected.to_dict()

    def test_equal_configurations_stand_in_the_order_of_their_ids(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        level = meta.runs.assign(score=0.5)
        ids = _ids(clone(recommender).fit(replace(meta, runs=level)).recommend(task, ALL))
        assert ids == sorted(ids)

    def test_fitting_twice_gives_the_same(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        fitted = clone(recommender).fit(meta)
        first = fitted.recommend(task, ALL).to_dict()
        assert fitted.fit(meta).recommend(task, ALL).to_dict() == first

    def test_the_seed_decides(self, recommender: Recommender, task: dict[str, float]) -> None:
        """A member with a ``random_state`` uses it, and one without is deterministic."""
        meta = synthetic_experience(missing=0.3)
        stochastic = "random_state" in recommender.get_params()
        seeds = [{"random_state": seed} if stochastic else {} for seed in (0, 0, 1, 2)]
        first, again, *others = [
            clone(recommender).set_params(**seed).fit(meta).recommend(task, ALL).to_dict() for seed in seeds
        ]
        assert again == first
        assert any(other != first for other in others) == stochastic

    def test_evidence_names_runs_that_were_made(
        self, recommender: Recommender, task: dict[str, float]
    ) -> None:
        meta = synthetic_experience(missing=0.3, failed=0.2)
        runs = {str(run["run_id"]): run for run in meta.runs.to_dict("records")}
        for ranked in clone(recommender).fit(meta).recommend(task, ALL).configurations:
            assert ranked.evidence
            for evidence in ranked.evidence:
                run = runs[evidence.run_id]
                assert run["status"] == "ok"
                assert run["score"] == evidence.score
                assert run["dataset_id"] == evidence.dataset_id
                assert run["configuration_id"] == ranked.configuration.configuration_id

    def test_a_far_task_is_flagged_and_a_near_one_is_not(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        fitted = clone(recommender).fit(meta)
        near = fitted.recommend(task)
        far = fitted.recommend(dict.fromkeys(task, 1000000.0))
        assert not near.far_from_experience
        assert far.far_from_experience
        assert far.distance > near.distance
        assert near.nearest[0].dataset_id == "data-003"
        assert len(far.configurations) == 8

    def test_observed_scores_move_the_posterior(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        fitted = clone(recommender).fit(meta)
        before = fitted.recommend(task, ALL)
        tried = before.configurations[0]
        after = fitted.recommend(
            task, ALL, observed={tried.configuration.configuration_id: tried.expected_score - 0.2}
        )
        assert tried.configuration not in [ranked.configuration for ranked in after.configurations]
        expected = {ranked.configuration: ranked.expected_score for ranked in before.configurations}
        moves = [ranked.expected_score - expected[ranked.configuration] for ranked in after.configurations]
        assert np.mean(moves) < -0.01

    def test_failed_and_unknown_observations_are_taken(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        fitted = clone(recommender).fit(meta)
        first = _ids(fitted.recommend(task))[0]
        again = fitted.recommend(task, ALL, observed={first: float("nan"), "unknown": 0.9})
        assert first not in _ids(again)
        assert len(again.configurations) == 7
        everything = fitted.recommend(task, observed=dict.fromkeys(meta.configurations.index, 0.5))
        assert everything.configurations == ()
        assert everything.notes

    def test_slow_configurations_are_left_out(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        fitted = clone(recommender).fit(meta)
        times = [ranked.expected_seconds for ranked in fitted.recommend(task, ALL).configurations]
        limit = float(np.median(times))
        quick = fitted.recommend(task, ALL, fit_time_limit=limit).configurations
        assert 0 < len(quick) < len(times)
        assert all(ranked.expected_seconds <= limit for ranked in quick)
        with pytest.warns(FutureWarning, match="fit_time_limit"):
            assert fitted.recommend(task, ALL, time_limit=limit).configurations == quick
        quickest = fitted.recommend(task, fit_time_limit=1e-9)
        assert [ranked.expected_seconds for ranked in quickest.configurations] == [min(times)]
        left = fitted.recommend(task, ALL, remaining_seconds=limit)
        assert sorted(_ids(left)) == sorted(_ids(fitted.recommend(task, ALL, fit_time_limit=limit)))

    def test_fits_on_fewer_rows_are_expected_to_take_less(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        fitted = clone(recommender).fit(meta)
        whole, part = (fitted.recommend(task, ALL, fit_rows=share * task["n_rows"]) for share in (1.0, 0.5))
        assert whole.configurations == fitted.recommend(task, ALL).configurations
        seconds = {
            ranked.configuration.configuration_id: ranked.expected_seconds for ranked in whole.configurations
        }
        assert all(
            ranked.expected_seconds < seconds[ranked.configuration.configuration_id]
            for ranked in part.configurations
        )

    def test_a_sparse_matrix_works(self, recommender: Recommender, task: dict[str, float]) -> None:
        meta = synthetic_experience(missing=0.6, failed=0.2)
        recommendation = clone(recommender).fit(meta).recommend(task, ALL)
        assert all(np.isfinite(ranked.expected_score) for ranked in recommendation.configurations)

    def test_one_known_data_set_is_enough(self, recommender: Recommender, task: dict[str, float]) -> None:
        meta = synthetic_experience(n_datasets=1)
        recommendation = clone(recommender).fit(meta).recommend(task, ALL)
        best = meta.runs.sort_values("score")["configuration_id"].iloc[-1]
        assert _ids(recommendation)[0] == best

    def test_what_always_fails_is_never_recommended(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        broken = meta.configurations.index[0]
        fails = meta.runs["configuration_id"] == broken
        runs = meta.runs.assign(
            score=meta.runs["score"].mask(fails), status=meta.runs["status"].mask(fails, "crash")
        )
        assert broken not in _ids(clone(recommender).fit(replace(meta, runs=runs)).recommend(task, ALL))

    def test_what_often_fails_ranks_below_what_works(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        first = _ids(clone(recommender).fit(meta).recommend(task))[0]
        numbers = meta.runs["dataset_id"].str[-3:].astype(int)
        fails = (meta.runs["configuration_id"] == first) & (numbers >= 4)
        runs = meta.runs.assign(
            score=meta.runs["score"].mask(fails), status=meta.runs["status"].mask(fails, "memout")
        )
        assert _ids(clone(recommender).fit(replace(meta, runs=runs)).recommend(task))[0] != first

    def test_the_experience_is_left_as_it_is(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        copies = [frame.copy() for frame in (meta.runs, meta.metafeatures, meta.datasets)]
        clone(recommender).fit(meta).recommend(task, observed={meta.configurations.index[0]: 0.9})
        for copy, frame in zip(copies, (meta.runs, meta.metafeatures, meta.datasets), strict=True):
            assert copy.equals(frame)

    def test_wrong_arguments_are_clear_errors(
        self, recommender: Recommender, meta: MetaDataset, task: dict[str, float]
    ) -> None:
        with pytest.raises(NotFittedError):
            clone(recommender).recommend(task)
        fitted = clone(recommender).fit(meta)
        with pytest.raises(UsageError, match=r"n is 0"):
            fitted.recommend(task, 0)
        with pytest.raises(UsageError, match=r"fit_time_limit"):
            fitted.recommend(task, fit_time_limit=-1.0)
        with pytest.raises(UsageError, match=r"remaining_seconds"):
            fitted.recommend(task, remaining_seconds=0.0)

    def test_parameters_survive_a_clone(self, recommender: Recommender) -> None:
        assert clone(recommender).get_params() == recommender.get_params()
