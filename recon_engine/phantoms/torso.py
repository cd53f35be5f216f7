"""A torso on a seed: body, bones, organs and lesions whose volumes are known from their formulae.

Everything is written in the anatomy's own frame (mm, LPS, z 0 at the second lumbar vertebra) and then scaled as a
whole; the seed moves, turns and resizes the parts within what adults differ by.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recon_engine.phantoms.shapes import Canvas, Field, Point, capsule, ellipsoid, join
from recon_engine.phantoms.skeleton import LUMBAR_Z, THORACIC_Z, Skeleton, spine_y
from recon_engine.volume import Volume

TORSO_NAMES: dict[int, str] = {
    1: "Liver",
    2: "Spleen",
    3: "Right kidney",
    4: "Left kidney",
    5: "Right lung",
    6: "Left lung",
    7: "Heart",
    8: "Aorta",
    9: "Urinary bladder",
    10: "Stomach",
    11: "Bone",
    12: "Lesion",
}
LIVER, SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY, RIGHT_LUNG, LEFT_LUNG, HEART, AORTA, BLADDER, STOMACH, BONE, LESION = range(
    1, 13
)
PHANTOM_FRAME = "2.25.302604418230017331107531925264498711233"
_HEIGHT, _DEPTH, _WIDTH = 512.0, 288.0, 368.0  # field of view in mm

# The skin's outline by height: z, half width, back, front.
_OUTLINE = np.array(
    [
        (-300, 158, 96, 92),
        (-250, 166, 106, 96),
        (-190, 171, 118, 102),
        (-130, 164, 112, 112),
        (-60, 148, 99, 114),
        (-10, 146, 98, 112),
        (50, 152, 103, 108),
        (120, 157, 109, 108),
        (190, 160, 109, 102),
        (256, 152, 100, 88),
        (320, 120, 84, 66),
    ]
)


@dataclass(frozen=True)
class Lesion:
    """A ball or ellipsoid put into an organ. `volume_ml` is its formula's, not the voxels'."""

    organ: str
    centre_mm: Point
    radii_mm: Point
    hu: float

    @property
    def volume_ml(self) -> float:
        return float(4 / 3 * np.pi * np.prod(self.radii_mm) / 1000)


@dataclass(frozen=True)
class Phantom:
    """CT, truth on the same grid, and what the truth is made of."""

    ct: Volume
    labels: Volume
    names: dict[int, str]
    lesions: tuple[Lesion, ...] = ()
    body_ml: float = 0.0
    lengths_mm: dict[str, float] = field(default_factory=dict)
    angles_degrees: dict[str, float] = field(default_factory=dict)
    points_mm: dict[str, Point] = field(default_factory=dict)

    @property
    def volumes_ml(self) -> dict[str, float]:
        """By counting voxels of the truth, per name; absent ones are 0."""
        counts = np.bincount(self.labels.voxels.ravel(), minlength=256)
        return {name: float(counts[n] * self.labels.voxel_volume_ml) for n, name in self.names.items()}


def torso_phantom(seed: int = 0, spacing_mm: float = 2.0) -> tuple[Volume, Volume, dict[int, str]]:
    """(ct in HU, int16; truth labels, uint8; name of each label). Equal seeds give equal voxels."""
    made = make_torso(seed, spacing_mm)
    return made.ct, made.labels, made.names


def make_torso(seed: int = 0, spacing_mm: float = 2.0) -> Phantom:
    """The torso with its lesions' formulae. `spacing_mm` is the edge of its cubic voxels."""
    return _Torso(seed, spacing_mm).build()


