"""The door: a labelmap with its geometry to closed surfaces in LPS mm, and those to files.

made = make_surfaces(labelmap, [Wanted(1, "Liver", "#FB9202")])
surfaces = plain_glb(...), browser_glb(...)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_engine.surface import kernels, nets
from recon_engine.surface.glb import Packed, Part, browser_glb, node_names, pack, plain_glb
from recon_engine.surface.meshes import KEPT_SHARE, Mesh, restore_volume, thin
from recon_engine.volume import Volume

__all__ = [
    "Mesh",
    "Packed",
    "Part",
    "Surface",
    "Wanted",
    "browser_glb",
    "make_surfaces",
    "node_names",
    "pack",
    "plain_glb",
]


@dataclass(frozen=True)
class Wanted:
    """A segment to make a surface of. `encloses` are labels inside it: its surface runs round them as well."""

    number: int
    encloses: tuple[int, ...] = ()


@dataclass(frozen=True)
class Surface:
    """`mesh` in LPS mm, closed and turned outward. `volume_mm3` is the voxels' volume, which the mesh holds too.

    `small` says that the segment is too small for its voxels: it is then shown unsmoothed, and `doubt` is the share of
    its volume that is uncertain (95 %)."""

    number: int
    mesh: Mesh
    packed: Packed | None
    voxels: int
    volume_mm3: float
    small: bool = False
    doubt: float = 0.0


def make_surfaces(
    labelmap: Volume,
    wanted: Sequence[Wanted],
    threads: int = 0,
    report: Callable[[float, str], None] = lambda fraction, detail: None,
    keep: float = KEPT_SHARE,
) -> list[Surface]:
    """One surface per wanted segment, in the given order; an absent segment has an empty mesh.

    labelmap (k, j, i) uint8. The same bytes from any number of threads. `report` hears of every finished surface and
    may raise to stop.
    """
    threads = threads or os.cpu_count() or 1
    voxels = np.ascontiguousarray(labelmap.voxels)
    counts = kernels.count_labels(voxels)
    groups = [(w, sorted({w.number, *w.encloses})) for w in wanted]
    labels = sorted({label for _, group in groups for label in group if counts[label]})
    spacing = labelmap.spacing_mm
    voxel_mm3 = labelmap.voxel_volume_ml * 1000
    raw = nets.find_borders(voxels, labels, threads)
    report(0.3, "borders found")
    # The affine's columns are (k, j, i); triangles are right-handed in (i, j, k).
    turn = bool(np.linalg.det(labelmap.affine[:3, :3]) > 0)

    def one(item: tuple[Wanted, list[int]]) -> Surface:
        want, group = item
        count = int(counts[group].sum())
        if not count:
            return Surface(want.number, Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32)), None, 0, 0.0)
        member = _only(*group)
        volume = count * voxel_mm3
        radius = float(np.cbrt(volume * 3 / (4 * np.pi)))
        small = radius < 1.0 * max(spacing)
        doubt = 0.0
        source = raw
        if small:
            alone = np.where(member[voxels], np.uint8(want.number), np.uint8(0))
            source, member = nets.find_borders(alone, [want.number], threads, smooth=False), _only(want.number)
        points, triangles = source.surface_of(member, spacing, turn)
        mesh = Mesh(labelmap.to_mm(points).astype(np.float32), triangles)
        if small:
            doubt = _doubt(mesh, spacing, volume)
        else:
            mesh = thin(mesh, keep)
        mesh = restore_volume(mesh, volume, max(spacing))
        return Surface(want.number, mesh, pack(mesh) if not mesh.empty else None, count, volume, small, doubt)

    # Largest first, so that the threads end together; `map` gives the answers back in that order.
    order = sorted(range(len(groups)), key=lambda n: -counts[groups[n][1]].sum())
    made: list[Surface | None] = [None] * len(groups)
    with ThreadPoolExecutor(threads) as pool:
        for done, (place, surface) in enumerate(zip(order, pool.map(one, [groups[n] for n in order]), strict=True)):
            made[place] = surface
            report(0.3 + 0.7 * (done + 1) / len(groups), f"surface {done + 1} of {len(groups)}")
    return [surface for surface in made if surface is not None]


def _only(*labels: int) -> NDArray:
    member = np.zeros(256, np.bool_)
    member[list(labels)] = True
    return member


def _doubt(mesh: Mesh, spacing: tuple[float, float, float], volume: float) -> float:
    """Two standard deviations of the volume, as a share of it, if chance puts each voxel on the border in or out."""
    _, area = mesh.measure()
    cell = float(np.prod(spacing))
    cut = area / cell ** (2 / 3)
    return float(2 * np.sqrt(max(cut, 1.0) / 12) * cell / volume)
