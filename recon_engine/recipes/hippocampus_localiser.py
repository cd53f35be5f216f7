"""Where the two hippocampi of a whole head lie: a heat map each, drawn by a small network at 4 mm.

Part of `hippocampus-mr`, trained beside it (`train hippocampus-localiser`); not offered by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recon_engine.recipes.configuration import NetworkConfiguration, Recipe
from recon_engine.recipes.grids import UP_FORWARD_RIGHT, box_affine, sampled
from recon_engine.volume import Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recon_engine.inference import Runner

SIDES = ("left", "right")
SPACING = 4.0
BOX = (64, 64, 48)  # 256 x 256 x 192 mm
LOWEST_HEAT = 0.25  # a smoothed peak below this is no hippocampus; those of drawn heads lie between 0.35 and 0.7
LOWEST_ALONE = 0.45  # where only one side shows, as in a cut field of view, it must show clearly
APART_MM = (25.0, 90.0)


def recipe() -> Recipe:
    """The whole training, on heads drawn from the average brain."""
    return Recipe(
        name="hippocampus-localiser",
        version="1",
        data="heads",
        segments=SIDES,
        spacing_mm=(SPACING,) * 3,
        box=BOX,
        network=NetworkConfiguration(outputs=2, channels=(16, 32, 64, 64), stem=2, refine=0),
        loss="heatmap",
        steps=450,
        horizon=900,
        cooldown=150,
        batch=4,
        learning_rate=2e-3,
        average=0.995,
        precision="bfloat16",
        seed=0,
    )


@dataclass(frozen=True)
class Place:
    """One side's hippocampus: its middle in LPS mm and how sure the heat map is (0 to 1)."""

    side: str
    centre_mm: NDArray
    heat: float


def scaled(voxels: NDArray) -> NDArray:
    """Grey values as the localiser knows them: 0 outside, the 99th percentile of the rest at 1, then centred."""
    values = np.maximum(voxels.astype(np.float32), 0)
    inside = values[values > 0.02 * float(values.max(initial=0))]
    top = float(np.percentile(inside, 99)) if inside.size else 1.0
    return 2 * np.clip(values / max(top, 1e-6), 0, 1.2) - 0.5


def box_of(volume: Volume) -> tuple[NDArray, NDArray]:
    """The volume at 4 mm in a box about its middle, axes along (up, forward, right): (voxels, affine)."""
    middle = volume.to_mm((np.asarray(volume.shape) - 1) / 2)
    affine = box_affine(middle, BOX, (SPACING,) * 3, UP_FORWARD_RIGHT)
    return sampled(volume, BOX, affine), affine


def locate(volume: Volume, runner: Runner) -> tuple[Place, ...]:
    """The hippocampi found, left before right; empty where this is no head or shows none."""
    from scipy.ndimage import gaussian_filter

    voxels, affine = box_of(volume)
    # Neighbouring voxels come from different channels of the network: smoothing takes their unevenness out.
    # The mirrored head is asked too, its left being the other's right.
    grey = scaled(voxels)[None]
    mirrored = runner.window(np.ascontiguousarray(grey[..., ::-1]))[::-1, ..., ::-1]
    heat = gaussian_filter((runner.window(grey) + mirrored) / 2, (0, 1, 1, 1))
    found = []
    for side, one in zip(SIDES, heat, strict=True):
        peak = np.unravel_index(int(one.argmax()), one.shape)
        if one[peak] < LOWEST_HEAT:
            continue
        around = tuple(slice(max(p - 3, 0), p + 4) for p in peak)
        weight = np.maximum(one[around] - 0.3 * one[peak], 0)
        axes = np.meshgrid(
            *(np.arange(s.start, s.start + n) for s, n in zip(around, weight.shape, strict=True)), indexing="ij"
        )
        index = np.array([(a * weight).sum() / weight.sum() for a in axes])
        found.append(Place(side, affine[:3, :3] @ index + affine[:3, 3], float(one[peak])))
    if len(found) == 1 and found[0].heat < LOWEST_ALONE:
        return ()
    if len(found) == 2:
        across = found[0].centre_mm - found[1].centre_mm
        if not (APART_MM[0] <= np.linalg.norm(across) <= APART_MM[1] and across[0] > 0):
            return ()
    return tuple(found)
