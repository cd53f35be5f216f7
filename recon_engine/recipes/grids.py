"""From a scanner's grid to a network's and back: axis order, boxes, brightness. numpy and scipy inside functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recon_engine.volume import Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Unit LPS vectors of the axes (k, j, i) the networks know: upward, forward, to the patient's right. As columns.
UP_FORWARD_RIGHT = np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])


UP_BACK_LEFT = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def oriented(volume: Volume, axes: NDArray = UP_FORWARD_RIGHT) -> Volume:
    """The same voxels with axes swapped and flipped so that each runs nearest to the wished direction.

    `axes` (3, 3) holds a unit LPS vector per column for k, j, i. Nothing is resampled; the affine says the same place.
    """
    from scipy.optimize import linear_sum_assignment

    alike = axes.T @ volume.direction  # (wanted axis, present axis)
    _, order = linear_sum_assignment(-np.abs(alike))
    voxels, affine = volume.voxels.transpose(order), volume.affine.copy()
    affine[:3, :3] = volume.affine[:3, order]
    for axis in range(3):
        if alike[axis, order[axis]] < 0:
            affine[:3, 3] += affine[:3, axis] * (voxels.shape[axis] - 1)
            affine[:3, axis] *= -1
            voxels = np.flip(voxels, axis)
    return Volume(voxels, affine, volume.frame_of_reference_uid, volume.modality, volume.unit, volume.spacing_known)


def box_affine(
    centre_mm: NDArray, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], axes: NDArray
) -> NDArray:
    """4x4 affine of a box of voxels about a point, its axes along the columns of `axes` (3, 3)."""
    affine = np.eye(4)
    affine[:3, :3] = axes * np.asarray(spacing_mm)
    affine[:3, 3] = np.asarray(centre_mm) - affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return affine


def sampled(
    volume: Volume, shape: tuple[int, int, int], affine: NDArray, order: int = 1, outside: float = 0.0
) -> NDArray:
    """Values of `volume` at the voxels of another grid, float32 for order 1, the same dtype for order 0 (nearest).

    Where the new grid is coarser the volume is averaged first, so that fine detail does not alias.
    """
    from scipy import ndimage

    step = np.linalg.inv(volume.affine) @ affine
    voxels = volume.voxels
    if order:
        voxels = voxels.astype(np.float32)
        ratio = np.linalg.norm(step[:3, :3], axis=1)  # source voxels per new voxel, along each source axis
        sigma = np.where(ratio > 1.2, 0.4 * ratio, 0.0)
        if sigma.any():
            voxels = ndimage.gaussian_filter(voxels, sigma)
    return ndimage.affine_transform(
        voxels, step[:3, :3], step[:3, 3], output_shape=shape, order=order, mode="constant", cval=outside
    )


def standardised(voxels: NDArray) -> NDArray:
    """float32 with the 1st to 99th percentile at mean 0 and standard deviation 1, the rest clipped.

    Makes scanners with unlike scales comparable; a constant image becomes 0 everywhere.
    """
    values = voxels.astype(np.float32)
    low, high = np.percentile(values, (1, 99))
    values = np.clip(values, low, high)
    return ((values - values.mean()) / max(float(values.std()), 1e-6)).astype(np.float32)


def centred(voxels: NDArray, shape: tuple[int, int, int]) -> tuple[NDArray, tuple[slice, ...], tuple[slice, ...]]:
    """Voxels put in the middle of a box of zeros, cut where they are larger.

    Returns the box, the part of the box that is filled, and the part of the source that fills it.
    """
    box = np.zeros(shape, voxels.dtype)
    into, out_of = [], []
    for have, want in zip(voxels.shape, shape, strict=True):
        length = min(have, want)
        into.append(slice((want - length) // 2, (want - length) // 2 + length))
        out_of.append(slice((have - length) // 2, (have - length) // 2 + length))
    box[tuple(into)] = voxels[tuple(out_of)]
    return box, tuple(into), tuple(out_of)


def regridded(found: Volume, volume: Volume) -> Volume:
    """Labels of one grid on the voxels of another (nearest), worked out only round what is labelled."""
    labels = np.zeros(volume.shape, np.uint8)
    inside = np.argwhere(found.voxels)
    if len(inside):
        low, high = inside.min(0) - 1, inside.max(0) + 1
        corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
        reach = volume.to_index(found.to_mm(corners))
        start = np.clip(np.floor(reach.min(0)).astype(int), 0, volume.shape)
        stop = np.clip(np.ceil(reach.max(0)).astype(int) + 1, 0, volume.shape)
        affine = volume.affine.copy()
        affine[:3, 3] = volume.to_mm(start)
        part = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        shape = tuple(int(b - a) for a, b in zip(start, stop, strict=True))
        if min(shape) > 0:
            labels[part] = sampled(found, shape, affine, order=0)  # type: ignore[arg-type]
    return volume.with_voxels(labels)
