import itertools

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree as scipy_tree
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.svm import LinearSVC

from automl_meta.metafeatures import TaskView, class_complexity, extract_metafeatures, number_complexity
from automl_meta.metafeatures.encoded import EncodedBlock
from automl_meta.metafeatures.geometry import minimum_spanning_tree
from automl_meta.task import TabularTask


@pytest.fixture(scope="module")
def points() -> EncodedBlock:
    """Sixty rows of three overlapping classes."""
    rng = np.random.default_rng(0)
    y = np.sort(rng.integers(0, 3, 60)).astype(np.int64)
    X = rng.normal(size=(60, 3)) + 0.8 * y[:, None]
    unit = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    return EncodedBlock(X, unit, y, 3)


@pytest.fixture(scope="module")
def distances(points: EncodedBlock) -> np.ndarray:
    return cdist(points.unit, points.unit, "cityblock") / 3


@pytest.fixture(scope="module")
def measured(points: EncodedBlock) -> dict[str, float]:
    rng = np.random.default_rng(0)
    return (
        class_complexity.neighbourhood(points, rng)
        | class_complexity.network(points)
        | class_complexity.feature_overlap(points.X, points.y)
        | class_complexity.linearity(points.X, points.y, rng)
    )


def test_the_spanning_tree_is_as_short_as_scipys(distances: np.ndarray) -> None:
    starts, ends = minimum_spanning_tree(distances)
    assert distances[starts, ends].sum() == pytest.approx(scipy_tree(distances).sum())
    assert len(np.union1d(starts, ends)) == len(distances)


def test_n1_agrees_with_scipys_tree(points: EncodedBlock, distances: np.ndarray, measured: dict) -> None:
    border = set()
    for i, j in zip(*scipy_tree(distances).nonzero(), strict=True):
        if points.y[i] != points.y[j]:
            border |= {i, j}
    assert measured["n1"] == len(border) / 60


def test_n2_n3_and_lsc_agree_with_loops(points: EncodedBlock, distances: np.ndarray, measured: dict) -> None:
    intra, extra, wrong, local = [], [], 0, 0
    for i in range(60):
        others = [j for j in range(60) if j != i]
        intra.append(min(distances[i, j] for j in others if points.y[j] == points.y[i]))
        extra.append(min(distances[i, j] for j in others if points.y[j] != points.y[i]))
        wrong += points.y[min(others, key=lambda j: distances[i, j])] != points.y[i]
        local += sum(distances[i, j] < extra[i] for j in range(60))
    ratio = sum(intra) / sum(extra)
    assert measured["n2"] == pytest.approx(ratio / (1 + ratio))
    ratios = np.divide(intra, extra)
    assert measured["n2_mean"] == pytest.approx(np.mean(ratios / (1 + ratios)))
    assert measured["n3"] == wrong / 60
    assert measured["lsc"] == pytest.approx(1 - local / 3600)


def test_t1_agrees_with_a_recursive_definition(
    points: EncodedBlock, distances: np.ndarray, measured: dict
) -> None:
    enemies = np.where(points.y[:, None] == points.y, np.inf, distances).argmin(axis=1)

    def radius(i: int) -> float:
        j = int(enemies[i])
        gap = distances[i, j]
        return gap / 2 if enemies[j] == i else gap - radius(j)

    radii = np.array([radius(i) for i in range(60)])
    inside = [{i for i in range(60) if distances[i, j] <= radii[j]} for j in range(60)]
    left = set(range(60))
    for j in sorted(range(60), key=lambda j: -len(inside[j])):
        if j in left:
            left -= inside[j] - {j}
    assert measured["t1"] == len(left) / 60


def test_density_and_clustering_agree_with_loops(
    points: EncodedBlock, distances: np.ndarray, measured: dict
) -> None:
    near = [set(sorted(set(range(60)) - {i}, key=lambda j: distances[i, j])[:9]) for i in range(60)]
    edges = {frozenset((i, j)) for i in range(60) for j in near[i] if points.y[i] == points.y[j]}
    assert measured["density"] == pytest.approx(1 - len(edges) / (60 * 59 / 2))
    closed = wedges = 0
    for i in range(60):
        friends = [j for j in range(60) if frozenset((i, j)) in edges]
        for a, b in itertools.combinations(friends, 2):
            wedges += 1
            closed += frozenset((a, b)) in edges
    assert measured["clustering"] == pytest.approx(1 - closed / wedges)


def test_hub_scores_are_the_leading_eigenvector() -> None:
    star = np.zeros((6, 6))
    star[0, 1:] = star[1:, 0] = 1.0
    expected = np.r_[1.0, np.full(5, 1 / np.sqrt(5))]
    np.testing.assert_allclose(class_complexity.hub_scores(star), expected, atol=1e-6)


