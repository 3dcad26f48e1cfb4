import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

from automl_meta.evaluation import leave_family_out, merged_families
from automl_meta.evaluation.game import all_outcomes, play_trials
from automl_meta.exceptions import NoExperienceError, UsageError
from automl_meta.recommenders import AverageRank, NearestDatasets, Portfolio, Recommendation, Recommender
from automl_meta.records import MetaDataset
from automl_meta.testing.experience import synthetic_experience

NEAREST_ONE = NearestDatasets(n_neighbors=1)


class Spy(Portfolio):
    """Notes which families it was fitted on when it is asked about a data set."""

    seen: list[tuple[set[str], float]] = []  # noqa: RUF012 - clones share it, which is the point

    def fit(self, meta: MetaDataset) -> Self:
        self._families = set(meta.datasets["family"])
        return super().fit(meta)

    def recommend(self, metafeatures: Mapping[str, float], n: int = 10, **options: object) -> Recommendation:
        Spy.seen.append((self._families, metafeatures["noise"]))
        return super().recommend(metafeatures, n)


@pytest.mark.parametrize("n_splits", [None, 4])
def test_no_recommender_is_asked_about_a_family_it_was_fitted_on(n_splits: int | None) -> None:
    meta = synthetic_experience()
    Spy.seen.clear()
    leave_family_out(meta, {"spy": Spy()}, n_splits=n_splits)
    family_of = dict(zip(meta.metafeatures["noise"], meta.datasets["family"], strict=True))
    assert {noise for _, noise in Spy.seen} == set(family_of)
    assert all(family_of[noise] not in families for families, noise in Spy.seen)


def with_copies(meta: MetaDataset, family: str | None) -> MetaDataset:
    """Each data set once more under another name, of the same family or of a family of its own."""
    renamed = {key: f"copy-of-{key}" for key in meta.datasets.index}
    families = meta.datasets["family"] if family is None else family + meta.datasets["family"]
    copies = meta.datasets.assign(family=families).rename(index=renamed)
    runs = meta.runs.assign(
        dataset_id=meta.runs["dataset_id"].map(renamed), run_id="copy" + meta.runs["run_id"]
    )
    return replace(
        meta,
        datasets=pd.concat([meta.datasets, copies]),
        metafeatures=pd.concat([meta.metafeatures, meta.metafeatures.rename(index=renamed)]),
        runs=pd.concat([meta.runs, runs], ignore_index=True),
    )


def random_experience() -> MetaDataset:
    """Scores that nothing predicts."""
    meta = synthetic_experience(20, 12)
    noise = np.random.default_rng(0).uniform(0.4, 0.9, len(meta.runs))
    return replace(meta, runs=meta.runs.assign(score=noise))


def first_regret(meta: MetaDataset) -> float:
    return leave_family_out(meta, {"nearest": NEAREST_ONE}, ks=(1,)).table().at["nearest", "normalized@1"]


def test_a_planted_copy_of_the_same_family_does_not_help() -> None:
    meta = random_experience()
    assert first_regret(with_copies(meta, None)) > 0.3


def test_a_planted_copy_under_another_family_is_caught() -> None:
    meta = random_experience()
    leaking = with_copies(meta, "other-")
    families, notes = merged_families(leaking)
    assert families["data-004"] == families["copy-of-data-004"]
    assert len(notes) >= 10
    assert first_regret(leaking) > 0.3
    assert leave_family_out(leaking, {"nearest": NEAREST_ONE}).notes == notes


def test_a_copy_that_cannot_be_told_would_have_shown() -> None:
    """The experience above is one in which a leak makes a difference."""
    leaking = with_copies(random_experience(), "other-")
    blurred = leaking.runs["score"] + np.linspace(0, 1e-6, len(leaking.runs))
    assert first_regret(replace(leaking, runs=leaking.runs.assign(score=blurred))) < 0.05


