"""The README is true when tried: its code blocks, its commands, its example of output, its links."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from automl_meta.algorithms import ALGORITHMS
from automl_meta.cli import main
from automl_meta.metafeatures import all_names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="the extra fewshot is not installed")
slow = pytest.mark.slow

SHORTER = {"--time-limit 60 ": "--time-limit 6 ", "--time-limit 600 ": "--time-limit 3 ", "time_limit=60": "time_limit=6"}  # fmt: skip


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def shortened(text: str) -> str:
    for long, short in SHORTER.items():
        text = text.replace(long, short)
    return text


def commands() -> list[str]:
    """All that begin with automl-meta, in blocks and in the table."""
    lines = [line.split("  # ")[0] for block in blocks("bash") for line in block.splitlines()]
    lines += re.findall(r"^\| `(automl-meta .+?)` \|", README, flags=re.MULTILINE)
    return list(dict.fromkeys(line for line in lines if line.startswith("automl-meta ")))


def marked(command: str) -> pytest.ParameterSet:
    is_slow = "evaluate --plot" in command or "collect" in command
    marks = [needs_torch] * ("fewshot" in command) + [slow] * is_slow
    return pytest.param(command, marks=marks, id=command)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the README names."""
    folder = tmp_path_factory.mktemp("readme")
    X, y = load_wine(return_X_y=True, as_frame=True)
    table = X.iloc[:, :4].assign(y=y.map({0: "a", 1: "b", 2: "c"}))
    for name in ("data", "churn"):
        table.to_csv(folder / f"{name}.csv", index=False)
    rng = np.random.default_rng(0)
    sales = pd.DataFrame(
        {
            "id": [f"order {number}" for number in range(60)],
            "zip": rng.choice(["01234", "99999"], 60),
            "day": pd.date_range("2024-01-01", periods=60).strftime("%d/%m/%Y"),
            "weight": [f"{weight:.1f}".replace(".", ",") for weight in rng.uniform(1, 9, 60)],
            "revenue": [f"{revenue:.2f}".replace(".", ",") for revenue in rng.uniform(1, 99, 60)],
            "y": rng.choice(["p", "q"], 60),
        }
    )
    sales.to_csv(folder / "sales.csv", index=False)
    X.head(3).to_csv(folder / "new.csv", index=False)
    pd.DataFrame({"file": ["data.csv"], "target": ["y"]}).to_csv(folder / "datasets.csv", index=False)
    return folder


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def call(command: str) -> None:
    arguments = shlex.split(shortened(command))[1:]
    if arguments[0] == "tune" and "--time-limit" not in command:
        arguments += ["--trials", "1"]
    if arguments[:2] == ["fewshot", "train"] and "--time-limit" not in command:
        arguments += ["--episodes", "4"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code in (0, None), command


def prepare(command: str, folder: Path) -> None:
    """Make what an earlier command of the README would have made."""
    if "predict model.skops" in command and not (folder / "model.skops").exists():
        call("automl-meta tune data.csv --target y --trials 1 --out model.skops")
    if "studies.db" in command:
        import optuna

        optuna.create_study(study_name="mine", storage="sqlite:///studies.db", direction="maximize")
    if "fewshot" in command and not (folder / "pictures").exists():
        from PIL import Image

        rng = np.random.default_rng(0)
        for name in ("pictures", "new_classes"):
            for label in range(15):
                (folder / name / f"class{label}").mkdir(parents=True)
                for number in range(8):
                    ink = rng.integers(0, 256, (12, 12), dtype=np.uint8)
                    Image.fromarray(ink).save(folder / name / f"class{label}" / f"{number}.png")
        Image.fromarray(ink).save(folder / "unknown.png")
    if "fewshot predict" in command and not (folder / "learner.safetensors").exists():
        call("automl-meta fewshot train --data pictures --episodes 4 --way 3 --out learner.safetensors")


@pytest.mark.parametrize("command", [marked(command) for command in commands()])
def test_a_command_of_the_readme_works(
    inside: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(command, inside)
    if "store import optuna" in command:  # says which data set, where the study does not
        command += " --data sklearn:iris --metric accuracy"
    call(command)
    assert capsys.readouterr().out


def test_python_blocks_of_the_readme_run_one_after_the_other(inside: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks("python"):
        if "automl_meta.fewshot" in block and find_spec("torch") is None:
            continue
        exec(compile(shortened(block), "README.md", "exec"), names)
    assert len(names["advice"].configurations) > 0


def test_the_output_in_the_readme_is_that_of_the_command(tmp_path: Path) -> None:
    [shown] = [block for block in blocks("") if block.startswith("$ automl-meta recommend")]
    command, *lines = shown.splitlines()
    done = subprocess.run(
        [sys.executable, "-m", "automl_meta", *shlex.split(command)[2:]],
        capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "80", "AUTOML_META_STORE": str(tmp_path / "new.db")},
    )  # fmt: skip
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    for line in lines:
        assert line.strip() == "…" or line in printed, line


def test_extras_and_files_that_the_readme_names_are_there() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r'"\.\[(\w+)\]"', README)) <= set(extras)
    assert "automl_meta[" not in README, "it is on no registry"
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / link).is_file(), link


def test_numbers_of_the_readme_are_those_of_the_package() -> None:
    n_classification, n_regression = (len(all_names(kind)) for kind in ("classification", "regression"))
    assert f"{n_classification} meta-features for classification, {n_regression} for regression" in README
    assert f"{len({algorithm.name for algorithm in ALGORITHMS})} algorithms with preprocessing" in README
    n_datasets = len(pd.read_csv(ROOT / "metadata" / "datasets.csv"))
    assert f"experience from {n_datasets} real data sets" in README


def test_every_package_is_listed() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", README, flags=re.MULTILINE))
    packages = {path.parent.name for path in (ROOT / "automl_meta").glob("*/__init__.py")}
    assert listed == {name for name in packages if not name.startswith("_")} - {"cli"}
