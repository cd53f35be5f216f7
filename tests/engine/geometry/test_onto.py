"""A volume on another's grid: a ramp in space stays the ramp, a turned one comes back, strangers are refused."""

from __future__ import annotations

import numpy as np
import pytest

from recon_engine.contract import EngineError
from recon_engine.preprocess import onto
from recon_engine.volume import Volume


def turned(shape: tuple[int, int, int], spacing: tuple[float, float, float], degrees: float, corner: object) -> Volume:
    """Zeros on a grid turned about z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    axes = np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]])  # columns: steps along k, j, i
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ axes * spacing
    affine[:3, 3] = corner
    return Volume(np.zeros(shape, np.float32), affine, "2.25.1", "PT", "SUV")


def ramp(points: np.ndarray) -> np.ndarray:
    """A value that is linear in LPS mm, so that trilinear interpolation gives it exactly."""
    return points @ np.array([0.3, -0.7, 0.2]) + 5


def filled(volume: Volume) -> Volume:
    places = np.stack(np.meshgrid(*map(np.arange, volume.shape), indexing="ij"), -1)
    return volume.with_voxels(ramp(volume.to_mm(places)).astype(np.float32))


def test_a_ramp_in_space_stays_what_it_is_on_a_turned_finer_grid() -> None:
    coarse = filled(turned((20, 24, 22), (4, 5, 5), 0, (-60, -60, -40)))
    grid = turned((15, 18, 16), (2, 1.5, 1.5), 25, (-10, -10, -15))
    made = onto(coarse, grid, outside=-99)
    places = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)
    assert np.abs(made.voxels - ramp(grid.to_mm(places))).max() < 1e-3
    assert (made.modality, made.unit, made.voxels.dtype) == ("PT", "SUV", np.float32)
    assert made.same_grid(grid)


def test_what_lies_outside_is_said_and_the_rim_of_half_a_voxel_belongs_to_it() -> None:
    one = turned((4, 4, 4), (2, 2, 2), 0, (0, 0, 0)).with_voxels(np.full((4, 4, 4), 7, np.float32))
    # Centres at -1.2 (outside), -0.8 (rim), 0, ..., 6.8 (rim), 7.2 (outside) mm along x.
    grid = turned((1, 1, 22), (1, 1, 0.4), 0, (-1.2, 3, 3))
    values = onto(one, grid, outside=-1).voxels[0, 0]
    x = -1.2 + 0.4 * np.arange(22)
    assert ((values == 7) == (np.abs(x - 3) <= 4 + 1e-9)).all()
    assert set(np.unique(values)) == {-1.0, 7.0}


def test_a_transform_lays_one_frame_into_the_other() -> None:
    moving = filled(turned((20, 24, 22), (4, 5, 5), 0, (-60, -60, -40)))
    other = Volume(moving.voxels, moving.affine, "2.25.2", "MR", "")
    grid = turned((9, 8, 7), (2, 2, 2), 0, (0, 0, 0))
    with pytest.raises(EngineError, match="different frames of reference"):
        onto(other, grid)
    shift = np.eye(4)
    shift[:3, 3] = (3, -2, 4)
    made = onto(other, grid, matrix=shift)
    places = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)
    assert np.abs(made.voxels - ramp(grid.to_mm(places) - shift[:3, 3])).max() < 1e-3
    with pytest.raises(EngineError, match="can be inverted"):
        onto(other, grid, matrix=np.zeros((4, 4)))


def test_labels_keep_their_numbers() -> None:
    labels = turned((8, 8, 8), (2, 2, 2), 0, (0, 0, 0)).with_voxels(
        np.random.default_rng(0).integers(0, 4, (8, 8, 8)).astype(np.uint8) * 60
    )
    fine = turned((16, 16, 16), (1, 1, 1), 0, (-0.5, -0.5, -0.5))
    made = onto(labels, fine, nearest=True)
    assert made.voxels.dtype == np.uint8
    assert np.array_equal(made.voxels, labels.voxels.repeat(2, 0).repeat(2, 1).repeat(2, 2))
