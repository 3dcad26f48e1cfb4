import numpy as np
import pytest

from automl_meta.recommenders.similarity_forest import SimilarityForest, grow_trees

RNG = np.random.default_rng(0)
KIND = np.arange(60) % 2
POINTS = np.column_stack([KIND + RNG.normal(0.0, 0.05, 60), RNG.normal(size=(60, 3))])
SCORES = np.where(KIND[:, None] == 0, [0.9, 0.8, 0.2, 0.1], [0.1, 0.2, 0.8, 0.9]) + RNG.normal(
    0, 0.01, (60, 4)
)
FAMILIES = np.arange(60) // 2


def forest(points: np.ndarray = POINTS, scores: np.ndarray = SCORES, seed: int = 0) -> SimilarityForest:
    return SimilarityForest(points, scores, n_trees=20, n_components=2, random_state=seed)


def test_each_vote_spreads_one_over_the_data_sets_in_the_leaf() -> None:
    votes = forest().votes(POINTS[0])
    assert votes.shape == (20, 60)
    assert votes.sum(axis=1) == pytest.approx(np.ones(20))
    for vote in votes:
        assert len(np.unique(vote[vote > 0.0])) == 1
        assert (vote > 0.0).sum() >= 2


def test_data_sets_with_scores_like_those_of_the_task_count_most() -> None:
    weights = forest().votes(np.array([1.0, 0.0, 0.0, 0.0])).mean(axis=0)
    assert weights[KIND == 1].sum() > 0.9


def test_similarities_agree_with_counting_shared_leaves_and_leave_out_the_family() -> None:
    fitted = forest()
    between = fitted.between(FAMILIES)
    for row in range(3):
        counted = np.where(row // 2 == FAMILIES, 0.0, fitted.votes(POINTS[row]).sum(axis=0))
        assert between[row] == pytest.approx(counted)


def test_the_seed_decides() -> None:
    point = np.zeros(4)
    first, other = forest(seed=1).votes(point), forest(seed=2).votes(point)
    assert not np.array_equal(first, other)
    assert np.array_equal(forest(seed=1).votes(point), first)
    grow_trees.cache_clear()
    assert np.array_equal(forest(seed=1).votes(point), first)


@pytest.mark.parametrize(
    ("points", "scores"),
    [(POINTS[:3], SCORES[:3]), (POINTS[:, :0], SCORES), (POINTS, np.full((60, 4), 0.5))],
    ids=["too few data sets", "no meta-features", "equal scores"],
)
def test_without_anything_to_learn_all_count_alike(points: np.ndarray, scores: np.ndarray) -> None:
    votes = forest(points, scores).votes(np.zeros(points.shape[1]))
    assert votes == pytest.approx(np.full((1, len(points)), 1.0 / len(points)))
