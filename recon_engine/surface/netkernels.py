"""SurfaceNets' loops (Gibson 1998; Frisken 2022), compiled by numba.

A *cell* is the cube between eight neighbouring voxels; cell (k, j, i) has voxel (k, j, i) as its lowest corner. A cell
whose voxels differ holds one vertex. Two cells that share a face with differing voxels are linked. Every edge between
two voxels of different labels is crossed by a quad of the four cells round it. One vertex per cell makes each label's
quads a closed surface by construction, whatever its shape; where it touches itself along an edge, four quads meet.

Blocks are uint8 (K, J, I), planes `base` onward of a labelmap with a rim of zeros, I a multiple of 8, so that eight
cells are looked at in one word. One block after the other goes through: the labelmap is never copied whole.
Everything is placed by prefix sums: the order of vertices and quads does not depend on the number of threads. Kernels
with `begin` and `end` work on the block's planes (or on the vertices) between them; starts, counts and firsts are (K-1,
J-1) arrays over all rows of cells.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from recon_engine.compiled import loop

# Columns of `links`: neighbours one cell down and up along k, j, i.
DOWN_K, UP_K, DOWN_J, UP_J, DOWN_I, UP_I = 0, 1, 2, 3, 4, 5


@njit(inline="always")
def _differing(a: NDArray, b: NDArray, c: NDArray, d: NDArray, w: int) -> np.uint64:
    return (a[w] ^ b[w]) | (a[w] ^ c[w]) | (a[w] ^ d[w])


@loop()
def count_vertices(begin: int, end: int, base: int, words: NDArray, counts: NDArray) -> None:
    """words (K, J, I / 8) uint64 view of a block -> counts (K-1, J-1): cells with a vertex per row."""
    wide = words.shape[2]
    for z in range(begin, end):
        k = base + z
        for j in range(words.shape[1] - 1):
            a, b, c, d = words[z, j], words[z, j + 1], words[z + 1, j], words[z + 1, j + 1]
            total = 0
            here = _differing(a, b, c, d, 0)
            for w in range(wide):
                after, first = np.uint64(0), np.uint64(0)
                if w + 1 < wide:
                    after = _differing(a, b, c, d, w + 1)
                    first = a[w + 1]
                run = a[w] ^ ((a[w] >> np.uint64(8)) | (first << np.uint64(56)))
                mixed = here | (here >> np.uint64(8)) | (after << np.uint64(56)) | run
                if mixed:
                    for t in range(8):
                        if (mixed >> np.uint64(8 * t)) & np.uint64(255):
                            total += 1
                here = after
            counts[k, j] = total


@loop()
def place_vertices(begin: int, end: int, base: int, words: NDArray, starts: NDArray, cells: NDArray) -> None:
    """starts (K-1, J-1): number of each row's first vertex -> cells (n, 3) int16, the (k, j, i) of every vertex."""
    wide = words.shape[2]
    for z in range(begin, end):
        k = base + z
        for j in range(words.shape[1] - 1):
            a, b, c, d = words[z, j], words[z, j + 1], words[z + 1, j], words[z + 1, j + 1]
            n = starts[k, j]
            here = _differing(a, b, c, d, 0)
            for w in range(wide):
                after, first = np.uint64(0), np.uint64(0)
                if w + 1 < wide:
                    after = _differing(a, b, c, d, w + 1)
                    first = a[w + 1]
                run = a[w] ^ ((a[w] >> np.uint64(8)) | (first << np.uint64(56)))
                mixed = here | (here >> np.uint64(8)) | (after << np.uint64(56)) | run
                if mixed:
                    for t in range(8):
                        if (mixed >> np.uint64(8 * t)) & np.uint64(255):
                            cells[n, 0], cells[n, 1], cells[n, 2] = k, j, 8 * w + t
                            n += 1
                here = after


