import errno
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from automl_meta.exceptions import DataError, TrainingError, UsageError
from automl_meta.fewshot import (
    MAML,
    MLP,
    ArraySource,
    Conv4,
    DigitsSource,
    Episode,
    PrototypicalNetwork,
    SinusoidSource,
    evaluate,
    load,
    meta_fit,
    save,
)
from automl_meta.fewshot.meta_training import choose_device
from automl_meta.fewshot.saving import read, write


def small(seed: int = 0) -> PrototypicalNetwork:
    torch.manual_seed(seed)
    return PrototypicalNetwork(MLP((1, 16, 16), hidden=(32,)))


def vector(learner: torch.nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in learner.parameters()])


OPTIONS = {"n_episodes": 80, "n_query": 5, "random_state": 3, "learning_rate": 0.01, "valid_every": 20}


def test_training_makes_better() -> None:
    learner, digits = small(), DigitsSource("all")
    before = evaluate(learner, digits, n_episodes=50).score
    result = meta_fit(learner, digits, **OPTIONS | {"n_episodes": 200})
    assert result.episodes == 200
    assert result.stopped_by == "episodes"
    assert evaluate(learner, digits, n_episodes=50).score > before + 0.02
    assert learner.description["n_way"] == 5


def test_the_seed_decides() -> None:
    trained = []
    for seed in (3, 3, 4):
        learner = small()
        meta_fit(learner, DigitsSource(), **OPTIONS | {"random_state": seed})
        trained.append(vector(learner))
    assert torch.equal(trained[0], trained[1])
    assert not torch.equal(trained[0], trained[2])


class TwoByTwo(PrototypicalNetwork):
    def tasks_per_chunk(self, episode: Episode) -> int:
        return 2


def test_chunks_of_tasks_give_the_gradient_of_all() -> None:
    trained = []
    for kind in (PrototypicalNetwork, TwoByTwo):
        learner = kind(small().backbone)
        assert learner.tasks_per_chunk(DigitsSource().sample(5, 1, 5, 5)) == (2 if kind is TwoByTwo else 5)
        meta_fit(learner, DigitsSource(), **OPTIONS | {"n_tasks": 5, "optimizer": "sgd", "n_episodes": 15})
        trained.append(vector(learner))
    torch.testing.assert_close(*trained, rtol=0, atol=1e-6)


def test_long_gradients_are_shortened() -> None:
    learner = small()
    start = vector(learner)
    options = {
        "n_tasks": 4,
        "n_episodes": 4,
        "optimizer": "sgd",
        "schedule": "constant",
        "learning_rate": 0.5,
    }
    meta_fit(learner, DigitsSource(), **options, max_gradient_norm=1e-3)
    assert (vector(learner) - start).norm().item() == pytest.approx(0.5 * 1e-3, rel=1e-3)


class _StopAt:
    """Press Ctrl-C when so many tasks have been drawn."""

    def __init__(self, source: ArraySource, episodes: int) -> None:
        self.source, self.episodes, self.drawn = source, episodes, 0

    def __getattr__(self, name: str):
        return getattr(self.source, name)

    def to(self, device: torch.device) -> "_StopAt":
        return self

    def sample(self, *arguments, **options):
        episode = self.source.sample(*arguments, **options)
        self.drawn += len(episode)
        if self.drawn == self.episodes:
            signal.raise_signal(signal.SIGINT)
        return episode


@pytest.mark.parametrize("stop", [12, 40, 76])
def test_after_ctrl_c_training_goes_on_to_the_same_numbers(tmp_path: Path, stop: int) -> None:
    straight = small()
    handler = signal.getsignal(signal.SIGINT)
    expected = meta_fit(
        straight, DigitsSource(), valid_source=DigitsSource("test"), n_valid_episodes=10, **OPTIONS
    )
    checkpoint = tmp_path / "checkpoint.safetensors"
    broken = small()
    with pytest.raises(KeyboardInterrupt):
        meta_fit(
            broken,
            _StopAt(DigitsSource(), stop),
            valid_source=DigitsSource("test"),
            n_valid_episodes=10,
            checkpoint=checkpoint,
            **OPTIONS,
        )
    resumed = small(seed=99)
    result = meta_fit(
        resumed,
        DigitsSource(),
        valid_source=DigitsSource("test"),
        n_valid_episodes=10,
        checkpoint=checkpoint,
        **OPTIONS,
    )
    assert torch.equal(vector(resumed), vector(straight))
    assert result.history == expected.history
    assert result.best_score == expected.best_score
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_checkpoint_of_other_options_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS)
    with pytest.raises(UsageError, match=r"n_query=5; this run has n_query=4"):
        meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS | {"n_query": 4})
    with pytest.raises(UsageError, match=r"hidden"):
        meta_fit(
            PrototypicalNetwork(MLP((1, 16, 16), hidden=(16,))),
            DigitsSource(),
            checkpoint=checkpoint,
            **OPTIONS,
        )
    with pytest.raises(DataError, match="holds a checkpoint, not a learner"):
        load(checkpoint)
    save(small(), checkpoint)
    with pytest.raises(DataError, match="holds a learner, not a checkpoint"):
        meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS)


