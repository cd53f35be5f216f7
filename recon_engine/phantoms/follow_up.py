"""One body on two dates: a lesion that has grown, the body moved as a whole, another grid and other noise.

Everything is a formula evaluated at the place a voxel has in the body, so that the motion is exact on any grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.phantoms.series import fixed_uid, write_ct_series
from recon_engine.phantoms.shapes import Point, capsule, ellipsoid
from recon_engine.phantoms.torso import Lesion, Phantom
from recon_engine.volume import Volume

NAMES = {1: "Liver", 2: "Lesion"}
DATES = ("20240110", "20240410")
DAYS = 91
DIAMETERS_MM = (20.0, 26.0)
LESION_HU, LIVER_HU = 130.0, 60.0
HALF_MM = (84.0, 78.0, 98.0)  # of the field of view: z, y, x
NOISE_HU = 12.0


@dataclass(frozen=True)
class FollowUp:
    """`motion` (4, 4) takes LPS mm of the prior to LPS mm of the current one."""

    prior: Phantom
    current: Phantom
    motion: NDArray


def rigid(shift: Point, degrees: float, axis: Point = (0.3, 0.5, 0.81)) -> NDArray:
    """(4, 4): a turn about an axis through the origin, then a shift."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * np.array(axis) / np.linalg.norm(axis)).as_matrix()
    matrix[:3, 3] = shift
    return matrix


MOTION = rigid((4.2, -4.8, 2.9), 4.0)  # 7 mm and 4 degrees


def follow_up_phantom(
    spacings: tuple[Point, Point] = ((2.5, 2.0, 2.0), (3.0, 1.8, 1.8)),
    diameters_mm: tuple[float, float] = DIAMETERS_MM,
    motion: NDArray = MOTION,
    seed: int = 0,
) -> FollowUp:
    """Two dates of one body. `spacings` are (k, j, i); `seed` makes another body, not another noise."""
    made = [
        body_phantom(seed, spacing, diameter, placed, noise=n, frame=fixed_uid(f"follow-up/{seed}/{n}"))
        for n, (spacing, diameter, placed) in enumerate(
            zip(spacings, diameters_mm, (np.eye(4), motion), strict=True), start=1
        )
    ]
    return FollowUp(made[0], made[1], motion)


def body_phantom(
    seed: int, spacing: Point, diameter_mm: float, placed: NDArray, *, noise: int, frame: str | None = None
) -> Phantom:
    """The body with a ball of a lesion in its liver, where `placed` (4, 4) puts it."""
    shape = tuple(int(2 * half / s) for half, s in zip(HALF_MM, spacing, strict=True))
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing, 1.0
    affine[:3, 3] = [-(n - 1) / 2 * s for n, s in zip(shape[::-1], spacing[::-1], strict=True)]
    k, j, i = np.indices(shape, dtype=np.float32)
    there = np.linalg.inv(placed) @ affine
    x, y, z = (
        np.float32(row[0]) * k + np.float32(row[1]) * j + np.float32(row[2]) * i + np.float32(row[3])
        for row in there[:3]
    )
    grid = z, y, x
    hu = np.full(shape, -1000, np.float32)
    labels = np.zeros(shape, np.uint8)
    edge = np.float32(sum(spacing) / 3)

    def put(distance: NDArray, value: float, label: int | None = None) -> None:
        hu[...] += np.clip(np.float32(0.5) - distance / edge, 0, 1) * (np.float32(value) - hu)
        if label is not None:
            labels[distance <= 0] = label

    rng = np.random.default_rng(seed)

    def by(most: float) -> Point:
        d = rng.uniform(-most, most, 3) if seed else np.zeros(3)
        return float(d[0]), float(d[1]), float(d[2])

    def near(point: Point, most: float = 22.0) -> Point:
        return tuple(a + b for a, b in zip(point, by(most), strict=True))  # type: ignore[return-value]

    def sized(radii: Point, most: float = 0.3) -> Point:
        return tuple(a * (1 + b) for a, b in zip(radii, by(most), strict=True))  # type: ignore[return-value]

    put(ellipsoid(grid, (0, 0, 0), sized((82, 62, 70), 0.1)), -90)
    put(ellipsoid(grid, (0, 0, 0), sized((74, 54, 64), 0.08)), 35)
    put(ellipsoid(grid, near((-34, -8, 12)), sized((30, 30, 34))), LIVER_HU, 1)
    put(ellipsoid(grid, near((42, 4, 14)), sized((16, 20, 24))), 90)
    put(ellipsoid(grid, near((30, 22, -26)), sized((13, 11, 22))), 120)
    put(ellipsoid(grid, near((-30, 24, -30)), sized((13, 11, 22))), 120)
    put(ellipsoid(grid, near((14, -22, 24)), sized((22, 14, 16))), -20)
    put(ellipsoid(grid, near((6, -14, -34)), sized((20, 18, 14))), 10)
    foot, head = near((0, 36, -62), 6), near((0, 36, 62), 6)
    put(capsule(grid, foot, head, 11), 350)
    put(capsule(grid, near((-60, -10, -30), 6), near((-62, 0, 30), 6), 4), 500)
    put(capsule(grid, near((60, -6, -34), 6), near((60, 8, 26), 6), 4), 500)
    centre, radius = (-34.0, -8.0, 12.0), diameter_mm / 2
    put(ellipsoid(grid, centre, (radius,) * 3), LESION_HU, 2)
    hu += np.random.default_rng([seed, noise]).standard_normal(shape, dtype=np.float32) * np.float32(NOISE_HU)
    ct = Volume(np.clip(np.rint(hu), -1024, 3071).astype(np.int16), affine, frame, "CT", "HU")
    where = placed @ np.array([*centre, 1.0])
    place = (float(where[0]), float(where[1]), float(where[2]))
    return Phantom(
        ct,
        Volume(labels, affine, frame),
        NAMES,
        lesions=(Lesion("Liver", place, (radius,) * 3, LESION_HU),),
        lengths_mm={"lesion": diameter_mm},
        points_mm={"lesion": place},
    )


def write_follow_up(folder: str | Path, made: FollowUp | None = None) -> FollowUp:
    """Both dates as DICOM CT series of one subject, in `folder`/prior and `folder`/current."""
    made = made or follow_up_phantom()
    for name, phantom, date in zip(("prior", "current"), (made.prior, made.current), DATES, strict=True):
        write_ct_series(
            phantom.ct,
            Path(folder) / name,
            f"follow-up-{name}",
            "Abdomen, CT",
            patient="follow-up",
            date=date,
        )
    return made
