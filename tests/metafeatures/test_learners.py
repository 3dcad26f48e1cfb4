import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from automl_meta.metafeatures import learners
from automl_meta.metafeatures.encoded import EncodedBlock


@pytest.fixture(scope="module")
def wine() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    X, y = load_wine(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = y.astype(np.int64)
    train = np.random.default_rng(0).random(len(y)) < 0.5
    return X[train], y[train], X[~train], y[~train]


@pytest.mark.parametrize(
    ("learner", "reference"),
    [
        (learners.gaussian_naive_bayes, GaussianNB()),
        (learners.linear_discriminant, LinearDiscriminantAnalysis()),
        (learners.nearest_centroid, NearestCentroid()),
    ],
)
def test_classifiers_agree_with_scikit_learn(learner: object, reference: object, wine: tuple) -> None:
    X, y, X_test, _ = wine
    expected = reference.fit(X, y).predict(X_test)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(learner(X, y, X_test), expected)  # type: ignore[operator]


@pytest.mark.parametrize(
    "learner", [learners.gaussian_naive_bayes, learners.linear_discriminant, learners.nearest_centroid]
)
def test_classifiers_never_predict_a_class_that_they_did_not_see(learner: object, wine: tuple) -> None:
    X, y, X_test, _ = wine
    predicted = learner(X[y != 1], y[y != 1], X_test)  # type: ignore[operator]
    assert set(predicted) <= {0, 2}


def test_ridge_agrees_with_scikit_learn() -> None:
    X, y = load_diabetes(return_X_y=True)
    expected = Ridge(alpha=2.0).fit(X[:300], y[:300]).predict(X[300:])
    np.testing.assert_allclose(learners.ridge(X[:300], y[:300], X[300:], penalty=2.0), expected)


@pytest.mark.parametrize("n_neighbours", [1, 5])
def test_neighbours_agree_with_leave_one_out(n_neighbours: int) -> None:
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:80], y[:80]
    distances = EncodedBlock(X, X, y, X.shape[1]).squared_distances
    expected = cross_val_predict(KNeighborsRegressor(n_neighbours), X, y, cv=LeaveOneOut())
    np.testing.assert_allclose(learners.neighbours_predict(distances, y, n_neighbours), expected)
    codes = (y > np.median(y)).astype(np.int64)
    expected = cross_val_predict(KNeighborsClassifier(n_neighbours), X, codes, cv=LeaveOneOut())
    np.testing.assert_array_equal(learners.neighbours_predict(distances, codes, n_neighbours), expected)


def test_scores_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    assert learners.balanced_accuracy(y, predicted) == pytest.approx(balanced_accuracy_score(y, predicted))
    target = rng.normal(size=50)
    assert learners.r_squared(target, 0.9 * target) == pytest.approx(r2_score(target, 0.9 * target))
    assert learners.r_squared(target, 100 * target) == -1.0
    assert np.isnan(learners.r_squared(np.ones(5), target[:5]))


def test_folds_spread_each_class_evenly() -> None:
    y = np.repeat([0, 1, 2], [40, 13, 3]).astype(np.int64)
    folds = learners.stratified_folds(y, 5, np.random.default_rng(0))
    for code in range(3):
        counts = np.bincount(folds[y == code], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.bincount(folds).tolist() == [12, 11, 11, 11, 11]


def test_folds_spread_a_numeric_target_evenly() -> None:
    y = np.arange(52.0)
    folds = learners.stratified_folds(y, 5, np.random.default_rng(0))
    for start in range(0, 50, 5):
        assert sorted(folds[start : start + 5]) == [0, 1, 2, 3, 4]


def test_one_split_agrees_with_a_stump_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    x, x_test = rng.integers(0, 30, 90).astype(float), rng.uniform(0, 30, 40)
    y = (x + 6 * rng.normal(size=90) > 12).astype(np.int64) + (x > 25)
    for target, model in (
        (y, DecisionTreeClassifier(max_depth=1)),
        (y + x**2, DecisionTreeRegressor(max_depth=1)),
    ):
        expected = model.fit(x[:, None], target).predict(x_test[:, None])
        np.testing.assert_allclose(learners.predict_stump(x, target, x_test), expected)


def test_a_constant_column_is_not_split() -> None:
    y = np.array([0, 1, 1], dtype=np.int64)
    assert learners.predict_stump(np.ones(3), y, np.array([0.0, 5.0])).tolist() == [1, 1]
    target = np.array([1.0, 2.0, 6.0])
    assert learners.predict_stump(np.ones(3), target, np.array([0.0])).tolist() == [3.0]
