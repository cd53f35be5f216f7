"""Resampling, values, filters and grids on volumes small enough to know the answer."""

import numpy as np
import pytest

from recon_engine import preprocess
from recon_engine.phantoms import calibrated_phantom, sphere_phantom
from recon_engine.preprocess.resample import box_plan, by_torch, linear_plan, regrid_affine, resample
from recon_engine.volume import Volume


@pytest.fixture
def noisy():
    draw = np.random.default_rng(2)
    affine = np.array([[0, 0, 0.8, -10], [0, 0.9, 0, 5], [2.5, 0, 0, 40], [0, 0, 0, 1]], float)
    return Volume(draw.integers(-1000, 2000, (17, 23, 31)).astype(np.int16), affine, "2.25.1", "CT", "HU")


@pytest.mark.parametrize("shape", [(34, 23, 40), (9, 11, 15), (17, 23, 31), (1, 2, 3)])
def test_the_fused_kernel_agrees_with_torch(noisy, shape):
    import torch
    from torch.nn import functional

    ours = resample(noisy, shape, (-1000.0, 1000.0), prefilter=False)
    tensor = torch.from_numpy(noisy.voxels).float()[None, None]
    theirs = functional.interpolate(tensor, size=shape, mode="trilinear", align_corners=False)
    theirs = theirs.add(1000).div(2000).clamp(0, 1)[0, 0].numpy()
    assert np.abs(ours.voxels - theirs).max() < 1e-5
    assert ours.voxels.dtype == np.float32


@pytest.mark.parametrize("shape", [(4, 5, 6), (17, 7, 31), (40, 6, 6)])
def test_shrinking_averages_and_the_fallback_does_the_same(noisy, shape):
    ours = resample(noisy, shape)
    fallback = by_torch(noisy.voxels, shape, 1.0, 0.0, -np.inf, np.inf, True)
    assert np.abs(ours.voxels - fallback).max() < 0.01
    whole = resample(noisy, (1, 1, 1))
    assert whole.voxels[0, 0, 0] == pytest.approx(noisy.voxels.mean(), abs=0.05)


def test_a_thin_plate_fades_instead_of_vanishing():
    voxels = np.zeros((8, 8, 40), np.int16)
    voxels[:, :, 21] = 1000
    shrunk = resample(Volume(voxels, np.eye(4)), (8, 8, 8))
    assert shrunk.voxels.max() == pytest.approx(200, abs=1)


def test_the_new_grid_fills_the_old_field_of_view(noisy):
    for shape in ((8, 11, 13), (34, 46, 62)):
        other = resample(noisy, shape)
        for end in (-0.5, None):
            old = np.array([-0.5] * 3) if end else np.array(noisy.shape) - 0.5
            new = np.array([-0.5] * 3) if end else np.array(shape) - 0.5
            assert np.allclose(other.to_mm(new), noisy.to_mm(old))
    assert preprocess.grid_for(noisy, 1.0) == (42, 21, 25)


def test_a_plan_weighs_every_old_voxel_alike():
    for old, new in ((10, 5), (11, 4), (31, 3)):
        first, weights = box_plan(old, new)
        share = np.zeros(old)
        for n in range(new):
            for tap in range(weights.shape[1]):
                if weights[n, tap]:
                    share[first[n] + tap] += weights[n, tap]
        assert np.allclose(share, new / old, atol=1e-6)
    first, upper = linear_plan(4, 8)
    assert list(first) == [0, 0, 0, 1, 1, 2, 2, 2]
    assert upper[0] == 0
    assert upper[-1] == 1


def test_labels_come_back_to_their_grid():
    made = sphere_phantom(12.0, (1.0, 0.5, 0.5))
    change = preprocess.resampled(made.ct, 1.0)
    labels = change.volume.with_voxels((change.volume.voxels > -450).astype(np.uint8))
    back = change.undo(labels)
    assert back.same_grid(made.ct)
    true = made.labels.voxels == 1
    dice = 2 * np.count_nonzero(true & (back.voxels == 1)) / (np.count_nonzero(true) + np.count_nonzero(back.voxels))
    assert dice > 0.95
    values = change.undo(change.volume)
    assert values.same_grid(made.ct)
    assert values.voxels.dtype == np.float32


def test_regridding_twice_comes_back(noisy):
    there = regrid_affine(noisy.affine, noisy.shape, (5, 6, 7))
    assert np.allclose(regrid_affine(there, (5, 6, 7), noisy.shape), noisy.affine)


def test_scales_can_be_undone(noisy):
    for change in (preprocess.normalise(noisy), preprocess.z_score(noisy)):
        assert np.abs(change.undo(change.volume).voxels - noisy.voxels).max() < 0.01
        assert change.undo(change.volume).unit == "HU"
    unit = preprocess.normalise(noisy).volume.voxels
    assert (unit.min(), unit.max()) == (0.0, 1.0)
    mask = np.zeros(noisy.shape, bool)
    mask[4:9] = True
    inside = preprocess.z_score(noisy, mask).volume.voxels[mask]
    assert inside.mean() == pytest.approx(0, abs=1e-4)
    assert inside.std() == pytest.approx(1, abs=1e-4)
    flat = Volume(np.full((2, 2, 2), 7, np.int16), np.eye(4))
    assert not preprocess.normalise(flat).volume.voxels.any()
    assert not preprocess.z_score(flat).volume.voxels.any()


