"""What the points of a mark amount to, computed again: a value that disagrees with its own points is refused.

Points are LPS millimetres. Per kind:

- point, probe, text: the place. arrow: tip, tail. length: both ends.
- angle: end, vertex, end. cobb: first line (2), second line (2), each pointing the same way.
- ellipse: ends of one axis, ends of the other (DICOM SCOORD3D ELLIPSE). rectangle: corners in order.
- polygon, freehand: corners in order, closed by itself. surface_distance: a path over a surface, both ends included.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

Vector = Sequence[float]

# Kind -> fewest and most points.
COUNTS = {
    "point": (1, 1), "probe": (1, 1), "text": (1, 1), "arrow": (2, 2), "length": (2, 2), "angle": (3, 3),
    "cobb": (4, 4), "ellipse": (4, 4), "rectangle": (4, 4), "polygon": (3, 500), "freehand": (3, 4000),
    "surface_distance": (2, 2000),
}  # fmt: skip
UNITS = {
    "length": "mm", "surface_distance": "mm", "angle": "deg", "cobb": "deg", "ellipse": "mm2", "rectangle": "mm2",
    "polygon": "mm2", "freehand": "mm2",
}  # fmt: skip
REGIONS = frozenset({"ellipse", "rectangle", "polygon", "freehand"})


def subtract(a: Vector, b: Vector) -> list[float]:
    return [x - y for x, y in zip(a, b, strict=True)]


def dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def cross(a: Vector, b: Vector) -> list[float]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def size(a: Vector) -> float:
    return math.sqrt(dot(a, a))


def distance(a: Vector, b: Vector) -> float:
    return size(subtract(a, b))


def degrees_between(a: Vector, b: Vector) -> float:
    """0 to 180; by atan2, because acos loses half the digits near 0 and 180."""
    return math.degrees(math.atan2(size(cross(a, b)), dot(a, b)))


def polygon_area(points: Sequence[Vector]) -> float:
    """Area of a flat closed outline in space (Newell's sum)."""
    total = [0.0, 0.0, 0.0]
    first = points[0]
    for a, b in zip(points, [*points[1:], first], strict=True):
        total = [t + c for t, c in zip(total, cross(subtract(a, first), subtract(b, first)), strict=True)]
    return size(total) / 2


def measured(kind: str, points: Sequence[Vector]) -> float | None:
    """mm, mm2 or degrees as UNITS says; None for kinds that measure nothing."""
    match kind:
        case "length":
            return distance(*points)
        case "surface_distance":
            return sum(distance(a, b) for a, b in itertools.pairwise(points))
        case "angle":
            return degrees_between(subtract(points[0], points[1]), subtract(points[2], points[1]))
        case "cobb":
            return degrees_between(subtract(points[1], points[0]), subtract(points[3], points[2]))
        case "ellipse":
            return math.pi / 4 * distance(points[0], points[1]) * distance(points[2], points[3])
        case "rectangle" | "polygon" | "freehand":
            return polygon_area(points)
    return None


def out_of_plane(points: Sequence[Vector], normal: Vector) -> float:
    """mm by which the points leave the plane through the first one."""
    return max(abs(dot(subtract(point, points[0]), normal)) for point in points)


def outside(points: Sequence[Vector], shape: Sequence[int], affine: Sequence[Vector]) -> float:
    """Voxels by which the farthest point lies outside the box that the voxels fill; 0 inside."""
    columns = [[row[c] for row in affine[:3]] for c in range(3)]
    origin = [row[3] for row in affine[:3]]
    volume = dot(columns[0], cross(columns[1], columns[2]))
    rows = [cross(columns[(c + 1) % 3], columns[(c + 2) % 3]) for c in range(3)]
    farthest = 0.0
    for point in points:
        offset = subtract(point, origin)
        for axis in range(3):
            index = dot(rows[axis], offset) / volume
            farthest = max(farthest, -0.5 - index, index - (shape[axis] - 0.5))
    return farthest