class _Torso:
    def __init__(self, seed: int, spacing_mm: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.scale = float(self.rng.uniform(0.95, 1.05))
        self.spacing_mm = spacing_mm
        own = spacing_mm / self.scale
        shape = tuple(max(round(size / spacing_mm), 8) for size in (_HEIGHT, _DEPTH, _WIDTH))
        origin = (-(shape[2] - 1) / 2 * own, -(shape[1] - 1) / 2 * own, -(shape[0] - 1) / 2 * own)
        self.canvas = Canvas(shape, (own, own, own), origin)  # type: ignore[arg-type]
        self.grid = (self.canvas.z[:, None, None], self.canvas.y[None, :, None], self.canvas.x[None, None, :])
        self.everywhere = (slice(None), slice(None), slice(None))
        self.lesions: list[Lesion] = []
        self.organs: dict[str, tuple[tuple[slice, slice, slice], NDArray]] = {}

    # --- chance -------------------------------------------------------------------------------------------------

    def near(self, x: float, y: float, z: float, by: float = 4.0) -> Point:
        d = self.rng.uniform(-by, by, 3)
        return (x + float(d[0]), y + float(d[1]), z + float(d[2]))

    def size(self, x: float, y: float, z: float, by: float = 0.07) -> Point:
        d = self.rng.uniform(1 - by, 1 + by, 3)
        return (x * float(d[0]), y * float(d[1]), z * float(d[2]))

    def hu(self, mean: float, by: float = 8.0) -> float:
        return float(mean + self.rng.uniform(-by, by))

    # --- the body, from the outside in ----------------------------------------------------------------------------

    def build(self) -> Phantom:
        canvas = self.canvas
        self.body = self._body()
        self._walls()
        self._lungs_and_heart()
        self._abdomen()
        self._muscles()
        skeleton = Skeleton(canvas, curve=float(self.rng.uniform(-5, 5)))
        bone = skeleton.build()
        for points, radii in skeleton.cartilage:
            canvas.paint_path(points, [float(r) for r in radii], 95)
        self._discs(skeleton)
        self._paint_bone(bone)
        self._vessels()
        self._place_lesions()
        body_ml = float(np.count_nonzero(self.body <= 0) * self.spacing_mm**3 / 1000)
        voxels = self._noise()
        affine = np.zeros((4, 4))
        affine[2, 0] = affine[1, 1] = affine[0, 2] = self.spacing_mm
        affine[:3, 3] = np.array(canvas.origin) * self.scale
        affine[3, 3] = 1
        ct = Volume(voxels, affine, PHANTOM_FRAME, "CT", "HU")
        return Phantom(
            ct, Volume(canvas.labels, affine, PHANTOM_FRAME), dict(TORSO_NAMES), tuple(self.lesions), body_ml
        )

    def _body(self) -> NDArray:
        """Distance to the skin in mm, on the whole grid."""
        z, y, x = self.canvas.z, self.canvas.y[None, :, None], self.canvas.x[None, None, :]
        heavier = float(self.rng.uniform(0.97, 1.04))
        wide, back, front = (
            (np.interp(z, _OUTLINE[:, 0], _OUTLINE[:, c]) * heavier).astype(np.float32)[:, None, None]
            for c in (1, 2, 3)
        )
        deep = np.where(y > 0, back, front)
        # An exponent above 2 makes the outline boxier than an ellipse, as a lying body is.
        p = np.float32(2.35)
        unit = (np.abs(x / wide) ** p + np.abs(y / deep) ** p) ** (1 / p)
        # The furrow of the back, and legs that begin to part below the pelvis.
        distance = (unit - 1) * np.minimum(wide, deep)
        furrow = 7 * np.exp(-((x / 14) ** 2)) * np.clip(y / 90, 0, 1) * np.clip((z[:, None, None] + 260) / 60, 0, 1)
        part = np.clip((-228 - z[:, None, None]) / 30, 0, 1.5) * 24 * np.exp(-((x / 16) ** 2))
        return (distance + furrow + part * np.clip(np.abs(y) / 40, 0, 1)).astype(np.float32)

    def _walls(self) -> None:
        """Skin, fat, muscle and the fat inside, by depth below the skin."""
        z = self.grid[0]
        fat = np.interp(self.canvas.z, (-200, -60, 60, 200), (15, 15, 11, 9)).astype(np.float32)[:, None, None]
        wall = np.float32(30)
        depth = -self.body
        soft = np.where(depth < fat, np.float32(-102), np.float32(54))
        soft = np.where((depth > wall) & (z < 95), np.float32(-98), soft)
        soft = np.where(depth < 2.5, np.float32(15), soft)
        self.canvas.paint(self.everywhere, self.body, soft)
        self.cavity = self.body + wall

    def _lungs_and_heart(self) -> None:
        _z, y, x = self.grid
        right, left = (self.near(s * 62, -8, top, 5) for s, top in ((-1, 112), (1, 101)))
        self.dome = {}
        for label, (cx, cy, top) in ((RIGHT_LUNG, right), (LEFT_LUNG, left)):
            self.dome[label] = top - ((x - cx) ** 2 + 0.8 * (y - cy) ** 2) / np.float32(165)
        for label, side in ((RIGHT_LUNG, -1.0), (LEFT_LUNG, 1.0)):
            found = self.canvas.box((min(0, side * 160), -120, 20), (max(0, side * 160), 120, 300))
            if not found:
                continue
            where, (gz, gy, gx) = found
            middle = 24 - gx * np.float32(side) + 10 * np.clip((gy - 20) / 40, -1, 1) * np.clip((gy - 20) / 40, 0, 1)
            dome = self.dome[label][:, where[1], where[2]]
            inside = np.maximum(np.maximum(self.cavity[where] + 3, (dome - gz) * 0.75), middle)
            inside = np.maximum(inside, -_spine_room(gz, gy, gx))
            texture = 26 * np.sin(gx / 9 + gz / 13) * np.sin(gy / 11 - gz / 7)
            self.canvas.paint(where, inside, self.hu(-845, 15) + texture, label)
            for _ in range(34):  # vessels run outward from the root of the lung
                start = (side * float(self.rng.uniform(28, 45)), float(self.rng.uniform(-20, 30)), 165.0)
                run = self.rng.normal(size=3) * (0.5, 0.8, 1.0) + (side * 0.9, 0, 0.2)
                run *= float(self.rng.uniform(35, 70)) / np.linalg.norm(run)
                end = (start[0] + float(run[0]), start[1] + float(run[1]), start[2] + float(run[2]))
                if near := self.canvas.around([start, end], 6):
                    tube = np.maximum(capsule(near[1], start, end, 2.4, 0.8), self._part(inside, where, near[0]) + 4)
                    self.canvas.paint(near[0], tube, 40)
        centre, radii = self.near(24, -34, 146), self.size(56, 43, 48)
        self.canvas.paint_ellipsoid((centre[0], centre[1], centre[2]), tuple(r + 4 for r in radii), -70)  # type: ignore[arg-type]
        self._clear_label(centre, tuple(r + 4 for r in radii), (RIGHT_LUNG, LEFT_LUNG))  # type: ignore[arg-type]
        self.canvas.paint_ellipsoid(centre, radii, self.hu(92), HEART)
        self.canvas.paint_ellipsoid(
            (centre[0] + 12, centre[1] - 4, centre[2] - 6), (26, 20, 24), self.hu(138, 4), HEART
        )
        self.canvas.paint_ellipsoid(
            (centre[0] - 24, centre[1] + 2, centre[2] + 8), (22, 22, 26), self.hu(132, 4), HEART
        )

    @staticmethod
    def _part(values: NDArray, of: tuple[slice, slice, slice], where: tuple[slice, slice, slice]) -> NDArray:
        """`values` on box `of`, read on box `where`; far outside where the boxes do not meet."""
        out = np.full(tuple(s.stop - s.start for s in where), np.float32(99))
        to, frm = [], []
        for a, b in zip(of, where, strict=True):
            lo, hi = max(a.start, b.start), min(a.stop, b.stop)
            if lo >= hi:
                return out
            to.append(slice(lo - b.start, hi - b.start))
            frm.append(slice(lo - a.start, hi - a.start))
        out[tuple(to)] = values[tuple(frm)]
        return out

    def _clear_label(self, centre: Point, radii: Point, labels: tuple[int, ...]) -> None:
        low, high = (tuple(c + s * r for c, r in zip(centre, radii, strict=True)) for s in (-1, 1))
        if found := self.canvas.box(low, high):  # type: ignore[arg-type]
            view = self.canvas.labels[found[0]]
            view[(ellipsoid(found[1], centre, radii) <= 0) & np.isin(view, labels)] = 0

    # --- organs ---------------------------------------------------------------------------------------------------

    def _organ(self, name: str, label: int, low: Point, high: Point, shape, hu: float) -> None:
        """`shape(grid, where)` gives the distance on the box from `low` to `high`."""
        if found := self.canvas.box(low, high):
            where, grid = found
            distance = shape(grid, where)
            z, y, x = grid
            texture = 5 * np.sin(x / 6 + 2 * np.sin(z / 9)) * np.sin(y / 5 + z / 8)
            self.canvas.paint(where, distance, hu + texture, label)
            self.organs[name] = (where, distance)

    def _abdomen(self) -> None:
        self._bowel()
        stomach, stomach_size = self.near(56, -28, 66), self.size(36, 40, 44)
        self.canvas.paint_ellipsoid(stomach, stomach_size, self.hu(48, 3), STOMACH)
        inner: Point = tuple(r - 5 for r in stomach_size)  # type: ignore[assignment]
        self.canvas.paint_ellipsoid(stomach, inner, self.hu(18, 5), STOMACH)
        self.canvas.paint_ellipsoid((stomach[0] + 4, stomach[1] - 18, stomach[2] + 10), (20, 13, 20), -880, STOMACH)

        spleen, spleen_size = self.near(84, 36, 54), self.size(33, 48, 48)

        def spleen_shape(grid, where):
            z, y, x = grid
            ball = ellipsoid((z, y, x + 0.12 * (z - spleen[2])), spleen, spleen_size)
            hollow = ellipsoid(grid, (spleen[0] - 40, spleen[1] - 26, spleen[2] - 2), (22, 34, 38))
            return np.maximum(
                np.maximum(ball, -hollow), np.maximum(self.cavity[where] + 4, self._below(grid, where, 6))
            )

        self._organ("Spleen", SPLEEN, (40, -20, 10), (150, 110, 150), spleen_shape, self.hu(118))

        right, left = self.near(-66, -10, 58), self.near(8, -44, 74)
        right_size, left_size = self.size(82, 80, 78), self.size(66, 36, 36)
        wobble = self.rng.uniform(0, 6, 3)

        def liver_shape(grid, where):
            z, y, x = grid
            lobes = join(ellipsoid(grid, right, right_size), ellipsoid(grid, left, left_size), 22)
            edge = (x + 30) * np.float32(0.42) - (z + 10) * np.float32(0.9) - (y - 10) * np.float32(0.12)
            uneven = 2.5 * np.sin(x / 17 + wobble[0]) * np.sin(y / 19 + wobble[1]) * np.sin(z / 15 + wobble[2])
            fossa = ellipsoid(grid, (-30, -62, 22), (16, 26, 17))
            return np.maximum.reduce(
                [lobes + uneven, edge, self.cavity[where] + 3, self._below(grid, where, 5), -fossa - 2]
            )

        self._organ("Liver", LIVER, (-160, -115, -60), (90, 90, 140), liver_shape, self.hu(104))
        self.canvas.paint_ellipsoid((-30, -60, 20), (12, 22, 13), self.hu(9, 3))  # gall bladder

        for name, label, side, level in (("Right kidney", RIGHT_KIDNEY, -1, 4), ("Left kidney", LEFT_KIDNEY, 1, 16)):
            self._kidney(name, label, side, level)
        bladder, bladder_size = self.near(0, -34, -180, 3), self.size(37, 30, 30, 0.12)
        self.canvas.paint_ellipsoid(bladder, bladder_size, self.hu(40, 3), BLADDER)
        self.canvas.paint_ellipsoid(bladder, tuple(r - 3.5 for r in bladder_size), self.hu(6, 3), BLADDER)  # type: ignore[arg-type]

    def _below(self, grid, where, gap: float) -> NDArray:
        """Distance to the space under both halves of the diaphragm."""
        return np.minimum.reduce(
            [grid[0] - self.dome[side][:, where[1], where[2]] + gap for side in (RIGHT_LUNG, LEFT_LUNG)]
        ) * np.float32(0.75)

    def _kidney(self, name: str, label: int, side: int, level: float) -> None:
        centre, radii = self.near(side * 62, 46, level), self.size(27, 23, 53)
        tilt = np.float32(0.22 * side)

        def lean(grid):
            z, y, x = grid
            return z, y + 0.12 * (z - centre[2]), x + tilt * (z - centre[2])

        def shape(grid, where):
            z, y, x = lean(grid)
            ball = ellipsoid((z, y, x), centre, radii)
            hilum = ellipsoid((z, y, x), (centre[0] - side * 25, centre[1] - 8, centre[2]), (15, 13, 17))
            return np.maximum(ball, -hilum)

        low = (centre[0] - 46, centre[1] - 40, centre[2] - 64)
        high = (centre[0] + 46, centre[1] + 40, centre[2] + 64)
        self._organ(name, label, low, high, shape, self.hu(152))
        if found := self.canvas.box(low, high):
            where, grid = found
            leaned = lean(grid)
            inner: Point = (radii[0] - 8, radii[1] - 8, radii[2] - 9)
            medulla = np.maximum(ellipsoid(leaned, centre, inner), self.organs[name][1] + 5)
            stripes = np.sin(np.arctan2(leaned[0] - centre[2], leaned[1] - centre[1]) * 7) * 14
            self.canvas.paint(where, medulla, 118 + stripes)

    def _bowel(self) -> None:
        colon: list[Point] = [(-96, -16, -92), (-104, -6, -58), (-102, -12, -22), (-84, -44, -12), (-48, -70, -26)]
        colon += [(0, -78, -42), (46, -70, -26), (84, -42, 8), (104, 0, 26), (112, 14, -20), (108, 6, -70)]
        colon += [(84, -12, -112), (48, -22, -128), (18, -4, -138), (6, 26, -150), (2, 42, -176)]
        path = [self.near(*p, 3) for p in colon]
        wide = [float(r) for r in self.rng.uniform(17, 21, len(path))]
        self.canvas.paint_path(path, wide, 42)
        self.canvas.paint_path(path, [r - 3.5 for r in wide], 24)
        for a, b in itertools.pairwise(path):
            for _ in range(3):
                t, up = float(self.rng.uniform()), float(self.rng.uniform(2, 8))
                at = tuple(p + (q - p) * t for p, q in zip(a, b, strict=True))
                r = float(self.rng.uniform(5, 10))
                self.canvas.paint_ellipsoid((at[0], at[1] - up, at[2]), (r, r * 0.7, r), -820)
        for _ in range(46):
            middle = self.near(0, -34, -62, 1)
            spread = self.rng.uniform(-1, 1, 3) * (72, 30, 52)
            loop = (middle[0] + float(spread[0]), middle[1] + float(spread[1]), middle[2] + float(spread[2]))
            wall = self.size(13, 11, 12, 0.3)
            self.canvas.paint_ellipsoid(loop, wall, self.hu(44, 12))
            self.canvas.paint_ellipsoid(loop, (wall[0] - 4, wall[1] - 4, wall[2] - 4), self.hu(18, 12))

    def _muscle(self, path: list[Point], radii: list[float], hu: float) -> None:
        """A tube that stays under the fat."""
        for a, b, ra, rb in zip(path, path[1:], radii, radii[1:], strict=False):
            if found := self.canvas.around([a, b], max(ra, rb) + 4):
                where, grid = found
                self.canvas.paint(where, np.maximum(capsule(grid, a, b, ra, rb), self.body[where] + 11), hu)

    def _muscles(self) -> None:
        for side in (1.0, -1.0):
            psoas: list[Point] = [
                (side * 34, 34, 26),
                (side * 44, 32, -30),
                (side * 56, 22, -90),
                (side * 66, -6, -140),
            ]
            self._muscle([*psoas, (side * 92, -26, -190)], [9, 17, 23, 22, 16], 58)
            back: list[Point] = [
                (side * 34, spine_y(z) + 38, z) for z in (-150.0, -90.0, -30.0, 40.0, 120.0, 220.0, 290.0)
            ]
            self._muscle(back, [15, 21, 24, 22, 20, 18, 16], 56)
            gluteal: list[Point] = [(side * 88, 62, -110), (side * 92, 72, -160), (side * 86, 70, -215)]
            self._muscle(gluteal, [24, 34, 34], 52)
            thigh: list[Point] = [(side * 112, -14, -196), (side * 104, -6, -240), (side * 98, 0, -300)]
            self._muscle(thigh, [36, 46, 52], 56)
            self._muscle([(side * 120, 10, -96), (side * 116, 14, -160)], [17, 24], 56)

    def _discs(self, skeleton: Skeleton) -> None:
        levels = (*LUMBAR_Z, *THORACIC_Z)
        for a, b in zip((-122.0, *levels), levels, strict=False):
            z = (a + b) / 2
            high = (z + 100) / 400
            self.canvas.paint_ellipsoid(
                (skeleton.spine_x(z), spine_y(z), z), (25 - 10 * high, 18 - 5 * high, 6.5 - 2 * high), 82
            )

    def _paint_bone(self, bone: Field) -> None:
        """A dense shell around spongy bone, each uneven."""
        solid = bone.distance
        near = np.nonzero(solid < 4)
        where = tuple(slice(int(a.min()), int(a.max()) + 1) for a in near)
        distance = solid[where]
        z, y, x = self.grid[0][where[0]], self.grid[1][:, where[1]], self.grid[2][:, :, where[2]]
        spongy = 262 + 45 * np.sin(x / 2.3 + z / 3.1) * np.sin(y / 2.7 - z / 2.1) * np.sin(x / 5 + y / 6)
        shell = np.clip((distance + 3.4) / 2.2, 0, 1)
        self.canvas.paint(where, distance, spongy + shell * (self.hu(760, 40) - spongy), BONE)

    def _vessels(self) -> None:
        hu = self.hu(146, 6)
        levels = (-58.0, -30.0, 10.0, 60.0, 110.0, 170.0, 225.0)
        path: list[Point] = [(9.0, spine_y(z) - (34 if z < 60 else 29), z) for z in levels]
        arch: list[Point] = [(10, 8, 246), (0, -14, 252), (-12, -28, 236), (-6, -30, 205)]
        self.canvas.paint_path([*path, *arch], [10.5, 10.5, 11, 12, 12.5, 13, 13, 13.5, 14, 14, 14.5], hu, AORTA)
        for side in (1.0, -1.0):
            ends: list[Point] = [
                (9, spine_y(-58) - 34, -58),
                (side * 34, 2, -110),
                (side * 62, -40, -180),
                (side * 70, -48, -290),
            ]
            self.canvas.paint_path(ends, [7.5, 6.5, 5.5, 5], hu)
        cava: list[Point] = [(-15.0, spine_y(z) - 31, z) for z in (-66.0, -20.0, 30.0)]
        cava += [(-20, 2, 70), (-16, -12, 112)]
        self.canvas.paint_path(cava, [11, 11.5, 12, 12, 12], self.hu(112, 6))
        self.canvas.paint_path([(-30, -28, 60), (-52, -14, 70), (-80, -8, 78)], [7.5, 6, 3], self.hu(136, 4))

    # --- lesions and finish -----------------------------------------------------------------------------------------

    def _place_lesions(self) -> None:
        plan = [("Liver", self.hu(46, 6), (8.0, 15.0)) for _ in range(int(self.rng.integers(2, 5)))]
        plan += [("Spleen", self.hu(52, 6), (7.0, 11.0))] if self.rng.uniform() < 0.6 else []
        plan += [(str(self.rng.choice(["Left kidney", "Right kidney"])), self.hu(14, 5), (8.0, 11.0))]
        # Large ones first: a late small one finds room, a late large one may not.
        for organ, hu, (low, high) in plan:
            self._place(organ, hu, float(self.rng.uniform(low, high)))

    def _place(self, organ: str, hu: float, radius: float) -> None:
        where, inside = self.organs[organ]
        z, y, x = self.canvas.z[where[0]], self.canvas.y[where[1]], self.canvas.x[where[2]]
        stretch = self.rng.uniform(0.82, 1.18, 3)
        own: Point = tuple(float(radius * s / np.cbrt(np.prod(stretch))) for s in stretch)  # type: ignore[assignment]
        # Kidneys are too thin to hold a ball whole: there a cyst may bulge out.
        room = 1.0 if "kidney" in organ else max(own) + 3
        for reach in (room, room - 3, 0.0):
            ks, js, is_ = np.nonzero(inside < -reach)
            for pick in self.rng.permutation(len(ks))[:40]:
                centre = (float(x[is_[pick]]), float(y[js[pick]]), float(z[ks[pick]]))
                taken = any(
                    np.linalg.norm(np.subtract(centre, np.array(o.centre_mm) / self.scale))
                    < max(own) + max(o.radii_mm) / self.scale + 5
                    for o in self.lesions
                )
                if taken or self._meets_vessel(centre, max(own)):
                    continue
                self.canvas.paint_ellipsoid(centre, own, hu, LESION)
                scaled = [tuple(float(v * self.scale) for v in t) for t in (centre, own)]
                self.lesions.append(Lesion(organ, scaled[0], scaled[1], hu))  # type: ignore[arg-type]
                return

    def _meets_vessel(self, centre: Point, radius: float) -> bool:
        """Bone and the aorta stay whole."""
        if not (found := self.canvas.around([centre], radius + 2)):
            return True
        view = self.canvas.labels[found[0]]
        return bool(np.isin(view, (BONE, AORTA)).any()) or min(view.shape) * self.canvas.spacing[0] < 2 * radius

    def _noise(self) -> NDArray:
        """Blur by the scanner, then its noise: correlated in the slice, less in air, more across the hips."""
        from scipy.ndimage import gaussian_filter

        hu = gaussian_filter(self.canvas.hu, 0.35)
        noise = self.rng.standard_normal(hu.shape, dtype=np.float32)
        noise = gaussian_filter(noise, (0.25, 0.6, 0.6))
        level = np.interp(self.canvas.z, (-220, -150, 0, 300), (16, 13, 11, 11)).astype(np.float32)
        noise *= (level / noise.std())[:, None, None]
        noise *= np.where(self.body > 6, np.float32(0.5), np.float32(1))
        hu += noise
        return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)


def _spine_room(z: NDArray, y: NDArray, x: NDArray) -> NDArray:
    """Distance to a rod around the spine that the lungs keep clear of."""
    line = np.interp(z.ravel(), (0.0, 100.0, 160.0, 300.0), (36.0, 46.0, 50.0, 40.0)).astype(np.float32)
    return np.sqrt(x * x + (y - 12 - line[:, None, None]) ** 2) - 38
