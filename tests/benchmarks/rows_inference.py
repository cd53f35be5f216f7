"""Row 5: a volume through a trained network on the CPU, beside MONAI's sliding window on eager torch.

Both sides take the shipped network of phantom-organs-ct and the same phantom, in processes of their own; how well each
outlines the phantom's truth is compared before the ratio counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from tests.benchmarks.sides import measure

HERE = "tests.benchmarks.rows_inference"
SEED, EDGE = 9100, (160, 144, 160)  # a seed that training never saw; voxels of 2 mm
WINDOW = (96, 96, 96)


def _input() -> tuple[Any, Any]:
    """(image (4, D, H, W) float32 as the network sees it, truth (D, H, W) uint8)."""
    from recon_engine.phantoms import torso_phantom
    from recon_engine.recipes.phantom_organs_ct import seen

    ct, truth, _ = torso_phantom(SEED)
    start = tuple((have - want) // 2 for have, want in zip(ct.shape, EDGE, strict=True))
    part = tuple(slice(a, a + n) for a, n in zip(start, EDGE, strict=True))
    return seen(ct.voxels[part], ct.affine, start), truth.voxels[part]


def _dice(found: Any, truth: Any) -> list[float]:
    """Dice with the truth of every label that is there."""
    from recon_engine.metrics import dice

    return [dice(found == n, truth == n) for n in range(1, 13) if (truth == n).any()]


def ours() -> Callable[[], dict[str, Any]]:
    from recon_engine.inference import Runner, segment
    from recon_engine.recipes.phantom_organs_ct import FOLDER
    from recon_engine.weights.loading import load

    image, truth = _input()
    loaded = load(FOLDER)
    runner = Runner(loaded.recipe, loaded.networks, device="cpu", threads=2)
    segment(runner, image)  # compiles the graph, as a warm worker has

    def work() -> dict[str, Any]:
        labels, took = segment(runner, image)
        digest = hashlib.sha256(image.tobytes()).hexdigest()
        return {"dice": _dice(labels, truth), "backend": took["backend"], "input": digest}

    return work


def peer() -> Callable[[], dict[str, Any]]:
    import torch
    from monai.inferers import SlidingWindowInferer

    from recon_engine.recipes.phantom_organs_ct import FOLDER
    from recon_engine.weights.loading import load

    image, truth = _input()
    network = load(FOLDER).networks[0]
    window = SlidingWindowInferer(WINDOW, sw_batch_size=1, overlap=0.25, mode="gaussian")
    torch.set_num_threads(2)

    def work() -> dict[str, Any]:
        with torch.no_grad():
            labels = window(torch.from_numpy(image)[None], network).argmax(1)[0].numpy().astype(np.uint8)
        return {"dice": _dice(labels, truth)}

    return work


def row_5() -> dict[str, Any]:
    mine = measure(f"{HERE}:ours", repeats=3)
    theirs = measure(f"{HERE}:peer", repeats=1)
    ratio = theirs.cpu_s / mine.cpu_s
    memory = mine.peak_mib / theirs.peak_mib
    change = max(abs(a - b) for a, b in zip(mine.values["dice"], theirs.values["dice"], strict=True))
    within = ratio >= 10 and memory <= 0.2 and change <= 0.001
    said = f"memory {memory:.0%} of the peer's (processes as a whole), largest Dice change {change:.4f}"
    return {
        "name": "5 CPU segmentation",
        "what": f"{'x'.join(map(str, EDGE))} voxels, 13 outputs, {mine.values['backend']}",
        "ours_cpu_s": round(mine.cpu_s, 3),
        "ours_wall_s": round(mine.wall_s, 3),
        "ours_peak_mib": round(mine.peak_mib, 1),
        "peer": "MONAI sliding window, eager torch float32",
        "peer_version": version("monai"),
        "peer_cpu_s": round(theirs.cpu_s, 3),
        "repeats": mine.repeats,
        "spread": mine.spread,
        "ratio": round(ratio, 2),
        "goal": ">= 10x less CPU, <= 20 % of the memory, Dice change <= 0.001",
        "within_goal": bool(within),
        "reason": said if change <= 0.001 else f"the row does not count: {said}",
        "inputs_sha256": mine.values["input"],
    }


ROWS = {"5": row_5}
