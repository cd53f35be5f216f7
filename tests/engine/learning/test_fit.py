"""Which series an algorithm is offered for, and the sentence where it is not."""

import dataclasses

import pytest

from recon_engine import recipes
from recon_engine.fit import SeriesFacts, fit

HEAD = SeriesFacts(modality="MR", shape=(176, 256, 256), spacing_mm=(1.0, 1.0, 1.0))
PHANTOM = SeriesFacts(modality="CT", shape=(256, 144, 184), spacing_mm=(2.0, 2.0, 2.0), phantom=True)


def why(name: str, facts: SeriesFacts, **changes) -> tuple[str, ...]:
    return fit(recipes.find(name).DESCRIPTION, dataclasses.replace(facts, **changes))


def test_a_thin_sliced_head_fits_the_hippocampus():
    assert why("hippocampus-mr", HEAD) == ()


def test_thick_slices_are_refused_with_both_numbers():
    assert why("hippocampus-mr", HEAD, spacing_mm=(5.0, 0.5, 0.5)) == (
        "Slices are 5.0 mm apart; hippocampus-mr takes up to 2.0 mm.",
    )


def test_the_wrong_modality_is_named():
    assert why("hippocampus-mr", HEAD, modality="CT") == ("The series is CT; hippocampus-mr takes MR.",)
    assert "PET" in why("bone-ct", HEAD, modality="PT")[0]


def test_phantom_organs_take_phantoms_only():
    assert why("phantom-organs-ct", PHANTOM) == ()
    assert why("phantom-organs-ct", PHANTOM, phantom=False) == (
        "phantom-organs-ct is made for phantoms and this series is not marked as one.",
    )


def test_bone_takes_any_ct_also_a_phantom():
    assert why("bone-ct", PHANTOM) == ()
    assert why("bone-ct", PHANTOM, phantom=False) == ()


def test_nothing_takes_what_is_no_volume():
    for name in ("bone-ct", "hippocampus-mr", "phantom-organs-ct"):
        assert why(name, PHANTOM, verdict="refuse") == ("The series is not a volume, so no algorithm takes it.",)


def test_too_few_slices_and_unknown_spacing_are_said():
    assert "needs at least" in why("hippocampus-mr", HEAD, shape=(6, 256, 256))[0]
    assert "spacing is unknown" in why("hippocampus-mr", HEAD, spacing_mm=None)[0]


@pytest.mark.parametrize("modality", ["PT", None])
def test_nothing_is_offered_for_pet_yet(modality):
    for description in recipes.descriptions():
        assert fit(description, dataclasses.replace(HEAD, modality=modality))
