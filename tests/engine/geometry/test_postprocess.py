"""Masks and labelmaps small enough to count."""

import numpy as np

from recon_engine import postprocess


def two_blobs():
    mask = np.zeros((12, 12, 12), bool)
    mask[1:4, 1:4, 1:4] = True
    mask[6:11, 6:11, 6:11] = True
    return mask


def test_pieces_are_counted_and_the_largest_kept():
    mask = two_blobs()
    _, sizes = postprocess.components(mask)
    assert sorted(sizes[1:]) == [27, 125]
    assert np.count_nonzero(postprocess.largest(mask)) == 125
    assert np.count_nonzero(postprocess.drop_small(mask, 28)) == 125
    assert np.count_nonzero(postprocess.drop_small(mask, 27)) == 152
    assert not postprocess.largest(np.zeros((3, 3, 3), bool)).any()
    assert not postprocess.drop_small(np.zeros((3, 3, 3), bool), 1).any()


def test_closed_spaces_are_filled_and_open_ones_are_not():
    mask = np.zeros((9, 9, 9), bool)
    mask[1:8, 1:8, 1:8] = True
    mask[3:6, 3:6, 3:6] = False
    assert np.count_nonzero(postprocess.fill_holes(mask)) == 343
    mask[5:9, 4, 4] = False  # a bore to the outside
    assert np.count_nonzero(postprocess.fill_holes(mask)) < 343
    tube = np.zeros((5, 9, 9), bool)
    tube[:, 2:7, 2:7] = True
    tube[:, 4, 4] = False
    assert np.array_equal(postprocess.fill_holes(tube), tube)
    assert np.count_nonzero(postprocess.fill_holes_in_slices(tube)) == 5 * 25


def test_only_named_labels_lose_their_small_pieces():
    labels = two_blobs().astype(np.uint8)
    labels[1, 9, 9] = 2
    labels[3, 9, 9] = 2
    kept = postprocess.keep_largest_pieces(labels, {1: 1})
    assert np.count_nonzero(kept == 1) == 125
    assert np.count_nonzero(kept == 2) == 2
    assert not (postprocess.keep_largest_pieces(labels, {2: 1}, fewest_voxels=2) == 2).any()


def test_smoothing_rounds_a_ragged_border_and_keeps_the_volume():
    rng = np.random.default_rng(1)
    k, j, i = np.ogrid[:40, :40, :40]
    inside = (k - 20) ** 2 + (j - 20) ** 2 + (i - 20) ** 2
    labels = (inside <= 12**2).astype(np.uint8)
    labels[(np.abs(np.sqrt(inside) - 12) < 1) & (rng.uniform(size=labels.shape) < 0.4)] ^= 1
    labels[5, 5, 5] = 3
    smooth = postprocess.smooth_labelmap(labels, (1, 1, 1), 1.2)

    def rough(values):
        return sum(np.count_nonzero(np.diff(values.astype(int), axis=a)) for a in range(3))

    assert rough(smooth) < 0.8 * rough(labels)
    assert abs(np.count_nonzero(smooth == 1) / np.count_nonzero(inside <= 144) - 1) < 0.03
    assert np.count_nonzero(smooth == 3) == 1, "a label that would vanish keeps its voxels"
