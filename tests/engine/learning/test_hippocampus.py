"""hippocampus-mr on real crops, on the average brain, and on what is no head."""

import json
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from recon_engine import weights
from recon_engine.contract import EngineError
from recon_engine.recipes import hippocampus_mr
from recon_engine.recipes.base import Context
from recon_engine.recipes.grids import centred, oriented, regridded, standardised
from recon_engine.training import sets
from recon_engine.training.evaluation import evaluate
from recon_engine.volume import Volume

DATA = Path(os.environ.get("LAMINA_DATA") or "missing")
needs_data = pytest.mark.skipif(not (DATA / "hippocampus_mri").is_dir(), reason="LAMINA_DATA is not set")


def average_brain_file() -> Path | None:
    spec = find_spec("nilearn")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    file = folder / "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz" if folder else None
    return file if file and file.exists() else None


needs_brain = pytest.mark.skipif(average_brain_file() is None, reason="the average brain is not installed")


def run(volume: Volume):
    return hippocampus_mr.run({"MR": volume}, {}, Context(device="cpu", threads=1))


def test_the_card_and_the_hashes_are_those_of_the_shipped_files():
    table = weights.manifest(hippocampus_mr.FOLDER)["files"]
    assert set(table) == {"weights.safetensors", "localiser.safetensors"}
    for name, sha256 in table.items():
        assert weights.sha256_of(hippocampus_mr.FOLDER / name) == sha256
    assert sum(file.stat().st_size for file in hippocampus_mr.FOLDER.iterdir()) <= 16 * 2**20
    summary = weights.card(hippocampus_mr.FOLDER)["summary"]
    assert summary["anterior.dice"]["mean"] >= 0.87
    assert summary["posterior.dice"]["mean"] >= 0.86
    for row in summary.values():
        assert {"mean", "low", "high", "worst", "worst_case", "n", "definition", "unit"} <= set(row)


def test_turning_an_array_leaves_every_voxel_where_it_is():
    voxels = np.arange(24.0).reshape(2, 3, 4)
    affine = np.array([[0, 0, -1, 5], [0, 2, 0, -3], [3, 0, 0, 1], [0, 0, 0, 1.0]])
    volume = Volume(voxels, affine)
    turned = oriented(volume)
    for index in ([0, 0, 0], [1, 2, 3], [0, 1, 2]):
        there = np.round(turned.to_index(volume.to_mm(index))).astype(int)
        assert turned.voxels[tuple(there)] == voxels[tuple(index)]
    assert np.allclose(np.sign(np.diag(turned.direction[::-1])), [1, -1, -1])


def test_labels_find_their_voxels_on_another_grid():
    found = Volume(np.zeros((10, 10, 10), np.uint8), np.eye(4)[:, [2, 1, 0, 3]])
    found.voxels[3:6, 4:7, 2:8] = 2
    flipped = oriented(found)
    assert np.array_equal(regridded(flipped, found).voxels, found.voxels)


def test_centring_pads_and_cuts():
    box, into, out_of = centred(np.ones((3, 9, 4)), (5, 5, 4))
    assert box.shape == (5, 5, 4)
    assert box.sum() == 3 * 5 * 4
    assert np.ones((3, 9, 4))[out_of].shape == box[into].shape


def test_brightness_is_made_comparable():
    values = np.random.default_rng(0).uniform(0, 100, (10, 10, 10))
    assert np.allclose(standardised(values), standardised(values * 37 + 5), atol=1e-4)
    assert np.array_equal(standardised(np.full((3, 3, 3), 7)), np.zeros((3, 3, 3)))


def test_noise_of_a_heads_size_is_not_a_head():
    noise = np.random.default_rng(0).normal(100, 20, (90, 100, 90)).astype(np.float32)
    with pytest.raises(EngineError) as caught:
        run(Volume(noise, np.diag([2.0, 2, 2, 1])[:, [2, 1, 0, 3]]))
    assert caught.value.code == "not_found"
    assert "T1-weighted" in caught.value.message


def test_a_volume_too_small_for_a_hippocampus_is_refused():
    with pytest.raises(EngineError) as caught:
        run(Volume(np.zeros((8, 8, 8), np.int16), np.eye(4)))
    assert caught.value.code == "bad_request"


