"""Speed of meta-training iterations compared with learn2learn and easyfsl.

    python benchmarks/fewshot_speed.py --device cpu|cuda [--learn2learn DIR] [--easyfsl DIR] [--rounds 7] [--memory]

DIR of learn2learn is its unpacked source (0.2.0: ``pip download --no-deps --no-binary :all: learn2learn``, ``tar
xzf``); that of easyfsl is the target of ``pip install --no-deps --target DIR easyfsl``; only Python files are used.

Both libraries do the same work alternately in one process with one thread: the same random images and networks of the
same shape, without sampling tasks. Ratios are of CPU seconds on the CPU and of wall-clock seconds on CUDA. ATen
operations are those of one loss and its gradient with all tasks in one chunk, as on CUDA, counted on the device "meta",
with and without views, which launch no kernel; on the CPU, each chunk of tasks that fits the caches takes the same
number of operations. "_of_peak" is the fraction of the machine's peak performance: the time that the floating-point
operations of convolutions and matrix products would take in large matrix products of the same precision, measured here,
divided by the time of the iteration. ``--memory`` evaluates 10,000 tasks and reports by how much the memory of the
process, or the allocated memory of the GPU, grew after the first 1,000. The last line of output is a JSON object.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import statistics
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from automl_meta._utils.memory import keep_freed_memory
from automl_meta.fewshot import (
    MAML,
    ArraySource,
    Conv4,
    Episode,
    FewShotLearner,
    PrototypicalNetwork,
    evaluate,
)

MAML_SETTINGS = {  # classes, queries per class, tasks, inner-loop steps
    "maml_5w1s_q15": (5, 15, 32, 1),
    "maml_5w1s_q1": (5, 1, 32, 1),
    "maml_20w1s": (20, 1, 16, 5),
}
ATEN = {"maml_5w1s_q15": "aten_ops_5w1s", "maml_20w1s": "aten_ops_20w1s"}
INNER_RATE = 0.4
PROTONET = (60, 5)  # classes, queries per class


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--learn2learn", type=Path, help="folder of its unpacked source")
    parser.add_argument("--easyfsl", type=Path, help="folder it is installed in")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="run only settings whose names contain this")
    parser.add_argument(
        "--memory", action="store_true", help="measure the memory of evaluating 10,000 tasks as well"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    keep_freed_memory()  # as meta_fit does
    figures = maml_figures(arguments) | protonet_figures(arguments)
    if arguments.memory:
        figures["memory_growth_mib"] = memory_growth(arguments.device)
    print(json.dumps({name: None if value is None else round(value, 4) for name, value in figures.items()}))


def maml_figures(arguments: argparse.Namespace) -> dict[str, float | None]:
    """Compare MAML with learn2learn."""
    figures: dict[str, float | None] = {}
    for name, (n_way, n_query, n_tasks, n_steps) in MAML_SETTINGS.items():
        if arguments.only not in name:
            continue
        learner = MAML(Conv4(pooling="stride"), n_outputs=n_way, n_steps=n_steps, learning_rate=INNER_RATE)
        episode = random_episode(n_way, n_query, n_tasks, arguments.device)
        ours = iteration(learner.to(arguments.device), episode)
        peer = None
        if arguments.learn2learn is not None:
            peer = learn2learn_iteration(arguments.learn2learn, n_way, n_steps, episode)
        figures |= compare(name, ours, peer, arguments)
        figures |= of_peak(
            name, figures, torch.float32, arguments.device, learner.to("meta"), episode.to("meta")
        )
        if name in ATEN:
            figures |= count_operations(ATEN[name], learner, episode.to("meta"))
    return figures


def protonet_figures(arguments: argparse.Namespace) -> dict[str, float | None]:
    """Compare prototypical networks with easyfsl."""
    figures: dict[str, float | None] = {}
    for name, dtype in (("protonet_60way", None), ("protonet_60way_bf16", torch.bfloat16)):
        if arguments.only not in name:
            continue
        network = PrototypicalNetwork(Conv4())
        network.backbone.activation_dtype = dtype
        episode = random_episode(*PROTONET, 1, arguments.device)
        ours = iteration(network.to(arguments.device), episode)
        peer = None
        if arguments.easyfsl is not None:
            peer = easyfsl_iteration(arguments.easyfsl, episode)
        figures |= compare(name, ours, peer, arguments)
        precision = dtype or torch.float32
        figures |= of_peak(name, figures, precision, arguments.device, network.to("meta"), episode.to("meta"))
    return figures


def compare(
    name: str, ours: Callable[[], None], peer: Callable[[], None] | None, arguments: argparse.Namespace
) -> dict[str, float | None]:
    """Time both alternately; the ratio is the median over the pairs."""
    cuda = arguments.device == "cuda"
    ours()
    if peer is not None:
        peer()
    pairs = []
    for _ in range(arguments.rounds):
        pairs.append((seconds(ours, cuda), None if peer is None else seconds(peer, cuda)))
    mine = statistics.median(pair[0] for pair in pairs)
    print(f"{name}: {1000 * mine:.0f} ms per iteration", end="")
    if peer is None:
        print()
        return {name: None, f"{name}_seconds": mine}
    ratio = statistics.median(theirs / own for own, theirs in pairs if theirs is not None)
    theirs = statistics.median(pair[1] for pair in pairs if pair[1] is not None)
    print(f", other library {1000 * theirs:.0f} ms, speed ratio {ratio:.2f}", flush=True)
    return {name: ratio, f"{name}_seconds": mine}


def of_peak(
    name: str,
    figures: dict[str, float | None],
    dtype: torch.dtype,
    device: str,
    learner: FewShotLearner,
    episode: Episode,
) -> dict[str, float | None]:
    """Compute the fraction of peak performance of an iteration; learner and episode are on "meta"."""
    with FlopCounterMode(
        display=False
    ) as counter:  # of one task, since it ignores the groups of convolutions
        learner.loss(episode[:1]).backward()
    side = 8192 if device == "cuda" else 1024
    square = torch.ones(side, side, dtype=dtype, device=device)
    best = min(seconds(lambda: square @ square, device == "cuda") for _ in range(10))
    own = figures[f"{name}_seconds"] or math.inf
    return {f"{name}_of_peak": counter.get_total_flops() * len(episode) / (2 * side**3) * best / own}


def memory_growth(device: str) -> float:
    """Return the growth of memory from 1,000 to 10,000 evaluated tasks in MiB."""
    images = torch.rand(40 * 20, 1, 28, 28)
    source = ArraySource(images, torch.arange(40).repeat_interleave(20)).to(device)
    learner = PrototypicalNetwork(Conv4()).to(device)
    process = psutil.Process()
    sizes = []
    for n_episodes in (1000, 9000):
        evaluate(learner, source, n_way=5, n_shot=1, n_query=15, n_episodes=n_episodes)
        sizes.append(torch.cuda.max_memory_allocated() if device == "cuda" else process.memory_info().rss)
    return (sizes[1] - sizes[0]) / 2**20


def seconds(function: Callable[[], None], cuda: bool) -> float:
    clock = time.perf_counter if cuda else time.process_time
    if cuda:
        torch.cuda.synchronize()
    begin = clock()
    function()
    if cuda:
        torch.cuda.synchronize()
    return clock() - begin


def random_episode(n_way: int, n_query: int, n_tasks: int, device: str) -> Episode:
    """Create an episode of random images with 10 % ink."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(n_tasks, n_way * (1 + n_query), 1, 28, 28, generator=generator) < 0.1).float()
    labels = torch.arange(n_way).expand(n_tasks, n_way)
    return Episode(x[:, :n_way], labels, x[:, n_way:], labels.repeat_interleave(n_query, 1), n_way).to(device)


