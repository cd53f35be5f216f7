"""Labelmap to raw surfaces: SurfaceNets, one pass over all labels.

Every border between two labels is met once and smoothed within a voxel, so neighbours fit without a gap. Smoothing
shrinks what is small; `meshes.restore_volume` gives that back.

Why not vtkSurfaceNets3D (9.7): where a surface touches itself along an edge it doubles the points and joins the copies
crosswise, which leaves cracks (544 open edges in the bones of the torso phantom), and it holds more memory. The one
here is closed by construction; the benchmarks compare both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_engine.parallel import Slabs
from recon_engine.surface import kernels, netkernels

ITERATIONS = 16
RELAXATION = 0.5
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
    # A rim of zeros closes what touches the volume's edge; rows are whole words.
    size = tuple(h - lo + 3 for lo, h in zip(low, high, strict=True))
    block = np.zeros((size[0], size[1], size[2] + -size[2] % 8), np.uint8)
    inner = labelmap[tuple(slice(lo, h + 1) for lo, h in zip(low, high, strict=True))]
    keep = np.zeros(256, np.uint8)
    keep[labels] = labels
    with Slabs(threads) as slabs:
        slabs.run(kernels.copy_mapped, len(inner), inner, keep, block[1:-1, 1:-1, 1:])
        words = block.view(np.uint64)
        counts = np.empty((size[0] - 1, size[1] - 1), np.int64)
        slabs.run(netkernels.count_vertices, len(counts), words, counts)
        starts, total = _starts(counts)
        cells = np.empty((total, 3), np.int16)
        slabs.run(netkernels.place_vertices, len(counts), words, starts, cells)
        links = np.full((total, 6), -1, np.int32)
        slabs.run(netkernels.link_vertices, len(counts), block, starts, cells, links, counts)
        firsts, made = _starts(counts)
        quads, sides = np.empty((made, 4), np.int32), np.empty((made, 2), np.uint8)
        slabs.run(netkernels.make_quads, len(counts), block, starts, cells, links, firsts, quads, sides)
        points = cells.astype(np.float32)
        if smooth:
            other = np.empty_like(points)
            for _ in range(ITERATIONS):
                slabs.run(netkernels.relax, total, cells, links, points, other, RELAXATION, REACH)
                points, other = other, points
    points += np.array([lo - 0.5 for lo in low], np.float32)  # a cell's middle, without the rim
    begins, order = netkernels.sort_by_label(sides)
    return Nets(points, quads, sides, begins, order)


def _starts(counts: NDArray) -> tuple[NDArray, int]:
    """Prefix sums of counts per row, and their total."""
    ends = np.cumsum(counts.ravel())
    total = int(ends[-1]) if ends.size else 0
    return (ends - counts.ravel()).reshape(counts.shape), total
