"""A volume never travels without its geometry.

Voxels are held in array order (k, j, i), slowest axis first; points are LPS millimetres. One 4x4 affine takes
(k, j, i, 1) to (x, y, z, 1), so its columns are the steps in mm along k, j and i (DICOM PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Volume:
    """Real values on a grid in space. `voxels` (k, j, i); `affine` (4, 4) float64 to LPS mm.

    `spacing_known` is False for pictures without a stated spacing: nothing in mm or mL may then be said.
    Raises ValueError for voxels that are not three-dimensional or an affine that cannot be inverted.
    """

    voxels: NDArray
    affine: NDArray
    frame_of_reference_uid: str | None = None
    modality: str | None = None
    unit: str = ""
    spacing_known: bool = True

    def __post_init__(self) -> None:
        affine = np.asarray(self.affine, dtype=np.float64)
        if self.voxels.ndim != 3:
            raise ValueError(f"a Volume has three axes (k, j, i), not shape {self.voxels.shape}")
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise ValueError("the affine of a Volume is a finite, invertible 4x4 matrix")
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.voxels.shape  # type: ignore[return-value]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel along k, j, i."""
        k, j, i = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(k), float(j), float(i)

    @property
    def direction(self) -> NDArray:
        """(3, 3): unit LPS vectors of the k, j, i axes, one per column."""
        return self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_volume_ml(self) -> float:
        return float(abs(np.linalg.det(self.affine[:3, :3])) / 1000.0)

    def to_mm(self, indices: ArrayLike) -> NDArray:
        """(..., 3) indices (k, j, i) -> (..., 3) LPS mm."""
        return np.asarray(indices, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, points: ArrayLike) -> NDArray:
        """(..., 3) LPS mm -> (..., 3) fractional indices (k, j, i)."""
        offset = np.asarray(points, dtype=np.float64) - self.affine[:3, 3]
        return offset @ np.linalg.inv(self.affine[:3, :3]).T

    def with_voxels(self, voxels: NDArray) -> Volume:
        """The same place in space, other values."""
        if voxels.shape != self.voxels.shape:
            raise ValueError(f"voxels of shape {voxels.shape} do not fit the grid {self.voxels.shape}")
        return replace(self, voxels=voxels)

    def same_grid(self, other: Volume, tolerance_mm: float = 1e-3) -> bool:
        """True where both have equal shapes and corners equal within the tolerance."""
        if self.shape != other.shape:
            return False
        corners = np.array([[0, 0, 0], [n - 1 for n in self.shape]])
        return bool(np.abs(self.to_mm(corners) - other.to_mm(corners)).max() <= tolerance_mm) and bool(
            np.abs(self.affine - other.affine).max() <= tolerance_mm
        )
