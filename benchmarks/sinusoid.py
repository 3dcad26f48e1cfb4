"""MAML on sinusoid regression, as in section 5.1 of its paper.

    python benchmarks/sinusoid.py [--shot 5|10] [--train-steps 2] [--iterations 70000] [--cpu-seconds S]

The network (two hidden layers of 40 units, ReLU), the inner-loop learning rate 0.01, 25 tasks per iteration and Adam
with learning rate 0.001 are those of the paper, which trains on 10 points with one step. With --train-steps above 1,
the loss is averaged over all steps (the multi-step loss of MAML++), which makes 5 and 10 steps at test time stable. The
test set has 600 sine waves with 100 points each. The last line of output is a JSON object with the mean squared error
after 1, 5 and 10 steps.
"""

from __future__ import annotations

import argparse
import json

import torch
from omniglot import lines

from automl_meta.fewshot import MAML, MLP, SinusoidSource, evaluate, meta_fit


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shot", type=int, default=5, help="number of support points, in training and testing"
    )
    parser.add_argument("--train-steps", type=int, default=2)
    parser.add_argument("--inner-rate", type=float, default=0.01)
    parser.add_argument("--iterations", type=int, default=70000)
    parser.add_argument(
        "--cpu-seconds", type=float, help="limit of the training, which the learning-rate schedule follows"
    )
    parser.add_argument("--schedule", default="cosine", choices=("cosine", "constant"))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    arguments = parsed_arguments()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    learner = MAML(
        MLP((1,), hidden=(40, 40)),
        regression=True,
        n_steps=arguments.train_steps,
        learning_rate=arguments.inner_rate,
        multi_step_loss="uniform" if arguments.train_steps > 1 else "last",
    )
    result = meta_fit(
        learner,
        SinusoidSource(),
        n_way=None,
        n_shot=arguments.shot,
        n_query=10,
        n_tasks=25,
        n_episodes=25 * arguments.iterations,
        cpu_limit=arguments.cpu_seconds,
        optimizer="adam",
        schedule=arguments.schedule,
        random_state=arguments.seed,
        device="cpu",
        progress=lines(),
    )
    figures = {"iterations": result.episodes / 25, "cpu_seconds": result.cpu_seconds}
    for n_steps in (1, 5, 10):
        learner.n_test_steps = n_steps
        found = evaluate(
            learner, SinusoidSource(), n_way=None, n_shot=arguments.shot, n_query=100, n_episodes=600
        )
        print(f"{n_steps} steps: {found}")
        figures[f"mse_{n_steps}"] = found.mse or 0.0
        figures[f"interval_{n_steps}"] = found.interval
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