@needs_brain
def test_on_the_average_brain_both_sides_are_found_and_alike():
    brain = sets.read_nifti(average_brain_file())
    labels = run(brain)
    assert labels.metrics["view"] == "head"
    assert labels.labelmap.same_grid(brain)
    for anterior, posterior, sign in ((3, 4, 1), (5, 6, -1)):
        places = {}
        for number in (anterior, posterior):
            inside = np.argwhere(labels.labelmap.voxels == number)
            places[number] = brain.to_mm(inside).mean(0)
            assert sign * places[number][0] > 15  # LPS: left is positive
            assert 0.8 < len(inside) * brain.voxel_volume_ml < 3.5
        assert places[anterior][1] < places[posterior][1] - 8  # y runs to the back
        middle = (places[anterior] + places[posterior]) / 2
        assert np.linalg.norm(middle - [sign * 26, 22, -14]) < 6
    counts = np.bincount(labels.labelmap.voxels.ravel(), minlength=7)
    assert counts[1:3].sum() == 0
    assert abs(int(counts[3:5].sum()) - int(counts[5:7].sum())) / counts[3:7].sum() < 0.02


@needs_brain
def test_a_brain_stored_in_another_order_gives_the_same_answer():
    brain = sets.read_nifti(average_brain_file())
    stored = Volume(np.ascontiguousarray(brain.voxels.transpose(2, 0, 1)[:, ::-1]), brain.affine.copy())
    stored.affine[:3, :3] = brain.affine[:3, [2, 0, 1]]
    stored.affine[:3, 3] += stored.affine[:3, 1] * (stored.shape[1] - 1)
    stored.affine[:3, 1] *= -1
    one, two = run(brain).labelmap, run(stored).labelmap
    back = regridded(two, brain)
    assert (back.voxels != one.voxels).sum() <= 0.02 * (one.voxels > 0).sum()


@needs_data
def test_a_few_unseen_crops_are_above_the_floor():
    names = sets.split_part(DATA / "splits.json", "hippocampus_mri", "val")[::6]
    answer = evaluate("hippocampus-mr", DATA / "hippocampus_mri", cases=names, device="cpu", threads=1)
    assert [case["case"] for case in answer["cases"]] == names
    assert answer["summary"]["anterior.dice"]["mean"] >= 0.85
    assert answer["summary"]["posterior.dice"]["mean"] >= 0.84
    assert answer["summary"]["whole.hd95_mm"]["mean"] <= 2.0


@needs_data
@pytest.mark.slow
def test_the_card_says_what_the_weights_do():
    """The whole val part again, through the shell."""
    import subprocess
    import sys

    words = [sys.executable, "-m", "recon_engine", "evaluate", "hippocampus-mr", "--json", "--device", "cpu"]
    words += ["--data", str(DATA / "hippocampus_mri"), "--splits", str(DATA / "splits.json"), "--part", "val"]
    answer = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    card = weights.card(hippocampus_mr.FOLDER)["summary"]
    for metric in ("anterior.dice", "posterior.dice", "whole.dice"):
        assert answer["summary"][metric]["mean"] == pytest.approx(card[metric]["mean"], abs=0.002)
        assert answer["summary"][metric]["n"] == 30


@needs_brain
@pytest.mark.slow
def test_hippocampi_of_drawn_heads_are_located():
    """Seeds apart from training's; the second look takes up errors of a centimetre."""
    import torch

    from recon_engine.recipes.hippocampus_localiser import locate
    from recon_engine.recipes.hippocampus_views import _localiser
    from recon_engine.training.heads import average_brain, draw_head

    torch.set_num_threads(1)
    brain = average_brain(average_brain_file())
    runner = _localiser(hippocampus_mr.FOLDER, "cpu", 1)
    errors = []
    for number, spacing in enumerate([(2.0, 2.0, 2.0), (3.0, 1.5, 1.5), (2.0, 3.0, 2.0), (1.5, 1.5, 3.0)]):
        head = draw_head(brain, 800_000 + number, spacing, dressed=number % 2 == 0)
        found = {place.side: place.centre_mm for place in locate(head.volume, runner)}
        errors += [
            float(np.linalg.norm(found[side] - head.centres_mm[side])) if side in found else 99.0
            for side in ("left", "right")
        ]
    assert np.median(errors) <= 8
    assert sum(error > 20 for error in errors) <= 1
