"""Numbers of points whose answer is known."""

from __future__ import annotations

import math

import pytest

from server.readings.geometry import measured, out_of_plane, outside


@pytest.mark.parametrize(
    ("kind", "points", "truth"),
    [
        ("length", [[0, 0, 0], [30, 40, 0]], 50.0),
        ("angle", [[10, 0, 0], [0, 0, 0], [math.cos(math.radians(30)), math.sin(math.radians(30)), 0]], 30.0),
        ("angle", [[1, 0, 0], [0, 0, 0], [-1, 0, 0]], 180.0),
        ("cobb", [[0, 0, 0], [10, 0, 0], [0, 0, 50], [10, 0, 50 + 10 * math.tan(math.radians(25))]], 25.0),
        ("ellipse", [[-10, 0, 5], [10, 0, 5], [0, -5, 5], [0, 5, 5]], math.pi * 50),
        ("rectangle", [[0, 0, 0], [0, 30, 0], [0, 30, 20], [0, 0, 20]], 600.0),
        ("polygon", [[1, 0, 0], [5, 0, 0], [5, 0, 3]], 6.0),
        ("freehand", [[0, 0, 1], [4, 0, 1], [4, 4, 1], [2, 1, 1]], 6.0),
        ("surface_distance", [[0, 0, 0], [3, 4, 0], [3, 4, 12]], 17.0),
        ("text", [[0, 0, 0]], None),
    ],
)
def test_measured(kind, points, truth):
    assert measured(kind, points) == (None if truth is None else pytest.approx(truth, rel=1e-12))


def test_planes_and_boxes():
    assert out_of_plane([[0, 0, 5], [10, 3, 5]], [0, 0, 1]) == 0
    assert out_of_plane([[0, 0, 5], [10, 3, 7]], [0, 0, 1]) == 2
    # k runs along -x in steps of 2, j along y, i along z; origin at (10, 0, 0).
    affine = [[-2.0, 0, 0, 10], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert outside([[10, 0, 0], [-8.9, 3.4, 3.4]], [10, 4, 4], affine) == 0
    assert outside([[-13, 0, 0]], [10, 4, 4], affine) == pytest.approx(2.0)