def iteration(learner: FewShotLearner, episode: Episode) -> Callable[[], None]:
    """Return one meta-training iteration, as in meta_fit."""
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3, fused=episode.support_x.device.type != "meta")

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        for chunk in episode.split(learner.tasks_per_chunk(episode)):
            (learner.loss(chunk) * (len(chunk) / len(episode))).backward()
        optimizer.step()

    return step


def reference_network(pool: bool) -> nn.Sequential:
    """Create the same four blocks from layers of PyTorch."""
    layers: list[nn.Module] = []
    for i in range(4):
        layers += [nn.Conv2d(1 if i == 0 else 64, 64, 3, stride=1 if pool else 2, padding=1)]
        layers += [nn.BatchNorm2d(64), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(*layers)


def without_init(folder: Path, *packages: str) -> None:
    """Make packages importable without running their __init__, which needs compiled extensions or torchvision."""
    for package in packages:
        module = types.ModuleType(package)
        module.__path__ = [str(folder.joinpath(*package.split(".")))]
        sys.modules.setdefault(package, module)


def learn2learn_iteration(folder: Path, n_way: int, n_steps: int, episode: Episode) -> Callable[[], None]:
    """Return one iteration, as in the Omniglot example of learn2learn."""
    without_init(folder, "learn2learn", "learn2learn.algorithms")
    algorithm: Any = importlib.import_module("learn2learn.algorithms.maml").MAML

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = reference_network(pool=False)
            self.classifier = nn.Linear(64, n_way)

        def forward(self, x: Tensor) -> Tensor:
            return self.classifier(self.base(x).mean(dim=[2, 3]))

    device = episode.support_x.device
    maml = algorithm(Network().to(device), lr=INNER_RATE, first_order=False)
    optimizer = torch.optim.Adam(maml.parameters(), lr=1e-3, fused=True)
    loss = nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        for task in range(len(episode)):
            learner = maml.clone()
            for _ in range(n_steps):
                learner.adapt(loss(learner(episode.support_x[task]), episode.support_y[task]))
            loss(learner(episode.query_x[task]), episode.query_y[task]).backward()
        for parameter in maml.parameters():
            parameter.grad.mul_(1.0 / len(episode))
        optimizer.step()

    return step


def easyfsl_iteration(folder: Path, episode: Episode) -> Callable[[], None]:
    """Return one iteration, as in the notebook of easyfsl on episodic training."""
    without_init(folder, "easyfsl", "easyfsl.methods")
    networks: Any = importlib.import_module("easyfsl.methods.prototypical_networks").PrototypicalNetworks
    device = episode.support_x.device
    network = networks(nn.Sequential(reference_network(pool=True), nn.Flatten())).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    loss = nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        network.process_support_set(episode.support_x[0], episode.support_y[0])
        loss(network(episode.query_x[0]), episode.query_y[0]).backward()
        optimizer.step()

    return step


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.computing, self.calls = 0, 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls += 1
        self.computing += not function.is_view
        return function(*args, **(kwargs or {}))


def count_operations(name: str, learner: FewShotLearner, episode: Episode) -> dict[str, float | None]:
    """Count the ATen operations of the loss and its gradient, with and without views."""
    with _Counter() as counter:
        learner.loss(episode).backward()
    return {name: counter.calls, f"{name}_without_views": counter.computing}


if __name__ == "__main__":
    main()
