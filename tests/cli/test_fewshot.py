import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="the extra fewshot is not installed")

from PIL import Image
from sklearn.datasets import load_digits


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    digits = load_digits()
    for i, (image, label) in enumerate(zip(digits.images[:200], digits.target, strict=False)):
        inner = folder / f"digit {label}"
        inner.mkdir(exist_ok=True)
        Image.fromarray((image * 15).astype(np.uint8)).save(inner / f"{i}.png")
    return folder


def test_train_evaluate_info_and_predict_images(run, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "learner.safetensors"
    shape = ["--way", 2, "--query", 3]
    done = run(
        "fewshot", "train", "--data", pictures, "--out", out, "--size", 16, "--episodes", 40, *shape, "--json"
    )
    assert done.code == 0, done.err
    assert done.json["episodes"] == 40
    assert list(tmp_path.iterdir()) == [out]
    other = tmp_path / "turns.safetensors"
    turns = ["--turns", "--temperature", 2, *shape]
    run("fewshot", "train", "--data", pictures, "--out", other, "--size", 16, "--episodes", 40, *turns)
    assert run("fewshot", "info", other, "--json").json["learner"]["arguments"]["turns"] is True
    options = ["--data", pictures, "--size", 16, "--episodes", 20]
    judged = run("fewshot", "evaluate", out, *options, *shape, "--json").json
    assert 0.4 < judged["accuracy"] <= 1
    assert "accuracy" in run("fewshot", "evaluate", out, *options, *shape).out
    content = run("fewshot", "info", out, "--json").json
    assert content["learner"]["class"] == "PrototypicalNetwork"
    assert content["description"]["input_shape"] == [1, 16, 16]
    assert "Conv4" in run("fewshot", "info", out).out
    asked = pictures / "digit 0"
    answers = run("fewshot", "predict", out, "--support", pictures, "--query", asked, "--json").json
    assert len(answers["classes"]) == 10
    assert len(answers["predictions"]) == len(list(asked.iterdir()))
    assert "digit" in run("fewshot", "predict", out, "--support", pictures, "--query", asked).out


def test_train_and_predict_a_table(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([f"c{i}" for i in range(12)], 12)
    frame = pd.DataFrame(rng.normal(size=(144, 3)) + np.repeat(rng.normal(size=(12, 3)) * 9, 12, axis=0))
    frame.columns = ["a", "b", "c"]
    frame.assign(y=y).to_csv(tmp_path / "train.csv", index=False)
    out = tmp_path / "learner.safetensors"
    options = ["--data", tmp_path / "train.csv", "--target", "y", "--way", 2]
    assert run("fewshot", "train", *options, "--method", "maml", "--out", out, "--episodes", 40).code == 0
    frame.assign(y=y)[::4].to_csv(tmp_path / "support.csv", index=False)
    frame.to_csv(tmp_path / "query.csv", index=False)
    asked = ["--support", tmp_path / "support.csv", "--query", tmp_path / "query.csv"]
    answers = run("fewshot", "predict", out, *asked, "--target", "y", "--json").json
    assert len(answers["predictions"]) == 144
    done = run("fewshot", "predict", out, *asked)
    assert done.code == 2
    assert "--target" in done.err
    frame[["a"]].to_csv(tmp_path / "query.csv", index=False)
    assert "no column 'b'" in run("fewshot", "predict", out, *asked, "--target", "y").err


def test_sine_waves(run, tmp_path: Path) -> None:
    out = tmp_path / "waves.safetensors"
    options = ["--data", "sinusoid", "--method", "maml", "--shot", 5, "--out", out, "--episodes", 40]
    assert run("fewshot", "train", *options).code == 0
    judged = run(
        "fewshot", "evaluate", out, "--data", "sinusoid", "--shot", 5, "--episodes", 5, "--json"
    ).json
    assert judged["mse"] > 0
    assert "squared error" in run("fewshot", "evaluate", out, "--data", "sinusoid", "--episodes", 5).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "not a file or folder"),
        (["--data", "digits", "--method", "magic"], "must be one of protonet"),
        (["--data", "sinusoid"], "for regression, use one of maml"),
        (["--data", "digits", "--method", "maml", "--turns"], "apply to --method protonet"),
        (["--data", "digits", "--shot", 100000], "has 1"),
        (["--data", "digits", "--device", "abacus"], "device is 'abacus'"),
        (["--data", "omniglot:nowhere"], "--download"),
    ],
)
def test_what_cannot_be_trained_on_is_a_clear_error(run, tmp_path: Path, arguments, message: str) -> None:
    done = run("fewshot", "train", "--out", tmp_path / "out", *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_without_torch_the_commands_say_how_to_install_it(tmp_path: Path) -> None:
    program = (
        "import sys, importlib.util as u; found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'torch' else found(name, *rest)\n"
        "from automl_meta.cli import main\n"
        f"main(['fewshot', 'info', {str(tmp_path)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install -e '.[fewshot]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_classes_and_files_of_any_name(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = [
        "[/x]",
        "e[red]x",
        "\x1b[31mred",
        "a\nb",
        "{0}",
        "$x$",
        "__init__",
        "%s",
        "\u202etxt",
        "'",
        '"""',
        "ß",
    ]
    frame = pd.DataFrame(rng.normal(size=(144, 3)), columns=["[/x]", "a__b", "\x1b[0m"])
    table, out = tmp_path / "e[red]x.csv", tmp_path / "\x1b[31m[x].safetensors"
    frame.assign(**{"tar[/x]get": np.repeat(labels, 12)}).to_csv(table, index=False)
    options = ["--target", "tar[/x]get"]
    trained = run("fewshot", "train", "--data", table, *options, "--way", 2, "--episodes", 8, "--out", out)
    assert trained.code == 0, trained.err
    assert f"Written to {tmp_path}/\\x1b[31m[x].safetensors." in trained.out
    asked = ["--support", table, "--query", table, *options]
    answered = run("fewshot", "predict", out, *asked)
    assert len(answered.out.splitlines()) == 144
    assert "\x1b" not in answered.out + trained.out
    assert run("fewshot", "predict", out, *asked, "--json").json["classes"] == sorted(labels)
