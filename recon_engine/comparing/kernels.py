"""The loops over voxels of two labelmaps on one grid, compiled by numba. Arrays are (k, j, i)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon_engine.compiled import loop

LEFT, RIGHT, BOTH = 1, 2, 3  # codes of a voxel


@loop()
def label_boxes(labelmap: NDArray) -> NDArray:
    """uint8 voxels -> (256, 6) int64: k0 j0 i0 k1 j1 i1 (half-open) of each label but 0; k1 = 0 where it is absent."""
    boxes = np.zeros((256, 6), np.int64)
    boxes[:, :3] = 1 << 40
    for k in range(labelmap.shape[0]):
        for j in range(labelmap.shape[1]):
            row = labelmap[k, j]
            last = 0
            for i in range(len(row)):
                label = row[i]
                if label == 0 or (label == last and i < boxes[label, 5]):
                    last = label
                    continue
                last = label
                box = boxes[label]
                box[0] = min(box[0], k)
                box[1] = min(box[1], j)
                box[2] = min(box[2], i)
                box[3] = max(box[3], k + 1)
                box[4] = max(box[4], j + 1)
                box[5] = max(box[5], i + 1)
    return boxes


@loop()
def mark(begin: int, end: int, left: NDArray, right: NDArray, ours: NDArray, theirs: NDArray, out: NDArray) -> None:
    """out[k, j, i]: 1 where only the left has it, 2 where only the right, 3 where both; ours, theirs (256,) bool."""
    for k in range(begin, end):
        for j in range(left.shape[1]):
            for i in range(left.shape[2]):
                out[k, j, i] = (1 if ours[left[k, j, i]] else 0) + (2 if theirs[right[k, j, i]] else 0)


@loop()
def border(codes: NDArray, bit: int) -> NDArray:
    """(n, 3) int32: voxels with `bit` that have a face neighbour without it, or lie on the edge of the array."""
    nk, nj, ni = codes.shape
    size, count = 1024, 0
    out = np.empty((size, 3), np.int32)
    for k in range(nk):
        for j in range(nj):
            for i in range(ni):
                if not codes[k, j, i] & bit:
                    continue
                if (
                    0 < k < nk - 1
                    and 0 < j < nj - 1
                    and 0 < i < ni - 1
                    and codes[k - 1, j, i] & codes[k + 1, j, i] & codes[k, j - 1, i] & bit
                    and codes[k, j + 1, i] & codes[k, j, i - 1] & codes[k, j, i + 1] & bit
                ):
                    continue
                if count == size:
                    larger = np.empty((2 * size, 3), np.int32)
                    larger[:size] = out
                    out, size = larger, 2 * size
                out[count, 0], out[count, 1], out[count, 2] = k, j, i
                count += 1
    return out[:count].copy()


@loop()
def deep(codes: NDArray, voxels: NDArray, bit: int, axes: NDArray) -> NDArray:
    """(n,) bool: voxels (n, 3) without a neighbour that has `bit` along the `axes` (3,) that count."""
    out = np.ones(len(voxels), np.bool_)
    for v in range(len(voxels)):
        for axis in range(3):
            if not axes[axis]:
                continue
            for step in (-1, 1):
                k, j, i = voxels[v, 0], voxels[v, 1], voxels[v, 2]
                if axis == 0:
                    k += step
                elif axis == 1:
                    j += step
                else:
                    i += step
                held = 0 <= k < codes.shape[0] and 0 <= j < codes.shape[1] and 0 <= i < codes.shape[2]
                if held and codes[k, j, i] & bit:
                    out[v] = False
    return out


@loop()
def spread(codes: NDArray, code: int, numbers: NDArray, seeds: NDArray) -> None:
    """Give every voxel of `code` that a path of such voxels joins to a seed the number of the nearest seed.

    numbers (k, j, i) int32 holds the seeds' numbers and 0 elsewhere; seeds (n, 3) int32 in the order that wins ties.
    Steps go to all 26 neighbours, ring by ring.
    """
    nk, nj, ni = codes.shape
    queue = seeds.copy()
    count, at = len(seeds), 0
    while at < count:
        k, j, i = queue[at, 0], queue[at, 1], queue[at, 2]
        at += 1
        number = numbers[k, j, i]
        for c in range(max(k - 1, 0), min(k + 2, nk)):
            for b in range(max(j - 1, 0), min(j + 2, nj)):
                for a in range(max(i - 1, 0), min(i + 2, ni)):
                    if codes[c, b, a] != code or numbers[c, b, a]:
                        continue
                    numbers[c, b, a] = number
                    if count == len(queue):
                        larger = np.empty((2 * count + 16, 3), np.int32)
                        larger[:count] = queue
                        queue = larger
                    queue[count, 0], queue[count, 1], queue[count, 2] = c, b, a
                    count += 1


@loop()
def flood(voxels: NDArray, numbers: NDArray, last: int) -> int:
    """Number the pieces among voxels whose number is -1, from `last` + 1 in the order of `voxels` (n, 3); the last one.

    Pieces touch by faces, edges or corners.
    """
    nk, nj, ni = numbers.shape
    queue = np.empty((len(voxels), 3), np.int32)
    for v in range(len(voxels)):
        if numbers[voxels[v, 0], voxels[v, 1], voxels[v, 2]] != -1:
            continue
        last += 1
        queue[0] = voxels[v]
        numbers[voxels[v, 0], voxels[v, 1], voxels[v, 2]] = last
        count, at = 1, 0
        while at < count:
            k, j, i = queue[at, 0], queue[at, 1], queue[at, 2]
            at += 1
            for c in range(max(k - 1, 0), min(k + 2, nk)):
                for b in range(max(j - 1, 0), min(j + 2, nj)):
                    for a in range(max(i - 1, 0), min(i + 2, ni)):
                        if numbers[c, b, a] == -1:
                            numbers[c, b, a] = last
                            queue[count, 0], queue[count, 1], queue[count, 2] = c, b, a
                            count += 1
    return last
