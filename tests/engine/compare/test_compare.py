"""Two outlines whose distance is known: balls moved, grown, on uneven and turned grids, missing, and in pieces."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recon_engine
from recon_engine import metrics
from recon_engine.contract import CompareRequest, CompareResult, EngineError, SegmentPair
from recon_engine.parallel import Slabs
from recon_engine.volume import Volume

ONE = (SegmentPair(number=1, label="Ball", colour="#FB9202", left=(1,), right=(1,)),)


def affine_of(spacing: tuple[float, float, float], turned: bool = False) -> np.ndarray:
    """An LPS grid that does not begin at 0; `turned` by 30 degrees round z and with rows running to the right."""
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing)[::-1]
    if turned:
        c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
        affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ affine[:3, :3] @ np.diag([1, 1, -1])
    affine[:3, 3] = (-40.0, 25.0, 300.0)
    return affine


def balls(
    grid: Volume, *held: tuple[tuple[float, float, float], float], number: int = 1, out: np.ndarray | None = None
) -> np.ndarray:
    """Labels of balls (middle in mm from the grid's middle, radius)."""
    labels = np.zeros(grid.shape, np.uint8) if out is None else out
    points = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)) - grid.to_mm((np.array(grid.shape) - 1) / 2)
    for middle, radius in held:
        labels[np.square(points - middle).sum(-1) <= radius**2] = number
    return labels


def grid_of(shape: tuple[int, int, int], spacing: tuple[float, float, float], turned: bool = False) -> Volume:
    return Volume(np.zeros(shape, np.uint8), affine_of(spacing, turned))


def write_piece(folder: Path, labels: np.ndarray, grid: Volume, known: bool = True) -> str:
    folder.mkdir(parents=True)
    record = {"shape": labels.shape, "affine": grid.affine.tolist(), "spacing_known": known, "image": None}
    (folder / "piece.json").write_text(json.dumps(record))
    (folder / "labelmap.u8").write_bytes(labels.tobytes())
    return str(folder)


def compared(
    folder: Path, a: np.ndarray, b: np.ndarray, grid: Volume, *, other: Volume | None = None, **more: Any
) -> CompareResult:
    left = write_piece(folder / "a", a, grid, more.pop("known", True))
    right = write_piece(folder / "b", b, other or grid)
    more.setdefault("pairs", ONE)
    return recon_engine.compare(CompareRequest(left=left, right=right, out=str(folder / "out"), **more))


def painted(file: Path) -> dict[str, Any]:
    """The JSON of a GLB."""
    data = file.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length])


GRIDS = [((1.0, 1.0, 1.0), False), ((3.0, 0.8, 0.8), False), ((2.0, 1.0, 1.0), True)]


@pytest.mark.parametrize(("spacing", "turned"), GRIDS)
def test_two_balls_shifted_by_2_mm_read_2_mm_within_half_a_voxel(tmp_path, spacing, turned):
    shape = tuple(int(np.ceil(52 / s)) for s in spacing)
    grid = grid_of(shape, spacing, turned)
    row = grid.direction[:, 2]  # along the rows of the grid
    a, b = balls(grid, ((0, 0, 0), 20)), balls(grid, (tuple(2 * row), 20))
    result = compared(tmp_path, a, b, grid)
    half = min(spacing) / 2
    one, two = result.regions[:2]
    assert {one.side, two.side} == {"a_only", "b_only"}
    for place in (one, two):
        assert abs(place.max_mm) == pytest.approx(2.0, abs=half)
        assert place.max_mm * (1 if place.side == "b_only" else -1) > 0
        # The place lies at the end of the ball that reaches out, on the line of the shift.
        away = (np.array(place.point_mm) - grid.to_mm((np.array(grid.shape) - 1) / 2)) @ row
        assert away == pytest.approx(22.0 if place.side == "b_only" else -20.0, abs=1.5)
        assert np.linalg.norm(np.subtract(place.point_mm, place.middle_mm)) == pytest.approx(1.0, abs=half)
    (segment,) = result.segments
    assert segment.max_mm == pytest.approx(2.0, abs=half)
    assert segment.volume_a_ml == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)
    assert segment.volume_difference_percent == pytest.approx(0, abs=0.5)


