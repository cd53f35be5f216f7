"""One closed surface: how it is thinned, given its volume back and measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_engine.surface import kernels, meshopt

KEPT_SHARE = 0.1  # of the triangles SurfaceNets makes
FEWEST_TRIANGLES = 500  # fewer than this shows corners on screen and saves nothing


@dataclass(frozen=True)
class Mesh:
    """`vertices` (n, 3) float32, `triangles` (m, 3) uint32, turned outward."""

    vertices: NDArray
    triangles: NDArray

    @property
    def empty(self) -> bool:
        return len(self.triangles) == 0

    def measure(self) -> tuple[float, float]:
        """(volume, area) in the vertices' unit; the volume is positive where triangles turn outward."""
        if self.empty:
            return 0.0, 0.0
        vertices = self.vertices.astype(np.float64)
        return kernels.vertex_normals(vertices, self.triangles, np.empty_like(vertices))

    def normals(self) -> NDArray:
        """(n, 3) float32 unit normals, weighted by area; (0, 0, 1) where triangles folded together cancel out."""
        out = np.zeros((len(self.vertices), 3))
        if not self.empty:
            kernels.vertex_normals(self.vertices.astype(np.float64), self.triangles, out)
        out[np.abs(np.linalg.norm(out, axis=1) - 1) > 1e-3] = (0.0, 0.0, 1.0)  # glTF takes unit vectors only
        return out.astype(np.float32)

    def is_closed(self) -> bool:
        """True where every edge is run through as often one way as the other."""
        if self.empty:
            return True
        edges = np.concatenate([self.triangles[:, [0, 1]], self.triangles[:, [1, 2]], self.triangles[:, [2, 0]]])
        a, b = edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)
        keys = np.minimum(a, b) * len(self.vertices) + np.maximum(a, b)
        _, place = np.unique(keys, return_inverse=True)
        return not np.bincount(place, np.where(a < b, 1, -1)).any()


def thin(mesh: Mesh, keep: float = KEPT_SHARE, fewest: int = FEWEST_TRIANGLES) -> Mesh:
    """About `keep` of the triangles, never fewer than `fewest`."""
    target = max(int(len(mesh.triangles) * keep), fewest)
    if target >= len(mesh.triangles):
        return mesh
    return Mesh(*meshopt.simplify(mesh.vertices, mesh.triangles, target))


def restore_volume(mesh: Mesh, volume: float, farthest: float, rounds: int = 6) -> Mesh:
    """Move all vertices by one common distance along their normals until the surface holds `volume`.

    Smoothing and thinning shrink round things; one distance for the whole surface gives the volume back without
    changing its shape. `farthest` bounds the move, all in the vertices' unit (mm and mm3).
    """
    if mesh.empty or volume <= 0:
        return mesh
    vertices = mesh.vertices.astype(np.float64)
    normals = np.empty_like(vertices)
    moved = 0.0
    for _ in range(rounds):
        have, area = kernels.vertex_normals(vertices, mesh.triangles, normals)
        if area <= 0 or abs(have - volume) <= 1e-4 * volume:
            break
        step = float(np.clip((volume - have) / area, -farthest - moved, farthest - moved))
        if step == 0.0:
            break
        vertices += step * normals
        moved += step
    return Mesh(vertices.astype(np.float32), mesh.triangles)
