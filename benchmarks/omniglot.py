"""Few-shot accuracy on Omniglot after a limited CPU time of meta-training.

    python benchmarks/omniglot.py --data DIR --method protonet --split vinyals --cpu-seconds 240

DIR contains the official archives and, for the split of Vinyals et al., its lists (see OmniglotSource). Learners are
trained on the training and validation characters, with rotations by 90 degrees as separate classes, and tested on
1,000 tasks of the test characters (15 queries per class in 5-way tasks, 5 in 20-way tasks), normalised by the
statistics of each task. One thread. The last line of output is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import torch

from automl_meta.fewshot import (
    ANIL,
    FOMAML,
    MAML,
    Conv4,
    Evaluation,
    FewShotLearner,
    FineTuning,
    MetaSGD,
    OmniglotSource,
    PrototypicalNetwork,
    Reptile,
    TaskSource,
    TrainingResult,
    evaluate,
    meta_fit,
    save,
)

SETTINGS = {"5w1s": (5, 1, 15), "5w5s": (5, 5, 15), "20w1s": (20, 1, 5), "20w5s": (20, 5, 5)}
SHARED = {"n_shot": 1, "precision": "bfloat16"}
PROTOTYPES = SHARED | {
    "n_way": 36,
    "n_query": 4,
    "n_tasks": 1,
    "learning_rate": 1e-2,
    "weight_decay": 0.05,
}
PRETRAINING = SHARED | {"n_way": 60, "n_query": 5, "n_tasks": 1, "learning_rate": 2e-3}
ONE_STEP = SHARED | {"n_way": 20, "n_query": 3, "n_tasks": 1, "learning_rate": 1e-2}
GRADIENT = SHARED | {"n_query": 5, "n_tasks": 8, "learning_rate": 3e-3}


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of the archives")
    parser.add_argument("--method", default="protonet", choices=sorted(RECIPES))
    parser.add_argument("--split", default="vinyals", choices=("vinyals", "alphabets"))
    parser.add_argument("--cpu-seconds", type=float, default=240.0)
    parser.add_argument(
        "--way",
        type=int,
        choices=(5, 20),
        help="number of output units of a gradient method; by default 5, for MAML one weight vector shared by all classes",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=1000, help="number of test tasks")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", help="file to save the learner to")
    return parser.parse_args()


def main() -> None:
    arguments = parsed_arguments()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    part = "trainval" if arguments.split == "vinyals" else "train"
    source = OmniglotSource(arguments.data, part, arguments.split)
    learner, options = recipe(arguments.method, source, arguments.way)
    result = train(learner, source, arguments, **options)
    test = OmniglotSource(arguments.data, "test", arguments.split, device=learner.device)
    figures = {name: scores(learner, test, name, arguments.episodes) for name in SETTINGS}
    known = {name: found for name, found in figures.items() if found is not None}
    print(
        json.dumps(
            {
                name: None if found is None else round(100 * found.accuracy, 2)
                for name, found in figures.items()
            }
            | {"interval": {name: round(100 * found.interval, 2) for name, found in known.items()}}
            | {"ece": {name: round(found.ece or 0.0, 4) for name, found in known.items()}}
            | {"episodes": result.episodes, "cpu_seconds": round(result.cpu_seconds, 1)}
        )
    )


RECIPES = {
    "protonet": PrototypicalNetwork,
    "maml": MAML,
    "fomaml": FOMAML,
    "anil": ANIL,
    "metasgd": MetaSGD,
    "reptile": Reptile,
    "finetuning": FineTuning,
}


def recipe(method: str, source: OmniglotSource, way: int | None) -> tuple[FewShotLearner, dict[str, Any]]:
    """Return the learner and its training options."""
    kind: Any = RECIPES[method]
    if method == "protonet":
        return kind(Conv4(), temperature=32.0, turns=True), PROTOTYPES
    if method == "finetuning":
        return kind(Conv4(), n_classes=source.n_classes), PRETRAINING
    if method == "maml" and way is None:  # any number of classes: they share one initial weight vector
        return kind(Conv4(), learning_rate=2.0), ONE_STEP
    way = way or 5
    learner = kind(
        Conv4(pooling="stride"),
        n_outputs=way,
        n_steps=1 if way == 5 else 5,
        n_test_steps=3 if way == 5 else 5,
    )
    return learner, GRADIENT | {"n_way": way}


def train(
    learner: FewShotLearner, source: TaskSource, arguments: argparse.Namespace, **options: Any
) -> TrainingResult:
    """Meta-train, print the number of training tasks, and save the learner if requested."""
    result = meta_fit(
        learner,
        source,
        cpu_limit=arguments.cpu_seconds,
        random_state=arguments.seed,
        device=arguments.device,
        progress=lines(),
        **options,
    )
    print(f"{result.episodes} episodes in {result.cpu_seconds:.0f} CPU seconds")
    if arguments.out:
        save(learner, arguments.out)
    return result


def scores(learner: FewShotLearner, test: OmniglotSource, name: str, n_episodes: int) -> Evaluation | None:
    """Evaluate one setting; None if the output layer has another number of classes."""
    n_way, n_shot, n_query = SETTINGS[name]
    if getattr(learner, "n_outputs", None) not in (None, n_way):
        return None
    found = evaluate(learner, test, n_way=n_way, n_shot=n_shot, n_query=n_query, n_episodes=n_episodes)
    print(f"{name}: {found}", flush=True)
    return found


def lines() -> Callable[[Any], None]:
    """Return a function that prints the training progress twice a minute."""
    due = [0.0]

    def show(state: Any) -> None:
        if time.monotonic() > due[0]:
            due[0] = time.monotonic() + 30
            print(
                f"{100 * state.fraction:.0f} % {state.episodes} episodes, loss {state.loss:.4f}", flush=True
            )

    return show


if __name__ == "__main__":
    main()
