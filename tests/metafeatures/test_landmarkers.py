import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from automl_meta._utils.budget import Budget
from automl_meta.metafeatures import TaskView, extract_metafeatures
from automl_meta.metafeatures.landmarkers import Landmarkers, predict_to_depth
from automl_meta.task import TabularTask


@pytest.fixture(scope="module")
def cancer() -> dict[str, float]:
    X, y = load_breast_cancer(return_X_y=True)
    return dict(extract_metafeatures(X, y, groups=["landmarkers"]).values)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("1nn", KNeighborsClassifier(1)),
        ("5nn", KNeighborsClassifier(5)),
        ("linear", LinearDiscriminantAnalysis()),
        ("naive_bayes", GaussianNB()),
        ("tree", DecisionTreeClassifier(random_state=0)),
        ("tree_3", DecisionTreeClassifier(max_depth=3, random_state=0)),
        ("best_node", DecisionTreeClassifier(max_depth=1, random_state=0)),
    ],
)
def test_scores_are_those_of_scikit_learn_but_for_the_folds(name: str, model: object, cancer: dict) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    expected = cross_val_score(
        make_pipeline(StandardScaler(), model), X, y, cv=5, scoring="balanced_accuracy"
    )
    assert cancer[f"landmarker_{name}"] == pytest.approx(expected.mean(), abs=0.025)


def test_regression_scores_are_those_of_scikit_learn_but_for_the_folds() -> None:
    X, y = load_diabetes(return_X_y=True)
    values = extract_metafeatures(X, y, groups=["landmarkers"]).values
    for name, model in (("linear", RidgeCV()), ("best_node", DecisionTreeRegressor(max_depth=1))):
        expected = cross_val_score(model, X, y, cv=5, scoring="r2").mean()
        assert values[f"landmarker_{name}"] == pytest.approx(expected, abs=0.08)


def test_relative_landmarkers_are_differences(cancer: dict) -> None:
    assert cancer["landmarker_tree_over_linear"] == pytest.approx(
        cancer["landmarker_tree"] - cancer["landmarker_linear"]
    )


def test_a_checkerboard_favours_the_tree_and_a_line_the_linear_learner() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(400, 2))
    board = extract_metafeatures(X, (X[:, 0] > 0) ^ (X[:, 1] > 0), groups=["landmarkers"]).values
    line = extract_metafeatures(X, X @ [1.0, 1.1] > 0, groups=["landmarkers"]).values
    assert board["landmarker_tree_over_linear"] > 0.3 > 0.0 > line["landmarker_tree_over_linear"]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_deep_tree_cut_short_predicts_as_a_shallow_one(depth: int) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X = X.astype(np.float32)
    deep = DecisionTreeClassifier(random_state=3).fit(X, y)
    shallow = DecisionTreeClassifier(random_state=3, max_depth=depth).fit(X, y)
    assert (
        np.mean(predict_to_depth(deep, X, depth) == shallow.predict(X)) > 0.99
    )  # ties may be broken differently


def test_what_the_budget_leaves_no_time_for_is_absent() -> None:
    task = TabularTask.bundled("iris")
    found = Landmarkers().extract(TaskView(task, budget=Budget(0)), np.random.default_rng(0))
    assert set(found) == {"landmarker_1nn", "landmarker_5nn", "landmarker_1nn_gain"}


def test_another_seed_gives_other_folds() -> None:
    task = TabularTask.bundled("wine")
    first, second = (
        extract_metafeatures(task, groups=["landmarkers"], random_state=s).values for s in (0, 1)
    )
    assert first["landmarker_1nn"] == second["landmarker_1nn"]  # leave-one-out has no folds
    assert first != second
