import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from automl_meta.exceptions import DataError
from automl_meta.fewshot import (
    MAML,
    MLP,
    Conv4,
    FewShotClassifier,
    PrototypicalNetwork,
    TabularSource,
    meta_fit,
)


@pytest.fixture
def images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.array(["b", "a", "b", "c", "b", "a"])  # uneven
    return rng.integers(0, 256, (6, 16, 16), dtype=np.uint8), y


@pytest.fixture(params=["prototypes", "maml"])
def learner(request: pytest.FixtureRequest):
    torch.manual_seed(0)
    if request.param == "maml":
        return MAML(Conv4((1, 16, 16), n_filters=8, pooling="stride"), n_steps=2)
    return PrototypicalNetwork(Conv4((1, 16, 16), n_filters=8))


def test_labels_come_back_as_they_were_given(learner, images) -> None:
    classifier = FewShotClassifier(learner).fit(*images)
    assert classifier.classes_.tolist() == ["a", "b", "c"]
    assert set(classifier.predict(images[0])) <= {"a", "b", "c"}
    chances = classifier.predict_proba(images[0])
    assert chances.shape == (6, 3)
    np.testing.assert_allclose(chances.sum(1), 1)
    assert FewShotClassifier(learner).fit(images[0], [7, 3, 7, 9, 7, 3]).classes_.tolist() == [3, 7, 9]


def test_an_answer_does_not_depend_on_what_else_is_asked(learner, images) -> None:
    classifier = FewShotClassifier(learner).fit(*images)
    together = classifier.predict_proba(images[0])
    alone = np.concatenate([classifier.predict_proba(one[None]) for one in images[0]])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


def test_transductive_answers_depend_on_each_other(learner, images) -> None:
    classifier = FewShotClassifier(learner, transductive=True).fit(*images)
    assert not np.allclose(classifier.predict_proba(images[0])[:1], classifier.predict_proba(images[0][:1]))


def test_images_may_be_flat_or_have_a_channel(learner, images) -> None:
    classifier = FewShotClassifier(learner).fit(*images)
    expected = classifier.predict_proba(images[0])
    np.testing.assert_array_equal(classifier.predict_proba(images[0].reshape(6, -1)), expected)
    np.testing.assert_array_equal(classifier.predict_proba(images[0][:, None]), expected)


def test_it_is_an_estimator(learner, images) -> None:
    classifier = FewShotClassifier(learner, transductive=True)
    assert clone(classifier).get_params()["transductive"] is True
    assert 0 <= classifier.fit(*images).score(*images) <= 1
    with pytest.raises(NotFittedError):
        FewShotClassifier(learner).predict(images[0])


def test_what_cannot_be_used_is_refused(learner, images) -> None:
    X, y = images
    classifier = FewShotClassifier(learner)
    with pytest.raises(DataError, match="one class"):
        classifier.fit(X[:2], ["a", "a"])
    with pytest.raises(DataError, match="missing"):
        classifier.fit(X, [None, *y[1:]])
    with pytest.raises(DataError, match="one label per example"):
        classifier.fit(X, y[:3])
    with pytest.raises(DataError, match=r"shape \(1, 9, 9\)"):
        classifier.fit(np.zeros((6, 9, 9)), y)
    holed = X.astype(float)
    holed[0, 0, 0] = np.nan
    with pytest.raises(DataError, match="NaN"):
        classifier.fit(holed, y)
    with pytest.raises(DataError, match="0 examples"):
        classifier.fit(X, y).predict(X[:0])


def test_rows_of_a_table_are_standardised_as_in_training() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(9, 3)) * 100
    codes = np.repeat(np.arange(9), 20)
    frame = pd.DataFrame(centres[codes] + rng.normal(size=(180, 3)), columns=list("abc")).assign(y=codes)
    source = TabularSource(frame[frame["y"] < 6], "y")
    torch.manual_seed(0)
    learner = PrototypicalNetwork(MLP((3,), hidden=(16,)))
    meta_fit(learner, source, n_episodes=20, n_query=3, random_state=0)
    new = frame[frame["y"] >= 6]
    support = new.groupby("y").head(2)
    classifier = FewShotClassifier(learner).fit(support[["a", "b", "c"]], support["y"])
    assert (classifier.predict(new[["a", "b", "c"]]) == new["y"]).mean() > 0.9
