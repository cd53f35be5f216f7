"""Another grid for the same values: crop, flip, resample; each with the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon_engine.volume import Volume


@dataclass(frozen=True)
class Change:
    """The changed volume, and a function that brings it or what was made on its grid back."""

    volume: Volume
    undo: Callable[[Volume], Volume]


def _moved(affine: NDArray, index: tuple[int, ...]) -> NDArray:
    out = affine.copy()
    out[:3, 3] = affine[:3, :3] @ np.array(index, float) + affine[:3, 3]
    return out


def crop(volume: Volume, box: tuple[slice, slice, slice], fill: float = 0.0) -> Change:
    """The part inside `box` (k, j, i), cut to the grid. Undo puts voxels back where they were; `fill` is around them.

    Raises ValueError for a box that holds no voxel.
    """
    cut = tuple(slice(*s.indices(n)[:2]) for s, n in zip(box, volume.shape, strict=True))
    if any(s.stop <= s.start for s in cut):
        raise ValueError(f"the box {box} holds no voxel of the grid {volume.shape}")
    part = replace(volume, voxels=volume.voxels[cut].copy(), affine=_moved(volume.affine, tuple(s.start for s in cut)))

    def undo(changed: Volume) -> Volume:
        whole = np.full(volume.shape, fill, changed.voxels.dtype)
        whole[cut] = changed.voxels
        return replace(changed, voxels=whole, affine=volume.affine)

    return Change(part, undo)


def crop_to(volume: Volume, mask: NDArray, margin_mm: float = 0.0, fill: float = 0.0) -> Change:
    """Crop to the box round `mask` (bool, same shape) with a margin. An empty mask crops nothing."""
    box = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(tuple(a for a in range(3) if a != axis)))
        extra = int(np.ceil(margin_mm / volume.spacing_mm[axis]))
        n = volume.shape[axis]
        box.append(slice(max(hit[0] - extra, 0), min(hit[-1] + 1 + extra, n)) if len(hit) else slice(0, n))
    return crop(volume, (box[0], box[1], box[2]), fill)


def flip(volume: Volume, axis: int) -> Change:
    """The grid run through from the other end along one axis (0, 1, 2 for k, j, i). Nothing moves in space."""
    index = [0, 0, 0]
    index[axis] = volume.shape[axis] - 1
    affine = _moved(volume.affine, tuple(index))
    affine[:3, axis] *= -1
    turned = replace(volume, voxels=np.flip(volume.voxels, axis).copy(), affine=affine)
    return Change(
        turned, lambda changed: replace(changed, voxels=np.flip(changed.voxels, axis).copy(), affine=volume.affine)
    )


def resampled(volume: Volume, spacing_mm: float | tuple[float, float, float], threads: int = 0) -> Change:
    """On a grid of about `spacing_mm`, trilinear (an average where it shrinks more than twofold), float32.

    Undo brings integer voxels (labels) back by the nearest one and others by interpolation.
    """
    from recon_engine.preprocess.resample import back_to_grid, grid_for, resample

    other = resample(volume, grid_for(volume, spacing_mm), threads=threads)

    def undo(changed: Volume) -> Volume:
        if np.issubdtype(changed.voxels.dtype, np.integer) or changed.voxels.dtype == bool:
            return back_to_grid(changed, volume, threads)
        return replace(resample(changed, volume.shape, threads=threads), affine=volume.affine)

    return Change(other, undo)
