"""Segmentation without learning: by value, and by what hangs together with a point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recon_engine.volume import Volume


def threshold(volume: Volume, low: float = -np.inf, high: float = np.inf) -> Volume:
    """uint8: 1 where low <= value <= high."""
    return replace(volume, voxels=((volume.voxels >= low) & (volume.voxels <= high)).astype(np.uint8), unit="")


def otsu_threshold(volume: Volume) -> float:
    """The value that parts the histogram into two classes of least inner variance (Otsu 1979)."""
    from skimage.filters import threshold_otsu

    if volume.voxels.min() == volume.voxels.max():
        return float(volume.voxels.flat[0])
    return float(threshold_otsu(volume.voxels))


def grow_region(volume: Volume, seed_mm: tuple[float, float, float], low: float, high: float) -> Volume:
    """uint8: 1 in the piece of low <= value <= high that touches the voxel at `seed_mm` (LPS) by faces.

    Empty where the seed's own value lies outside. Raises ValueError for a seed off the grid.
    """
    from scipy import ndimage

    index = tuple(int(v) for v in np.rint(volume.to_index(seed_mm)))
    if any(not 0 <= v < n for v, n in zip(index, volume.shape, strict=True)):
        raise ValueError(f"the seed {seed_mm} mm lies outside the volume")
    pieces, _ = ndimage.label(threshold(volume, low, high).voxels)
    own = pieces[index]
    return replace(volume, voxels=((pieces == own) & (own > 0)).astype(np.uint8), unit="")