def test_regrets_are_those_of_the_stored_runs() -> None:
    meta = synthetic_experience(8, 6, seed=1)
    evaluation = leave_family_out(meta, {"rank": AverageRank()}, ks=(1, 6))
    regrets = evaluation.regrets.set_index(["name", "dataset_id", "k"])["regret"]
    assert np.allclose(regrets.xs(6, level="k")["rank"], 0.0)
    dataset_id = "data-002"
    training = meta.select(datasets=meta.datasets.index[meta.datasets["family"] != "family-001"])
    first = AverageRank().fit(training).recommend({}).configurations[0].configuration.configuration_id
    row = meta.scores.loc[dataset_id]
    assert regrets["rank", dataset_id, 1] == pytest.approx(row.max() - row[first])


def test_random_and_constant_baselines_stand_beside_the_recommenders() -> None:
    meta = synthetic_experience(12, 6)
    constant = meta.configurations.index[0]
    evaluation = leave_family_out(meta, {"portfolio": Portfolio()}, baselines={"always": constant})
    table = evaluation.table()
    assert evaluation.names == ("portfolio", "random", "always")
    assert table.at["always", "regret@1"] == table.at["always", "regret@10"]
    assert table.at["always", "regret@1"] == pytest.approx(
        (meta.scores.max(axis=1) - meta.scores[constant]).mean()
    )
    assert table.at["random", "rank"] == 3.5
    assert table.at["portfolio", "normalized@3"] < table.at["random", "normalized@3"]
    assert 0.5 < table.at["portfolio", "coverage_80"] <= 1.0
    assert np.isnan(table.at["random", "coverage_80"])


def test_failed_picks_are_useless_and_untried_ones_are_passed_over() -> None:
    meta = synthetic_experience(12, 6, missing=0.3, failed=0.3)
    evaluation = leave_family_out(meta, {"portfolio": Portfolio()}, ks=(1, 2, 6))
    regrets = evaluation.regrets[evaluation.regrets["name"] == "portfolio"]
    assert regrets["normalized_regret"].between(0.0, 1.0).all()
    assert np.allclose(regrets.loc[regrets["k"] == 6, "regret"], 0.0)


def test_differences_are_antisymmetric_and_reported_for_all_pairs() -> None:
    evaluation = leave_family_out(synthetic_experience(), {"rank": AverageRank(), "portfolio": Portfolio()})
    one, other = evaluation.paired("rank", "portfolio", 3), evaluation.paired("portfolio", "rank", 3)
    assert one.mean == pytest.approx(-other.mean)
    content = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert set(content["results"]) == {"rank", "portfolio", "random"}
    assert set(content["results"]["rank"]["regret"]) == {"1", "3", "5", "10"}
    assert set(content["results"]["rank"]["regret_seconds"]) == {"1", "10", "60"}
    assert set(content["paired"]["rank"]) == {"portfolio", "random"}
    assert set(content["paired"]["rank"]["random"]["regret_seconds"]) == {"1", "10", "60"}
    with pytest.raises(UsageError, match="exactly one"):
        evaluation.paired("rank", "portfolio")
    assert set(content["coverage_80"]) == {"rank", "portfolio"}


def test_a_budget_pays_for_five_fits_of_each_trial_that_ends_in_time() -> None:
    meta = synthetic_experience(6, 5)
    costs = dict(zip(meta.configurations.index, (1.0, 2.0, 3.0, 4.0, 5.0), strict=True))
    meta = replace(meta, runs=meta.runs.assign(fit_seconds=meta.runs["configuration_id"].map(costs)))
    evaluation = leave_family_out(
        meta, {"rank": AverageRank()}, ks=(5,), seconds=(4.9, 15.0, 1e6), feedback=False, frugal=False
    )
    regrets = evaluation.timed_regrets.set_index(["name", "dataset_id", "seconds"])["normalized_regret"]
    assert (regrets.xs(4.9, level="seconds") == 1.0).all(), "not even the shortest trial ends"
    assert (regrets.xs(1e6, level="seconds") == 0.0).all()
    dataset_id = "data-002"
    training = meta.select(datasets=meta.datasets.index[meta.datasets["family"] != "family-001"])
    advice = AverageRank().fit(training).recommend({}, 5).configurations
    order = [ranked.configuration.configuration_id for ranked in advice]
    spent = np.cumsum([5.0 * costs[key] for key in order])
    scores = meta.scores.loc[dataset_id]
    reached = scores[[key for key, end in zip(order, spent, strict=True) if end <= 15.0]].max()
    raw = evaluation.timed_regrets.set_index(["name", "dataset_id", "seconds"])["regret"]
    expected = min(scores.max() - reached, raw["rank", dataset_id, 4.9])
    assert raw["rank", dataset_id, 15.0] == pytest.approx(expected)