def test_a_window_clips_and_scales():
    volume = Volume(np.array([[[-500, -160, 40, 240, 900]]], np.int16), np.eye(4))
    assert np.allclose(preprocess.window(volume, 400, 40).voxels, [[[0, 0, 0.5, 1, 1]]])
    with pytest.raises(ValueError, match="width"):
        preprocess.window(volume, 0, 40)


def test_crop_and_flip_keep_every_voxel_in_its_place(noisy):
    for change in (
        preprocess.crop(noisy, (slice(3, 9), slice(5, 20), slice(1, 30)), fill=-1000),
        preprocess.flip(noisy, 0),
        preprocess.flip(noisy, 2),
    ):
        part = change.volume
        for index in ((0, 0, 0), (2, 3, 4), (5, 8, 11)):
            at = tuple(np.rint(noisy.to_index(part.to_mm(index))).astype(int))
            assert part.voxels[index] == noisy.voxels[at]
        back = change.undo(part)
        assert back.same_grid(noisy)
        same = back.voxels == noisy.voxels
        assert same[3:9, 5:20, 1:30].all()
    with pytest.raises(ValueError, match="no voxel"):
        preprocess.crop(noisy, (slice(5, 5), slice(None), slice(None)))


def test_cropping_to_a_mask_leaves_a_margin(noisy):
    mask = np.zeros(noisy.shape, bool)
    mask[8, 10:12, 15] = True
    assert preprocess.crop_to(noisy, mask, 2.0).volume.shape == (3, 8, 7)
    assert preprocess.crop_to(noisy, np.zeros_like(mask)).volume.shape == noisy.shape


@pytest.mark.parametrize(
    "smooth",
    [
        lambda v: preprocess.gaussian(v, 1.5),
        lambda v: preprocess.median(v, 1.5),
        lambda v: preprocess.bilateral(v, 1.5, 120.0),
        lambda v: preprocess.non_local_means(v),
    ],
)
def test_denoising_takes_noise_and_leaves_the_edge(smooth):
    draw = np.random.default_rng(5)
    clean = np.zeros((9, 40, 40), np.float32)
    clean[:, :, 20:] = 400
    volume = Volume(clean + draw.normal(0, 25, clean.shape).astype(np.float32), np.eye(4))
    before = volume.voxels.copy()
    out = smooth(volume).voxels
    inner = (slice(3, 6), slice(5, 35))
    assert out[(*inner, slice(4, 15))].std() < 0.6 * volume.voxels[(*inner, slice(4, 15))].std()
    assert out[(*inner, slice(26, 36))].mean() - out[(*inner, slice(4, 14))].mean() == pytest.approx(400, abs=5)
    assert np.array_equal(volume.voxels, before), "the volume given stays as it was"


def test_sharpening_raises_an_edge_and_clahe_spreads_values():
    clean = np.zeros((5, 24, 24), np.float32)
    clean[:, :, 12:] = 100
    volume = Volume(clean, np.eye(4))
    sharp = preprocess.sharpen(volume, 2.0, 1.0).voxels
    assert sharp.max() > 120
    assert sharp.min() < -20
    draw = np.random.default_rng(6)
    dull = Volume(draw.normal(100, 3, (16, 32, 32)).astype(np.float32), np.eye(4))
    spread = preprocess.clahe(dull, limit=0.05, tile_mm=8).voxels
    rescaled = preprocess.normalise(dull).volume.voxels
    assert 0 <= spread.min() <= spread.max() <= 1
    assert spread.std() > rescaled.std()
    assert not preprocess.clahe(Volume(np.zeros((4, 4, 4)), np.eye(4))).voxels.any()


def test_regions_are_found_by_value_and_by_seed():
    made = calibrated_phantom(2.0)
    bone = preprocess.threshold(made.ct, 900, 1100)
    grown = preprocess.grow_region(made.ct, made.points_mm["Bone"], 900, 1100)
    assert 0 < np.count_nonzero(grown.voxels) <= np.count_nonzero(bone.voxels)
    assert np.allclose(made.ct.to_mm(np.argwhere(grown.voxels)).mean(0), made.points_mm["Bone"], atol=0.8)
    assert not preprocess.grow_region(made.ct, made.points_mm["Water"], 900, 1100).voxels.any()
    with pytest.raises(ValueError, match="outside"):
        preprocess.grow_region(made.ct, (900.0, 0.0, 0.0), 0, 1)
    assert -1000 <= preprocess.otsu_threshold(made.ct) < 0
