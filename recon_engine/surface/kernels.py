"""The loops over voxels and triangles, compiled by numba. Each gives the same answer from any number of threads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon_engine.compiled import loop


@loop()
def _occupied(labelmap: NDArray, low: NDArray, high: NDArray) -> None:
    nk, nj, ni = labelmap.shape
    for k in range(nk):
        for j in range(nj):
            row = labelmap[k, j]
            first = -1
            for i in range(ni):
                if row[i]:
                    first = i
                    break
            if first < 0:
                continue
            last = first
            for i in range(ni - 1, first, -1):
                if row[i]:
                    last = i
                    break
            low[0], high[0] = min(low[0], k), max(high[0], k)
            low[1], high[1] = min(low[1], j), max(high[1], j)
            low[2], high[2] = min(low[2], first), max(high[2], last)


def occupied_box(labelmap: NDArray) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First and last index (k, j, i) of voxels that are not 0; first > last where there are none."""
    low, high = np.full(3, 1 << 30, np.int64), np.full(3, -1, np.int64)
    _occupied(labelmap, low, high)
    return tuple(int(v) for v in low), tuple(int(v) for v in high)  # type: ignore[return-value]


@loop()
def count_labels(labelmap: NDArray) -> NDArray:
    """uint8 voxels (k, j, i) -> 256 counts. Four tables side by side keep runs of one value from waiting on memory."""
    counts = np.zeros((4, 256), np.int64)
    flat = labelmap.reshape(-1)
    n = flat.size // 4 * 4
    for p in range(0, n, 4):
        counts[0, flat[p]] += 1
        counts[1, flat[p + 1]] += 1
        counts[2, flat[p + 2]] += 1
        counts[3, flat[p + 3]] += 1
    for p in range(n, flat.size):
        counts[0, flat[p]] += 1
    return counts.sum(0)


@loop()
def copy_mapped(begin: int, end: int, source: NDArray, keep: NDArray, out: NDArray) -> None:
    """out[k, j, i] = keep[source[k, j, i]] on planes begin to end of `source`; keep (256,) uint8."""
    for k in range(begin, end):
        for j in range(source.shape[1]):
            for i in range(source.shape[2]):
                out[k, j, i] = keep[source[k, j, i]]


@loop()
def vertex_normals(vertices: NDArray, triangles: NDArray, normals: NDArray) -> tuple[float, float]:
    """Fill `normals` (n, 3) with area-weighted unit normals; -> (signed volume, area), in the unit of the vertices."""
    normals[:] = 0.0
    volume, area = 0.0, 0.0
    ox, oy, oz = vertices[0, 0], vertices[0, 1], vertices[0, 2]
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = vertices[a, 0] - ox, vertices[a, 1] - oy, vertices[a, 2] - oz
        ux, uy, uz = vertices[b, 0] - ox - ax, vertices[b, 1] - oy - ay, vertices[b, 2] - oz - az
        wx, wy, wz = vertices[c, 0] - ox - ax, vertices[c, 1] - oy - ay, vertices[c, 2] - oz - az
        nx, ny, nz = uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx
        volume += ax * nx + ay * ny + az * nz
        area += np.sqrt(nx * nx + ny * ny + nz * nz)
        for v in (a, b, c):
            normals[v, 0] += nx
            normals[v, 1] += ny
            normals[v, 2] += nz
    for v in range(len(vertices)):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 1e-30:
            normals[v] /= length
    return volume / 6.0, area / 2.0


@loop()
def label_sums(labelmap: NDArray) -> tuple[NDArray, NDArray]:
    """uint8 voxels (k, j, i) -> (sums of indices (256, 3) float64, counts (256,)); label 0 is left out."""
    sums, counts = np.zeros((256, 3)), np.zeros(256, np.int64)
    for k in range(labelmap.shape[0]):
        for j in range(labelmap.shape[1]):
            row = labelmap[k, j]
            for i in range(len(row)):
                label = row[i]
                if label:
                    sums[label, 0] += k
                    sums[label, 1] += j
                    sums[label, 2] += i
                    counts[label] += 1
    return sums, counts
