"""Registration against a known motion: found to a fraction of a voxel, the same every time, and refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import recon_engine
from recon_engine.contract import EngineError, Progress
from recon_engine.contract.registering import RegisterRequest, RegisterResult
from recon_engine.phantoms.follow_up import MOTION, FollowUp, body_phantom, follow_up_phantom, rigid
from recon_engine.registering.verb import registered
from recon_engine.volume import Volume

COARSE = ((4.0, 3.0, 3.0), (5.0, 2.6, 2.6))


@pytest.fixture(scope="module")
def made() -> FollowUp:
    """One body on two dates: 7 mm and 4 degrees apart, a lesion of 20 then 26 mm, other voxels, other noise."""
    return follow_up_phantom(COARSE)


def distances(result: RegisterResult, truth: NDArray, moving: Volume) -> NDArray:
    """mm between where the answer and the truth put each place of the body."""
    places = moving.to_mm(np.argwhere(moving.voxels > -300)[::20])
    answers = [places @ m[:3, :3].T + m[:3, 3] for m in (np.array(result.matrix), truth)]
    return np.linalg.norm(answers[0] - answers[1], axis=1)


def test_a_known_motion_is_found_within_half_a_millimetre(made: FollowUp) -> None:
    result = registered(made.current.ct, made.prior.ct)
    apart = distances(result, MOTION, made.prior.ct)
    assert apart.mean() < 0.2
    assert apart.max() < 0.5
    assert result.rotation_degrees == pytest.approx(4.0, abs=0.2)
    assert np.linalg.norm(np.array(result.matrix)[:3, 3] - MOTION[:3, 3]) < 0.3
    assert result.similarity_before is not None
    assert result.similarity_after > result.similarity_before + 0.1
    # The stated error is of the size of the true one, not a constant and not nothing.
    assert 0 < result.error_mm < 0.3
    assert result.error_mm == max(result.repeat_mm, result.inverse_mm) <= result.farthest_mm
    again = registered(made.current.ct, made.prior.ct)
    assert replace(again, seconds={}) == replace(result, seconds={})
    other = registered(made.current.ct, made.prior.ct, seed=7)
    assert other.matrix != result.matrix
    assert distances(other, MOTION, made.prior.ct).mean() < 0.2


@pytest.mark.parametrize(
    "motion", [rigid((45.0, -30.0, 20.0), 0.0), rigid((0.0, 10.0, 0.0), 25.0, (0, 0, 1)), np.eye(4)]
)
def test_far_and_turned_bodies_are_found_and_one_that_lies_right_stays(motion: NDArray) -> None:
    moving = body_phantom(0, COARSE[0], 20.0, np.eye(4), noise=1)
    fixed = body_phantom(0, COARSE[1], 20.0, motion, noise=2)
    result = registered(fixed.ct, moving.ct)
    # A body pushed out of the picture keeps less of itself to go by.
    assert distances(result, motion, moving.ct).mean() < 0.5


def test_another_body_is_refused_by_name() -> None:
    """Two torsos have the same organs, each in its own place and size."""
    from recon_engine.phantoms import make_torso

    with pytest.raises(EngineError) as refused:
        registered(make_torso(1, 6.0).ct, make_torso(2, 6.0).ct)
    assert refused.value.code == "not_alike"
    assert refused.value.message.endswith("Use landmarks.")
    assert refused.value.facts["similarity"] < 0.45


def cut(volume: Volume, slices: slice) -> Volume:
    affine = volume.affine.copy()
    affine[:3, 3] = volume.to_mm((slices.start, 0, 0))
    return replace(volume, voxels=volume.voxels[slices], affine=affine)


def test_two_parts_of_a_body_that_do_not_meet_are_refused_by_name(made: FollowUp) -> None:
    depth = made.prior.ct.shape[0]
    upper, lower = cut(made.prior.ct, slice(depth * 2 // 3, depth)), cut(made.prior.ct, slice(0, depth // 3))
    with pytest.raises(EngineError) as refused:
        registered(upper, lower)
    assert refused.value.code in {"too_little_overlap", "not_alike"}


def test_bad_input_is_refused_by_name(made: FollowUp) -> None:
    ct = made.prior.ct
    empty = ct.with_voxels(np.full(ct.shape, -1000, np.int16))
    sheared = ct.affine.copy()
    sheared[0, 1] += 0.4
    cases = {
        "other_modality": replace(ct, modality="MR"),
        "spacing_unknown": replace(ct, spacing_known=False),
        "nothing_there": empty,
        "sheared": replace(ct, affine=sheared),
    }
    for code, moving in cases.items():
        with pytest.raises(EngineError) as refused:
            registered(ct, moving)
        assert refused.value.code == code, code


def test_the_verb_reads_files_tells_its_work_and_stops_when_it_is_cancelled(made: FollowUp, tmp_path: Path) -> None:
    from recon_engine.phantoms.follow_up import write_follow_up

    write_follow_up(tmp_path, made)
    request = RegisterRequest(fixed=str(tmp_path / "current"), moving=str(tmp_path / "prior"))
    told: list[Progress] = []
    result = recon_engine.register(request, told.append)
    assert distances(result, MOTION, made.prior.ct).mean() < 0.2
    assert RegisterResult.from_dict(result.to_dict()) == result
    fractions = [one.fraction for one in told]
    assert fractions == sorted(fractions)
    assert told[-1].detail.startswith("run ")

    def stop(progress: Progress) -> None:
        if progress.phase == "align":
            raise EngineError("cancelled", "The job was cancelled.")

    with pytest.raises(EngineError) as refused:
        recon_engine.register(request, stop)
    assert refused.value.code == "cancelled"


def test_the_follow_up_phantom_has_the_volumes_of_its_formulae() -> None:
    made = follow_up_phantom()
    for phantom, diameter in ((made.prior, 20.0), (made.current, 26.0)):
        assert phantom.volumes_ml["Lesion"] == pytest.approx(np.pi / 6 * diameter**3 / 1000, rel=0.02)
    there = MOTION @ [*made.prior.points_mm["lesion"], 1]
    assert np.allclose(there[:3], made.current.points_mm["lesion"])