def test_f1_agrees_with_a_loop(points: EncodedBlock, measured: dict) -> None:
    overlaps = []
    for column in points.X.T:
        groups = [column[points.y == c] for c in range(3)]
        between = sum(len(g) * (g.mean() - column.mean()) ** 2 for g in groups)
        within = sum(((g - g.mean()) ** 2).sum() for g in groups)
        overlaps.append(1 / (1 + between / within))
    assert measured["f1"] == pytest.approx(min(overlaps))
    assert measured["f1_mean"] == pytest.approx(np.mean(overlaps))


def test_f1v_f2_f3_and_f4_agree_with_loops(points: EncodedBlock, measured: dict) -> None:
    f1v, f2, f3, f4 = [], [], [], []
    for a, b in itertools.combinations(range(3), 2):
        A, B = points.X[points.y == a], points.X[points.y == b]
        both = np.vstack([A, B])
        W = (len(A) * np.cov(A, rowvar=False) + len(B) * np.cov(B, rowvar=False)) / len(both)
        d = A.mean(axis=0) - B.mean(axis=0)
        f1v.append(1 / (1 + d @ np.linalg.inv(W) @ d))
        product, shares = 1.0, []
        for j in range(3):
            low, high = max(A[:, j].min(), B[:, j].min()), min(A[:, j].max(), B[:, j].max())
            product *= max(0.0, high - low) / np.ptp(both[:, j])
            shares.append(np.mean([(low <= x <= high) for x in both[:, j]]))
        f2.append(product)
        f3.append(min(shares))
        f4.append(_f4_by_loop(A, B))
    assert measured["f1v"] == pytest.approx(np.mean(f1v))
    assert measured["f2"] == pytest.approx(np.mean(f2))
    assert measured["f3"] == pytest.approx(np.mean(f3))
    assert measured["f4"] == pytest.approx(np.mean(f4))


def _f4_by_loop(A: np.ndarray, B: np.ndarray) -> float:
    total, columns = len(A) + len(B), list(range(A.shape[1]))
    while columns and len(A) and len(B):
        best = None
        for j in columns:
            low, high = max(A[:, j].min(), B[:, j].min()), min(A[:, j].max(), B[:, j].max())
            left_a = A[(A[:, j] >= low) & (A[:, j] <= high)]
            left_b = B[(B[:, j] >= low) & (B[:, j] <= high)]
            if best is None or len(left_a) + len(left_b) < len(best[0]) + len(best[1]):
                best = (left_a, left_b, j)
        A, B = best[0], best[1]
        columns.remove(best[2])
    return (len(A) + len(B)) / total if len(A) and len(B) else 0.0


def test_the_machine_finds_the_optimum_of_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    signs = np.where(X @ [1.0, -0.5, 0.2] + 0.5 * rng.normal(size=80) + 0.3 > 0, 1.0, -1.0)
    weights = class_complexity.squared_hinge_machine(X, signs)
    # A large intercept_scaling practically removes the penalty on scikit-learn's intercept.
    model = LinearSVC(C=1.0, intercept_scaling=1e3, tol=1e-10, max_iter=200_000).fit(X, signs)
    np.testing.assert_allclose(weights, np.r_[model.coef_[0], model.intercept_], atol=1e-3)


def test_l1_and_l2_are_zero_for_separable_classes() -> None:
    X, y = load_iris(return_X_y=True)
    values = extract_metafeatures(X[y < 2], y[y < 2], groups=["complexity"]).values
    for name in ("l1", "l2", "l3", "n1", "n3", "n4", "f3", "f4"):
        assert values[f"complexity_{name}"] == pytest.approx(0.0, abs=0.021)


def test_l2_is_the_error_of_the_machine(points: EncodedBlock, measured: dict) -> None:
    errors = []
    for a, b in itertools.combinations(range(3), 2):
        kept = (points.y == a) | (points.y == b)
        model = LinearSVC(C=1.0, intercept_scaling=1e3, tol=1e-8, max_iter=200_000)
        errors.append(1 - model.fit(points.X[kept], points.y[kept]).score(points.X[kept], points.y[kept]))
    assert measured["l2"] == pytest.approx(np.mean(errors), abs=0.02)


def test_c1_and_c2_of_balanced_classes() -> None:
    balanced = class_complexity.class_balance(np.array([20, 20, 20]))
    assert balanced["c1"] == pytest.approx(1.0)
    assert balanced["c2"] == pytest.approx(0.0)
    skewed = class_complexity.class_balance(np.array([90, 10]))
    assert skewed["c2"] == pytest.approx(1 - 1 / (0.5 * (9 + 1 / 9)))


