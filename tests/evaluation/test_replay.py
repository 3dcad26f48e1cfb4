import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np
import pandas as pd
import pytest

from automl_meta.evaluation import leave_family_out, merged_families
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
    assert len(Spy.seen) == len(meta.datasets)
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
    assert set(content["paired"]["rank"]) == {"portfolio", "random"}
    assert set(content["coverage_80"]) == {"rank", "portfolio"}


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
