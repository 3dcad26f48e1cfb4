"""No damage to a learner, a checkpoint or an archive of drawings does more than one line."""

import shutil
from pathlib import Path

import pytest
from fuzzing import Child
from fuzzing_fewshot import FEWSHOT, train, write_learner
from fuzzing_files import bad_outcomes

from automl_meta.cli import main
from automl_meta.exceptions import DataError
from automl_meta.fewshot import OmniglotSource, load
from automl_meta.fewshot.saving import read, write

DAMAGED = Path(__file__).parents[1] / "assets" / "cases" / "damaged"


@pytest.mark.parametrize("name", FEWSHOT)
def test_a_damaged_file_is_read_or_refused_in_one_line(child: Child, name: str, tmp_path: Path) -> None:
    assert bad_outcomes(child, FEWSHOT, name, tmp_path) == []


@pytest.mark.parametrize("name", ["deflate_corrupt", "encrypted"])
def test_archives_that_were_damaged_once_are_refused(name: str, tmp_path: Path) -> None:
    shutil.copy(DAMAGED / f"{name}.zip", tmp_path / "images_background.zip")
    with pytest.raises(DataError, match="is not a complete archive") as refused:
        OmniglotSource(tmp_path, "train", "alphabets")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["all_nan", "meta_notjson"])
@pytest.mark.parametrize("command", ["info", "predict"])
def test_learners_that_were_damaged_once_are_refused(
    name: str, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    table = str(DAMAGED / "new.csv")
    options = ["--support", table, "--query", table, "--target", "c"] if command == "predict" else []
    with pytest.raises(SystemExit) as ended:
        main(["fewshot", command, str(DAMAGED / f"{name}.safetensors"), *options])
    assert ended.value.code == 2
    assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("backbone", "hidden", [10**6, 10**6]),  # 4 TB
        ("learner", "n_steps", 10**9),
        ("learner", "n_steps", "x"),
        ("backbone", "input_shape", None),
    ],
)
def test_a_learner_that_would_take_all_memory_or_time_is_refused(part, field, value, tmp_path: Path) -> None:
    write_learner(tmp_path / "learner")
    tensors, about = read(tmp_path / "learner")
    about[part]["arguments"][field] = value
    write(tmp_path / "other", tensors, about)
    with pytest.raises(DataError, match="does not hold a learner that this version can load"):
        load(tmp_path / "other")


def test_a_checkpoint_whose_best_parameters_do_not_fit_is_refused_before_training(tmp_path: Path) -> None:
    train(tmp_path / "checkpoint", 8)
    tensors, about = read(tmp_path / "checkpoint")
    name = next(name for name in tensors if name.startswith("best/"))
    write(tmp_path / "checkpoint", tensors | {name: tensors[name][:0]}, about)
    with pytest.raises(DataError, match=r"is damaged .*; remove it to start again"):
        train(tmp_path / "checkpoint", 12)


def test_a_folder_as_output_is_refused_before_the_data_are_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for out in (tmp_path, Path("/dev/null/learner")):
        with pytest.raises(SystemExit) as ended:
            main(["fewshot", "train", "--data", "nowhere", "--out", str(out)])
        assert ended.value.code == 2
        assert f"{out} cannot be written" in capfd.readouterr().err