def test_a_ball_grown_by_3_mm_reads_3_mm_everywhere(tmp_path):
    grid = grid_of((30, 60, 60), (2.0, 1.0, 1.0))
    result = compared(tmp_path, balls(grid, ((0, 0, 0), 18)), balls(grid, ((0, 0, 0), 21)), grid)
    assert len(result.regions) == 1
    assert result.regions[0].side == "b_only"
    assert result.regions[0].max_mm == pytest.approx(3.0, abs=0.5)
    assert result.regions[0].volume_ml == pytest.approx(4 / 3 * np.pi * (21**3 - 18**3) / 1000, rel=0.03)
    (segment,) = result.segments
    assert segment.volume_difference_percent == pytest.approx(((21 / 18) ** 3 - 1) * 100, abs=3)
    bounds = painted(tmp_path / "out" / "right.browser.glb")
    assert bounds["meshes"][0]["primitives"][0]["attributes"].keys() == {"POSITION", "_DISTANCE_MM"}
    assert bounds["asset"]["extras"]["unit"] == "mm"


def test_distances_are_right_for_every_vertex_and_below_the_size_of_a_voxel():
    """Both ways, against the exact distance between two balls; also where a vertex is far outside."""
    from recon_engine.comparing.painting import LEFT, RIGHT, paint

    grid = grid_of((64, 64, 64), (1.0, 1.0, 1.0))
    a, b = balls(grid, ((0, 0, 0), 18)), balls(grid, ((6, 0, 0), 22))
    with Slabs(1) as slabs:
        both = paint((grid.with_voxels(a), grid.with_voxels(b)), ONE, slabs, lambda *_: None)
    middle = grid.to_mm((np.array(grid.shape) - 1) / 2)
    for side, centre, radius in ((LEFT, (6, 0, 0), 22), (RIGHT, (0, 0, 0), 18)):
        one = both[0, side]
        exact = np.linalg.norm(one.mesh.vertices - middle - centre, axis=1) - radius
        assert np.abs(one.mm - exact).max() < 0.5
        assert np.abs(one.mm - exact).mean() < 0.12


def test_numbers_are_those_of_the_metrics(tmp_path):
    """The quick way to the surface distances gives what the slow one gives."""
    grid = grid_of((30, 40, 40), (2.0, 1.0, 0.7))
    a = balls(grid, ((0, 0, 0), 12), ((3, 9, 2), 6))
    b = balls(grid, ((2, -1, 1), 12))
    rng = np.random.default_rng(5)
    b[rng.uniform(size=b.shape) < 0.001] ^= 1
    (ours,) = compared(tmp_path, a, b, grid).segments
    theirs = metrics.compare(b == 1, a == 1, grid.spacing_mm)
    assert ours.dice == pytest.approx(theirs["dice"])
    assert ours.hd95_mm == pytest.approx(theirs["hd95_mm"])
    assert ours.assd_mm == pytest.approx(theirs["assd_mm"])
    assert ours.volume_b_ml == pytest.approx(theirs["volume_ml"])


def test_places_are_largest_first_apart_and_hold_every_voxel_that_differs(tmp_path):
    grid = grid_of((60, 90, 60), (1.0, 1.0, 1.0))
    a = balls(grid, ((0, -20, 0), 15), ((0, 20, 0), 15))
    b = balls(grid, ((0, -20, 0), 16), ((0, 20, 0), 15), ((0, 35, 0), 8))  # a shell round one, a bump on the other
    b[30, 25, 20:40] = 0  # and a furrow through the first
    result = compared(tmp_path, a, b, grid)
    bump = result.regions[0]
    assert (bump.n, bump.side) == (1, "b_only")
    assert bump.max_mm == pytest.approx(8.0, abs=0.7)  # 35 + 8 - (20 + 15)
    assert [abs(p.max_mm) for p in result.regions] == sorted((abs(p.max_mm) for p in result.regions), reverse=True)
    assert any(p.side == "a_only" for p in result.regions)
    runs = np.frombuffer((tmp_path / "out" / "places.i64").read_bytes(), "<i8").reshape(-1, 3)
    place = np.zeros(a.size, int)
    for start, length, n in runs:
        assert not place[start : start + length].any()
        place[start : start + length] = n
    assert np.array_equal(place > 0, (a != b).ravel())
    assert np.array_equal(np.bincount(place)[1:], [p.voxels for p in result.regions])
    for n in np.unique(place[place > 0]):
        assert result.regions[n - 1].key == f"1:{np.flatnonzero(place == n)[0]}"
        assert len(np.unique(a.ravel()[place == n])) == 1


