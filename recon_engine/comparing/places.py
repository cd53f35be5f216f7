"""The places where two outlines of one thing differ.

Two careful outlines differ by part of a voxel nearly everywhere, and that thin shell joins everything into one region.
So places begin where the difference is thicker than about a voxel; each then takes the rest of the difference that lies
nearest to it. Every voxel that differs belongs to exactly one place; what no thick part joins is a place of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_engine.comparing import kernels
from recon_engine.comparing.distances import Nearest, TriangleTree
from recon_engine.parallel import Slabs
from recon_engine.volume import Volume

NEARLY = 0.75  # of the thickness that begins a place joins two beginnings
STEPS_INWARD = (0.5, 0.25, 0.75, 0.1, 0.9)  # of the way from a surface to the other one: where its place is looked for


@dataclass(frozen=True)
class Side:
    """One of the two: which code its own voxels have, its surface's points, and those nearest to them on the other.

    `mm` (n,) is positive outside the other; None for all three where one of both has no surface.
    """

    code: int
    points: NDArray | None
    found: Nearest | None
    mm: NDArray | None
    other: TriangleTree | None


@dataclass
class Place:
    """`pair`: whose segment; `side`: the code of its voxels; `at` (n, 3): those voxels on the grid of the labelmap.

    `mm` None: the other has nothing at all. `point` lies on the surface that goes further, `middle` halfway to the
    other one, both LPS mm.
    """

    pair: int
    side: int
    at: NDArray
    mm: float | None
    centroid: NDArray
    point: NDArray
    middle: NDArray
    bounds: tuple[float, ...]


def find_places(
    codes: NDArray, origin: NDArray, grid: Volume, sides: tuple[Side, Side], pair: int, slabs: Slabs
) -> list[Place]:
    """codes (k, j, i) as `kernels.mark` leaves them, of the box of `grid` that begins at `origin`."""
    numbers = np.zeros(codes.shape, np.int32)
    thick = float(np.cbrt(np.prod(grid.spacing_mm)))
    last = 0
    held = []
    for side in sides:
        at = np.argwhere(codes == side.code).astype(np.int32)
        if not len(at):
            continue
        depth = None
        core = at
        if side.other is not None:
            # A voxel beside one of the other's lies about half a voxel outside it: too thin to begin a place.
            depth = np.zeros(len(at))
            axes = np.array(grid.spacing_mm) < 2 * NEARLY * thick
            far = kernels.deep(codes, at, kernels.BOTH - side.code, axes)
            depth[far] = side.other.nearest(grid.to_mm(at[far] + origin), slabs).mm
            core = at[depth >= NEARLY * thick]
        numbers[core[:, 0], core[:, 1], core[:, 2]] = -1
        last = kernels.flood(core, numbers, last)
        if depth is not None:
            core = _begun(core, depth[depth >= NEARLY * thick] >= thick, numbers)
        kernels.spread(codes, side.code, numbers, core)
        rest = at[numbers[at[:, 0], at[:, 1], at[:, 2]] == 0]
        numbers[rest[:, 0], rest[:, 1], rest[:, 2]] = -1
        last = kernels.flood(rest, numbers, last)
        held.append((side, at, depth))
    places: list[Place] = []
    for side, at, depth in held:
        places += _described(side, at, depth, numbers, origin, grid, pair, slabs)
    return places


def _begun(voxels: NDArray, thick: NDArray, numbers: NDArray) -> NDArray:
    """Of numbered pieces, the voxels of those with a thick one; the others lose their number."""
    k, j, i = voxels.T
    mine = numbers[k, j, i]
    kept = np.isin(mine, np.unique(mine[thick]))
    numbers[k[~kept], j[~kept], i[~kept]] = 0
    return voxels[kept]


def _described(
    side: Side,
    at: NDArray,
    depth: NDArray | None,
    numbers: NDArray,
    origin: NDArray,
    grid: Volume,
    pair: int,
    slabs: Slabs,
) -> list[Place]:
    mine = numbers[at[:, 0], at[:, 1], at[:, 2]]
    order = np.argsort(mine, kind="stable")
    found, starts = np.unique(mine[order], return_index=True)
    farthest = _farthest(side, numbers, origin, grid)
    places = []
    for n, voxels in zip(found, np.split(order, starts[1:]), strict=True):
        here = at[voxels] + origin
        low, high = here.min(0) - 0.5, here.max(0) + 0.5
        corners = grid.to_mm([[(low, high)[b >> a & 1][a] for a in range(3)] for b in range(8)])
        centroid = grid.to_mm(here.mean(0))
        mm: float | None = None
        point = middle = grid.to_mm(here[np.argmin(np.square(here - here.mean(0)).sum(1))])
        if int(n) in farthest:
            mm, point, middle = farthest[int(n)]
        elif depth is not None and side.other is not None:
            # Only the other one's surface runs here: how deep the voxels lie is all there is.
            deepest = int(np.argmax(depth[voxels]))
            point = middle = grid.to_mm(here[deepest])
            mm = float(depth[voxels][deepest]) or float(side.other.nearest(point[None], slabs).mm[0])
        bounds = tuple(float(v) for pair in zip(corners.min(0), corners.max(0), strict=True) for v in pair)
        places.append(Place(pair, side.code, here, mm, centroid, point, middle, bounds))
    return places


def _farthest(side: Side, numbers: NDArray, origin: NDArray, grid: Volume) -> dict[int, tuple[float, NDArray, NDArray]]:
    """Per place the surface's point that lies farthest outside the other: (mm, that point, halfway to the other)."""
    if side.points is None or side.found is None or side.mm is None:
        return {}
    out = np.flatnonzero(side.mm > 0)
    points, on = side.points[out], side.found.points[out]
    place = np.zeros(len(out), np.int32)
    for step in STEPS_INWARD:
        open_ = np.flatnonzero(place == 0)
        index = np.rint(grid.to_index(points[open_] + step * (on[open_] - points[open_]))).astype(np.int64) - origin
        held = ((index >= 0) & (index < numbers.shape)).all(1)
        k, j, i = index[held].T
        place[open_[held]] = numbers[k, j, i]
    best: dict[int, tuple[float, NDArray, NDArray]] = {}
    order = np.lexsort((-side.mm[out], place))
    first = np.unique(place[order], return_index=True)[1]
    for v in order[first]:
        if place[v]:
            best[int(place[v])] = (float(side.mm[out][v]), points[v], (points[v] + on[v]) / 2)
    return best
