"""``automl-meta fewshot``: meta-train few-shot learners, evaluate them, and predict new classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl_meta.cli.shared import check_writable, print_json, say
from automl_meta.exceptions import UsageError

if TYPE_CHECKING:
    from automl_meta.fewshot import (
        FewShotLearner,
        TaskSource,
        TrainingOptions,
        TrainingProgress,
        TrainingResult,
    )

app = typer.Typer(help="Few-shot learning: meta-train on many tasks, then learn new classes from a few examples.", no_args_is_help=True)  # fmt: skip

DATA_HELP = (
    "digits, sinusoid, omniglot:FOLDER (folder of its archives), a folder with one subfolder of images per class, "
    "or a table with --target."
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
Data = Annotated[str, typer.Option(help=f"Data: {DATA_HELP}")]
Target = Annotated[str | None, typer.Option(help="Name of the target column of a table.")]
Way = Annotated[int, typer.Option(min=2, help="Number of classes per task.")]
Shot = Annotated[int, typer.Option(min=1, help="Support examples per class.")]
Query = Annotated[int, typer.Option(min=1, help="Query examples per class.")]
Inverted = Annotated[bool, typer.Option("--inverted", help="Invert brightness: dark ink on bright paper.")]
Size = Annotated[int, typer.Option(min=8, help="Height and width that images of a folder are resized to.")]
Colour = Annotated[bool, typer.Option("--colour", help="Read images of a folder as RGB, not greyscale.")]
Download = Annotated[bool, typer.Option("--download", help="Download missing files of Omniglot.")]
Device = Annotated[str, typer.Option(help="Device: auto, cpu or cuda.")]
Seed = Annotated[int, typer.Option(min=0, help="Random seed.")]
Model = Annotated[Path, typer.Argument(help="File of a learner, as written by train.")]

METHODS = ("protonet", "maml", "fomaml", "anil", "reptile", "metasgd", "finetuning")

_TRAIN_HELP = """Meta-train a learner on many small tasks sampled from your data.

The classes of folders and tables are split at random: 60 % for training, 20 % for validation, 20 % for testing (see
evaluate). After Ctrl-C, the same command resumes the training.

Examples:

  automl-meta fewshot train --data digits --time-limit 30 --out digits.safetensors

  automl-meta fewshot train --data omniglot:omniglot --download --way 36 --query 4 --tasks 1 --turns --temperature 32
  --learning-rate 0.01 --out omniglot.safetensors

  automl-meta fewshot train --data sinusoid --method maml --shot 10 --out waves.safetensors

  torchrun --nproc-per-node 4 -m automl_meta.cli fewshot train --data pictures --method maml --out pictures.safetensors
"""


@app.command(help=_TRAIN_HELP)
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write the learner to.")],
    method: Annotated[str, typer.Option(help=f"Method: {', '.join(METHODS)}.")] = "protonet",
    target: Target = None,
    way: Way = 5,
    shot: Shot = 1,
    query: Query = 5,
    tasks: Annotated[int, typer.Option(min=1, help="Number of tasks per optimiser step.")] = 4,
    steps: Annotated[int, typer.Option(min=1, help="Number of inner-loop steps (gradient methods).")] = 1,
    turns: Annotated[
        bool, typer.Option("--turns", help="Let all examples take turns in the support (protonet).")
    ] = False,
    temperature: Annotated[float, typer.Option(help="Divisor of the logits (protonet).")] = 1.0,
    learning_rate: Annotated[float, typer.Option(help="Learning rate of the optimiser.")] = 1e-3,
    time_limit: Annotated[
        float | None,
        typer.Option(min=0.1, help="Training time in seconds; 60 by default, unlimited with --episodes."),
    ] = None,
    episodes: Annotated[int | None, typer.Option(min=1, help="Number of training tasks.")] = None,
    device: Device = "auto",
    bf16: Annotated[bool, typer.Option("--bf16", help="Compute activations in bfloat16.")] = False,
    inverted: Inverted = False,
    size: Size = 28,
    colour: Colour = False,
    download: Download = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Meta-train a learner."""
    import torch

    from automl_meta.fewshot import TrainingOptions, save
    from automl_meta.fewshot.distributed import rank_of_environment

    checkpoint = out.with_name(out.name + ".checkpoint")
    for file in (out, checkpoint):
        check_writable(file, make_folder=True)
    torch.manual_seed(seed)
    source, valid = (
        _source(data, part, target=target, inverted=inverted, size=size, colour=colour, download=download)
        for part in ("train", "valid")
    )
    learner = _learner(method, source, steps, turns, temperature)
    options = TrainingOptions(
        n_episodes=episodes,
        time_limit=60.0 if time_limit is None and episodes is None else time_limit,
        n_way=None if source.n_classes is None else way,
        n_shot=shot,
        n_query=query,
        n_tasks=tasks,
        learning_rate=learning_rate,
        precision="bfloat16" if bf16 else "float32",
        valid_way=None if valid is None or valid.n_classes is None else min(way, valid.n_classes),
    )
    is_first = rank_of_environment() == 0
    result = _train(learner, source, valid, options, checkpoint, seed, device, is_first and not json)
    if not is_first:
        return
    save(learner, out)
    checkpoint.unlink(missing_ok=True)
    if json:
        print_json({"out": str(out), **vars(result)})
        return
    best = "" if result.best_score is None else f", best validation score {result.best_score:.4f}"
    say(f"{result.episodes} tasks in {result.seconds:.1f} s{best}. Written to {out}.")