@loop()
def link_vertices(
    begin: int, end: int, base: int, block: NDArray, starts: NDArray, cells: NDArray, links: NDArray, quads: NDArray
) -> None:
    """Fill links (n, 6) int32 (-1: none), and quads (K-1, J-1): how many quads each row's vertices will make.

    A vertex writes its own downward links and the upward ones of those it meets: no slot has two writers.
    """
    rows = starts.shape[1]
    for z in range(begin, end):
        k = base + z
        for j in range(rows):
            n0 = starts[k, j]
            n1 = _next_start(starts, k, j, len(cells))
            p = starts[k - 1, j] if k > 0 else 0
            p1 = _next_start(starts, k - 1, j, len(cells)) if k > 0 else 0
            q = starts[k, j - 1] if j > 0 else 0
            q1 = n0 if j > 0 else 0
            v00, v01, v10, v11 = block[z, j], block[z, j + 1], block[z + 1, j], block[z + 1, j + 1]
            made = 0
            for n in range(n0, n1):
                i = cells[n, 2]
                a = v00[i]
                if n > n0 and cells[n - 1, 2] == i - 1 and not (a == v01[i] and a == v10[i] and a == v11[i]):
                    links[n, DOWN_I] = n - 1
                    links[n - 1, UP_I] = n
                while q < q1 and cells[q, 2] < i:
                    q += 1
                if q < q1 and cells[q, 2] == i and not (a == v00[i + 1] and a == v10[i] and a == v10[i + 1]):
                    links[n, DOWN_J] = q
                    links[q, UP_J] = n
                while p < p1 and cells[p, 2] < i:
                    p += 1
                if p < p1 and cells[p, 2] == i and not (a == v00[i + 1] and a == v01[i] and a == v01[i + 1]):
                    links[n, DOWN_K] = p
                    links[p, UP_K] = n
                made += (a != v00[i + 1]) + (a != v01[i]) + (a != v10[i])
            quads[k, j] = made


@njit(inline="always")
def _next_start(starts: NDArray, k: int, j: int, total: int) -> int:
    if j + 1 < starts.shape[1]:
        return starts[k, j + 1]
    if k + 1 < starts.shape[0]:
        return starts[k + 1, 0]
    return total


@loop()
def make_quads(
    begin: int,
    end: int,
    base: int,
    block: NDArray,
    starts: NDArray,
    cells: NDArray,
    links: NDArray,
    firsts: NDArray,
    quads: NDArray,
    sides: NDArray,
) -> None:
    """Fill quads (m, 4) int32 and sides (m, 2) uint8: the label behind and the label in front of each quad, which runs
    counter-clockwise seen from the front where (i, j, k) are a right-handed frame."""
    for z in range(begin, end):
        k = base + z
        for j in range(starts.shape[1]):
            m = firsts[k, j]
            for n in range(starts[k, j], _next_start(starts, k, j, len(cells))):
                i = cells[n, 2]
                a = block[z, j, i]
                nk, nj, ni = links[n, DOWN_K], links[n, DOWN_J], links[n, DOWN_I]
                b = block[z, j, i + 1]
                if a != b:
                    quads[m, 0], quads[m, 1], quads[m, 2], quads[m, 3] = links[nk, DOWN_J], nk, n, nj
                    sides[m, 0], sides[m, 1] = a, b
                    m += 1
                b = block[z, j + 1, i]
                if a != b:
                    quads[m, 0], quads[m, 1], quads[m, 2], quads[m, 3] = links[nk, DOWN_I], ni, n, nk
                    sides[m, 0], sides[m, 1] = a, b
                    m += 1
                b = block[z + 1, j, i]
                if a != b:
                    quads[m, 0], quads[m, 1], quads[m, 2], quads[m, 3] = links[nj, DOWN_I], nj, n, ni
                    sides[m, 0], sides[m, 1] = a, b
                    m += 1


