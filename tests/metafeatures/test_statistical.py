import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression

from automl_meta.metafeatures import extract_metafeatures
from automl_meta.metafeatures.numeric import NumericBlock


@pytest.fixture(scope="module", name="X")
def _columns() -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 4))
    X[:, 1] = np.exp(X[:, 0] + X[:, 1])
    X[:, 2] = rng.integers(-3, 4, 90)
    return X


@pytest.fixture(scope="module")
def y(X: np.ndarray) -> np.ndarray:
    return np.digitize(X[:, 0] + 0.5 * np.random.default_rng(1).normal(size=90), [-0.4, 0.6])


@pytest.fixture(scope="module")
def values(X: np.ndarray, y: np.ndarray) -> dict[str, float]:
    return dict(extract_metafeatures(X, y, groups=["statistical"]).values)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("skewness", lambda X: stats.skew(X)),
        ("kurtosis", lambda X: stats.kurtosis(X)),
        ("column_mean", lambda X: X.mean(axis=0)),
        ("column_median", lambda X: np.median(X, axis=0)),
        ("column_sd", lambda X: X.std(axis=0, ddof=1)),
        ("column_variance", lambda X: X.var(axis=0, ddof=1)),
        ("column_iqr", lambda X: stats.iqr(X, axis=0)),
        ("column_mad", lambda X: stats.median_abs_deviation(X, scale="normal")),
        ("column_range", lambda X: np.ptp(X, axis=0)),
        ("zero_share", lambda X: np.mean(X == 0, axis=0)),
        ("distinct_share", lambda X: np.array([len(np.unique(c)) / len(c) for c in X.T])),
        ("coefficient_of_variation", lambda X: np.log10(np.abs(stats.variation(X, ddof=1)))),
    ],
)
def test_columns_agree_with_scipy(name: str, reference: object, X: np.ndarray, values: dict) -> None:
    expected = reference(X)  # type: ignore[operator]
    assert values[f"{name}_mean"] == pytest.approx(
        expected.mean(), rel=1e-3 if name == "column_mad" else 1e-9
    )
    if f"{name}_sd" in values:
        assert values[f"{name}_sd"] == pytest.approx(expected.std(ddof=1))
    if f"{name}_max" in values:
        assert values[f"{name}_max"] == pytest.approx(expected.max())


def test_missing_values_count_in_no_column(X: np.ndarray) -> None:
    holed = np.where(np.random.default_rng(2).random(X.shape) < 0.2, np.nan, X)
    block = NumericBlock(holed)
    np.testing.assert_allclose(block.mean, np.nanmean(holed, axis=0), atol=1e-12)
    np.testing.assert_allclose(block.sd, np.nanstd(holed, axis=0, ddof=1))
    np.testing.assert_allclose(block.skewness, stats.skew(holed, nan_policy="omit"))
    np.testing.assert_allclose(block.kurtosis, stats.kurtosis(holed, nan_policy="omit"))
    np.testing.assert_allclose(block.quartiles, np.nanquantile(holed, [0, 0.25, 0.5, 0.75, 1], axis=0))
    np.testing.assert_allclose(
        block.median_absolute_deviation, stats.median_abs_deviation(holed, nan_policy="omit")
    )


def test_correlation_of_columns_with_missing_values_is_that_of_mean_imputation(X: np.ndarray) -> None:
    holed = np.where(np.random.default_rng(2).random(X.shape) < 0.2, np.nan, X)
    filled = np.where(np.isnan(holed), np.nanmean(holed, axis=0), holed)
    np.testing.assert_allclose(NumericBlock(holed).correlation, np.corrcoef(filled, rowvar=False), atol=1e-12)


def test_correlations_and_covariances_agree_with_numpy(X: np.ndarray, values: dict) -> None:
    pairs = np.triu_indices(4, k=1)
    correlations = np.abs(np.corrcoef(X, rowvar=False))[pairs]
    assert values["correlation_mean"] == pytest.approx(correlations.mean())
    assert values["correlation_max"] == pytest.approx(correlations.max())
    assert values["correlated_pair_share"] == pytest.approx(np.mean(correlations >= 0.5))
    assert values["covariance_mean"] == pytest.approx(np.abs(np.cov(X, rowvar=False))[pairs].mean())


def test_normality_agrees_with_scipy(X: np.ndarray, values: dict) -> None:
    assert values["normal_share"] == np.mean(stats.normaltest(X).pvalue > 0.05)
    target = extract_metafeatures(X[:, 1:], X[:, 0], groups=["statistical"]).values
    assert target["target_normality"] == pytest.approx(stats.normaltest(X[:, 0]).pvalue)


