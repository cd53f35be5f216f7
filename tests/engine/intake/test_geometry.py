"""Positions to a grid: uneven spacing, gaps and tilt, against a field whose value at each point is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from recon_engine.intake import inspect, read_volume
from recon_engine.intake.geometry import axes, plan_slices
from tests.engine.intake import makers
from tests.engine.intake.makers import write_series

FIELD = np.array([7.0, 3.0, 11.0])  # value = FIELD @ (x, y, z): linear, so linear interpolation is exact


def field_slice(position: tuple[float, float, float], orientation: tuple[float, ...], size: int = 24) -> np.ndarray:
    """Stored values of the field on one slice, 1 mm pixels."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    j, i = np.mgrid[0:size, 0:size]
    points = np.array(position) + i[..., None] * row + j[..., None] * column
    return np.rint(points @ FIELD).astype(np.int16)


def check_field(volume: object, error: float, outside: int = -1024) -> None:
    """Every voxel that is not outside holds the field's value at its own place in the patient."""
    voxels, to_mm = volume.voxels, volume.to_mm  # type: ignore[attr-defined]
    points = to_mm(np.stack(np.meshgrid(*map(np.arange, voxels.shape), indexing="ij"), -1))
    inside = voxels != outside
    # a voxel next to the outside is mixed with it
    for axis in (1, 2):
        inside &= np.roll(inside, 1, axis) & np.roll(inside, -1, axis)
    assert inside.sum() > 0.5 * inside.size * 0.5
    assert np.abs(voxels - points @ FIELD)[inside].max() <= error


AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def test_uneven_slices_are_resampled_to_the_median(tmp_path: Path) -> None:
    places = [0, 2, 4, 6, 9, 12, 15, 17, 19, 21.0]
    folder = write_series(
        tmp_path / "ct",
        change=lambda k: {"position": (0, 0, places[k]), "stored": field_slice((0, 0, places[k]), AXIAL)},
    )
    volume, finding = read_volume(folder, in_process=True)
    assert finding.reasons == ("nonuniform_spacing_resampled",)
    assert finding.facts["gaps_mm"] == [2.0, 3.0]
    assert volume.shape[0] == 11
    assert volume.spacing_mm == pytest.approx((2.0, 1.0, 1.0))
    check_field(volume, 1.0)


def test_a_missing_slice_is_filled_in_between(tmp_path: Path) -> None:
    folder = write_series(
        tmp_path / "ct",
        count=30,
        skip=(11,),
        change=lambda k: {"position": (0, 0, 2.0 * k), "stored": field_slice((0, 0, 2.0 * k), AXIAL)},
    )
    volume, finding = read_volume(folder, in_process=True)
    assert finding.reasons == ("missing_slices",)
    assert volume.shape[0] == 30
    check_field(volume, 1.0)


def test_steps_within_5_percent_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", change=lambda k: {"position": (0, 0, 2.0 * k + 0.02 * (k % 2))})
    finding = inspect(folder, in_process=True).findings[0]
    assert (finding.verdict, finding.spacing_mm and finding.spacing_mm[0]) == ("accept", pytest.approx(2.0, abs=0.01))


@pytest.mark.parametrize("degrees", [18.5, -12.0, 3.0])
def test_a_leaning_stack_is_sheared_back(degrees: float, tmp_path: Path) -> None:
    angle = math.radians(degrees)
    orientation = (1.0, 0.0, 0.0, 0.0, math.cos(angle), -math.sin(angle))
    folder = write_series(
        tmp_path / "ct",
        count=12,
        change=lambda k: {
            "position": (0, 0, 3.0 * k),
            "orientation": tuple(round(v, 9) for v in orientation),
            "stored": field_slice((0, 0, 3.0 * k), orientation),
        },
    )
    volume, finding = read_volume(folder, in_process=True)
    assert finding.reasons == ("gantry_tilt_corrected",)
    assert finding.facts["tilt_degrees"] == pytest.approx(abs(degrees), abs=0.05)
    assert finding.facts["shear_mm"] == pytest.approx(33 * math.sin(abs(angle)), abs=0.05)
    assert volume.spacing_mm[0] == pytest.approx(3.0 * math.cos(angle), abs=1e-6)
    gram = volume.direction.T @ volume.direction
    np.testing.assert_allclose(gram, np.eye(3), atol=1e-9)  # upright: its axes are perpendicular
    check_field(volume, 1.5)


def test_a_lean_to_the_side_is_sheared_back_too(tmp_path: Path) -> None:
    folder = write_series(
        tmp_path / "ct",
        change=lambda k: {"position": (0.4 * k, 0, 2.0 * k), "stored": field_slice((0.4 * k, 0, 2.0 * k), AXIAL)},
    )
    volume, finding = read_volume(folder, in_process=True)
    assert finding.reasons == ("gantry_tilt_corrected",)
    assert volume.shape == (10, 24, 28)
    check_field(volume, 1.0)


def test_drift_below_the_limit_is_no_tilt(tmp_path: Path) -> None:
    finding = inspect(
        write_series(tmp_path / "ct", change=lambda k: {"position": (0.04 * k, 0, 2.0 * k)}), in_process=True
    ).findings[0]
    assert finding.verdict == "accept"


def test_slices_that_jump_sideways_are_no_stack(tmp_path: Path) -> None:
    finding = inspect(
        write_series(tmp_path / "ct", change=lambda k: {"position": (30.0 * (k % 2), 0, 2.0 * k)}), in_process=True
    ).findings[0]
    assert finding.reasons == ("invalid_geometry",)


@pytest.mark.parametrize(
    "orientation",
    [AXIAL, (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1), (0.8, 0.6, 0, -0.6, 0.8, 0)],
    ids=["axial", "sagittal", "coronal", "turned"],
)
def test_an_index_goes_to_its_place_and_back(orientation: tuple[float, ...]) -> None:
    normal = axes(orientation)[:, 0]
    positions = np.array([[5.0, -7.0, 3.0] + normal * 2.5 * k for k in (3, 1, 0, 2, 4, 5, 7, 6)])
    plan, issues = plan_slices(positions, orientation, (0.7, 0.9), (20, 30))
    assert not issues
    assert plan is not None
    assert plan.order == (2, 1, 3, 0, 4, 5, 7, 6)
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    expected = np.array([5.0, -7.0, 3.0]) + normal * 2.5 * 4 + column * 0.7 * 10 + row * 0.9 * 20
    np.testing.assert_allclose((plan.affine @ [4, 10, 20, 1])[:3], expected, atol=1e-6)


def test_the_first_file_by_name_does_not_decide(tmp_path: Path) -> None:
    """Slices from feet to head or head to feet give the same volume."""
    up = write_series(tmp_path / "up")
    down = write_series(
        tmp_path / "down", change=lambda k: {"stored": makers.values(9 - k), "position": (0, 0, 18 - 2 * k)}
    )
    first, second = (read_volume(folder, in_process=True)[0] for folder in (up, down))
    np.testing.assert_array_equal(first.voxels, second.voxels)
    np.testing.assert_allclose(first.affine, second.affine)
