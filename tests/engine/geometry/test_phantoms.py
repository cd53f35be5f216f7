"""The torso's truth holds: volumes follow formulae, equal seeds give equal voxels."""

import numpy as np
import pytest

from recon_engine.phantoms import TORSO_NAMES, make_torso, torso_phantom


@pytest.fixture(scope="module")
def torso():
    return make_torso(seed=5, spacing_mm=3.0)


def test_every_organ_has_an_adult_size(torso):
    volumes = torso.volumes_ml
    limits = {"Liver": (800, 2000), "Spleen": (50, 300), "Right kidney": (80, 220), "Left kidney": (80, 220)}
    limits |= {"Heart": (300, 800), "Bone": (1000, 2500), "Aorta": (80, 300), "Right lung": (700, 2500)}
    for name, (low, high) in limits.items():
        assert low < volumes[name] < high, name
    assert set(np.unique(torso.labels.voxels)) == {0, *TORSO_NAMES}


def test_lesions_hold_the_volume_of_their_formula():
    made = make_torso(seed=5, spacing_mm=2.0)
    assert made.volumes_ml["Lesion"] == pytest.approx(sum(lesion.volume_ml for lesion in made.lesions), rel=0.03)


def test_a_lesion_lies_where_it_says(torso):
    for lesion in torso.lesions:
        k, j, i = np.rint(torso.labels.to_index(lesion.centre_mm)).astype(int)
        assert TORSO_NAMES[int(torso.labels.voxels[k, j, i])] == "Lesion"
        around = torso.ct.voxels[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2]
        assert around.mean() == pytest.approx(lesion.hu, abs=15)


def test_the_body_stands_upright_and_liver_is_on_the_right(torso):
    def centre(number):
        return torso.labels.to_mm(np.argwhere(torso.labels.voxels == number)).mean(axis=0)

    assert centre(1)[0] < -20 < 20 < centre(2)[0]  # LPS: x grows to the patient's left
    assert centre(9)[2] < centre(1)[2] < centre(7)[2]  # bladder under liver under heart


def test_equal_seeds_give_equal_voxels_and_others_do_not():
    first, labels, names = torso_phantom(11, spacing_mm=4.0)
    second = torso_phantom(11, spacing_mm=4.0)
    assert np.array_equal(first.voxels, second[0].voxels)
    assert np.array_equal(labels.voxels, second[1].voxels)
    assert names == TORSO_NAMES
    assert not np.array_equal(first.voxels, torso_phantom(12, spacing_mm=4.0)[0].voxels)
    assert first.voxels.dtype == np.int16
    assert first.unit == "HU"
    assert labels.voxels.dtype == np.uint8
