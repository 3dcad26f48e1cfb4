"""``automl-meta fewshot``: learn to learn from a handful of examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl_meta.cli.shared import check_writable, print_json, say
from automl_meta.exceptions import UsageError

if TYPE_CHECKING:
    from automl_meta.fewshot import FewShotLearner, TaskSource
    from automl_meta.fewshot.meta_training import TrainingProgress

app = typer.Typer(help="Few-shot learning: train on many tasks, then learn new classes from a few examples.", no_args_is_help=True)  # fmt: skip

DATA_HELP = (
    "What to learn from: digits, sinusoid, omniglot:FOLDER (its archives), a folder with a folder of images for "
    "each class, or a table with --target."
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
Data = Annotated[str, typer.Option(help=DATA_HELP)]
Target = Annotated[str | None, typer.Option(help="The column of classes, if the data is a table.")]
Inverted = Annotated[bool, typer.Option("--inverted", help="Images are dark ink on bright paper.")]
Size = Annotated[int, typer.Option(min=8, help="Height and width to which images of a folder are brought.")]
Colour = Annotated[bool, typer.Option("--colour", help="Images of a folder keep their colours.")]
Download = Annotated[bool, typer.Option("--download", help="Fetch what is missing of Omniglot.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Model = Annotated[Path, typer.Argument(help="What train has written.")]

METHODS = ("protonet", "maml", "fomaml", "anil", "reptile", "metasgd", "finetuning")

_TRAIN_HELP = """Train a learner on many small tasks of your data.

Classes are divided: three fifths to train on, one fifth to choose by, one fifth to test on (see evaluate).
Ctrl-C keeps what was reached; the same command goes on from there.

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
    out: Annotated[Path, typer.Option(help="Where to write the learner.")],
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "protonet",
    target: Target = None,
    way: Annotated[int, typer.Option(min=2, help="Classes of a task.")] = 5,
    shot: Annotated[int, typer.Option(min=1, help="Examples of each class to learn from.")] = 1,
    query: Annotated[int, typer.Option(min=1, help="Examples of each class to answer.")] = 5,
    tasks: Annotated[int, typer.Option(min=1, help="Tasks of one step of the optimiser.")] = 4,
    steps: Annotated[int, typer.Option(min=1, help="Inner steps of the gradient methods.")] = 1,
    turns: Annotated[
        bool, typer.Option("--turns", help="Prototypes: in training every example takes its turn as support.")
    ] = False,
    temperature: Annotated[
        float, typer.Option(help="Prototypes: squared distances are divided by it.")
    ] = 1.0,
    learning_rate: Annotated[float, typer.Option(help="Of the outer optimiser.")] = 1e-3,
    time_limit: Annotated[float | None, typer.Option(min=0.1, help="Seconds; 60 by default.")] = None,
    episodes: Annotated[int | None, typer.Option(min=1, help="Tasks to train on.")] = None,
    device: Device = "auto",
    bf16: Annotated[bool, typer.Option("--bf16", help="Compute activations in bfloat16.")] = False,
    inverted: Inverted = False,
    size: Size = 28,
    colour: Colour = False,
    download: Download = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides initial parameters and tasks.")] = 0,
    json: Json = False,
) -> None:
    """Train a learner."""
    import torch

    from automl_meta.fewshot import meta_fit, save
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
    options: dict[str, Any] = {
        "n_way": None if source.n_classes is None else way,
        "n_shot": shot,
        "n_query": query,
    }
    if valid is not None and valid.n_classes is not None:
        options["valid_way"] = min(way, valid.n_classes)
    is_first = rank_of_environment() == 0
    try:
        with _bar(is_first and not json) as progress:
            result = meta_fit(
                learner,
                source,
                valid_source=valid,
                n_tasks=tasks,
                n_episodes=episodes,
                time_limit=60.0 if time_limit is None and episodes is None else time_limit,
                learning_rate=learning_rate,
                precision="bfloat16" if bf16 else "float32",
                device=device,
                checkpoint=checkpoint,
                random_state=seed,
                progress=progress,
                **options,
            )
    except KeyboardInterrupt:
        say(f"Interrupted. {checkpoint} holds what was reached; the same command goes on from there.")
        raise typer.Exit(130) from None
    if not is_first:
        return
    save(learner, out)
    checkpoint.unlink(missing_ok=True)
    if json:
        print_json({"out": str(out), **vars(result)})
        return
    best = "" if result.best_score is None else f", best validation score {result.best_score:.4f}"
    say(f"{result.episodes} tasks in {result.seconds:.1f} s{best}. Written to {out}.")


