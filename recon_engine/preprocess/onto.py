"""Values of one volume on the grid of another: series of one patient, laid over each other voxel by voxel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from recon_engine.contract import EngineError
from recon_engine.volume import Volume


def onto(
    volume: Volume, grid: Volume, *, matrix: ArrayLike | None = None, outside: float = 0.0, nearest: bool = False
) -> Volume:
    """`volume` on the grid of `grid`, trilinear (or the nearest voxel, for labels), float32 (labels keep their type).

    `matrix` (4, 4) takes LPS mm of `volume` to LPS mm of `grid`; None: both share their frame of reference. A point
    beyond the outermost voxel centres by more than half a voxel becomes `outside`. Raises EngineError: bad_request
    for a matrix that cannot be inverted, other_frame where two stated frames differ and no matrix is given.
    """
    from scipy.ndimage import map_coordinates

    own, other = volume.frame_of_reference_uid, grid.frame_of_reference_uid
    if matrix is None and own and other and own != other:
        raise EngineError(
            "other_frame",
            "The two series have different frames of reference (DICOM PS3.3 C.7.4.1). Register them first.",
        )
    placed = volume.affine
    if matrix is not None:
        moved = np.asarray(matrix, np.float64)
        if moved.shape != (4, 4) or not np.isfinite(moved).all() or abs(np.linalg.det(moved[:3, :3])) < 1e-9:
            raise EngineError("bad_request", "A transform is a finite 4x4 matrix that can be inverted.")
        placed = moved @ placed
    step = np.linalg.inv(placed) @ grid.affine
    kind = volume.voxels.dtype if nearest else np.float32
    source = volume.voxels if nearest else np.ascontiguousarray(volume.voxels, np.float32)
    out = np.empty(grid.shape, kind)
    j, i = np.meshgrid(np.arange(grid.shape[1]), np.arange(grid.shape[2]), indexing="ij")
    plane = np.stack([np.zeros_like(j), j, i, np.ones_like(j)], -1).reshape(-1, 4) @ step[:3].T
    last = np.array(volume.shape) - 1
    for k in range(grid.shape[0]):
        at = plane + k * step[:3, 0]
        held = ((at >= -0.5) & (at <= last + 0.5)).all(1)
        values = np.full(len(at), outside, kind)
        inside = np.clip(at[held], 0, last).T  # half a voxel beyond its centre a voxel still has its value
        values[held] = map_coordinates(source, inside, order=0 if nearest else 1, mode="nearest", prefilter=False)
        out[k] = values.reshape(grid.shape[1:])
    return replace(
        grid, voxels=out, modality=volume.modality, unit=volume.unit,
        spacing_known=grid.spacing_known and volume.spacing_known,
    )  # fmt: skip
