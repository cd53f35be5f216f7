"""Every metric against a second implementation and against shapes whose answer is known."""

import numpy as np
import pytest

from recon_engine import metrics


def ball(radius: float, centre=(20.0, 20.0, 20.0), shape=(40, 40, 40), spacing=(1.0, 1.0, 1.0)):
    grid = np.indices(shape).reshape(3, -1).T * spacing
    return (np.linalg.norm(grid - centre, axis=1) <= radius).reshape(shape)


@pytest.fixture(scope="module")
def pair():
    """Two uneven overlapping shapes on an uneven grid."""
    spacing = (2.0, 1.0, 0.5)
    rng = np.random.default_rng(3)
    a = ball(14, (38, 20, 10), spacing=spacing)
    b = ball(12, (40, 22, 11), spacing=spacing)
    b[rng.uniform(size=b.shape) < 0.01] ^= True
    return a, b, spacing


def test_two_shifted_cubes_have_the_overlap_that_can_be_counted_by_hand():
    a, b = np.zeros((2, 10, 10, 10), bool)
    a[2:6, 2:6, 2:6] = True
    b[4:8, 2:6, 2:6] = True
    scores = metrics.compare(a, b, (1.0, 1.0, 1.0))
    assert scores["dice"] == pytest.approx(0.5)
    assert scores["volume_error_percent"] == 0
    assert scores["volume_ml"] == pytest.approx(0.064)
    assert scores["hd95_mm"] == pytest.approx(2.0)


def test_concentric_balls_are_their_radii_apart():
    scores = metrics.compare(ball(15), ball(11), (1.0, 1.0, 1.0))
    assert scores["assd_mm"] == pytest.approx(4.0, abs=0.2)
    assert scores["hd95_mm"] == pytest.approx(4.0, abs=0.5)


def test_spacing_scales_distances_and_volumes():
    one = metrics.compare(ball(15), ball(11), (1.0, 1.0, 1.0))
    two = metrics.compare(ball(15), ball(11), (2.0, 2.0, 2.0))
    assert two["assd_mm"] == pytest.approx(2 * one["assd_mm"])
    assert two["volume_ml"] == pytest.approx(8 * one["volume_ml"])
    assert two["dice"] == one["dice"]


def test_dice_and_hd95_and_assd_agree_with_monai(pair):
    monai = pytest.importorskip("monai.metrics")
    import torch

    a, b, spacing = pair
    ours = metrics.compare(a, b, spacing)
    one, two = (torch.from_numpy(x)[None, None].float() for x in (a, b))
    theirs = monai.compute_dice(one, two, include_background=True)
    assert ours["dice"] == pytest.approx(float(theirs), abs=1e-6)
    hd = monai.compute_hausdorff_distance(one, two, include_background=True, percentile=95, spacing=spacing)
    assert ours["hd95_mm"] == pytest.approx(float(hd), abs=1e-4)
    assd = monai.compute_average_surface_distance(one, two, include_background=True, symmetric=True, spacing=spacing)
    assert ours["assd_mm"] == pytest.approx(float(assd), abs=1e-4)


def test_dice_and_volume_agree_with_simpleitk(pair):
    sitk = pytest.importorskip("SimpleITK")
    a, b, spacing = pair
    images = []
    for mask in (a, b):
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(spacing[::-1])
        images.append(image)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    ours = metrics.compare(a, b, spacing)
    assert ours["dice"] == pytest.approx(overlap.GetDiceCoefficient(), abs=1e-9)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(images[0])
    assert ours["volume_ml"] * 1000 == pytest.approx(shape.GetPhysicalSize(1), rel=1e-6)


def test_empty_shapes_have_no_distance_and_are_not_called_perfect():
    nothing, something = np.zeros((8, 8, 8), bool), ball(3, (4, 4, 4), (8, 8, 8))
    assert metrics.compare(nothing, nothing, (1, 1, 1))["dice"] == 1
    missed = metrics.compare(nothing, something, (1, 1, 1))
    assert missed["dice"] == 0
    assert missed["hd95_mm"] is None
    assert missed["volume_error_percent"] == 100


def test_the_interval_holds_the_mean_and_repeats():
    values = np.random.default_rng(0).normal(0.9, 0.02, 40)
    low, high = metrics.bootstrap_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(40), rel=0.15)
    assert (low, high) == metrics.bootstrap_interval(values)


def test_the_summary_names_the_worst_case_by_the_sense_of_the_metric():
    cases = [{"case": "a", "x.dice": 0.9, "x.hd95_mm": 1.0}, {"case": "b", "x.dice": 0.8, "x.hd95_mm": None}]
    summary = metrics.summarise(cases, ["x.dice", "x.hd95_mm"])
    assert summary["x.dice"]["worst_case"] == "b"
    assert summary["x.dice"]["n"] == 2
    assert (summary["x.hd95_mm"]["n"], summary["x.hd95_mm"]["missing"]) == (1, 1)
    assert summary["x.hd95_mm"]["unit"] == "mm"
    assert "95th percentile" in summary["x.hd95_mm"]["definition"]
