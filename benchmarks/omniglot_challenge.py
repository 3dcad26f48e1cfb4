"""The Omniglot challenge: 20-way 1-shot classification within an alphabet, on the 20 official runs.

    python benchmarks/omniglot_challenge.py --data DIR [--background full|small1|small2] [--cpu-seconds 720]

DIR contains the official archives and all_runs.zip. A prototypical network is trained on the background alphabets:
tasks within one alphabet, each rotation by 90 degrees as an alphabet of its own, drawings augmented by random affine
and elastic deformations. Images have 32 pixels, so that after four halvings the feature map has 2 x 2 positions instead
of one. At test time, predictions are averaged over slightly deformed copies of the drawings.

"error" is the error of separate queries: each is normalised and classified with the 20 training drawings only.
"error_joint" exploits that the 20 queries of a run belong to 20 different characters, which is an easier task. Errors
are in percent, the standard error is over the runs. One thread. The last line of output is a JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import torch
from omniglot import train
from PIL import Image
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from automl_meta.fewshot import Conv4, FewShotLearner, OmniglotSource, PrototypicalNetwork


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the archives")
    parser.add_argument("--background", default="full", choices=("full", "small1", "small2"))
    parser.add_argument("--cpu-seconds", type=float, default=720.0)
    parser.add_argument("--size", type=int, default=32, help="height and width of the images in pixels")
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument(
        "--copies", type=int, default=10, help="number of deformed copies to average predictions over"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", help="file to save the learner to")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    split = "alphabets" if arguments.background == "full" else arguments.background
    size = arguments.size
    source = OmniglotSource(arguments.data, "train", split, within_alphabet=True, size=size, augment=deform)
    backbone = Conv4((1, size, size), n_filters=arguments.filters)
    learner = PrototypicalNetwork(backbone, temperature=64.0, turns=True)
    result = train(
        learner,
        source,
        arguments,
        n_way=20,
        n_shot=1,
        n_query=4,
        n_tasks=2,
        learning_rate=1e-2,
        weight_decay=0.05,
        precision="bfloat16",
    )
    print(json.dumps(errors(learner, arguments.data, arguments.copies) | {"episodes": result.episodes}))


def deform(x: Tensor, generator: torch.Generator | None, strength: float = 1.0) -> Tensor:
    """Apply a random rotation, scaling, shear, translation and elastic warp to each image.

    Takes uint8 images of shape (n, 1, height, width), returns floats from 0 to 1.
    """
    n, device = len(x), x.device

    def spread(*shape: int) -> Tensor:
        return strength * (2 * torch.rand(n, *shape, generator=generator, device=device) - 1)

    angle, shift = spread() * math.radians(15), spread(2, 1) * 0.15
    scale, shear = 1 + spread(2) * 0.15, spread() * 0.2
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos + shear * sin], 1)], 1)
    grid = torch.nn.functional.affine_grid(
        torch.cat([turn * scale[:, None], shift], 2), list(x.shape), align_corners=False
    )
    coarse = spread(2, 4, 4) * 0.12
    warp = torch.nn.functional.interpolate(coarse, x.shape[2:], mode="bicubic", align_corners=False)
    return torch.nn.functional.grid_sample(
        x.float() / 255, grid + warp.permute(0, 2, 3, 1), align_corners=False
    )


def errors(learner: FewShotLearner, data: Path, copies: int) -> dict[str, float]:
    """Compute the errors on the 20 runs in percent."""
    alone, joint = [], []
    for support, query, labels in runs(data / "all_runs.zip", learner.backbone.input_shape[-1]):
        separate = log_probabilities(learner, support, query, copies, together=False)
        together = log_probabilities(learner, support, query, copies, together=True)
        alone.append(100 * np.mean(separate.argmax(1) != labels))
        joint.append(100 * np.mean(linear_sum_assignment(-together)[1] != labels))
    return {
        "error": float(np.mean(alone)),
        "standard_error": float(np.std(alone, ddof=1) / len(alone) ** 0.5),
        "error_joint": float(np.mean(joint)),
        "standard_error_joint": float(np.std(joint, ddof=1) / len(joint) ** 0.5),
    }


def runs(path: Path, size: int) -> list[tuple[Tensor, Tensor, np.ndarray]]:
    """Read training drawings, test drawings and the index of the training drawing of each test drawing."""
    found = []
    with zipfile.ZipFile(path) as archive:

        def image(name: str) -> Tensor:
            with Image.open(io.BytesIO(archive.read(name))) as drawing:
                small = drawing.convert("L").resize((size, size), Image.Resampling.BOX)
            return 255 - torch.from_numpy(np.array(small))[None]

        for number in range(1, 21):
            table = archive.read(f"run{number:02d}/class_labels.txt").decode().split()
            pairs = list(zip(table[::2], table[1::2], strict=True))
            classes = sorted(training for _, training in pairs)
            found.append(
                (
                    torch.stack([image(name) for name in classes]),
                    torch.stack([image(test) for test, _ in pairs]),
                    np.array([classes.index(training) for _, training in pairs]),
                )
            )
    return found


def log_probabilities(
    learner: FewShotLearner, support: Tensor, query: Tensor, copies: int, together: bool
) -> np.ndarray:
    """Sum the log-probabilities of each query over the original drawings and deformed copies."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(len(support), device=learner.device)
    total = torch.zeros(len(query), len(support))
    for copy in range(1 + copies):
        strength = 0.0 if copy == 0 else 0.5
        s, q = (deform(x, generator, strength).to(learner.device) for x in (support, query))
        if together:
            logits = learner.adapt(s[None], labels[None], len(s))(q[None])[0]
        else:  # each query is a separate task with the same support
            n = len(q)
            predictor = learner.adapt(s.expand(n, *s.shape), labels.expand(n, -1), len(s))
            logits = predictor(q[:, None])[:, 0]
        total += logits.log_softmax(-1).cpu()
    return total.numpy()


if __name__ == "__main__":
    main()
