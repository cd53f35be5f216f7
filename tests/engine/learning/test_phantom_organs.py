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
from recon_engine.training.evaluation import evaluate
from recon_engine.volume import Volume


def test_the_names_are_those_of_the_phantom():
    from recon_engine.phantoms import TORSO_NAMES

    assert {s.number: s.label for s in phantom_organs_ct.DESCRIPTION.segments} == TORSO_NAMES


def test_the_card_and_the_hash_are_those_of_the_shipped_file():
    folder = phantom_organs_ct.FOLDER
    assert weights.sha256_of(folder / "weights.safetensors") == phantom_organs_ct.DESCRIPTION.weights_sha256
    assert (folder / "weights.safetensors").stat().st_size <= 16 * 2**20
    assert (folder / "LICENSE").read_text().startswith("phantom-organs-ct 1")
    assert weights.card(folder)["summary"]["liver.dice"]["n"] >= 2


def test_a_part_of_a_phantom_carries_the_place_it_came_from():
    affine = np.array([[0, 0, 2, -50], [0, 2, 0, -60], [2, 0, 0, -70], [0, 0, 0, 1.0]])
    hu = np.zeros((8, 8, 8), np.int16)
    whole, part = seen(hu, affine), seen(hu[2:, 3:, 4:], affine, (2, 3, 4))
    assert np.allclose(whole[:, 2:, 3:, 4:], part)
    assert np.allclose(whole[1:4, 0, 0, 0], [-0.7, -0.6, -0.5])


def test_spacing_must_be_known():
    picture = Volume(np.zeros((20, 20, 20), np.int16), np.eye(4), modality="CT", spacing_known=False)
    with pytest.raises(EngineError) as caught:
        phantom_organs_ct.run({"CT": picture}, {}, Context())
    assert caught.value.code == "bad_request"


def test_organs_of_an_unseen_phantom_are_found_at_4_mm_too():
    ct, truth, names = torso_phantom(9200, 4.0)
    found = phantom_organs_ct.run({"CT": ct}, {}, Context(device="cpu", threads=2)).labelmap
    assert found.same_grid(truth)
    for number, name in names.items():
        if name in ("Liver", "Right lung", "Left lung"):
            a, b = found.voxels == number, truth.voxels == number
            assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.75, name


@pytest.mark.slow
def test_an_unseen_phantom_is_outlined_as_the_card_says():
    answer = evaluate("phantom-organs-ct", "phantoms:9201", device="cpu", threads=2)
    card = weights.card(phantom_organs_ct.FOLDER)["summary"]
    for metric, row in answer["summary"].items():
        if metric.endswith(".dice") and row["mean"] is not None:
            assert row["mean"] >= min(0.95, card[metric]["worst"]) - 0.05, metric