def test_a_finished_training_can_be_carried_on(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS)
    again = meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS)
    assert again.episodes == 80
    longer = meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS | {"n_episodes": 120})
    assert longer.episodes == 120


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tmp_path / "checkpoint"
    meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS)
    before = checkpoint.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        meta_fit(small(), DigitsSource(), checkpoint=checkpoint, **OPTIONS | {"n_episodes": 120})
    assert checkpoint.read_bytes() == before
    assert list(tmp_path.iterdir()) == [checkpoint]


def test_the_best_on_validation_is_kept_and_patience_ends() -> None:
    learner = small()
    result = meta_fit(
        learner,
        DigitsSource(),
        valid_source=DigitsSource("test"),
        patience=2,
        n_valid_episodes=20,
        **OPTIONS | {"n_episodes": 4000, "learning_rate": 1.0, "schedule": "constant"},
    )
    assert result.stopped_by == "patience"
    assert result.episodes < 4000
    assert result.best_score == max(row["score"] for row in result.history)
    kept = evaluate(learner, DigitsSource("test"), n_way=5, n_query=5, n_episodes=20)
    assert kept.score == pytest.approx(result.best_score)


def test_divergence_is_a_clear_error(tmp_path: Path) -> None:
    learner = MAML(MLP((1,)), regression=True, n_steps=5, learning_rate=1e6)
    with pytest.raises(TrainingError, match=r"diverged.*Lower learning_rate"):
        meta_fit(
            learner, SinusoidSource(), n_way=None, n_shot=5, n_query=5, n_episodes=400, learning_rate=1.0
        )


def test_time_ends_training() -> None:
    assert meta_fit(small(), DigitsSource(), time_limit=0.2).stopped_by == "time"
    assert meta_fit(small(), DigitsSource(), cpu_limit=0.2).stopped_by == "time"


def test_the_classes_of_numbers_need_no_way() -> None:
    torch.manual_seed(0)
    learner = MAML(MLP((1,)), regression=True, learning_rate=0.01)
    test = {"n_way": None, "n_shot": 10, "n_query": 10, "n_episodes": 100}
    before = evaluate(learner, SinusoidSource(), **test)
    meta_fit(learner, SinusoidSource(), n_way=None, n_shot=10, n_query=10, n_tasks=25, n_episodes=5000)
    after = evaluate(learner, SinusoidSource(), **test)
    assert after.mse < before.mse
    assert after.score == -after.mse


def test_bfloat16_is_for_training_only() -> None:
    torch.manual_seed(0)
    learner = PrototypicalNetwork(Conv4((1, 16, 16), n_filters=8))
    meta_fit(learner, DigitsSource(), precision="bfloat16", **OPTIONS)
    assert learner.backbone.activation_dtype is None
    assert all(parameter.dtype == torch.float32 for parameter in learner.parameters())


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(UsageError, match="device is 'abacus'"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="no CUDA device"):
            choose_device("cuda")
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_episodes": 0}, "n_episodes"),
        ({"n_tasks": 0}, "n_tasks"),
        ({"optimizer": "lion"}, "optimizer"),
        ({"precision": "int8"}, "precision"),
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        meta_fit(small(), DigitsSource(), **OPTIONS | wrong)


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    save(small(), tmp_path / "new")
    tensors, about = read(tmp_path / "new")
    write(tmp_path / "new", tensors, about | {"format": 2})
    with pytest.raises(DataError, match=r"format 2.*Update automl_meta"):
        load(tmp_path / "new")


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", json.dumps({"a": 1}).encode() * 100])
def test_a_file_that_is_no_learner_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match="not a complete safetensors file"):
        load(tmp_path / "file")
    with pytest.raises(DataError, match="no file"):
        load(tmp_path / "none")


PROGRAM = """
import sys, torch
from automl_meta.fewshot import MAML, MLP, DigitsSource, meta_fit, save
torch.manual_seed(0)
learner = MAML(MLP((1, 16, 16), hidden=(16,)), n_steps=2, learning_rate=0.1).double()
meta_fit(learner, DigitsSource(), n_episodes=30, n_tasks=5, n_query=3, random_state=0, device="cpu")
save(learner, sys.argv[1])
"""


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path / str(rank))],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    exec(
        PROGRAM.replace("import sys, torch", "import torch"),
        {"sys": SimpleNamespace(argv=["", str(tmp_path / "alone")])},
    )
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    alone, first, second = (vector(load(tmp_path / name).double()) for name in ("alone", "0", "1"))
    assert torch.equal(first, second)
    torch.testing.assert_close(alone, first, rtol=0, atol=1e-6)
