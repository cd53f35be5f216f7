"""phantom-organs-ct on phantoms it has never seen, and its refusal of everything else."""

import numpy as np
import pytest

pytest.importorskip("torch")

from recon_engine import weights
from recon_engine.contract import EngineError
from recon_engine.phantoms import torso_phantom
from recon_engine.recipes import phantom_organs_ct
from recon_engine.recipes.base import Context
from recon_engine.recipes.phantom_organs_ct import seen
from recon_engine.recipes.phantom_organs_overview import doubled, halved, probabilities
from recon_engine.training.evaluation import evaluate
from recon_engine.training.sources import majority
from recon_engine.volume import Volume


def test_the_names_are_those_of_the_phantom():
    from recon_engine.phantoms import TORSO_NAMES

    assert {s.number: s.label for s in phantom_organs_ct.DESCRIPTION.segments} == TORSO_NAMES


def test_the_card_and_the_hash_are_those_of_the_shipped_file():
    folder = phantom_organs_ct.FOLDER
    assert weights.sha256_of(folder / "weights.safetensors") == phantom_organs_ct.DESCRIPTION.weights_sha256
    assert (folder / "weights.safetensors").stat().st_size <= 16 * 2**20
    assert (folder / "LICENSE").read_text().startswith("phantom-organs-ct 1")
    assert weights.card(folder)["summary"]["liver.dice"]["n"] >= 6


def test_a_part_of_a_phantom_is_seen_as_in_the_whole():
    chance = np.random.default_rng(1)
    hu = chance.integers(-1000, 1500, (12, 10, 14)).astype(np.int16)
    odds = chance.random((13, 6, 5, 7), np.float32)
    whole, part = seen(hu, odds), seen(hu, odds, (3, 2, 5), (6, 7, 8))
    assert whole.shape == (14, 12, 10, 14)
    assert np.allclose(whole[:, 3:9, 2:9, 5:13], part)
    assert np.allclose(whole[0], np.clip(hu, -1000, 1000) / 500)


def test_the_overview_is_read_between_its_voxels():
    ramp = np.broadcast_to(np.arange(6, dtype=np.float32), (1, 4, 5, 6))
    fine = doubled(ramp, (0, 0, 0), (8, 10, 12))
    # Fine voxel centres lie a quarter of a coarse voxel beside the coarse ones.
    assert np.allclose(fine[0, 3, 4, 1:-1], np.arange(0.25, 5.0, 0.5))


def test_halves_hold_the_mean_of_eight_and_the_label_of_most():
    hu = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
    half = halved(hu)
    assert half.shape == (2, 2, 3)
    assert half[0, 0, 0] == hu[:2, :2, :2].mean()
    assert half[1, 1, 2] == hu[2, 2:4, 4].mean()
    labels = np.zeros((2, 2, 4), np.uint8)
    labels[0, :, 2:] = 5
    labels[1, 0, 2] = 5
    assert majority(labels).tolist() == [[[0, 5]]]


def test_the_overview_of_a_whole_torso_adds_up_to_one():
    ct, _, _ = torso_phantom(9202, 4.0)
    odds = probabilities(phantom_organs_ct.overview_runner("cpu", 2), ct.voxels[:64])
    assert odds.shape == (13, 32, 36, 46)
    assert np.allclose(odds.sum(0), 1, atol=1e-4)


def test_spacing_must_be_known():
    picture = Volume(np.zeros((20, 20, 20), np.int16), np.eye(4), modality="CT", spacing_known=False)
    with pytest.raises(EngineError) as caught:
        phantom_organs_ct.run({"CT": picture}, {}, Context())
    assert caught.value.code == "bad_request"


@pytest.mark.slow
def test_organs_of_an_unseen_phantom_are_found_at_4_mm_too():
    ct, truth, names = torso_phantom(9200, 4.0)
    found = phantom_organs_ct.run({"CT": ct}, {}, Context(device="cpu", threads=2)).labelmap
    assert found.same_grid(truth)
    for number, name in names.items():
        if name != "Lesion":
            a, b = found.voxels == number, truth.voxels == number
            assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.8, name


@pytest.mark.slow
def test_an_unseen_phantom_is_outlined_as_the_card_says():
    answer = evaluate("phantom-organs-ct", "phantoms:9201", device="cpu", threads=2)
    card = weights.card(phantom_organs_ct.FOLDER)["summary"]
    assert answer["summary"]["all.dice"]["mean"] >= 0.95
    assert answer["summary"]["all.volume_error_percent"]["mean"] <= 3
    for metric, row in answer["summary"].items():
        # Six phantoms tell the spread of organs; of lesions, few and small, they do not.
        if metric.endswith(".dice") and row["mean"] is not None and not metric.startswith("lesion"):
            assert row["mean"] >= card[metric]["worst"] - 0.05, metric