def test_a_piece_the_other_lacks_altogether_says_how_far_it_is_away(tmp_path):
    grid = grid_of((40, 80, 40), (1.0, 1.0, 1.0))
    a = balls(grid, ((0, -20, 0), 10))
    b = balls(grid, ((0, -20, 0), 10), ((0, 25, 0), 5))
    (island,) = compared(tmp_path, a, b, grid).regions
    assert island.max_mm == pytest.approx(25 + 5 - (-20 + 10), abs=0.7)


def test_a_hole_inside_says_how_deep_it_lies(tmp_path):
    grid = grid_of((51, 51, 51), (1.0, 1.0, 1.0))
    a = balls(grid, ((0, 0, 0), 20))
    b = a.copy()
    balls(grid, ((0, 0, 0), 7), number=0, out=b)
    (hole,) = compared(tmp_path, a, b, grid).regions
    assert hole.side == "a_only"
    assert hole.max_mm == pytest.approx(-7.0, abs=0.7)  # from the middle of the hole to its wall


def test_a_segment_only_one_has_is_a_place_without_a_distance(tmp_path):
    grid = grid_of((40, 40, 40), (1.0, 1.0, 1.0))
    a = balls(grid, ((0, 0, 0), 10))
    pairs = (
        SegmentPair(number=1, label="Ball", colour="#FB9202", left=(1,), right=()),
        SegmentPair(number=9, label="Nobody's", colour="#FB9202", left=(9,), right=(9,)),
    )
    result = compared(tmp_path, a, np.zeros_like(a), grid, pairs=pairs)
    ball, nothing = result.segments
    assert (ball.dice, ball.hd95_mm, ball.max_mm, ball.volume_b_ml) == (0.0, None, None, 0.0)
    assert (nothing.dice, nothing.voxels_a, nothing.volume_difference_percent) == (1.0, 0, None)
    (place,) = result.regions
    assert (place.max_mm, place.side) == (None, "a_only")
    assert np.allclose(place.middle_mm, grid.to_mm((np.array(grid.shape) - 1) / 2), atol=1)
    (mesh,) = painted(tmp_path / "out" / "left.browser.glb")["meshes"]
    assert mesh["primitives"][0]["attributes"].keys() == {"POSITION"}


def test_labels_inside_count_as_part_of_what_runs_round_them(tmp_path):
    """A's lesion lies in the organ and is a segment of its own; B has one organ only, under another number."""
    grid = grid_of((40, 40, 40), (1.0, 1.0, 1.0))
    a = balls(grid, ((0, 0, 0), 15))
    balls(grid, ((0, 0, 0), 6), number=2, out=a)
    b = balls(grid, ((0, 0, 0), 15), number=4)
    pairs = (SegmentPair(number=1, label="Organ", colour="#FB9202", left=(1, 2), right=(4,)),)
    result = compared(tmp_path, a, b, grid, pairs=pairs)
    assert (result.segments[0].dice, result.segments[0].max_mm) == (1.0, pytest.approx(0, abs=1e-3))
    assert result.regions == ()
    for name in ("left", "right"):
        labels = np.frombuffer(gzip.decompress((tmp_path / "out" / f"{name}.u8.gz").read_bytes()), np.uint8)
        assert np.array_equal(labels > 0, (a > 0).ravel())
        assert labels.max() == 1


