"""One run: from a start to the nearest best place, from coarse to fine.

Gauss-Newton on the difference of values, with a gain and an offset fitted along the way, which climbs the correlation
of the two; differences that stand out, such as a lesion that grew, count less (Huber). Every number follows from the
inputs: no clock, no threads. Matrices here take LPS mm of the fixed volume to the moving one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from recon_engine.registering.bodies import Body, joined
from recon_engine.volume import Volume

EDGES_MM = (12.0, 6.0, 0.0)  # voxels are joined up to this at each level; 0 leaves the working grid
BLUR = 0.7  # of a level's voxel edge, standard deviation
POINTS = (4_000, 12_000, 40_000)  # at each level
STEPS = 40  # of a level at most
SETTLED_MM = 0.002  # a step this short over the body ends a level
LONGEST_MM = 12.0  # of one step, at the edge of the body
FEWEST = 60  # points that must lie in both
HUBER = 1.5  # of the spread of the differences


@dataclass(frozen=True)
class Run:
    """From level `first` (0 is the coarsest) to `last`. `seed` chooses the points."""

    start: NDArray
    seed: int
    first: int = 0
    last: int = len(EDGES_MM) - 1


@dataclass(frozen=True)
class Level:
    """A blurred volume and its slope: `slopes` (3, k, j, i), per mm along x, y, z (LPS)."""

    volume: Volume
    slopes: NDArray


class Ladder:
    """A body at every level, made when it is asked for and kept for the next run."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self._levels: dict[int, Level] = {}

    def at(self, n: int) -> Level:
        if n not in self._levels:
            small = joined(self.body.volume, EDGES_MM[n]) if EDGES_MM[n] else self.body.volume
            edge = max(min(small.spacing_mm), 2.0)
            blurred = ndimage.gaussian_filter(small.voxels, [BLUR * edge / s for s in small.spacing_mm])
            along = np.stack([np.gradient(blurred, axis=a) if blurred.shape[a] > 1 else 0 * blurred for a in range(3)])
            # Along the axes of the grid, per voxel, to along x, y, z, per mm.
            turn = np.linalg.inv(small.affine[:3, :3]).T.astype(np.float32)
            self._levels[n] = Level(small.with_voxels(blurred), np.tensordot(turn, along, 1).astype(np.float32))
        return self._levels[n]

    @cached_property
    def places(self) -> NDArray:
        """(n, 3) LPS mm: the middles of working voxels of the body."""
        k, j, i = (np.arange(n) for n in self.body.volume.shape)
        found = [
            self.body.volume.to_mm(np.stack(np.meshgrid(slab, j, i, indexing="ij"), -1).reshape(-1, 3))
            for slab in np.array_split(k, max(1, len(k) // 16))
        ]
        return np.concatenate([points[self.body.holds(points)] for points in found])

    def some(self, count: int, seed: int) -> NDArray:
        """`count` of the places, chosen by the seed."""
        chosen = np.random.default_rng([seed, count]).choice(len(self.places), min(count, len(self.places)), False)
        return self.places[np.sort(chosen)]


def align(fixed: Ladder, moving: Ladder, run: Run, on_step: Callable[[float], None]) -> NDArray:
    """(4, 4) rigid. `on_step` hears the share that is done; what it raises stops the run."""
    matrix, levels = run.start, range(run.first, run.last + 1)
    for done, n in enumerate(levels):
        points = fixed.some(POINTS[n], run.seed)
        values = sampled(fixed.at(n).volume, points)[0]
        for step in range(STEPS):
            on_step((done + step / STEPS) / len(levels))
            matrix, length = _step(matrix, points, values, moving.at(n), fixed.body.middle)
            if length < SETTLED_MM * (1 if n == len(EDGES_MM) - 1 else 20):
                break
    return matrix


def _step(matrix: NDArray, points: NDArray, values: NDArray, moving: Level, middle: NDArray) -> tuple[NDArray, float]:
    """(matrix after one step, how far it moved the body in mm, root mean square)."""
    there = moved(matrix, points)
    seen, held = sampled(moving.volume, there)
    if np.count_nonzero(held) < FEWEST:
        return matrix, 0.0
    there, seen, wanted = there[held], seen[held], values[held]
    at = moving.volume.to_index(there).T
    slope = np.stack([ndimage.map_coordinates(one, at, order=1, mode="nearest") for one in moving.slopes], 1)
    centre = moved(matrix, middle[None])[0]
    arm = there - centre
    linear = np.stack([seen, np.ones_like(seen)], 1)
    gain, offset = np.linalg.lstsq(linear, wanted, rcond=None)[0]
    gain = max(float(gain), 0.1)  # against a start where nothing agrees
    apart = wanted - gain * seen - offset
    spread = 1.4826 * float(np.median(np.abs(apart - np.median(apart)))) + 1e-6
    weight = np.minimum(1.0, HUBER * spread / np.maximum(np.abs(apart), 1e-12))
    # A turn by w and a shift by t move a point by w x arm + t.
    motion = gain * np.concatenate([np.cross(arm, slope), slope], 1)
    design = np.concatenate([motion, linear], 1)
    normal = design.T @ (weight[:, None] * design)
    normal[np.diag_indices(8)] *= 1 + 1e-4
    normal[np.diag_indices(8)] += 1e-9 * np.trace(normal)
    answer = np.linalg.solve(normal, design.T @ (weight * apart))
    turn, shift = answer[:3], answer[3:6]
    reach = float(np.sqrt((arm**2).sum(1).mean()))
    length = float(np.linalg.norm(turn)) * reach + float(np.linalg.norm(shift))
    share = min(1.0, LONGEST_MM / max(length, 1e-9))
    change = np.eye(4)
    change[:3, :3] = Rotation.from_rotvec(share * turn).as_matrix()
    change[:3, 3] = centre - change[:3, :3] @ centre + share * shift
    return change @ matrix, share * length


def moved(matrix: NDArray, points: NDArray) -> NDArray:
    """(n, 3) LPS mm through a (4, 4)."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def sampled(volume: Volume, points: NDArray) -> tuple[NDArray, NDArray]:
    """(values between voxels, which points lie on the grid) at (n, 3) LPS mm."""
    at = volume.to_index(points)
    held = ((at >= -0.5) & (at <= np.array(volume.shape) - 0.5)).all(1)
    return ndimage.map_coordinates(volume.voxels, at.T, order=1, mode="nearest"), held
