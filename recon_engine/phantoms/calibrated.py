"""Phantoms to check a viewer's numbers with: balls of known volume, a length of 50.0 mm, an angle of 30.0 degrees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon_engine.phantoms.shapes import Point
from recon_engine.phantoms.torso import Phantom
from recon_engine.volume import Volume


def sphere_phantom(
    radius_mm: float = 20.0,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    centre_offset: tuple[float, float, float] = (0.31, 0.17, 0.43),
    affine: NDArray | None = None,
    hu: float = 100.0,
) -> Phantom:
    """One ball in air. Its centre, `points_mm["centre"]`, lies `centre_offset` voxels (k, j, i) off the grid's middle.

    `affine` (4, 4) places the grid in LPS mm; by default axial, its middle at 0. A voxel belongs to the ball when its
    centre does.
    """
    shape = tuple(int(np.ceil(radius_mm / s)) * 2 + 12 for s in spacing_mm)
    middle = np.array([n // 2 for n in shape]) + np.array(centre_offset)
    if affine is None:
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing_mm, 1.0
        affine[:3, 3] = -(affine[:3, :3] @ np.array([n // 2 for n in shape]))
    centre = affine[:3, :3] @ middle + affine[:3, 3]
    k, j, i = np.ix_(*[np.arange(n) for n in shape])
    distance2 = np.zeros(shape)
    for axis in range(3):
        row = affine[axis]
        distance2 += (row[0] * k + row[1] * j + row[2] * i + row[3] - centre[axis]) ** 2
    labels = (distance2 <= radius_mm**2).astype(np.uint8)
    voxels = np.where(labels, hu, -1000).astype(np.int16)
    ct = Volume(voxels, affine, None, "CT", "HU")
    return Phantom(
        ct,
        Volume(labels, affine),
        {1: "Ball"},
        points_mm={"centre": (float(centre[0]), float(centre[1]), float(centre[2]))},
        lengths_mm={"radius": radius_mm},
    )


# What the calibrated phantom holds. Points in LPS mm.
_ROD_ENDS: tuple[Point, Point] = ((-25.0, -20.0, 0.0), (25.0, -20.0, 0.0))
_APEX: Point = (-20.0, 30.0, 0.0)
_ARM = 44.0
INSERTS: dict[str, float] = {"Air": -1000.0, "Fat": -100.0, "Water": 0.0, "Liver": 60.0, "Bone": 1000.0}


def calibrated_phantom(spacing_mm: float = 1.0) -> Phantom:
    """A water drum with two beads 50.0 mm apart, two rods that meet at 30.0 degrees and five inserts of known HU.

    All of it lies in the slice z = 0 too, on voxel centres at 1 mm, so a ruler set on the beads' middles reads 50.0 mm.
    No noise. `points_mm` names the beads, the rods' ends and the inserts' middles.
    """
    half = (40, 70, 70)
    shape = tuple(int(2 * round(h / spacing_mm) + 1) for h in half)
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = spacing_mm
    affine[:3, 3] = [-spacing_mm * (n // 2) for n in shape[::-1]]
    affine[3, 3] = 1.0
    z, y, x = np.ix_(*[(np.arange(n) - n // 2) * spacing_mm for n in shape])
    hu = np.full(shape, -1000.0, np.float32)
    labels = np.zeros(shape, np.uint8)
    hu[np.broadcast_to((x**2 + y**2 <= 65**2) & (np.abs(z) <= 35), shape)] = 0

    def put(where: NDArray, value: float, label: int) -> None:
        where = np.broadcast_to(where, shape)
        hu[where] = value
        labels[where] = label

    points: dict[str, Point] = {}
    for number, (name, value) in enumerate(INSERTS.items()):
        turn = np.radians(200 + 35 * number)
        middle = (48 * float(np.cos(turn)), 48 * float(np.sin(turn)), 0.0)
        put((x - middle[0]) ** 2 + (y - middle[1]) ** 2 + z**2 <= 9**2, value, 0)
        points[name] = middle
    for name, bead in zip(("Bead 1", "Bead 2"), _ROD_ENDS, strict=True):
        put((x - bead[0]) ** 2 + (y - bead[1]) ** 2 + (z - bead[2]) ** 2 <= 2.5**2, 1500, 1)
        points[name] = bead
    points["Apex"] = _APEX
    for name, degrees in (("Arm 1", 0.0), ("Arm 2", -30.0)):
        turn = np.radians(degrees)
        end = (_APEX[0] + _ARM * float(np.cos(turn)), _APEX[1] + _ARM * float(np.sin(turn)), 0.0)
        along = np.clip(((x - _APEX[0]) * np.cos(turn) + (y - _APEX[1]) * np.sin(turn)), 0, _ARM)
        off = (x - _APEX[0] - along * np.cos(turn)) ** 2 + (y - _APEX[1] - along * np.sin(turn)) ** 2 + z**2
        put(off <= 1.6**2, 1500, 2)
        points[name] = end
    ct = Volume(np.rint(hu).astype(np.int16), affine, "2.25.118417263344127771402903712018345501467", "CT", "HU")
    return Phantom(
        ct,
        Volume(labels, affine, ct.frame_of_reference_uid),
        {1: "Beads", 2: "Rods"},
        lengths_mm={"between beads": 50.0},
        angles_degrees={"between rods": 30.0},
        points_mm=points,
    )