@loop()
def relax(
    begin: int, end: int, cells: NDArray, links: NDArray, before: NDArray, after: NDArray, share: float, reach: float
) -> None:
    """One round of smoothing in cell units: every vertex goes `share` of the way to the middle of its neighbours, and
    no farther than `reach` from its cell's middle along any axis. (n, 3) float32 each."""
    s, r = np.float32(share), np.float32(reach)
    for n in range(begin, end):
        z, y, x = np.float32(0), np.float32(0), np.float32(0)
        count = np.float32(0)
        for t in range(6):
            m = links[n, t]
            if m >= 0:
                z += before[m, 0]
                y += before[m, 1]
                x += before[m, 2]
                count += np.float32(1)
        f = s / max(count, np.float32(1))
        g = np.float32(1) - s if count > 0 else np.float32(1)
        k, j, i = np.float32(cells[n, 0]), np.float32(cells[n, 1]), np.float32(cells[n, 2])
        after[n, 0] = min(max(g * before[n, 0] + f * z, k - r), k + r)
        after[n, 1] = min(max(g * before[n, 1] + f * y, j - r), j + r)
        after[n, 2] = min(max(g * before[n, 2] + f * x, i - r), i + r)


@loop()
def sort_by_label(sides: NDArray) -> tuple[NDArray, NDArray]:
    """-> (begins (257,), order): quads that border label l are order[begins[l]:begins[l + 1]], in their own order."""
    begins = np.zeros(257, np.int64)
    for m in range(len(sides)):
        begins[sides[m, 0] + 1] += 1
        begins[sides[m, 1] + 1] += 1
    for label in range(256):
        begins[label + 1] += begins[label]
    at = begins[:256].copy()
    order = np.empty(begins[256], np.int32)
    for m in range(len(sides)):
        for t in range(2):
            label = sides[m, t]
            order[at[label]] = m
            at[label] += 1
    return begins, order


@loop()
def gather(
    points: NDArray,
    quads: NDArray,
    sides: NDArray,
    begins: NDArray,
    order: NDArray,
    member: NDArray,
    step: NDArray,
    turn: bool,
) -> tuple[NDArray, NDArray]:
    """The closed surface of the labels in `member` (256,) bool, with each quad cut along its shorter diagonal.

    `step` (3,) are the lengths of a cell in mm; `turn` reverses all triangles, for a grid that is left-handed in space.
    -> (points' numbers in the order of first use (n,) int32, triangles (m, 3) uint32 over them).
    """
    most = 0
    for label in range(256):
        if member[label]:
            most += begins[label + 1] - begins[label]
    triangles = np.empty((2 * most, 3), np.uint32)
    place = np.full(len(points), -1, np.int32)
    used = np.empty(min(4 * most, len(points)), np.int32)
    count, t = 0, 0
    corner = np.empty(4, np.int32)
    for label in range(256):
        if not member[label]:
            continue
        for at in range(begins[label], begins[label + 1]):
            m = order[at]
            behind = member[sides[m, 0]]
            if behind and member[sides[m, 1]]:
                continue
            for c in range(4):
                v = quads[m, c if behind != turn else 3 - c]
                if place[v] < 0:
                    place[v] = count
                    used[count] = v
                    count += 1
                corner[c] = v
            one, two = np.float32(0), np.float32(0)
            for axis in range(3):
                one += ((points[corner[0], axis] - points[corner[2], axis]) * step[axis]) ** 2
                two += ((points[corner[1], axis] - points[corner[3], axis]) * step[axis]) ** 2
            first = 0 if one <= two else 1
            a, b = place[corner[first]], place[corner[first + 1]]
            c_, d = place[corner[first + 2]], place[corner[(first + 3) % 4]]
            triangles[t, 0], triangles[t, 1], triangles[t, 2] = a, b, c_
            triangles[t + 1, 0], triangles[t + 1, 1], triangles[t + 1, 2] = a, c_, d
            t += 2
    return used[:count].copy(), triangles[:t].copy()
