"""The loops of the triangle tree, compiled by numba: the nearest point of a closed surface to each of many points.

Closest point of a triangle: C. Ericson, "Real-Time Collision Detection" (2005), section 5.1.5, by the regions of the
triangle's plane. The tree is an implicit binary one over triangles in Morton order: node n has children 2n and 2n + 1,
leaves begin at half the number of nodes.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from recon_engine.compiled import loop

DEEPEST = 64  # nodes that wait at once; a tree of 2^31 leaves needs 32


@njit(inline="always")
def _box_square(n: int, x: float, y: float, z: float, low: NDArray, high: NDArray) -> float:
    dx = max(low[n, 0] - x, 0.0, x - high[n, 0])
    dy = max(low[n, 1] - y, 0.0, y - high[n, 1])
    dz = max(low[n, 2] - z, 0.0, z - high[n, 2])
    return dx * dx + dy * dy + dz * dz


@njit
def _weights(t: NDArray, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Barycentric weights of the triangle's point nearest to (x, y, z); t (3, 3) corners."""
    abx, aby, abz = t[1, 0] - t[0, 0], t[1, 1] - t[0, 1], t[1, 2] - t[0, 2]
    acx, acy, acz = t[2, 0] - t[0, 0], t[2, 1] - t[0, 1], t[2, 2] - t[0, 2]
    apx, apy, apz = x - t[0, 0], y - t[0, 1], z - t[0, 2]
    d1 = abx * apx + aby * apy + abz * apz
    d2 = acx * apx + acy * apy + acz * apz
    if d1 <= 0.0 and d2 <= 0.0:
        return 1.0, 0.0, 0.0
    bpx, bpy, bpz = x - t[1, 0], y - t[1, 1], z - t[1, 2]
    d3 = abx * bpx + aby * bpy + abz * bpz
    d4 = acx * bpx + acy * bpy + acz * bpz
    if d3 >= 0.0 and d4 <= d3:
        return 0.0, 1.0, 0.0
    vc = d1 * d4 - d3 * d2
    if vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        v = d1 / (d1 - d3) if d1 > d3 else 0.0
        return 1.0 - v, v, 0.0
    cpx, cpy, cpz = x - t[2, 0], y - t[2, 1], z - t[2, 2]
    d5 = abx * cpx + aby * cpy + abz * cpz
    d6 = acx * cpx + acy * cpy + acz * cpz
    if d6 >= 0.0 and d5 <= d6:
        return 0.0, 0.0, 1.0
    vb = d5 * d2 - d1 * d6
    if vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        w = d2 / (d2 - d6) if d2 > d6 else 0.0
        return 1.0 - w, 0.0, w
    va = d3 * d6 - d5 * d4
    if va <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        both = (d4 - d3) + (d5 - d6)
        w = (d4 - d3) / both if both > 0.0 else 0.0
        return 0.0, 1.0 - w, w
    total = va + vb + vc
    if total <= 0.0:  # a triangle without area
        return 1.0, 0.0, 0.0
    return va / total, vb / total, vc / total


@njit
def _square_to(t: NDArray, x: float, y: float, z: float) -> tuple[float, float, float, float]:
    u, v, w = _weights(t, x, y, z)
    dx = x - (u * t[0, 0] + v * t[1, 0] + w * t[2, 0])
    dy = y - (u * t[0, 1] + v * t[1, 1] + w * t[2, 1])
    dz = z - (u * t[0, 2] + v * t[1, 2] + w * t[2, 2])
    return dx * dx + dy * dy + dz * dz, u, v, w


@loop()
def nearest(
    begin: int,
    end: int,
    points: NDArray,
    corners: NDArray,
    low: NDArray,
    high: NDArray,
    leaf: int,
    triangle: NDArray,
    weights: NDArray,
) -> None:
    """Fill triangle (n,) int32 and weights (n, 3): which triangle is nearest to each point, and where on it.

    corners (m, 3, 3) in the tree's order, low and high (nodes, 3), `leaf` triangles in each leaf. Points that follow
    one another lie close together, so each search begins with the triangle found before.
    """
    first = len(low) // 2
    stack = np.empty(DEEPEST, np.int64)
    found = 0
    for p in range(begin, end):
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        best, u, v, w = _square_to(corners[found], x, y, z)
        stack[0], depth = 1, 1
        while depth:
            depth -= 1
            n = stack[depth]
            if _box_square(n, x, y, z, low, high) >= best:
                continue
            if n >= first:
                for t in range((n - first) * leaf, min((n - first + 1) * leaf, len(corners))):
                    square, a, b, c = _square_to(corners[t], x, y, z)
                    if square < best:
                        best, u, v, w, found = square, a, b, c, t
                continue
            near, far = 2 * n, 2 * n + 1
            if _box_square(near, x, y, z, low, high) > _box_square(far, x, y, z, low, high):
                near, far = far, near
            stack[depth], stack[depth + 1] = far, near
            depth += 2
        triangle[p] = found
        weights[p, 0], weights[p, 1], weights[p, 2] = u, v, w
