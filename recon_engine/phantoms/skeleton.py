"""Spine, ribs, sternum, pelvis and femora out of rods and plates, joined with fillets.

Sizes are those of an average adult, in mm in the anatomy's own frame: z 0 lies at the level of the second lumbar
vertebra, the body's axis at x = y = 0. The left half is written down; the right one mirrors it.
"""

from __future__ import annotations

import itertools

import numpy as np

from recon_engine.phantoms.shapes import Canvas, Field, Point, ellipsoid, join

SPINE_Z = (-220.0, -190.0, -165.0, -130.0, -100.0, -60.0, -20.0, 40.0, 100.0, 160.0, 226.0, 300.0)
SPINE_Y = (56.0, 70.0, 72.0, 58.0, 42.0, 33.0, 32.0, 38.0, 46.0, 50.0, 47.0, 40.0)
# Centres of the vertebral bodies: L5 to L1, then T12 to T1.
LUMBAR_Z = (-100.0, -68.0, -36.0, -4.0, 28.0)
THORACIC_Z = (58.0, 85.0, 111.0, 136.0, 160.0, 183.0, 205.0, 226.0, 246.0, 266.0, 285.0, 302.0)
HIP: Point = (90.0, -2.0, -183.0)

# Per rib, 12 (lowest) to 1: half width, half depth, how far round it reaches in degrees, how far its front end drops.
RIBS = (
    (96.0, 80.0, 58.0, 34.0),
    (113.0, 83.0, 86.0, 52.0),
    (122.0, 86.0, 112.0, 74.0),
    (126.0, 88.0, 128.0, 78.0),
    (127.0, 88.0, 140.0, 76.0),
    (125.0, 87.0, 150.0, 72.0),
    (121.0, 84.0, 151.0, 68.0),
    (115.0, 80.0, 152.0, 64.0),
    (106.0, 74.0, 152.0, 58.0),
    (94.0, 66.0, 152.0, 50.0),
    (78.0, 56.0, 152.0, 42.0),
    (56.0, 44.0, 152.0, 34.0),
)


def spine_y(z: float) -> float:
    return float(np.interp(z, SPINE_Z, SPINE_Y))


