import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from drawings import drawing, write_archive, write_folders

from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot import (
    ArraySource,
    DigitsSource,
    ImageFolderSource,
    OmniglotSource,
    SinusoidSource,
    TabularSource,
)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two alphabets to train on and one to test on, three characters each, two drawings each."""
    folder = tmp_path_factory.mktemp("omniglot")
    write_archive(folder / "images_background.zip", "AB", 3, 2)
    write_archive(folder / "images_evaluation.zip", "C", 3, 2, first_seed=12)
    lists = folder / "splits" / "vinyals"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("A/character01\nA/character02\nC/character01\n")
    (lists / "test.txt").write_text(
        "".join(f"C/character02/rot{r:03d}\n" for r in (0, 90, 180, 270)) + "C/character03\n"
    )
    return folder


def test_omniglot_turns_are_classes_of_their_own(archives: Path) -> None:
    source = OmniglotSource(archives, "train")
    assert source.n_classes == 12
    assert source.input_shape == (1, 28, 28)
    generator = torch.Generator().manual_seed(0)
    episode = source.sample(12, 1, 1, 1, generator)
    names = [str(source.classes[int(i)]) for i in episode.class_ids[0]]
    first = {name: episode.support_x[0, i, 0] for i, name in enumerate(names)}
    second = {name: episode.query_x[0, i, 0] for i, name in enumerate(names)}
    turned = torch.rot90(first["A/character01/0"], 1)
    assert any(torch.equal(turned, image["A/character01/90"]) for image in (first, second))


def test_omniglot_ink_is_bright(archives: Path) -> None:
    source = OmniglotSource(archives, "train", rotations=False)
    x = source.sample(2, 1, 1).support_x
    assert x.dtype == torch.uint8
    assert 0 < float(x.float().mean()) < 60


def test_omniglot_parts_are_disjoint(archives: Path) -> None:
    parts = [OmniglotSource(archives, part, rotations=False) for part in ("train", "test")]
    assert set(parts[0].classes) == {"A/character01", "A/character02", "C/character01"}
    assert set(parts[1].classes) == {"C/character02", "C/character03"}
    parts = [OmniglotSource(archives, part, "alphabets", rotations=False) for part in ("train", "test")]
    assert {name[0] for name in parts[0].classes} == {"A", "B"}
    assert {name[0] for name in parts[1].classes} == {"C"}


def test_omniglot_tasks_within_an_alphabet(archives: Path) -> None:
    source = OmniglotSource(archives, "train", "alphabets", within_alphabet=True)
    episode = source.sample(3, 1, 1, n_tasks=40, generator=torch.Generator().manual_seed(0))
    names = [[str(source.classes[int(i)]) for i in row] for row in episode.class_ids]
    seen = {frozenset((name[0], name.split("/")[2]) for name in row) for row in names}
    assert all(len(kinds) == 1 for kinds in seen)
    assert len(seen) == 8  # two alphabets, four turns


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda f: (f / "images_background.zip").unlink(), r"is missing.*--download"),
        (lambda f: (f / "images_background.zip").write_bytes(b""), "not a complete archive"),
        (
            lambda f: (f / "images_background.zip").write_bytes(
                (f / "images_background.zip").read_bytes()[:2000]
            ),
            "not a complete archive",
        ),
        (lambda f: zipfile.ZipFile(f / "images_background.zip", "w").close(), "contains no images"),
        (
            lambda f: put(f / "images_background.zip", b"not an image"),
            r"A/character01/1\.png is not a readable image",
        ),
        (
            lambda f: put(f / "images_background.zip", drawing(0)[:-400]),
            r"A/character01/1\.png is not a readable image",
        ),
    ],
    ids=["missing", "zero bytes", "truncated", "empty", "no image", "broken image"],
)
def test_a_harmed_archive_is_a_clear_error(archives: Path, tmp_path: Path, harm, message: str) -> None:
    (tmp_path / "images_background.zip").write_bytes((archives / "images_background.zip").read_bytes())
    harm(tmp_path)
    with pytest.raises(DataError, match=message):
        OmniglotSource(tmp_path, "train", "alphabets")


def put(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images_background/A/character01/1.png", content)


def test_a_missing_list_and_a_missing_character_are_clear_errors(archives: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"val\.txt is missing"):
        OmniglotSource(archives, "valid")
    with pytest.raises(UsageError, match="vinyals train"):
        OmniglotSource(archives, "valid", "alphabets")
    for name in ("images_background.zip", "images_evaluation.zip"):
        (tmp_path / name).write_bytes((archives / name).read_bytes())
    (tmp_path / "splits" / "vinyals").mkdir(parents=True)
    (tmp_path / "splits" / "vinyals" / "train.txt").write_text("A/character01\nZ/character09\n")
    with pytest.raises(DataError, match="Z/character09"):
        OmniglotSource(tmp_path, "train")


def test_the_parts_of_a_split_share_no_class() -> None:
    y = np.repeat(np.arange(10), 3)
    parts = ArraySource(np.eye(30), y).split((0.6, 0.2, 0.2), random_state=0)
    assert sorted(c for part in parts for c in part.classes) == list(range(10))
    assert [part.n_classes for part in parts] == [6, 2, 2]
    for part in parts:
        episode = part.sample(2, 1, 2, 20)
        rows = episode.query_x.argmax(-1) // 3  # which class each row was of
        assert set(rows.flatten().tolist()) <= set(part.classes.tolist())
    with pytest.raises(DataError, match="this source has 2"):
        parts[1].sample(3, 1, 1)
    with pytest.raises(DataError, match="each part needs at least two"):
        ArraySource(np.eye(30), y).split((0.9, 0.1), random_state=0)


def test_support_and_query_share_no_example() -> None:
    source = ArraySource(np.arange(30.0)[:, None], np.repeat([0, 1, 2], 10))
    episode = source.sample(3, 4, 6, n_tasks=20)
    for support, query in zip(episode.support_x, episode.query_x, strict=True):
        assert len(set(support.flatten().tolist()) | set(query.flatten().tolist())) == 30


def test_a_task_with_labels_knows_its_classes() -> None:
    source = ArraySource(np.repeat(np.arange(5.0), 4)[:, None], np.repeat(list("abcde"), 4))
    episode = source.sample(3, 1, 2, n_tasks=10)
    assert torch.equal(episode.class_ids.gather(1, episode.query_y).float(), episode.query_x[..., 0])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((4, 2)), [0, 0, 0, 0], "only one class, 0"),
        (np.zeros((4, 2)), [0, 1], "4 examples, but y"),
        (np.full((4, 2), np.nan), [0, 0, 1, 1], "NaN"),
        (np.zeros((4, 2)), [0, None, 1, 1], "1 missing"),
        (np.array([["a"], ["b"]]), [0, 1], "must be numeric"),
        (np.zeros(4), [0, 0, 1, 1], "shape"),
        (pd.DataFrame({"w": ["p", "q"]}), [0, 1], "Columns w are not numeric"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(X, y, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ArraySource(X, y)


def test_the_callers_arrays_are_left_as_they_were() -> None:
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.repeat([1, 0], 10)
    before = X.copy(), y.copy()
    ArraySource(X, y, augment=lambda x, generator: x.mul_(0)).sample(2, 1, 1)
    assert np.array_equal(X, before[0])
    assert np.array_equal(y, before[1])


def test_tables_are_standardised_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(5, 2, 40), "b": rng.normal(0, 9, 40), "y": list("uv") * 20})
    frame.loc[3, "a"] = np.nan
    other = frame.assign(a=frame["a"] * 100)
    source = TabularSource({"one": frame, "two": other}, "y")
    rows = source.sample(2, 20, 0, n_tasks=10, generator=torch.Generator().manual_seed(0))  # whole tables
    assert float(rows.support_x.abs().max()) < 5
    assert {int(ids.min()) // 2 for ids in rows.class_ids} == {0, 1}
    torch.testing.assert_close(rows.support_x.mean(1), torch.zeros(10, 2), rtol=0, atol=1e-5)
    assert source.n_classes == 4
    with pytest.raises(DataError, match="no column 'z'"):
        TabularSource(frame, "z")
    with pytest.raises(DataError, match="differs from the first in the columns c"):
        TabularSource({"one": frame, "two": frame.assign(c=1)}, "y")


def test_sine_waves_are_those_of_the_paper() -> None:
    episode = SinusoidSource().sample(None, 5, 200, n_tasks=500, generator=torch.Generator().manual_seed(0))
    assert float(episode.query_x.abs().max()) <= 5
    amplitude = episode.query_y.abs().amax(1)
    assert float(amplitude.min()) > 0.0
    assert 4.8 < float(amplitude.max()) <= 5.0
    with pytest.raises(UsageError, match="n_way=None"):
        SinusoidSource().sample(5, 1, 1)


def test_digits_of_training_and_test_differ() -> None:
    assert set(DigitsSource().classes) | set(DigitsSource("test").classes) == set(range(10))
    assert not set(DigitsSource().classes) & set(DigitsSource("test").classes)
    with pytest.raises(UsageError, match="train"):
        DigitsSource("valid")


def test_a_folder_of_images(tmp_path: Path) -> None:
    write_folders(tmp_path, ["cat", "dog"], 3)
    (tmp_path / "notes.txt").write_text("no class")
    source = ImageFolderSource(tmp_path, (3, 20, 24))
    assert source.sample(2, 1, 2).query_x.shape == (1, 4, 3, 20, 24)
    (tmp_path / "dog" / "broken.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"broken\.png is not a readable image"):
        ImageFolderSource(tmp_path)
    with pytest.raises(DataError, match="no subfolders with images"):
        ImageFolderSource(tmp_path / "cat")
