"""Two labelmaps brought onto one grid, and which of their voxels count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import SegmentPair
from recon_engine.pieces import read_piece
from recon_engine.remesh import COLOURS
from recon_engine.volume import Volume


def placed(labelmap: Volume, matrix: Any) -> Volume:
    """The labelmap where a transform puts it; `matrix` (4, 4) takes its LPS mm to the other's. None: as it lies."""
    if matrix is None:
        return labelmap
    affine = np.asarray(matrix, np.float64).reshape(4, 4) @ labelmap.affine
    return Volume(labelmap.voxels, affine, labelmap.frame_of_reference_uid, spacing_known=labelmap.spacing_known)


def on_grid_of(grid: Volume, labelmap: Volume) -> Volume:
    """The nearest labels on another grid: for counting voxels. Surfaces keep the grid they were drawn on."""
    step = np.linalg.inv(labelmap.affine) @ grid.affine
    out = np.zeros(grid.shape, np.uint8)
    j, i = np.meshgrid(np.arange(grid.shape[1]), np.arange(grid.shape[2]), indexing="ij")
    plane = np.stack([np.zeros_like(j), j, i, np.ones_like(j)], -1).reshape(-1, 4) @ step[:3].T
    for k in range(grid.shape[0]):
        at = np.rint(plane + k * step[:3, 0]).astype(np.int64)
        held = ((at >= 0) & (at < labelmap.shape)).all(1)
        a, b, c = at[held].T
        out[k].reshape(-1)[held] = labelmap.voxels[a, b, c]
    return grid.with_voxels(out)


def member_of(numbers: Iterable[int]) -> NDArray:
    """(256,) bool: which labels count; 0 never does."""
    member = np.zeros(256, np.bool_)
    member[list(numbers)] = True
    member[0] = False
    return member


def labels_of(pairs: Sequence[SegmentPair], side: int) -> NDArray:
    """(256,) uint8: the number of the pair that each label of a side belongs to; inner ones before what is round them.

    side 0: left, 1: right.
    """
    table = np.zeros(256, np.uint8)
    for pair in pairs:
        for label in (pair.left, pair.right)[side][1:]:
            table[label] = pair.number
    for pair in pairs:
        for label in (pair.left, pair.right)[side][:1]:
            table[label] = pair.number
    return table


def pairs_of(left: str | Path, right: str | Path, names: Mapping[int, str]) -> tuple[SegmentPair, ...]:
    """Equal numbers of two labelmap files as pairs: the named ones, or all there are where none is named."""
    found = [set(np.unique(read_piece(path).labelmap.voxels).tolist()) - {0} for path in (left, right)]
    return tuple(
        SegmentPair(
            number=number,
            label=names.get(number, f"Segment {number}"),
            colour=COLOURS[(number - 1) % len(COLOURS)],
            left=(number,) if number in found[0] else (),
            right=(number,) if number in found[1] else (),
        )
        for number in sorted(names or found[0] | found[1])
    )


def box_round(boxes: Iterable[tuple[NDArray, NDArray]]) -> tuple[NDArray, NDArray] | None:
    """First and behind-last index (k, j, i) round all labels that count: pairs of label_boxes and member; None: empty.

    Boxes with nothing in them have 0 as their end.
    """
    picked = [table[member & (table[:, 3] > 0)] for table, member in boxes]
    rows = np.concatenate(picked)
    if not len(rows):
        return None
    return rows[:, :3].min(0), rows[:, 3:].max(0)
