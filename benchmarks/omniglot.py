"""Few-shot accuracy on Omniglot after so many CPU seconds of meta-training.

    python benchmarks/omniglot.py --data DIR --method protonet --split vinyals --cpu-seconds 240

DIR holds the official archives and, for the split of Vinyals et al., its lists (see OmniglotSource). Trained on the
characters of train and validation, quarter turns as classes of their own; tested on 1,000 tasks of the test
characters, with the statistics of each task (support and 15 queries of each of 5 classes, or 5 of each of 20). One
thread. The last line of output is one JSON object.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of the archives")
    parser.add_argument("--method", default="protonet", choices=sorted(RECIPES))
    parser.add_argument("--split", default="vinyals", choices=("vinyals", "alphabets"))
    parser.add_argument("--cpu-seconds", type=float, default=240.0)
    parser.add_argument(
        "--way",
        type=int,
        choices=(5, 20),
        help="rows of the last layer of a gradient method; by default 5, and of MAML one that all classes start from",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=1000, help="test tasks")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", help="keep the learner in this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    part = "trainval" if arguments.split == "vinyals" else "train"
    source = OmniglotSource(arguments.data, part, arguments.split)
    learner, options = recipe(arguments.method, source, arguments.way)
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
    test = OmniglotSource(arguments.data, "test", arguments.split, device=learner.device)
    figures = {name: tested(learner, test, name, arguments.episodes) for name in SETTINGS}
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
    """The learner, and how it is trained."""
    kind: Any = RECIPES[method]
    if method == "protonet":
        return kind(Conv4(), temperature=32.0, turns=True), PROTOTYPES
    if method == "finetuning":
        return kind(Conv4(), n_classes=source.n_classes), PRETRAINING
    if method == "maml" and way is None:  # any way: the classes start from one row
        return kind(Conv4(), learning_rate=2.0), ONE_STEP
    way = way or 5
    learner = kind(
        Conv4(pooling="stride"),
        n_outputs=way,
        n_steps=1 if way == 5 else 5,
        n_test_steps=3 if way == 5 else 5,
    )
    return learner, GRADIENT | {"n_way": way}


def tested(learner: FewShotLearner, test: OmniglotSource, name: str, n_episodes: int) -> Evaluation | None:
    """Judge one setting; None for a last layer with another number of classes."""
    n_way, n_shot, n_query = SETTINGS[name]
    if getattr(learner, "n_outputs", None) not in (None, n_way):
        return None
    found = evaluate(learner, test, n_way=n_way, n_shot=n_shot, n_query=n_query, n_episodes=n_episodes)
    print(f"{name}: {found}", flush=True)
    return found


def lines() -> Callable[[Any], None]:
    """Print where training stands, twice a minute."""
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