def test_without_spacing_nothing_is_said_in_mm(tmp_path):
    grid = grid_of((30, 30, 30), (1.0, 1.0, 1.0))
    result = compared(tmp_path, balls(grid, ((0, 0, 0), 8)), balls(grid, ((3, 0, 0), 8)), grid, known=False)
    (segment,) = result.segments
    assert 0.7 < segment.dice < 0.9
    assert (segment.hd95_mm, segment.volume_a_ml, result.regions[0].max_mm) == (None, None, None)
    assert set(result.files) == {"places.i64", "left.u8.gz", "right.u8.gz"}


def test_another_date_is_brought_over_by_its_transform(tmp_path):
    """The second grid is coarser and lies elsewhere; the same ball there differs by nothing, a grown one by 2 mm."""
    grid, other = grid_of((48, 48, 48), (1.0, 1.0, 1.0)), grid_of((30, 40, 40), (1.8, 1.2, 1.2), turned=True)
    between = np.eye(4)
    between[:3, 3] = grid.to_mm((np.array(grid.shape) - 1) / 2) - other.to_mm((np.array(other.shape) - 1) / 2)
    a, b = balls(grid, ((0, 0, 0), 16)), balls(other, ((0, 0, 0), 18))
    matrix = tuple(tuple(float(v) for v in row) for row in between)
    (segment,) = compared(tmp_path, a, b, grid, other=other, right_to_left=matrix).segments
    assert segment.max_mm == pytest.approx(2.0, abs=0.6)
    assert segment.dice == pytest.approx(2 * 16**3 / (16**3 + 18**3), abs=0.01)


def test_witnesses_say_with_whom_they_hold_at_each_place(tmp_path):
    grid = grid_of((40, 60, 40), (1.0, 1.0, 1.0))
    a = balls(grid, ((0, 0, 0), 12))
    b = balls(grid, ((0, 0, 0), 12), ((0, 12, 0), 6))
    b[np.nonzero(balls(grid, ((0, -12, 0), 5)))] = 0
    truth = write_piece(tmp_path / "truth", balls(grid, ((0, 0, 0), 12), ((0, 12, 0), 6)), grid)
    result = compared(tmp_path, a, b, grid, witnesses={"truth": truth})
    said = {place.side: place.witnesses["truth"] for place in result.regions}
    assert said == {"b_only": {"like_a": 0.0, "like_b": 1.0}, "a_only": {"like_a": 1.0, "like_b": 0.0}}


def test_the_same_bytes_from_one_and_several_threads(tmp_path):
    grid = grid_of((40, 60, 40), (1.0, 1.0, 1.0))
    a, b = balls(grid, ((0, 0, 0), 15)), balls(grid, ((2, 1, 0), 15))
    one = compared(tmp_path / "one", a, b, grid, threads=1)
    three = compared(tmp_path / "three", a, b, grid, threads=3)
    assert one.files == three.files
    assert one.regions == three.regions


def test_nothing_to_compare_is_refused(tmp_path):
    grid = grid_of((10, 10, 10), (1.0, 1.0, 1.0))
    with pytest.raises(EngineError) as refused:
        compared(tmp_path, balls(grid, ((0, 0, 0), 3)), balls(grid, ((0, 0, 0), 3)), grid, pairs=())
    assert refused.value.code == "bad_request"
    assert not (tmp_path / "out").exists()


def test_the_shell_compares_two_files(tmp_path):
    from recon_engine.results import labelmap_files

    grid = grid_of((30, 30, 30), (1.0, 1.0, 1.0))
    for name, middle in (("a", 0), ("b", 2)):
        labels = grid.with_voxels(balls(grid, ((middle, 0, 0), 8)))
        (tmp_path / f"{name}.nii.gz").write_bytes(labelmap_files(labels)[0])
    command = [sys.executable, "-m", "recon_engine", "compare", "a.nii.gz", "b.nii.gz", "-o", "out", "--json"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=_path())
    answer = json.loads(told.stdout)
    assert abs(answer["regions"][0]["max_mm"]) == pytest.approx(2.0, abs=0.5)
    assert (tmp_path / "out" / "left.browser.glb").is_file()


def _path() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
