"""No damage to a model does more than one line, at loading or predicting: no traceback, crash or hang."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fuzzing import Child, fuzz
from fuzzing_files import MODELS, predict
from sklearn.ensemble import BaggingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from automl_meta.automl import TabularModel
from automl_meta.automl.lightgbm_text import check_lightgbm_text
from automl_meta.automl.native import check_estimators
from automl_meta.cli import main
from automl_meta.exceptions import DataError

DAMAGED = Path(__file__).parents[1] / "assets" / "cases" / "damaged"


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A model of each kind, made when it is asked for."""
    folder = tmp_path_factory.mktemp("models")

    def made(name: str) -> Path:
        if not (folder / name).exists():
            MODELS[name].write(folder / name)
        return folder / name

    return made


@pytest.mark.parametrize(
    "name", ["decision_tree.skops", "hist_gradient_boosting.skops", "lightgbm.skops", "knn.skops"]
)
def test_a_damaged_model_predicts_or_is_refused_in_one_line(
    child: Child, intact: Callable[[str], Path], name: str, tmp_path: Path
) -> None:
    assert fuzz(child, predict, intact(name), tmp_path, range(40), MODELS[name].damage).bad == []


@pytest.mark.parametrize("name", ["tree_left_big", "tree_loop", "del_labels"])
def test_models_that_crashed_or_hung_once_are_refused(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(DAMAGED / f"{name}.skops"), str(DAMAGED / "new.csv")])
    assert ended.value.code == 2
    assert capfd.readouterr().err.count("\n") == 1


def changed(file: Path, to: Path, change: Callable[[object], None], kind: str) -> Path:
    """A copy of a model of which the first array that has the fields of a kind was changed, with right checksums."""
    made = io.BytesIO()
    done = False
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith(".npy") and not done:
                array = np.load(io.BytesIO(content))
                if kind in (array.dtype.names or ()):
                    change(array)
                    out = io.BytesIO()
                    np.save(out, array)
                    content, done = out.getvalue(), True
            after.writestr(name, content)
    assert done
    to.write_bytes(made.getvalue())
    return to


def put(field: str, row: int, value: int) -> Callable[[np.ndarray], None]:
    def change(array: np.ndarray) -> None:
        array[field][row] = value

    return change


@pytest.mark.parametrize(
    ("name", "kind", "field", "value"),
    [
        ("decision_tree.skops", "left_child", "left_child", 10**6),
        ("decision_tree.skops", "left_child", "right_child", 0),
        ("decision_tree.skops", "left_child", "left_child", -7),
        ("decision_tree.skops", "left_child", "feature", 10**6),
        ("hist_gradient_boosting.skops", "feature_idx", "left", 10**6),
        ("hist_gradient_boosting.skops", "feature_idx", "right", 0),
        ("hist_gradient_boosting.skops", "feature_idx", "feature_idx", 10**6),
        ("knn.skops", "idx_start", "idx_end", 10**6),
        ("knn.skops", "idx_start", "idx_start", -1),
    ],
)
def test_numbers_that_lead_out_of_a_model_or_in_circles_are_refused(
    intact: Callable[[str], Path], name: str, kind: str, field: str, value: int, tmp_path: Path
) -> None:
    file = changed(intact(name), tmp_path / name, put(field, 0, value), kind)
    with pytest.raises(DataError, match="inconsistent"):
        TabularModel.load(file)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("left_child=", "left_child=100 "),
        ("num_leaves=", "num_leaves=9"),
        ("split_feature=", "split_feature=99999 "),
        ("max_feature_idx=", "max_feature_idx=9"),
        ("tree_sizes=", "tree_sizes=1 "),
        ("num_class=", "num_class=9"),
        ("objective=", "objective=multiclass num_class:900000 "),
        ("is_linear=0", "is_linear=1"),
        ("version=", "further=1\nversion="),
        ("left_child=", "left_child=1\r"),
    ],
)
def test_a_lightgbm_text_that_contradicts_itself_is_refused(
    intact: Callable[[str], Path], before: str, after: str
) -> None:
    text = (
        TabularModel.load(intact("lightgbm.skops"))
        .pipelines[0][-1]
        .booster_.model_to_string(num_iteration=-1)
    )
    check_lightgbm_text(text)
    with pytest.raises(DataError, match="LightGBM"):
        check_lightgbm_text(text.replace(before, after, 1))


def test_a_model_that_unpacks_to_much_more_than_its_size_is_refused(
    intact: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tmp_path / "bomb.skops"
    with (
        zipfile.ZipFile(intact("knn.skops")) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            after.writestr(name, before.read(name))
        after.writestr("zeros.npy", bytes(80 << 20))
    with pytest.raises(DataError, match=r"would unpack to 0\.1 GiB"):
        TabularModel.load(file)


def test_a_model_whose_parts_hold_each_other_again_and_again_is_refused(tmp_path: Path) -> None:
    """Forty lists of two of the next one: a trillion, in five kilobytes."""
    node = '{"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "__id__": %d, "content": [%s]%s}'
    schema = node % (40, "", "")
    for number in range(39, 0, -1):
        again = node % (number + 1, "", "")
        schema = node % (number, f"{schema}, {again}", ', "protocol": 2' if number == 1 else "")
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", schema)
    with pytest.raises(DataError, match="hold each other too often"):
        TabularModel.load(tmp_path / "model.skops")


def test_a_model_that_no_file_may_hold_is_refused_when_it_is_saved(
    intact: Callable[[str], Path], tmp_path: Path
) -> None:
    model = TabularModel.load(intact("decision_tree.skops"))
    model.pipelines = [make_pipeline(FunctionTransformer(pd.DataFrame.copy), *model.pipelines)]
    with pytest.raises(ValueError, match=r"cannot be saved.*copy"):
        model.save(tmp_path / "model.skops")
    assert list(tmp_path.iterdir()) == []


def test_an_ensemble_of_members_with_columns_of_their_own_is_no_contradiction() -> None:
    X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 2
    check_estimators(BaggingClassifier(max_features=0.5, n_estimators=3, random_state=0).fit(X, y))
