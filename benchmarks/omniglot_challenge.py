"""The Omniglot challenge: 20-way one-shot classification within an alphabet, on the 20 official runs.

    python benchmarks/omniglot_challenge.py --data DIR [--background full|small1|small2] [--cpu-seconds 720]

DIR holds the official archives and all_runs.zip. A prototypical network is trained on the background alphabets alone:
tasks within one alphabet, each quarter turn an alphabet of its own, drawings bent at random (affine and elastic). Of
32 pixels, so that four halvings leave two by two places of features and not one. At the test, copies of the drawings
that are bent a little vote with them.

"error" is of each query on its own: it is normalised and classified with the 20 training drawings and nothing else.
"error_joint" uses that the 20 queries of a run are of 20 different characters, which is another, easier task. Errors
are in percent, the standard error is over the runs. One thread. The last line of output is one JSON object.
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
from omniglot import lines
from PIL import Image
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from automl_meta.fewshot import Conv4, FewShotLearner, OmniglotSource, PrototypicalNetwork, meta_fit, save


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder of the archives")
    parser.add_argument("--background", default="full", choices=("full", "small1", "small2"))
    parser.add_argument("--cpu-seconds", type=float, default=720.0)
    parser.add_argument("--size", type=int, default=32, help="of the images, in pixels")
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument("--copies", type=int, default=10, help="bent copies that vote at the test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", help="keep the learner in this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    split = "alphabets" if arguments.background == "full" else arguments.background
    size = arguments.size
    source = OmniglotSource(arguments.data, "train", split, within_alphabet=True, size=size, augment=bend)
    backbone = Conv4((1, size, size), n_filters=arguments.filters)
    learner = PrototypicalNetwork(backbone, temperature=64.0, turns=True)
    result = meta_fit(
        learner,
        source,
        cpu_limit=arguments.cpu_seconds,
        n_way=20,
        n_shot=1,
        n_query=4,
        n_tasks=2,
        learning_rate=1e-2,
        weight_decay=0.05,
        precision="bfloat16",
        random_state=arguments.seed,
        device=arguments.device,
        progress=lines(),
    )
    print(f"{result.episodes} episodes in {result.cpu_seconds:.0f} CPU seconds")
    if arguments.out:
        save(learner, arguments.out)
    print(json.dumps(judge(learner, arguments.data, arguments.copies) | {"episodes": result.episodes}))


def bend(x: Tensor, generator: torch.Generator | None, strength: float = 1.0) -> Tensor:
    """Turn, scale, shear, shift and warp each image a little at random.

    Images of shape (n, 1, height, width) as bytes; floats from 0 to 1 come back.
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


def judge(learner: FewShotLearner, data: Path, copies: int) -> dict[str, float]:
    """Errors on the 20 runs, in percent."""
    alone, joint = [], []
    for support, query, answers in runs(data / "all_runs.zip", learner.backbone.input_shape[-1]):
        separate = voted(learner, support, query, copies, together=False)
        together = voted(learner, support, query, copies, together=True)
        alone.append(100 * np.mean(separate.argmax(1) != answers))
        joint.append(100 * np.mean(linear_sum_assignment(-together)[1] != answers))
    return {
        "error": float(np.mean(alone)),
        "standard_error": float(np.std(alone, ddof=1) / len(alone) ** 0.5),
        "error_joint": float(np.mean(joint)),
        "standard_error_joint": float(np.std(joint, ddof=1) / len(joint) ** 0.5),
    }


def runs(path: Path, size: int) -> list[tuple[Tensor, Tensor, np.ndarray]]:
    """Training drawings, test drawings, and which of the former each of the latter is like."""
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


def voted(learner: FewShotLearner, support: Tensor, query: Tensor, copies: int, together: bool) -> np.ndarray:
    """Mean log-probabilities of each query, over the drawings as they are and bent copies of all of them."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(len(support), device=learner.device)
    total = torch.zeros(len(query), len(support))
    for copy in range(1 + copies):
        strength = 0.0 if copy == 0 else 0.5
        s, q = (bend(x, generator, strength).to(learner.device) for x in (support, query))
        if together:
            logits = learner.adapt(s[None], labels[None], len(s))(q[None])[0]
        else:  # each query is a task of its own, with the same support
            n = len(q)
            predictor = learner.adapt(s.expand(n, *s.shape), labels.expand(n, -1), len(s))
            logits = predictor(q[:, None])[:, 0]
        total += logits.log_softmax(-1).cpu()
    return total.numpy()


if __name__ == "__main__":
    main()
