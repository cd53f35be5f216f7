"""Values of a volume on another scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon_engine.preprocess.grid import Change
from recon_engine.volume import Volume


def _scaled(volume: Volume, low: float, span: float) -> Change:
    """(value - low) / span as float32, and the way back."""
    voxels = (volume.voxels.astype(np.float32) - np.float32(low)) * np.float32(1 / span)

    def undo(changed: Volume) -> Volume:
        return replace(changed, voxels=changed.voxels * np.float32(span) + np.float32(low), unit=volume.unit)

    return Change(replace(volume, voxels=voxels, unit=""), undo)


def normalise(volume: Volume) -> Change:
    """Smallest value to 0, largest to 1, float32. A volume of one value becomes 0."""
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    return _scaled(volume, low, high - low if high > low else 1.0)


def window(volume: Volume, width: float, level: float) -> Volume:
    """Clipped to level - width / 2 .. level + width / 2 and scaled to 0..1, float32 (DICOM PS3.3 C.11.2.1.2.1 without
    its half-unit correction for integer displays). What is clipped is lost: there is no undo. Raises ValueError for a
    width that is not above 0."""
    if not width > 0:
        raise ValueError("a window's width is above 0")
    low = np.float32(level - width / 2)
    voxels = (volume.voxels.astype(np.float32) - low) * np.float32(1 / width)
    return replace(volume, voxels=np.clip(voxels, 0, 1, out=voxels), unit="")


def z_score(volume: Volume, mask: NDArray | None = None) -> Change:
    """Mean 0 and standard deviation 1 over `mask` (bool, same shape; None: all voxels above the smallest value)."""
    if mask is None:
        mask = volume.voxels > volume.voxels.min()
    inside = volume.voxels[mask].astype(np.float64)
    if not inside.size:
        return _scaled(volume, float(volume.voxels.flat[0]), 1.0)
    spread = float(inside.std())
    return _scaled(volume, float(inside.mean()), spread if spread > 0 else 1.0)