def test_separation_agrees_with_scikit_learn(points: EncodedBlock, distances: np.ndarray) -> None:
    values = class_complexity.separation(points.X, points.y, distances)
    assert values["silhouette"] == pytest.approx(silhouette_score(distances, points.y, metric="precomputed"))
    assert values["davies_bouldin"] == pytest.approx(davies_bouldin_score(points.X, points.y))
    assert values["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(points.X, points.y))


def test_points_between_rows_lie_between_rows_of_their_class() -> None:
    X = np.array([[0.0], [1.0], [10.0], [11.0], [5.0]])
    y = np.array([0, 0, 1, 1, 2])
    points, codes = class_complexity.interpolate(X, y, np.random.default_rng(0))
    assert np.bincount(codes).tolist() == [2, 2, 1]
    for code, (low, high) in enumerate([(0, 1), (10, 11), (5, 5)]):
        assert ((points[codes == code] >= low) & (points[codes == code] <= high)).all()


@pytest.fixture(scope="module")
def numbers() -> EncodedBlock:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 3))
    y = X[:, 0] + 0.3 * X[:, 1] ** 2 + 0.1 * rng.normal(size=50)
    return EncodedBlock(X, (X - X.min(axis=0)) / np.ptp(X, axis=0), (y - y.min()) / np.ptp(y), 3)


def test_rank_correlations_agree_with_scipy(numbers: EncodedBlock) -> None:
    values = number_complexity.column_correlation(numbers.X, numbers.y)
    expected = [abs(spearmanr(column, numbers.y).statistic) for column in numbers.X.T]
    assert values["c1"] == pytest.approx(max(expected))
    assert values["c2"] == pytest.approx(np.mean(expected))


def test_no_row_is_in_the_way_of_a_monotone_column() -> None:
    x = np.linspace(0, 1, 30)
    noise = np.random.default_rng(0).random(30)
    values = number_complexity.column_correlation(np.column_stack([noise, -(x**3)]), x)
    assert values["c3"] == 0.0
    disturbed = x.copy()
    disturbed[[2, 27]] = x[[27, 2]]
    values = number_complexity.column_correlation(disturbed[:, None], x)
    assert 0.0 < values["c3"] <= 2 / 30


def test_linear_measures_agree_with_least_squares(numbers: EncodedBlock) -> None:
    values = number_complexity.linearity(numbers.X, numbers.y, np.random.default_rng(0))
    model = LinearRegression().fit(numbers.X, numbers.y)
    residuals = numbers.y - model.predict(numbers.X)
    assert values["l1"] == pytest.approx(np.abs(residuals).mean(), rel=1e-5)
    assert values["l2"] == pytest.approx((residuals**2).mean(), rel=1e-5)


def test_a_linear_target_is_smooth_and_linear_everywhere() -> None:
    x = np.linspace(0, 1, 40)[:, None]
    block = EncodedBlock(x, x, x[:, 0], 1)
    rng = np.random.default_rng(0)
    values = number_complexity.linearity(x, x[:, 0], rng) | number_complexity.smoothness(block, rng)
    assert values["l3"] == pytest.approx(0.0, abs=1e-9)
    assert values["s1"] == values["s2"] == pytest.approx(1 / 39)
    assert values["s3"] == pytest.approx((1 / 39) ** 2)
    assert values["s4"] <= (0.5 / 39) ** 2 + 1e-12


def test_smoothness_agrees_with_loops(numbers: EncodedBlock) -> None:
    distances = cdist(numbers.unit, numbers.unit, "cityblock") / 3
    values = number_complexity.smoothness(numbers, np.random.default_rng(0))
    i, j = scipy_tree(distances).nonzero()
    assert values["s1"] == pytest.approx(np.mean(np.abs(numbers.y[i] - numbers.y[j])))
    order = np.argsort(numbers.y)
    assert values["s2"] == pytest.approx(np.mean([distances[a, b] for a, b in itertools.pairwise(order)]))
    nearest = [min(set(range(50)) - {i}, key=lambda j: distances[i, j]) for i in range(50)]
    assert values["s3"] == pytest.approx(np.mean((numbers.y - numbers.y[nearest]) ** 2))


def test_columns_per_row_and_components_are_counted() -> None:
    a = np.random.default_rng(0).normal(size=(40, 1))
    X = np.hstack([a, -a, a + 1e-9])
    values = class_complexity.dimensionality(X)
    assert values == {"t2": 3 / 40, "t3": 1 / 40, "t4": 1 / 3}


def test_the_twelve_largest_of_many_classes_are_paired() -> None:
    rng = np.random.default_rng(0)
    task = TabularTask.from_frame(rng.normal(size=(400, 3)), rng.integers(0, 30, 400).astype(str))
    view = TaskView(task)
    assert len(class_complexity.class_pairs(view.encoded.n_classes)) == 66
    assert np.isfinite(list(extract_metafeatures(task, groups=["complexity"]).values.values())).all()
