"""Signed distances from points to a closed surface, below the size of a voxel.

The distance is that to the nearest point of the nearest triangle, so it does not depend on where the grid lies. Its
sign near the surface comes from the surface's own normals (J. A. Baerentzen, H. Aanaes, "Signed distance computation
using the angle weighted pseudonormal", IEEE TVCG 11, 2005; here normals blended over the triangle); farther than a
voxel's diagonal away it comes from the voxel, which is sure there even where a surface touches itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_engine.comparing import treekernels
from recon_engine.parallel import Slabs
from recon_engine.surface import Mesh
from recon_engine.volume import Volume

LEAF = 4  # triangles
_MORTON_BITS = 10  # per axis


@dataclass(frozen=True)
class Nearest:
    """For n points: `points` (n, 3) the nearest of the surface, `mm` (n,) how far, `outward` (n, 3) normals there."""

    points: NDArray
    mm: NDArray
    outward: NDArray


class TriangleTree:
    """The triangles of one surface, sorted so that the nearest one is found without looking at all."""

    def __init__(self, mesh: Mesh) -> None:
        """`mesh` in mm, with at least one triangle."""
        vertices = mesh.vertices.astype(np.float64)
        corners = vertices[mesh.triangles]
        order = np.argsort(_morton(corners.mean(1)), kind="stable")
        self.corners = np.ascontiguousarray(corners[order])
        self.normals = mesh.normals().astype(np.float64)[mesh.triangles[order]]
        self.low, self.high = _boxes(self.corners)

    def nearest(self, points: NDArray, slabs: Slabs) -> Nearest:
        """points (n, 3) mm, neighbours close together in the array for speed."""
        points = np.ascontiguousarray(points, np.float64)
        triangle, weights = np.empty(len(points), np.int32), np.empty((len(points), 3))
        slabs.run(treekernels.nearest, len(points), points, self.corners, self.low, self.high, LEAF, triangle, weights)
        on = np.einsum("nc,ncx->nx", weights, self.corners[triangle])
        outward = np.einsum("nc,ncx->nx", weights, self.normals[triangle])
        return Nearest(on, np.linalg.norm(points - on, axis=1), outward)


def signed(points: NDArray, found: Nearest, other: Volume, member: NDArray) -> NDArray:
    """(n,) mm: positive outside the other, negative inside. `member` (256,) bool says which labels of `other` count."""
    near = np.einsum("nx,nx->n", points - found.points, found.outward) >= 0
    diagonal = float(np.linalg.norm(other.spacing_mm))
    far = found.mm > diagonal
    outside = near
    if far.any():
        outside = near.copy()
        outside[far] = ~inside(points[far], other, member)
    return np.where(outside, found.mm, -found.mm)


def inside(points: NDArray, labelmap: Volume, member: NDArray) -> NDArray:
    """(n,) bool: whether each point's voxel has a label that counts; outside the grid none has."""
    at = np.rint(labelmap.to_index(points)).astype(np.int64)
    held = ((at >= 0) & (at < labelmap.shape)).all(1)
    answer = np.zeros(len(points), bool)
    k, j, i = at[held].T
    answer[held] = member[labelmap.voxels[k, j, i]]
    return answer


def _morton(points: NDArray) -> NDArray:
    """(n,) numbers that lie close together for points that do (G. M. Morton, 1966)."""
    low = points.min(0)
    size = float((points.max(0) - low).max()) or 1.0
    cells = ((points - low) / size * (2**_MORTON_BITS - 1)).astype(np.int64)
    code = np.zeros(len(points), np.int64)
    for bit in range(_MORTON_BITS):
        for axis in range(3):
            code |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return code


def _boxes(corners: NDArray) -> tuple[NDArray, NDArray]:
    """Lowest and highest corner of every node, (2 x leaves, 3); nodes without triangles have an empty box."""
    starts = np.arange(0, len(corners), LEAF)
    leaves = 1 << max(int(np.ceil(np.log2(len(starts)))), 1)
    low, high = np.full((2 * leaves, 3), np.inf), np.full((2 * leaves, 3), -np.inf)
    low[leaves : leaves + len(starts)] = np.minimum.reduceat(corners.min(1), starts)
    high[leaves : leaves + len(starts)] = np.maximum.reduceat(corners.max(1), starts)
    first = leaves // 2
    while first:
        low[first : 2 * first] = np.minimum(low[2 * first : 4 * first : 2], low[2 * first + 1 : 4 * first : 2])
        high[first : 2 * first] = np.maximum(high[2 * first : 4 * first : 2], high[2 * first + 1 : 4 * first : 2])
        first //= 2
    return low, high