def test_trials_are_told_to_the_recommender_and_a_list_is_not() -> None:
    class Told(Portfolio):
        n_observed: list[int] = []  # noqa: RUF012 - clones share it

        def recommend(self, metafeatures, n=10, **options):
            Told.n_observed.append(len(options.get("observed") or {}))
            return super().recommend(metafeatures, n, **options)

    for feedback, most in ((True, 2), (False, 0)):
        Told.n_observed.clear()
        leave_family_out(synthetic_experience(6), {"x": Told()}, ks=(3,), seconds=(), feedback=feedback)
        assert max(Told.n_observed) == most


def test_with_less_known_fewer_families_are_fitted_on() -> None:
    meta = synthetic_experience(24)
    Spy.seen.clear()
    leave_family_out(meta, {"spy": Spy()}, known_share=0.25)
    n_families = meta.datasets["family"].nunique()
    assert {len(families) for families, _ in Spy.seen} == {round(0.25 * (n_families - 1))}


def test_calibration_compares_what_was_said_with_what_came() -> None:
    evaluation = leave_family_out(synthetic_experience(20, 12), {"rank": AverageRank()}, seconds=())
    calibration = evaluation.calibration("rank")
    assert list(calibration.index) == ["1", "2-3", "4-10", "11-30"]
    sizes = np.array([1, 2, 7, 2])
    assert calibration["best"] @ sizes == pytest.approx(1.0)
    assert calibration["chance"] @ sizes == pytest.approx(1.0, abs=0.02)
    assert calibration["coverage_80"].between(0.5, 1.0).all()


def test_a_replay_is_reproducible_and_leaves_the_recommenders_alone() -> None:
    meta, recommender = synthetic_experience(), Portfolio()
    reports: list[tuple[int, int]] = []
    first, second = (
        leave_family_out(
            meta, {"portfolio": recommender}, n_splits=3, progress=lambda done, n: reports.append((done, n))
        )
        for _ in range(2)
    )
    assert first.to_dict() == second.to_dict()
    assert not hasattr(recommender, "experience_")
    assert reports == [(1, 3), (2, 3), (3, 3)] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ks": ()}, "ks"),
        ({"ks": (0, 1)}, "ks"),
        ({"n_splits": 1}, "n_splits"),
        ({"seconds": (1.0, 0.0)}, "seconds"),
        ({"known_share": 0.0}, "known_share"),
        ({"baselines": {"x": "unknown"}}, "unknown"),
        ({"baselines": {"random": "unknown"}}, "random"),
    ],
)
def test_wrong_arguments_are_clear_errors(arguments: dict[str, object], message: str) -> None:
    recommenders: dict[str, Recommender] = {"rank": AverageRank()}
    with pytest.raises(UsageError, match=message):
        leave_family_out(synthetic_experience(), recommenders, **arguments)  # type: ignore[arg-type]


def test_one_family_cannot_be_evaluated() -> None:
    with pytest.raises(NoExperienceError, match="one family"):
        leave_family_out(synthetic_experience(2), {"rank": AverageRank()})


@pytest.mark.parametrize("feedback", [True, False])
def test_advice_is_asked_for_among_what_was_tried(feedback: bool) -> None:
    class Listener(AverageRank):
        def recommend(self, *arguments: Any, **options: Any) -> Recommendation:
            advice = super().recommend(*arguments, **options)
            heard.update(ranked.configuration.configuration_id for ranked in advice.configurations)
            return advice

    heard: set[str] = set()
    meta = synthetic_experience(12, 6)
    best = AverageRank().fit(meta).recommend({}, 1).configurations[0].configuration.configuration_id
    here = (meta.runs["dataset_id"] == "data-002") & (meta.runs["configuration_id"] == best)
    known = all_outcomes(replace(meta, runs=meta.runs[~here].reset_index(drop=True)))["data-002"]
    picks = play_trials(Listener().fit(meta), known, 3, feedback=feedback)
    assert len(picks) == 3
    assert best not in heard
