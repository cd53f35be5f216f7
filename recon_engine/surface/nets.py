"""Labelmap to raw surfaces: SurfaceNets, one pass over all labels.

Every border between two labels is met once and smoothed within a voxel, so neighbours fit without a gap. Smoothing
shrinks what is small; `meshes.restore_volume` gives that back.

Why not vtkSurfaceNets3D (9.7): where a surface touches itself along an edge it doubles the points and joins the copies
crosswise, which leaves cracks (544 open edges in the bones of the torso phantom), and it holds more memory. The one
here is closed by construction; the benchmarks compare both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_engine.parallel import Slabs
from recon_engine.surface import kernels, netkernels

ITERATIONS = 16
RELAXATION = 0.5
BLOCK = 64  # planes of cells looked at together
REACH = 1.0  # cells; a vertex may leave its own cell but not its neighbour's


@dataclass(frozen=True)
class Nets:
    """All borders of a labelmap. `points` (n, 3) float32 in fractional indices (k, j, i) of the whole labelmap."""

    points: NDArray
    quads: NDArray
    sides: NDArray
    begins: NDArray
    order: NDArray

    def surface_of(
        self, member: NDArray, spacing_mm: tuple[float, float, float], turn: bool
    ) -> tuple[NDArray, NDArray]:
        """The closed surface round the labels in `member` (256,) bool: (points (n, 3), triangles (m, 3) uint32).

        Triangles turn outward where (i, j, k) are a right-handed frame in space; `turn` is for other grids.
        """
        step = np.array(spacing_mm, np.float32)
        used, triangles = netkernels.gather(
            self.points, self.quads, self.sides, self.begins, self.order, member, step, turn
        )
        return self.points[used], triangles


def find_borders(labelmap: NDArray, labels: list[int], threads: int = 0, smooth: bool = True) -> Nets:
    """labelmap (k, j, i) uint8 -> Nets of `labels`; other values count as outside."""
    low, high = kernels.occupied_box(labelmap)
    if not labels or low[0] > high[0]:
        low, high = (0, 0, 0), (0, 0, 0)
    keep = np.zeros(256, np.uint8)
    keep[labels] = labels
    inner = labelmap[tuple(slice(lo, h + 1) for lo, h in zip(low, high, strict=True))]
    rows = (inner.shape[0] + 1, inner.shape[1] + 1)
    counts = np.empty(rows, np.int64)
    with Slabs(threads) as slabs:
        for base, planes, block in _blocks(inner, keep, slabs):
            slabs.run(netkernels.count_vertices, planes, base, block.view(np.uint64), counts)
        starts, total = _starts(counts)
        cells, links = np.empty((total, 3), np.int16), np.full((total, 6), -1, np.int32)
        for base, planes, block in _blocks(inner, keep, slabs):
            slabs.run(netkernels.place_vertices, planes, base, block.view(np.uint64), starts, cells)
            slabs.run(netkernels.link_vertices, planes, base, block, starts, cells, links, counts)
        firsts, made = _starts(counts)
        quads, sides = np.empty((made, 4), np.int32), np.empty((made, 2), np.uint8)
        for base, planes, block in _blocks(inner, keep, slabs):
            slabs.run(netkernels.make_quads, planes, base, block, starts, cells, links, firsts, quads, sides)
        points = cells.astype(np.float32)
        if smooth:
            other = np.empty_like(points)
            for _ in range(ITERATIONS):
                slabs.run(netkernels.relax, total, cells, links, points, other, RELAXATION, REACH)
                points, other = other, points
    points += np.array([lo - 0.5 for lo in low], np.float32)  # a cell's middle, without the rim
    begins, order = netkernels.sort_by_label(sides)
    return Nets(points, quads, sides, begins, order)


def _blocks(inner: NDArray, keep: NDArray, slabs: Slabs) -> Iterator[tuple[int, int, NDArray]]:
    """(first plane of cells, how many, their voxels) in turn, the same buffer each time.

    A rim of zeros round `inner` closes what touches the volume's edge; rows are padded to whole words.
    """
    depth = inner.shape[0] + 2
    wide = inner.shape[2] + 2
    buffer = np.zeros((min(BLOCK, depth - 1) + 1, inner.shape[1] + 2, wide + -wide % 8), np.uint8)
    for base in range(0, depth - 1, BLOCK):
        planes = min(BLOCK, depth - 1 - base)
        first, last = (
            max(base - 1, 0),
            min(base + planes, inner.shape[0]),
        )  # of `inner`, in planes base to base + planes
        place = first + 1 - base
        buffer[:place] = 0
        buffer[place + last - first :] = 0
        slabs.run(
            kernels.copy_mapped, last - first, inner[first:last], keep, buffer[place : place + last - first, 1:-1, 1:]
        )
        yield base, planes, buffer


def _starts(counts: NDArray) -> tuple[NDArray, int]:
    """Prefix sums of counts per row, and their total."""
    ends = np.cumsum(counts.ravel())
    total = int(ends[-1]) if ends.size else 0
    return (ends - counts.ravel()).reshape(counts.shape), total