class Skeleton:
    """Builds one solid bone distance field. `curve` mm is a sideways bend of the spine."""

    def __init__(self, canvas: Canvas, curve: float = 0.0) -> None:
        self.canvas = canvas
        self.bone = Field(canvas)
        self.curve = curve
        self.cartilage: list[tuple[list[Point], list[float]]] = []

    def spine_x(self, z: float) -> float:
        return self.curve * float(np.sin(np.pi * (z + 110.0) / 330.0)) if z > -110 else 0.0

    def build(self) -> Field:
        self._ribs()
        self._sternum()
        for z in LUMBAR_Z:
            self._vertebra(z, lumbar=True)
        for z in THORACIC_Z:
            self._vertebra(z, lumbar=False)
        self._sacrum()
        for side in (1.0, -1.0):
            self._hip_bone(side)
            self._femur(side)
        return self.bone

    def _vertebra(self, z: float, lumbar: bool) -> None:
        high = (z + 100) / 400  # 0 at the bottom of the lumbar spine, about 1 at the top of the chest
        width, depth = 26.0 - 11.0 * high, 18.5 - 5.0 * high
        half = 13.0 if lumbar else 11.5 - 3.0 * high
        cx, cy = self.spine_x(z), spine_y(z)
        tilt = np.arctan2(spine_y(z + 12) - spine_y(z - 12), 24.0)
        cos, sin = float(np.cos(tilt)), float(np.sin(tilt))

        def at(u: float, v: float, w: float) -> Point:
            """Left u, back v, up w of the vertebra's own frame, in the body's."""
            return (cx + u, cy + v * cos + w * sin, z - v * sin + w * cos)

        if found := self.canvas.around([at(-40, -24, -30), at(40, 24, 30)], 4):
            where, (gz, gy, gx) = found
            v, w = (gy - cy) * cos - (gz - z) * sin, (gy - cy) * sin + (gz - z) * cos
            waist = 1 - 0.13 * np.clip(1 - (w / half) ** 2, 0, 1)
            round_ = (np.sqrt(((gx - cx) / width) ** 2 + (v / depth) ** 2) - waist) * np.float32(depth)
            flat = np.abs(w) - half + 1.5
            corner = np.sqrt(np.maximum(round_ + 1.5, 0) ** 2 + np.maximum(flat, 0) ** 2) - 1.5
            self.bone.add(where, np.maximum(corner, np.maximum(round_, flat - 1.5)), 1.5)
        rod = self.bone.add_capsule
        back = depth + 9.0  # middle of the canal
        for s in (1.0, -1.0):
            rod(at(s * width * 0.55, depth - 4, 4), at(s * 13.5, back + 4, 4), 5.2, 4.4)
            rod(at(s * 14.5, back + 5, 15), at(s * 14.5, back + 5, -15), 5.0, 4.6)
            rod(at(s * 14, back + 4, 2), at(0, back + 13, -6), 4.2)
            tip = at(s * 43, back + 4, 6) if lumbar else at(s * (30 + 6 * high), back + 17, 8)
            rod(at(s * 14, back + 3, 3), tip, 4.6, 3.2)
        if lumbar:
            rod(at(0, back + 13, -4), at(0, back + 31, -8), 3.8, 4.6)
            rod(at(0, back + 13, -10), at(0, back + 30, -16), 3.6, 4.6)
        else:
            rod(at(0, back + 11, -6), at(0, back + 27, -30 + 10 * high), 4.2, 3.4)
        if found := self.canvas.around([at(0, back, -half - 8), at(0, back, half + 8)], 9):
            where, (gz, gy, gx) = found
            v = (gy - cy) * cos - (gz - z) * sin
            self.bone.carve(where, np.sqrt((gx - cx) ** 2 + (v - back) ** 2) - 8.2)

    def rib_path(self, number: int, side: float) -> list[Point]:
        """Centre line of rib `number` (12 the lowest) from its head to its front end."""
        from scipy.interpolate import CubicSpline

        z = THORACIC_Z[12 - number]
        width, depth, reach, drop = RIBS[12 - number]
        cy = spine_y(z)
        middle = cy + 34 - 0.9 * depth
        points = [(self.spine_x(z) + side * 17, cy + 12, z + 6), (self.spine_x(z) + side * 36, cy + 33, z + 6)]
        for angle in np.linspace(34.0, reach, 9 if reach > 60 else 3):
            turn, share = np.radians(angle), (angle - 20) / 132
            points.append(
                (
                    side * width * float(np.sin(turn)) ** 0.9,
                    middle + depth * float(np.cos(turn)),
                    z + 5 - drop * share**1.15 * (132 / max(reach - 20, 60)) ** 0.35,
                )
            )
        knots = np.array(points)
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
        fine = CubicSpline(along, knots)(np.linspace(0, along[-1], max(int(along[-1] / 7), 6)))
        return [tuple(map(float, p)) for p in fine]  # type: ignore[misc]

    def _ribs(self) -> None:
        for number in range(1, 13):
            for side in (1.0, -1.0):
                path = self.rib_path(number, side)
                self._rib(path)
                if number <= 7:
                    end, z = path[-1], path[-1][2] + 6 + 5 * max(number - 4, 0)
                    hold = (side * 17.0, _sternum_y(z), z)
                    self.cartilage.append(([end, ((end[0] + hold[0]) / 2, hold[1] - 1, end[2] - 2), hold], [5, 5, 5]))
                elif number <= 10:
                    above = self.rib_path(number - 1, side)[-1]
                    end = path[-1]
                    bend = (end[0] * 0.82, end[1] - 9, end[2] - 4)
                    self.cartilage.append(([end, bend, (above[0] * 0.86, above[1] - 3, above[2] - 3)], [5, 4.5, 4.5]))

    def _rib(self, path: list[Point]) -> None:
        """A flat band, 13 mm high and 7 mm thick, round the chest; rounder at its head."""
        n = len(path)
        for index, (a, b) in enumerate(itertools.pairwise(path)):
            thick = 3.6
            high = 4.4 + 2.2 * min(index / 5, 1.0) + 0.8 * max(0.0, index / n - 0.6)
            if not (found := self.canvas.around([a, b], high + 4)):
                continue
            where, (gz, gy, gx) = found
            ax, ay, az = (q - p for p, q in zip(a, b, strict=True))
            dx, dy, dz = gx - a[0], gy - a[1], gz - a[2]
            t = np.clip((dx * ax + dy * ay + dz * az) / (ax * ax + ay * ay + az * az), 0, 1)
            dx, dy, dz = dx - t * ax, dy - t * ay, dz - t * az
            # Outward in the plane of the slice, square to the rib's run: the thin direction.
            run = np.hypot(ax, ay) + 1e-6
            out = (dx * np.float32(ay / run) - dy * np.float32(ax / run)) / thick
            rest = np.maximum(dx * dx + dy * dy + dz * dz - (out * thick) ** 2, 0) / (high * high)
            self.bone.add(where, (np.sqrt(out * out + rest) - 1) * np.float32(thick))

    def _sternum(self) -> None:
        for low, high, half in ((128.0, 150.0, 11.0), (146.0, 205.0, 18.0), (205.0, 242.0, 15.0), (246.0, 300.0, 25.0)):
            corners: list[Point] = [(-half, _sternum_y(low), low), (half, _sternum_y(high), high)]
            if found := self.canvas.around(corners, 8):
                where, (gz, gy, gx) = found
                y = np.interp(gz.ravel(), (120.0, 300.0), (_sternum_y(120), _sternum_y(300))).astype(np.float32)
                plate = np.abs(gy - y[:, None, None]) - 5.0
                side = np.abs(gx) - half
                ends = np.abs(gz - (low + high) / 2) - (high - low) / 2
                outside = np.sqrt(np.maximum(plate, 0) ** 2 + np.maximum(side, 0) ** 2 + np.maximum(ends, 0) ** 2)
                inside = np.minimum(np.maximum(np.maximum(plate, side), ends), 0)
                self.bone.add(where, outside + inside - 1.0, 4)

    def _sacrum(self) -> None:
        if found := self.canvas.box((-70, 20, -204), (70, 110, -104)):
            where, (gz, gy, gx) = found
            t = np.clip((-112 - gz) / 86, 0, 1)
            wide = 56 - 42 * t**0.9
            deep = 19 - 11 * t
            middle = np.interp(gz.ravel(), SPINE_Z, SPINE_Y).astype(np.float32)[:, None, None] + 6
            bend = 0.0035 * gx * gx  # the front is hollow from side to side
            body = (np.sqrt((gx / wide) ** 2 + ((gy - middle - bend) / deep) ** 2) - 1) * deep
            self.bone.add(where, np.maximum(body, np.abs(gz + 155) - 43), 3)
        for index, z in enumerate((-128.0, -145.0, -161.0, -176.0)):
            y = spine_y(z) + 6
            for side in (1.0, -1.0):
                hole = (side * (25 - 3.6 * index), y, z)
                if found := self.canvas.around([(hole[0], y - 30, z), (hole[0], y + 30, z)], 6):
                    self.bone.carve(found[0], ellipsoid(found[1], hole, (4.4 - 0.4 * index, 60, 4.2 - 0.4 * index)))
        self.bone.add_capsule((0, 80, -128), (0, 91, -168), 4, 3.5)
        self.bone.add_capsule((0, 75, -196), (0, 68, -212), 6.5, 5)
        self.bone.add_capsule((0, 68, -212), (0, 56, -224), 5, 3)

    def _hip_bone(self, side: float) -> None:
        hx, hy, hz = HIP
        if found := self.canvas.box((min(side * 28, side * 150), -90, -235), (max(side * 28, side * 150), 90, -50)):
            where, (gz, gy, gx) = found
            x, up = gx * np.float32(side), gz - (hz + 5)
            rise = np.clip(up / 105, -0.4, 1.05)
            back, front = np.maximum(gy - 2, 0), np.maximum(-gy - 10, 0)
            sheet = 73 + 76 * rise - 30 * np.maximum(rise, 0) ** 2 - 0.0205 * back**2 - 0.007 * front**2
            slope = np.sqrt(1 + 0.30 + (0.043 * back) ** 2 + (0.012 * front) ** 2)
            r = np.sqrt(gy * gy + up * up) + 1e-6
            angle = np.arctan2(gy, up)  # 0 straight up, positive to the back
            crest = 110 - 11 * np.abs((angle + 0.12) / 0.6) ** 1.7 + 5 * np.exp(-(((angle + 0.72) / 0.12) ** 2))
            fan = join(np.maximum(r - crest, r * np.sin(np.clip(np.abs(angle - 0.06) - 0.83, -1.5, 1.5))), r - 36, 18)
            rim = np.clip(1 + fan / 16, 0, 1)  # the crest and the lower end are thicker than the wing
            thick = 3.4 + 2.6 * rim**2 + 5 * np.clip(1 - r / 60, 0, 1)
            plate = np.abs(x - sheet) / slope - thick
            self.bone.add(where, np.maximum(plate, fan - 1), 3)
        head = (side * hx, hy, hz)
        if found := self.canvas.around([head], 38):
            where, (gz, gy, gx) = found
            r = ellipsoid((gz, gy, gx), head, (1, 1, 1)) + 1
            cup = np.maximum(np.abs(r - 29.5) - 4, ((gx * side - hx) * 0.78 - (gz - hz) * 0.55 + (gy - hy) * -0.2) - 7)
            self.bone.add(where, cup, 5)

        def p(x: float, y: float, z: float) -> Point:
            return (side * x, y, z)

        rod = self.bone.add_capsule
        rod(p(76, 18, -196), p(66, 36, -224), 15, 12, 6)
        rod(p(66, 36, -224), p(58, 36, -240), 13, 12, 6)
        rod(p(68, -20, -188), p(44, -46, -198), 10.5, 7.5, 6)
        rod(p(44, -46, -198), p(12, -60, -208), 7.5, 9, 6)
        rod(p(12, -60, -206), p(12, -58, -222), 9, 8, 4)
        rod(p(13, -56, -226), p(34, -22, -240), 7, 6, 4)
        rod(p(34, -22, -240), p(56, 24, -244), 6, 9, 4)
        if found := self.canvas.around([head], 28):
            self.bone.carve(found[0], ellipsoid(found[1], head, (26.2, 26.2, 26.2)))

    def _femur(self, side: float) -> None:
        def p(x: float, y: float, z: float) -> Point:
            return (side * x, y, z)

        self.bone.add_ellipsoid((side * HIP[0], HIP[1], HIP[2]), (23.3, 23.3, 23.3), 0)
        rod = self.bone.add_capsule
        rod(p(97, -2, -190), p(121, 3, -208), 15.5, 14, 5)
        rod(p(130, 8, -198), p(131, 6, -218), 14, 16, 6)
        rod(p(127, 5, -214), p(119, 0, -300), 17, 14.5, 6)
        rod(p(112, 16, -238), p(115, 12, -246), 8, 8, 6)


def _sternum_y(z: float) -> float:
    """The breastbone leans forward on its way down."""
    return float(np.interp(z, (120.0, 300.0), (-86.0, -45.0)))
