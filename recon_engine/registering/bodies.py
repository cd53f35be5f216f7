"""A volume made ready: a small grid, values cut to what tells tissues apart, and where the body is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError
from recon_engine.volume import Volume

WORKING_MM = 3.0  # voxels are joined up to this edge; half a voxel of it is far above what a run can tell apart
BODY_MM = 6.0  # the grid the body is looked for on
CT_VALUES = (-400.0, 400.0)  # HU: air and fat apart, soft tissue, and bone without metal
CT_BODY = -300.0  # HU
SMALLEST_ML = 5.0


@dataclass(frozen=True)
class Body:
    """`volume` float32 in 0..1 on the working grid; `mask` uint8 on a coarser one, both in LPS mm."""

    volume: Volume
    mask: Volume

    @property
    def volume_ml(self) -> float:
        return float(np.count_nonzero(self.mask.voxels)) * self.mask.voxel_volume_ml

    @cached_property
    def middle(self) -> NDArray:
        """LPS mm."""
        return self.mask.to_mm(np.argwhere(self.mask.voxels)).mean(0)

    def holds(self, points: NDArray) -> NDArray:
        """(n,) bool: which LPS mm lie in the body."""
        at = np.rint(self.mask.to_index(points)).astype(np.int64)
        inside = ((at >= 0) & (at < self.mask.shape)).all(-1)
        found = np.zeros(len(points), bool)
        found[inside] = self.mask.voxels[tuple(at[inside].T)] > 0
        return found


def body_of(volume: Volume, name: str) -> Body:
    """Raises EngineError spacing_unknown, sheared, nothing_there."""
    if not volume.spacing_known:
        raise EngineError("spacing_unknown", "The spacing of one of the two volumes is not known.", volume=name)
    direction = volume.direction
    if np.abs(direction.T @ direction - np.eye(3)).max() > 1e-3:
        raise EngineError("sheared", "The axes of one of the two volumes are not square to each other.", volume=name)
    small = joined(volume, WORKING_MM)
    low, high = CT_VALUES if volume.modality == "CT" else _span(small.voxels)
    if not high > low:
        raise EngineError("nothing_there", "One of the two volumes has one value everywhere.", volume=name)
    mask = _mask(small, CT_BODY if volume.modality == "CT" else None)
    values = np.clip((small.voxels - np.float32(low)) / np.float32(high - low), 0, 1).astype(np.float32)
    body = Body(small.with_voxels(values), mask)
    if body.volume_ml < SMALLEST_ML:
        raise EngineError("nothing_there", "There is no body in one of the two volumes.", volume=name)
    return body


def joined(volume: Volume, edge_mm: float) -> Volume:
    """Means of blocks of voxels: as many along each axis as fit into `edge_mm`. float32."""
    step = np.array(
        [max(1, min(int(edge_mm / s + 1e-6), n)) for s, n in zip(volume.spacing_mm, volume.shape, strict=True)]
    )
    counts = np.array(volume.shape) // step
    out = np.empty(tuple(counts), np.float32)
    (a, b, c), (_, rows, columns) = step, counts
    for k in range(counts[0]):  # slab by slab: a whole float copy of a large volume is gigabytes
        slab = volume.voxels[k * a : (k + 1) * a, : rows * b, : columns * c].astype(np.float32)
        out[k] = slab.reshape(a, rows, b, columns, c).mean((0, 2, 4))
    affine = volume.affine.copy()
    affine[:3, 3] = volume.to_mm((step - 1) / 2)
    affine[:3, :3] = affine[:3, :3] * step
    return Volume(out, affine, volume.frame_of_reference_uid, volume.modality, volume.unit)


def _span(voxels: NDArray) -> tuple[float, float]:
    """The values that matter where a unit does not say: without the rarest at either end."""
    low, high = np.percentile(voxels[::2, ::2, ::2], (1, 99.5))
    return float(low), float(high)


def _mask(small: Volume, threshold: float | None) -> Volume:
    """The largest solid thing, a little wider than it is; thin ones beside it, such as a couch, are not part of it."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    coarse = joined(small, BODY_MM)
    voxels = coarse.voxels
    if threshold is None:
        threshold = float(threshold_otsu(voxels)) if voxels.max() > voxels.min() else float(voxels.max())
    solid = voxels > threshold
    core = ndimage.binary_erosion(solid)
    labels, count = ndimage.label(core if core.any() else solid)
    if not count:
        return coarse.with_voxels(np.zeros(coarse.shape, np.uint8))
    largest = 1 + int(np.argmax(np.bincount(labels.reshape(-1))[1:]))
    grown = ndimage.binary_dilation(labels == largest, iterations=2)
    return coarse.with_voxels(ndimage.binary_closing(grown, iterations=2).astype(np.uint8) | grown.astype(np.uint8))