@app.command()
def evaluate(
    model: Model,
    data: Data,
    target: Target = None,
    way: Annotated[int, typer.Option(min=2, help="Classes of a task.")] = 5,
    shot: Annotated[int, typer.Option(min=1, help="Examples of each class to learn from.")] = 1,
    query: Annotated[int, typer.Option(min=1, help="Examples of each class to answer.")] = 15,
    episodes: Annotated[int, typer.Option(min=2, help="Number of tasks.")] = 1000,
    device: Device = "auto",
    inverted: Inverted = False,
    size: Size = 28,
    colour: Colour = False,
    download: Download = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides the tasks.")] = 0,
    json: Json = False,
) -> None:
    """Judge a learner on tasks of classes that it was not trained on."""
    from automl_meta.fewshot import evaluate as judge
    from automl_meta.fewshot import load
    from automl_meta.fewshot.meta_training import choose_device

    learner = load(model, choose_device(device))
    source = _source(
        data, "test", target=target, inverted=inverted, size=size, colour=colour, download=download
    )
    found = judge(
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
        Path, typer.Option(help="A folder with a folder of images for each class; or a table.")
    ],
    query: Annotated[Path, typer.Option(help="A folder of images, or one image; or a table.")],
    target: Target = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Learn classes from a few examples, and say of which class others are."""
    from automl_meta.fewshot import FewShotClassifier, load
    from automl_meta.fewshot.meta_training import choose_device

    learner = load(model, choose_device(device))
    if learner.description.get("kind") == "image":
        X, y, asked, names = _images(learner, support, query)
    else:
        X, y, asked, names = _tables(support, query, target)
    classifier = FewShotClassifier(learner).fit(X, y)
    chances = classifier.predict_proba(asked)
    answers: list[dict[str, Any]] = [
        {"query": name, "class": str(classifier.classes_[row.argmax()]), "probability": float(row.max())}
        for name, row in zip(names, chances, strict=True)
    ]
    if json:
        print_json({"classes": [str(c) for c in classifier.classes_], "predictions": answers})
        return
    for answer in answers:
        say(f"{answer['query']}: {answer['class']} ({100 * answer['probability']:.0f} %)")


@app.command()
def info(model: Model, json: Json = False) -> None:
    """Say what a learner is and what it was trained on."""
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
    """Return the classes of a part; None where there is none for validation."""
    from automl_meta.fewshot import (
        DigitsSource,
        ImageFolderSource,
        OmniglotSource,
        SinusoidSource,
        TabularSource,
    )
    from automl_meta.task import read_table

    if data == "digits":
        return None if part == "valid" else DigitsSource(part)
    if data == "sinusoid":
        return SinusoidSource()
    if data.startswith("omniglot:"):
        return OmniglotSource(data.removeprefix("omniglot:"), part, download=download)  # type: ignore[arg-type]
    path = Path(data)
    if path.is_dir():
        whole: Any = ImageFolderSource(path, (3 if colour else 1, size, size), inverted)
    elif path.exists():
        if target is None:
            raise UsageError(f"Say which column of {data} holds the classes: --target NAME.")
        whole = TabularSource(read_table(path), target)
    else:
        raise UsageError(f"--data is {data!r}, which is no file or folder. It can be: {DATA_HELP}")
    parts = dict(zip(("train", "valid", "test"), whole.split((0.6, 0.2, 0.2), random_state=0), strict=True))
    return parts[part]


def _learner(method: str, source: TaskSource, steps: int, turns: bool, temperature: float) -> FewShotLearner:
    """Make a learner with the backbone that its data and method ask for."""
    from automl_meta.fewshot import (
        ANIL,
        FOMAML,
        MAML,
        MLP,
        Conv4,
        FineTuning,
        MetaSGD,
        PrototypicalNetwork,
        Reptile,
    )

    gradient_methods: dict[str, Any] = {
        "maml": MAML, "fomaml": FOMAML, "anil": ANIL, "reptile": Reptile, "metasgd": MetaSGD,
    }  # fmt: skip
    if method not in METHODS:
        raise UsageError(f"--method is {method!r}; it must be one of {', '.join(METHODS)}.")
    is_regression = source.n_classes is None
    if is_regression and method not in gradient_methods:
        raise UsageError(
            f"--method {method} is for classes; for numbers use one of {', '.join(gradient_methods)}."
        )
    shape = source.input_shape
    if len(shape) == 3:
        pooled = method not in gradient_methods and min(shape[1:]) >= 16
        backbone: Any = Conv4(shape, pooling="max" if pooled else "stride")
    else:
        backbone = MLP(shape, (40, 40) if is_regression else (64, 64))
    if method == "protonet":
        return PrototypicalNetwork(backbone, temperature=temperature, turns=turns)
    if turns or temperature != 1.0:
        raise UsageError(f"--turns and --temperature are of --method protonet, not of {method}.")
    if method == "finetuning":
        return FineTuning(backbone, n_classes=source.n_classes or 0)
    rate = 0.01 if is_regression else 0.4 if len(shape) == 3 else 0.1
    kind = gradient_methods[method]
    return kind(backbone, n_steps=steps, learning_rate=rate, regression=is_regression)


def _images(learner: FewShotLearner, support: Path, query: Path) -> tuple[Any, Any, Any, list[str]]:
    """Read the support and what is asked as the learner was trained to see them."""
    import numpy as np

    from automl_meta.exceptions import DataError
    from automl_meta.fewshot.sources.image_folder import image_files, read_image_folder
    from automl_meta.fewshot.sources.images import read_image

    shape, inverted = learner.backbone.input_shape, bool(learner.description.get("inverted"))
    X, y = read_image_folder(support, shape, inverted=inverted)
    if not query.exists():
        raise UsageError(f"--query is {query}, which is no file or folder.")
    files = image_files(query) if query.is_dir() else [query]
    if not files:
        raise DataError(f"{query} holds no images.")
    asked = np.stack([read_image(file, shape, str(file), inverted=inverted) for file in files])
    return X, y, asked, [str(file) for file in files]


def _tables(support: Path, query: Path, target: str | None) -> tuple[Any, Any, Any, list[str]]:
    """Read both tables; what is asked needs no column of classes."""
    from automl_meta.exceptions import DataError
    from automl_meta.task import read_table

    if target is None:
        raise UsageError(f"Say which column of {support} holds the classes: --target NAME.")
    known, asked = read_table(support), read_table(query)
    if target not in known.columns:
        raise DataError(f"{support} has no column {target!r}; it has {', '.join(map(str, known.columns))}.")
    features = [column for column in known.columns if column != target]
    missing = [str(column) for column in features if column not in asked.columns]
    if missing:
        raise DataError(f"{query} has no column {missing[0]!r}, which {support} has.")
    return known[features], known[target], asked[features], [str(i) for i in range(len(asked))]


class _bar:  # noqa: N801 - used as a context
    """A progress bar with tasks a second and the validation score."""

    def __init__(self, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            BarColumn(),
            TextColumn("{task.percentage:.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not shown)
        self._score = ""

    def __enter__(self) -> Any:
        self._bar.start()
        line = self._bar.add_task("", total=1.0)

        def show(state: TrainingProgress) -> None:
            if state.valid_score is not None:
                self._score = f", validation {state.valid_score:.4f}"
            text = (
                f"{state.episodes / max(state.seconds, 1e-9):.0f} tasks/s, loss {state.loss:.4f}{self._score}"
            )
            self._bar.update(line, completed=state.fraction, description=text)

        return show

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