def _train(
    learner: FewShotLearner,
    source: TaskSource,
    valid: TaskSource | None,
    options: TrainingOptions,
    checkpoint: Path,
    seed: int,
    device: str,
    is_shown: bool,
) -> TrainingResult:
    """Meta-train with a progress bar; on Ctrl-C, tell how to resume and exit."""
    from automl_meta.fewshot import meta_fit

    try:
        with _progress_bar(is_shown) as progress:
            return meta_fit(
                learner,
                source,
                options,
                valid_source=valid,
                checkpoint=checkpoint,
                random_state=seed,
                device=device,
                progress=progress,
            )
    except KeyboardInterrupt:
        say(f"Interrupted. The training state is in {checkpoint}; run the same command again to resume.")
        raise typer.Exit(130) from None


@app.command()
def evaluate(
    model: Model,
    data: Data,
    target: Target = None,
    way: Way = 5,
    shot: Shot = 1,
    query: Query = 15,
    episodes: Annotated[int, typer.Option(min=2, help="Number of test tasks.")] = 1000,
    device: Device = "auto",
    inverted: Inverted = False,
    size: Size = 28,
    colour: Colour = False,
    download: Download = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Evaluate a learner on tasks of the test classes, which it was not trained on."""
    from automl_meta.fewshot import evaluate as evaluate_learner
    from automl_meta.fewshot import load
    from automl_meta.fewshot.meta_training import choose_device

    learner = load(model, choose_device(device))
    source = _source(
        data, "test", target=target, inverted=inverted, size=size, colour=colour, download=download
    )
    found = evaluate_learner(
        learner,
        source.to(learner.device),
        n_way=None if source.n_classes is None else way,
        n_shot=shot,
        n_query=query,
        n_episodes=episodes,
        random_state=seed,
    )
    if json:
        print_json(found.to_dict())
    else:
        say(found)


@app.command()
def predict(
    model: Model,
    support: Annotated[
        Path, typer.Option(help="Support: a folder with one subfolder of images per class, or a table.")
    ],
    query: Annotated[Path, typer.Option(help="Queries: a folder of images, an image, or a table.")],
    target: Target = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Learn new classes from a few labelled examples, and predict the classes of queries."""
    from automl_meta.fewshot import FewShotClassifier, load
    from automl_meta.fewshot.meta_training import choose_device

    learner = load(model, choose_device(device))
    if learner.description.get("kind") == "image":
        X, y, queries, names = _images(learner, support, query)
    else:
        X, y, queries, names = _tables(support, query, target)
    classifier = FewShotClassifier(learner).fit(X, y)
    probabilities = classifier.predict_proba(queries)
    predictions: list[dict[str, Any]] = [
        {"query": name, "class": str(classifier.classes_[row.argmax()]), "probability": float(row.max())}
        for name, row in zip(names, probabilities, strict=True)
    ]
    if json:
        print_json({"classes": [str(c) for c in classifier.classes_], "predictions": predictions})
        return
    for prediction in predictions:
        say(f"{prediction['query']}: {prediction['class']} ({100 * prediction['probability']:.0f} %)")


@app.command()
def info(model: Model, json: Json = False) -> None:
    """Show the method, the backbone and the training data of a learner."""
    from automl_meta.fewshot.saving import read

    tensors, about = read(model)
    content = {key: value for key, value in about.items() if key not in ("losses", "result")}
    content["parameters"] = sum(
        tensor.numel() for name, tensor in tensors.items() if "/" not in name or name.startswith("learner/")
    )
    if json:
        print_json(content)
        return
    for key, value in content.items():
        say(f"{key}: {value}")


def _source(
    data: str, part: str, *, target: str | None, inverted: bool, size: int, colour: bool, download: bool
) -> Any:
    """Return the source of a part of the classes; None if there is no validation part."""
    from automl_meta import fewshot
    from automl_meta.task import read_table

    if data == "digits":
        return None if part == "valid" else fewshot.DigitsSource(part)
    if data == "sinusoid":
        return fewshot.SinusoidSource()
    if data.startswith("omniglot:"):
        return fewshot.OmniglotSource(data.removeprefix("omniglot:"), part, download=download)  # type: ignore[arg-type]
    path = Path(data)
    if path.is_dir():
        whole: Any = fewshot.ImageFolderSource(path, (3 if colour else 1, size, size), inverted)
    elif path.exists():
        whole = fewshot.TabularSource(read_table(path), _required(target, data))
    else:
        raise UsageError(f"--data is {data!r}, which is not a file or folder. Valid data are: {DATA_HELP}")
    parts = dict(zip(("train", "valid", "test"), whole.split((0.6, 0.2, 0.2), random_state=0), strict=True))
    return parts[part]


def _required(target: str | None, table: object) -> str:
    if target is None:
        raise UsageError(f"Give the target column of {table}: --target NAME.")
    return target


def _learner(method: str, source: TaskSource, steps: int, turns: bool, temperature: float) -> FewShotLearner:
    """Create a learner with a backbone that suits the data and the method."""
    from automl_meta.fewshot import LEARNERS, MAML, MLP, Conv4, FineTuning, PrototypicalNetwork

    kinds: dict[str, Any] = {
        "protonet" if kind is PrototypicalNetwork else kind.__name__.lower(): kind for kind in LEARNERS
    }
    if method not in kinds:
        raise UsageError(f"--method is {method!r}; it must be one of {', '.join(kinds)}.")
    gradient_methods = [name for name, kind in kinds.items() if issubclass(kind, MAML)]
    is_regression, shape = source.n_classes is None, source.input_shape
    if is_regression and method not in gradient_methods:
        raise UsageError(
            f"--method {method} is for classification; for regression, use one of {', '.join(gradient_methods)}."
        )
    if len(shape) == 3:
        pooled = method not in gradient_methods and min(shape[1:]) >= 16
        backbone: Any = Conv4(shape, pooling="max" if pooled else "stride")
    else:
        backbone = MLP(shape, (40, 40) if is_regression else (64, 64))
    if method == "protonet":
        return PrototypicalNetwork(backbone, temperature=temperature, turns=turns)
    if turns or temperature != 1.0:
        raise UsageError(f"--turns and --temperature apply to --method protonet, not to {method}.")
    if method == "finetuning":
        return FineTuning(backbone, n_classes=source.n_classes or 0)
    options: dict[str, Any] = {}
    if method in gradient_methods:
        rate = 0.01 if is_regression else 0.4 if len(shape) == 3 else 0.1
        options = {"n_steps": steps, "learning_rate": rate, "regression": is_regression}
    learner: FewShotLearner = kinds[method](backbone, **options)
    return learner


def _images(learner: FewShotLearner, support: Path, query: Path) -> tuple[Any, Any, Any, list[str]]:
    """Read the support and the queries in the format that the learner was trained on."""
    import numpy as np

    from automl_meta.exceptions import DataError
    from automl_meta.fewshot.sources.image_folder import image_files, read_image_folder
    from automl_meta.fewshot.sources.images import read_image

    shape, inverted = learner.backbone.input_shape, bool(learner.description.get("inverted"))
    X, y = read_image_folder(support, shape, inverted=inverted)
    if not query.exists():
        raise UsageError(f"--query is {query}, which is not a file or folder.")
    files = image_files(query) if query.is_dir() else [query]
    if not files:
        raise DataError(f"{query} contains no images.")
    queries = np.stack([read_image(file, shape, str(file), inverted=inverted) for file in files])
    return X, y, queries, [str(file) for file in files]


def _tables(support: Path, query: Path, target: str | None) -> tuple[Any, Any, Any, list[str]]:
    """Read the tables of the support and of the queries, which need no target column."""
    from automl_meta.exceptions import DataError
    from automl_meta.task import read_table

    target = _required(target, support)
    known, queries = read_table(support), read_table(query)
    if target not in known.columns:
        raise DataError(f"{support} has no column {target!r}; it has {', '.join(map(str, known.columns))}.")
    features = [column for column in known.columns if column != target]
    missing = [str(column) for column in features if column not in queries.columns]
    if missing:
        raise DataError(f"{query} has no column {missing[0]!r}, which {support} has.")
    return known[features], known[target], queries[features], [str(i) for i in range(len(queries))]


@contextmanager
def _progress_bar(is_shown: bool) -> Iterator[Callable[[TrainingProgress], None]]:
    """Show a progress bar with tasks per second, loss and validation score."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    score = ""
    with Progress(*columns, console=Console(stderr=True), disable=not is_shown) as bar:
        line = bar.add_task("", total=1.0)

        def show(state: TrainingProgress) -> None:
            nonlocal score
            if state.valid_score is not None:
                score = f", validation {state.valid_score:.4f}"
            rate = state.episodes / max(state.seconds, 1e-9)
            text = f"{rate:.0f} tasks/s, loss {state.loss:.4f}{score}"
            bar.update(line, completed=state.fraction, description=text)

        yield show
