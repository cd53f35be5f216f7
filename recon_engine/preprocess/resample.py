"""A volume on another grid of the same field of view.

Grids share their outer edges (voxel centres sit half a voxel inside), as torch's `align_corners=False` has it. One
fused pass reads int16, interpolates, scales and clips; nothing the size of the volume is made in between.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon_engine.parallel import Slabs
from recon_engine.volume import Volume

SHRINK = 2.0  # past this many old voxels per new one, two neighbours no longer see all of them: average over a box


def grid_for(volume: Volume, spacing_mm: float | tuple[float, float, float]) -> tuple[int, int, int]:
    """Shape (k, j, i) that fills the volume's field of view at about `spacing_mm`."""
    wanted = (spacing_mm,) * 3 if isinstance(spacing_mm, int | float) else spacing_mm
    return tuple(  # type: ignore[return-value]
        max(round(n * s / w), 1) for n, s, w in zip(volume.shape, volume.spacing_mm, wanted, strict=True)
    )


def regrid_affine(affine: NDArray, old: tuple[int, int, int], new: tuple[int, int, int]) -> NDArray:
    """The affine (4, 4) of a grid of `new` voxels over the same field of view."""
    factor = np.array([o / n for o, n in zip(old, new, strict=True)])
    out = affine.copy()
    out[:3, :3] = affine[:3, :3] * factor
    out[:3, 3] = affine[:3, 3] + affine[:3, :3] @ (factor / 2 - 0.5)
    return out


def resample(
    volume: Volume,
    shape: tuple[int, int, int],
    window: tuple[float, float] | None = None,
    prefilter: bool = True,
    threads: int = 0,
) -> Volume:
    """Trilinear on `shape` (k, j, i), float32. With `window` (low, high) values are clipped to it and scaled to 0..1.

    Where an axis shrinks more than twofold, `prefilter` averages over the whole new voxel instead, so thin things fade
    instead of vanishing.
    """
    if window is not None and not window[1] > window[0]:
        raise ValueError("the window's upper end lies above its lower end")
    low, high = (-np.inf, np.inf) if window is None else (0.0, 1.0)
    scale = 1.0 if window is None else 1.0 / (window[1] - window[0])
    shift = 0.0 if window is None else -window[0] * scale
    voxels = np.ascontiguousarray(volume.voxels)
    factors = [n / m for n, m in zip(volume.shape, shape, strict=True)]
    try:
        out = _by_numba(voxels, shape, scale, shift, low, high, prefilter and max(factors) > SHRINK, threads)
    except ImportError:  # no numba for this Python: slower, the same values
        out = by_torch(voxels, shape, scale, shift, low, high, prefilter and max(factors) > SHRINK)
    return replace(volume, voxels=out, affine=regrid_affine(volume.affine, volume.shape, shape))


def back_to_grid(labels: Volume, like: Volume, threads: int = 0) -> Volume:
    """Labels on the grid of `like`, of which theirs is a regridding: each voxel takes the nearest label."""
    out = np.empty(like.shape, labels.voxels.dtype)
    places = [
        np.minimum(((np.arange(n) + 0.5) * m / n).astype(np.int64), m - 1)
        for n, m in zip(like.shape, labels.shape, strict=True)
    ]
    try:
        from recon_engine.preprocess import kernels

        with Slabs(threads) as slabs:
            slabs.run(kernels.nearest, len(out), np.ascontiguousarray(labels.voxels), *places, out)
    except ImportError:
        out[:] = labels.voxels[np.ix_(*places)]
    return replace(labels, voxels=out, affine=like.affine)


def linear_plan(old: int, new: int) -> tuple[NDArray, NDArray]:
    """Per new index: the lower old neighbour (int64) and the share of the upper one (float32)."""
    at = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.clip(np.floor(at).astype(np.int64), 0, max(old - 2, 0))
    return first, np.clip(at - first, 0, 1).astype(np.float32)


def box_plan(old: int, new: int) -> tuple[NDArray, NDArray]:
    """Per new index: the first old neighbour and the weights (new, taps) of all it covers; linear where it grows."""
    factor = old / new
    if factor <= 1:
        first, upper = linear_plan(old, new)
        return first, np.stack([1 - upper, upper], 1)
    start, stop = np.arange(new) * factor, (np.arange(new) + 1) * factor
    first = np.floor(start + 1e-9).astype(np.int64)
    cells = first[:, None] + np.arange(int(np.ceil(factor)) + 1)
    share = np.minimum(stop[:, None], cells + 1) - np.maximum(start[:, None], cells)
    weights = np.where(cells < old, np.clip(share, 0, None), 0)
    return first, (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _by_numba(
    voxels: NDArray,
    shape: tuple[int, ...],
    scale: float,
    shift: float,
    low: float,
    high: float,
    box: bool,
    threads: int,
) -> NDArray:
    from recon_engine.preprocess import kernels

    out = np.empty(shape, np.float32)
    plan = box_plan if box else linear_plan
    plans = [part for n, m in zip(voxels.shape, shape, strict=True) for part in plan(n, m)]
    with Slabs(threads) as slabs:
        slabs.run(kernels.taps if box else kernels.linear, len(out), voxels, *plans, scale, shift, low, high, out)
    return out


def by_torch(
    voxels: NDArray, shape: tuple[int, ...], scale: float, shift: float, low: float, high: float, box: bool
) -> NDArray:
    """The same by torch, for machines without numba and to check against."""
    import torch
    from torch.nn import functional

    tensor = torch.from_numpy(np.ascontiguousarray(voxels)).float()[None, None]
    if not box:
        tensor = functional.interpolate(tensor, size=tuple(shape), mode="trilinear", align_corners=False)
    else:
        for axis, new in enumerate(shape):
            first, weights = box_plan(voxels.shape[axis], new)
            matrix = np.zeros((new, voxels.shape[axis]), np.float32)
            for tap in range(weights.shape[1]):
                np.add.at(matrix, (np.arange(new), np.minimum(first + tap, voxels.shape[axis] - 1)), weights[:, tap])
            tensor = torch.movedim(torch.tensordot(tensor, torch.from_numpy(matrix), ([axis + 2], [1])), -1, axis + 2)
    return tensor.mul_(scale).add_(shift).clamp_(low, high)[0, 0].contiguous().numpy()
