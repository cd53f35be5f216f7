"""Signed distances of simple shapes, painted onto a grid of Hounsfield units.

All lengths are mm in LPS. Distances are negative inside; away from a surface they are approximate, near it they are
good to a fraction of a voxel, which is what a partial-volume edge needs. Points arrive as three arrays (z, y, x) that
broadcast against each other, so a shape costs only the box it lies in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Grid = tuple[NDArray, NDArray, NDArray]
Point = tuple[float, float, float]  # (x, y, z): x to the left, y to the back, z to the head
FAR = np.float32(1e3)


def ellipsoid(grid: Grid, centre: Point, radii: Point) -> NDArray:
    """Distance to an ellipsoid along the axes (first-order; exact for a sphere)."""
    z, y, x = grid
    dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
    a, b, c = (np.float32(1 / r) for r in radii)
    k0 = np.sqrt((dx * a) ** 2 + (dy * b) ** 2 + (dz * c) ** 2)
    if radii[0] == radii[1] == radii[2]:
        return (k0 - 1) * np.float32(radii[0])
    k1 = np.sqrt((dx * a * a) ** 2 + (dy * b * b) ** 2 + (dz * c * c) ** 2)
    return k0 * (k0 - 1) / np.maximum(k1, 1e-6)


def capsule(grid: Grid, start: Point, end: Point, radius: float, end_radius: float | None = None) -> NDArray:
    """Distance to a round-ended rod whose radius runs from `radius` to `end_radius`."""
    z, y, x = grid
    ax, ay, az = (e - s for s, e in zip(start, end, strict=True))
    dx, dy, dz = x - start[0], y - start[1], z - start[2]
    t = np.clip((dx * ax + dy * ay + dz * az) / max(ax * ax + ay * ay + az * az, 1e-9), 0, 1)
    r = radius if end_radius is None else radius + (end_radius - radius) * t
    return np.sqrt((dx - t * ax) ** 2 + (dy - t * ay) ** 2 + (dz - t * az) ** 2) - r


def join(a: NDArray, b: NDArray, blend: float = 0.0) -> NDArray:
    """Union; with `blend` mm the seam is a fillet, as bone grows, not as rods touch."""
    if not blend:
        return np.minimum(a, b)
    h = np.maximum(blend - np.abs(a - b), 0) / blend
    return np.minimum(a, b) - h * h * np.float32(blend / 4)


@dataclass
class Canvas:
    """A grid of HU with its truth. Axes hold the mm of voxel centres; `shape` is (k, j, i)."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: Point  # LPS mm of voxel (0, 0, 0)
    air: float = -1000.0
    hu: NDArray = field(init=False)
    labels: NDArray = field(init=False)

    def __post_init__(self) -> None:
        self.hu = np.full(self.shape, self.air, np.float32)
        self.labels = np.zeros(self.shape, np.uint8)
        self.z, self.y, self.x = (
            (o + np.arange(n) * s).astype(np.float32)
            for o, n, s in zip(self.origin[::-1], self.shape, self.spacing, strict=True)
        )

    def box(self, low: Point, high: Point) -> tuple[tuple[slice, slice, slice], Grid] | None:
        """The voxels between two corners and their coordinates, or None where the box misses the grid."""
        slices = []
        for axis, lo, hi in ((self.z, low[2], high[2]), (self.y, low[1], high[1]), (self.x, low[0], high[0])):
            slices.append(slice(int(np.searchsorted(axis, lo)), int(np.searchsorted(axis, hi, "right"))))
        k, j, i = slices
        if k.start >= k.stop or j.start >= j.stop or i.start >= i.stop:
            return None
        return (k, j, i), (self.z[k, None, None], self.y[None, j, None], self.x[None, None, i])

    def around(self, points: list[Point], margin: float) -> tuple[tuple[slice, slice, slice], Grid] | None:
        """The box that holds `points` with a margin in mm."""
        corners = np.array(points)
        low, high = corners.min(0) - margin, corners.max(0) + margin
        return self.box(tuple(low), tuple(high))  # type: ignore[arg-type]

    def paint(
        self, where: tuple[slice, slice, slice], distance: NDArray, hu: float | NDArray, label: int | None = None
    ) -> None:
        """Blend `hu` in over one voxel's width at the surface; voxels with centres inside take the label."""
        edge = np.float32(sum(self.spacing) / 3)
        share = np.clip(np.float32(0.5) - distance / edge, 0, 1)
        view = self.hu[where]
        view += share * (hu - view)
        if label is not None:
            self.labels[where][distance <= 0] = label

    def paint_ellipsoid(self, centre: Point, radii: Point, hu: float, label: int | None = None) -> None:
        margin = max(self.spacing) * 1.5
        low = tuple(c - r - margin for c, r in zip(centre, radii, strict=True))
        high = tuple(c + r + margin for c, r in zip(centre, radii, strict=True))
        if found := self.box(low, high):  # type: ignore[arg-type]
            self.paint(found[0], ellipsoid(found[1], centre, radii), hu, label)

    def paint_path(self, points: list[Point], radii: list[float], hu: float, label: int | None = None) -> None:
        """A tube through `points`."""
        for a, b, ra, rb in zip(points, points[1:], radii, radii[1:], strict=False):
            if found := self.around([a, b], max(ra, rb) + 2 * max(self.spacing)):
                self.paint(found[0], capsule(found[1], a, b, ra, rb), hu, label)


@dataclass
class Field:
    """A distance field several shapes are joined into before they are painted once, as one solid."""

    canvas: Canvas
    distance: NDArray = field(init=False)

    def __post_init__(self) -> None:
        self.distance = np.full(self.canvas.shape, FAR, np.float32)

    def add(self, where: tuple[slice, slice, slice], distance: NDArray, blend: float = 0.0) -> None:
        self.distance[where] = join(self.distance[where], distance, blend)

    def carve(self, where: tuple[slice, slice, slice], distance: NDArray) -> None:
        """Take the inside of `distance` away."""
        np.maximum(self.distance[where], -distance, out=self.distance[where])

    def add_capsule(self, a: Point, b: Point, radius: float, end_radius: float | None = None, blend: float = 3) -> None:
        widest = max(radius, end_radius or 0.0)
        if found := self.canvas.around([a, b], widest + blend + 3):
            self.add(found[0], capsule(found[1], a, b, radius, end_radius), blend)

    def add_ellipsoid(self, centre: Point, radii: Point, blend: float = 3) -> None:
        margin = blend + 3
        low = tuple(c - r - margin for c, r in zip(centre, radii, strict=True))
        high = tuple(c + r + margin for c, r in zip(centre, radii, strict=True))
        if found := self.canvas.box(low, high):  # type: ignore[arg-type]
            self.add(found[0], ellipsoid(found[1], centre, radii), blend)