def test_canonical_correlations_give_the_eigenvalues_of_the_linear_discriminant(
    X: np.ndarray, y: np.ndarray, values: dict
) -> None:
    model = LinearDiscriminantAnalysis(solver="eigen").fit(X, y)
    within = sum(np.cov(X[y == c], rowvar=False, ddof=0) * np.sum(y == c) for c in range(3))
    between = sum(
        np.sum(y == c) * np.outer(X[y == c].mean(0) - X.mean(0), X[y == c].mean(0) - X.mean(0))
        for c in range(3)
    )
    roots = np.sort(np.linalg.eigvals(np.linalg.solve(within, between)).real)[::-1][:2]
    np.testing.assert_allclose(roots / roots.sum(), model.explained_variance_ratio_[:2])
    assert values["roy_root"] == pytest.approx(roots[0])
    assert values["lawley_hotelling_trace"] == pytest.approx(roots.sum())
    assert values["wilks_lambda"] == pytest.approx(np.prod(1 / (1 + roots)))
    assert values["pillai_trace"] == pytest.approx(np.sum(roots / (1 + roots)))
    assert values["canonical_correlation_max"] == pytest.approx(np.sqrt(roots[0] / (1 + roots[0])))
    assert values["n_discriminants"] == 2


def test_class_effects_follow_from_the_f_statistic(X: np.ndarray, y: np.ndarray, values: dict) -> None:
    f = stats.f_oneway(*(X[y == c] for c in range(3))).statistic
    effects = 2 * f / (2 * f + len(y) - 3)
    assert values["class_effect_mean"] == pytest.approx(effects.mean())
    assert values["class_effect_max"] == pytest.approx(effects.max())


def test_gravity_is_the_distance_from_the_largest_to_the_smallest_class() -> None:
    X = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 3.0], [4.0, 4.0], [6.0, 5.0]])
    values = extract_metafeatures(X, list("aaabb"), groups=["statistical"]).values
    assert values["gravity"] == pytest.approx(np.hypot(4.0, 3.5))


def test_classes_of_one_covariance_have_a_ratio_of_one() -> None:
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(400, 3))
    X = np.vstack([cloud, cloud + 5.0])
    assert extract_metafeatures(X, np.repeat([0, 1], 400)).values["sd_ratio"] == pytest.approx(1.0)
    wider = np.vstack([cloud, 3.0 * cloud])
    assert extract_metafeatures(wider, np.repeat([0, 1], 400)).values["sd_ratio"] > 1.3


def test_principal_components_of_copies_are_one() -> None:
    a = np.random.default_rng(0).normal(size=50)
    values = extract_metafeatures(np.column_stack([a, 2 * a, -a]), np.arange(50) % 2).values
    assert values["pca_first_share"] == pytest.approx(1.0)
    assert values["pca_95_share"] == pytest.approx(1 / 3)
    assert values["effective_rank_share"] == pytest.approx(1 / 3)
    assert values["correlation_min"] == pytest.approx(1.0)


def test_multiple_correlation_agrees_with_least_squares(X: np.ndarray) -> None:
    target = X[:, 0] + X[:, 2] + np.random.default_rng(3).normal(size=90)
    r2 = LinearRegression().fit(X, target).score(X, target)
    values = extract_metafeatures(X, target, groups=["statistical"]).values
    assert values["multiple_correlation"] == pytest.approx(1 - (1 - r2) * 89 / 85)
    correlations = np.abs([stats.pearsonr(column, target).statistic for column in X.T])
    assert values["target_correlation_mean"] == pytest.approx(correlations.mean())
    assert values["target_correlation_max"] == pytest.approx(correlations.max())


def test_a_category_that_tells_the_target_has_full_effect() -> None:
    frame = pd.DataFrame({"tells": list("abc") * 20, "silent": ["x"] * 30 + ["y"] * 30})
    target = frame["tells"].map({"a": 0.5, "b": 1.5, "c": 7.25})
    values = extract_metafeatures(frame, target, task_type="regression").values
    assert values["category_effect_max"] == pytest.approx(1.0)
    assert values["category_effect_mean"] == pytest.approx(0.5, abs=0.01)


def test_the_target_is_described() -> None:
    target = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, -1.0, 100.0])
    X = np.random.default_rng(0).normal(size=(10, 2))
    values = extract_metafeatures(X, target, task_type="regression", groups=["statistical"]).values
    assert values["target_top_share"] == values["target_zero_share"] == 0.4
    assert values["target_negative_share"] == values["target_outlier_share"] == 0.1
    assert values["target_distinct_share"] == pytest.approx(0.7)
    assert values["target_integer"] == 1.0
    assert values["target_skewness"] == pytest.approx(stats.skew(target))
    assert values["target_kurtosis"] == pytest.approx(stats.kurtosis(target))
    assert values["target_mean_median_gap"] == pytest.approx((10.9 - 0.5) / target.std(ddof=1))


def test_numbers_near_the_largest_float_have_moments() -> None:
    block = NumericBlock(np.array([[1.7e308], [-1.7e308], [0.0], [1.7e308]]))
    np.testing.assert_allclose(block.skewness, stats.skew([1.0, -1.0, 0.0, 1.0]))
    assert np.isfinite(block.mean).all()


def test_equal_frequency_bins_never_part_equal_values() -> None:
    column = np.array([1.0] * 20 + list(np.linspace(2, 3, 10)) + [np.nan] * 3)
    bins = NumericBlock(column[:, None]).bins[:, 0]
    assert len(set(bins[:20])) == 1
    assert (np.diff(bins[:30]) >= 0).all()
    assert (bins[30:] == 3).all()  # floor of the cube root of 33, for the missing ones
