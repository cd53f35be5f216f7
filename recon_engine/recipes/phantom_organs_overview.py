"""The whole torso at 4 mm: which organ lies where. First of the two networks of `phantom-organs-ct`.

A small part of a torso does not show which kidney it holds; the whole of it does. This network always sees the whole,
and its probabilities guide the second one, which draws the edges at 2 mm. Trained by `train phantom-organs-overview`;
not offered by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recon_engine.recipes.configuration import Augmentation, NetworkConfiguration, Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recon_engine.inference import Runner

WEIGHTS = "overview.safetensors"
LOWEST_HU, HU_SCALE = -1000.0, 500.0
BOX = (128, 80, 96)  # 512 x 320 x 384 mm
OUTPUTS = 13


def recipe() -> Recipe:
    """The whole training, on torsos at 4 mm."""
    return Recipe(
        name="phantom-organs-overview",
        version="1",
        data="phantom overviews",
        segments=("organs at 4 mm",),
        spacing_mm=(4.0,) * 3,
        box=BOX,
        network=NetworkConfiguration(outputs=OUTPUTS, channels=(32, 48, 96, 128), norm="instance"),
        augmentation=Augmentation(shift_voxels=6, contrast=0.03, brightness=0.02, noise=0.03),
        loss="present dice+ce",
        steps=900,
        batch=1,
        learning_rate=2e-3,
        warm_up=0.067,
        average=0.98,
        precision="bfloat16",
        outside=LOWEST_HU / HU_SCALE,
        seed=0,
    )


def scaled(hu: NDArray) -> NDArray:
    """HU -1000 to 1000 as -2 to 2, float32."""
    return np.clip(hu.astype(np.float32), LOWEST_HU, -LOWEST_HU) / HU_SCALE


def halved(hu: NDArray) -> NDArray:
    """(D, H, W) HU at 2 mm -> half as many voxels along each axis, each the mean of eight; odd edges are repeated."""
    even = np.pad(hu, [(0, n % 2) for n in hu.shape], mode="edge")
    d, h, w = (n // 2 for n in even.shape)
    return even.reshape(d, 2, h, 2, w, 2).mean((1, 3, 5), dtype=np.float32)


def probabilities(runner: Runner, hu: NDArray) -> NDArray:
    """(D, H, W) HU at 2 mm -> (13, D/2, H/2, W/2) float32: how likely each label is, seen from the whole."""
    from recon_engine.inference import Tile, cut

    image = scaled(halved(hu))[None]
    multiple = runner.recipe.network.multiple
    edges = tuple(-(-n // multiple) * multiple for n in image.shape[1:])
    whole = Tile(reads=tuple((0, n) for n in edges), keeps=tuple((0, n) for n in image.shape[1:]))
    logits = runner.window(cut(image, whole, runner.recipe.outside))[
        (slice(None), *(slice(n) for n in image.shape[1:]))
    ]
    odds = np.exp(logits - logits.max(0))
    return (odds / odds.sum(0)).astype(np.float32)


def doubled(coarse_SDHW: NDArray, start: tuple[int, ...], shape: tuple[int, ...]) -> NDArray:
    """A part of an overview on the grid of twice its voxels, linear between them: (S, *shape) float32.

    `start` and `shape` count fine voxels. Beyond the edge the last voxel is repeated.
    """
    import torch
    from torch.nn import functional

    reads = []
    for first, length, whole in zip(start, shape, coarse_SDHW.shape[1:], strict=True):
        index = np.arange(first // 2 - 1, (first + length - 1) // 2 + 2)
        reads.append(np.clip(index, 0, whole - 1))
    part = coarse_SDHW[np.ix_(range(coarse_SDHW.shape[0]), *reads)].astype(np.float32)
    fine = functional.interpolate(torch.from_numpy(part)[None], scale_factor=2, mode="trilinear", align_corners=False)
    # The part begins one coarse voxel before the one that holds `start`.
    return fine[0][(slice(None), *(slice(2 + a % 2, 2 + a % 2 + n) for a, n in zip(start, shape, strict=True)))].numpy()
