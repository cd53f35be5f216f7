"""The verb from files to a result folder, on phantoms whose truth is known."""

import gzip
import hashlib
import json

import numpy as np
import pytest

from recon_engine import recipes
from recon_engine.contract import EngineError, ReconstructionRequest, ReconstructionResult
from recon_engine.phantoms import make_torso, sphere_phantom, write_ct_series
from recon_engine.recipes import bone_ct
from recon_engine.recipes.base import Context, Labels, checked_parameters
from recon_engine.reconstruction import reconstruct
from recon_engine.volume import Volume


@pytest.fixture(scope="module")
def torso():
    return make_torso(seed=2, spacing_mm=4.0)


@pytest.fixture(scope="module")
def series(torso, tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    write_ct_series(torso.ct, folder, "test-torso", "Torso")
    return folder


@pytest.fixture
def only_bone(monkeypatch):
    """Keep what the other recipes are out of these tests."""
    monkeypatch.setattr(recipes, "modules", lambda: (bone_ct,))


def run(series, out, **more):
    heard = []
    request = ReconstructionRequest(algorithm="bone-ct", inputs={"CT": str(series)}, out=str(out), **more)
    return reconstruct(request, heard.append), heard


@pytest.fixture(scope="module")
def done(series, tmp_path_factory):
    out = tmp_path_factory.mktemp("result") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "modules", lambda: (bone_ct,))
        result, heard = run(series, out)
    return out, result, heard


def test_bones_of_the_torso_are_found_where_they_are(done, torso):
    out, _, _ = done
    raw = np.frombuffer(gzip.decompress((out / "labelmap.u8.gz").read_bytes()), np.uint8).reshape(torso.ct.shape)
    found, true = raw == 1, torso.labels.voxels == 11
    dice = 2 * np.count_nonzero(found & true) / (np.count_nonzero(found) + np.count_nonzero(true))
    assert dice > 0.85
    organ = np.isin(torso.labels.voxels, (1, 2, 9))
    assert np.count_nonzero(found & organ) < 0.01 * np.count_nonzero(organ)


def test_the_skin_holds_the_body(done, torso):
    _, result, _ = done
    skin = next(s for s in result.segments if s.label == "Skin")
    assert skin.volume_ml == pytest.approx(torso.body_ml, rel=0.04)
    assert skin.triangles > 500


def test_the_manifest_is_the_result_and_hashes_every_other_file(done):
    out, result, _ = done
    assert ReconstructionResult.from_dict(json.loads((out / "manifest.json").read_text())) == result
    files = {p.name for p in out.iterdir()} - {"manifest.json"}
    assert files == set(result.files) == {"labelmap.nii.gz", "labelmap.u8.gz", "surfaces.glb", "surfaces.browser.glb"}
    for name, digest in result.files.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    assert set(result.seconds) >= {"read", "infer", "surface", "write"}
    assert result.peak_memory_mib > 20
    assert result.source_uids[0].startswith("2.25.")
    assert len(result.source_sha256[0]) == 64


def test_the_nifti_labelmap_lies_on_the_voxels(done, torso):
    import nibabel

    out, result, _ = done
    image = nibabel.load(out / "labelmap.nii.gz")
    raw = np.frombuffer(gzip.decompress((out / "labelmap.u8.gz").read_bytes()), np.uint8).reshape(torso.ct.shape)
    assert np.array_equal(np.asarray(image.dataobj), raw.transpose(2, 1, 0))
    ras = image.affine @ (3, 5, 7, 1)
    assert np.allclose(ras[:3] * (-1, -1, 1), torso.ct.to_mm((7, 5, 3)), atol=1e-3)
    segment = result.segments[0]
    assert segment.voxels == np.count_nonzero(raw == 1)
    assert segment.volume_ml == pytest.approx(segment.voxels * 0.064)
    centre = torso.ct.to_mm(np.argwhere(raw == 1)).mean(0)
    assert np.allclose(segment.centroid_mm, centre, atol=0.01)


def test_progress_is_real_and_never_runs_backwards(done):
    _, _, heard = done
    fractions = [p.fraction for p in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert list(dict.fromkeys(p.phase for p in heard)) == [
        "read",
        "preprocess",
        "infer",
        "postprocess",
        "surface",
        "write",
    ]
    assert all(p.detail for p in heard)


@pytest.mark.usefixtures("only_bone")
def test_a_second_run_on_other_threads_gives_the_same_bytes(done, series, tmp_path):
    _, first, _ = done
    second, _ = run(series, tmp_path / "out", threads=1)
    third, _ = run(series, tmp_path / "more", threads=3)
    assert first.files == second.files == third.files
    assert first.preprocessing_sha256 == second.preprocessing_sha256


@pytest.mark.usefixtures("only_bone")
def test_a_nifti_source_gets_its_labelmap_on_its_own_axes(torso, tmp_path):
    import nibabel

    # Stored back to front and with swapped axes: array axes (-z, x, -y).
    stored = torso.ct.voxels.transpose(0, 2, 1)[::-1, :, ::-1]
    affine = np.zeros((4, 4))
    columns = torso.ct.affine[:3, :3]
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = -columns[:, 0], columns[:, 2], -columns[:, 1]
    affine[:3, 3] = torso.ct.to_mm((torso.ct.shape[0] - 1, torso.ct.shape[1] - 1, 0))
    affine[3, 3] = 1
    source = nibabel.Nifti1Image(np.ascontiguousarray(stored), np.diag([-1, -1, 1, 1]) @ affine)
    nibabel.save(source, tmp_path / "ct.nii.gz")
    run(tmp_path / "ct.nii.gz", tmp_path / "out")
    made = nibabel.load(tmp_path / "out" / "labelmap.nii.gz")
    assert made.shape == source.shape
    assert np.allclose(made.affine, source.affine, atol=1e-3)
    bone = np.asarray(made.dataobj) == 1
    assert stored[bone].mean() > 250
    assert stored[~bone].mean() < 0


@pytest.mark.usefixtures("only_bone")
@pytest.mark.parametrize("phase", ["read", "infer", "surface", "write"])
def test_a_cancelled_run_leaves_nothing(series, tmp_path, phase):
    def stop(progress):
        if progress.phase == phase:
            raise EngineError("cancelled", "Stopped.")

    request = ReconstructionRequest(algorithm="bone-ct", inputs={"": str(series)}, out=str(tmp_path / "a" / "out"))
    with pytest.raises(EngineError) as caught:
        reconstruct(request, stop)
    assert caught.value.code == "cancelled"
    assert not list(tmp_path.rglob("*out*"))
    assert not list(tmp_path.rglob("*.glb"))


@pytest.mark.usefixtures("only_bone")
def test_a_folder_with_files_is_not_overwritten(series, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("mine")
    with pytest.raises(EngineError, match="there already"):
        run(series, tmp_path / "out")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["precious.txt"]
    (tmp_path / "empty").mkdir()
    run(series, tmp_path / "empty")
    assert (tmp_path / "empty" / "manifest.json").exists()


def refused(monkeypatch, series, tmp_path, code="bad_request", **changes):
    import dataclasses

    class Other:
        DESCRIPTION = dataclasses.replace(bone_ct.DESCRIPTION, **changes)
        run = staticmethod(bone_ct.run)

    monkeypatch.setattr(recipes, "modules", lambda: (Other,))
    with pytest.raises(EngineError) as caught:
        reconstruct(
            ReconstructionRequest(
                algorithm="bone-ct", inputs={Other.DESCRIPTION.inputs[0]: str(series)}, out=str(tmp_path / "out")
            )
        )
    assert caught.value.code == code
    assert not (tmp_path / "out").exists()
    return caught.value.message


def test_the_wrong_modality_is_refused(monkeypatch, series, tmp_path):
    monkeypatch.setattr(recipes, "modules", lambda: (bone_ct,))
    request = ReconstructionRequest(algorithm="bone-ct", inputs={"MR": str(series)}, out=str(tmp_path / "o"))
    with pytest.raises(EngineError, match="takes CT"):
        reconstruct(request)
    message = refused(monkeypatch, series, tmp_path, inputs=("MR",))
    assert "CT" in message


def test_too_few_slices_and_too_coarse_voxels_are_refused(monkeypatch, series, tmp_path):
    assert "500" in refused(monkeypatch, series, tmp_path, code="too_few_slices", minimum_slices=500)
    assert "4.0 mm" in refused(monkeypatch, series, tmp_path, maximum_spacing_mm=2.0)


def test_a_phantom_algorithm_takes_phantoms_only(monkeypatch, series, tmp_path):
    import nibabel

    assert "phantom" in refused(monkeypatch, series, tmp_path, intended_for="patient")
    made = sphere_phantom(20.0)
    image = nibabel.Nifti1Image(
        made.ct.voxels.transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ made.ct.affine[:, [2, 1, 0, 3]]
    )
    nibabel.save(image, tmp_path / "ball.nii")
    assert "phantom" in refused(monkeypatch, tmp_path / "ball.nii", tmp_path, intended_for="phantom")


@pytest.mark.usefixtures("only_bone")
def test_unknown_names_and_devices_are_refused(series, tmp_path):
    def why(**changes):
        values = {"algorithm": "bone-ct", "inputs": {"": str(series)}, "out": str(tmp_path / "out")} | changes
        with pytest.raises(EngineError) as caught:
            reconstruct(ReconstructionRequest(**values))
        return caught.value

    assert why(algorithm="magic").code == "not_found"
    assert "magic_number" in why(parameters={"magic_number": 3}).message
    assert "HU" in why(parameters={"bone_threshold": 5}).message
    assert why(inputs={"CT": str(series), "PT": str(series)}).code == "bad_request"
    assert why(inputs={"": str(tmp_path / "nowhere")}).code in ("not_found", "bad_request")


@pytest.mark.usefixtures("only_bone")
def test_a_profile_is_written_when_asked(series, tmp_path):
    result, _ = run(series, tmp_path / "out", profile=True)
    assert "profile.txt" in result.files
    assert "cumulative" in (tmp_path / "out" / "profile.txt").read_text()


def test_unknown_spacing_gives_no_millimetres(monkeypatch, tmp_path, torso):
    from dataclasses import replace

    import recon_engine.intake
    from recon_engine.contract import IntakeFinding

    volume = replace(torso.ct, spacing_known=False)
    finding = IntakeFinding(
        key="a",
        series_instance_uid=None,
        study_instance_uid=None,
        modality="CT",
        description="",
        files=(),
        shape=volume.shape,
        spacing_mm=None,
        verdict="warn",
        reasons=("spacing_unknown",),
        message="The spacing is unknown.",
    )
    monkeypatch.setattr(recipes, "modules", lambda: (bone_ct,))
    monkeypatch.setattr(recon_engine.intake, "read_volume", lambda path, modality="": (volume, finding))
    result, _ = run("stack", tmp_path / "out")
    assert all(s.volume_ml is None and s.centroid_mm is None and s.bounds_mm is None for s in result.segments)
    assert "The spacing is unknown." in result.warnings


def test_a_large_ct_is_worked_on_at_less_resolution(monkeypatch, torso):
    monkeypatch.setattr(bone_ct, "MOST_VOXELS", 60_000)
    parameters = checked_parameters(bone_ct.DESCRIPTION, {})
    labels: Labels = bone_ct.run({"CT": torso.ct}, parameters, Context())
    assert np.prod(labels.working.shape) < 75_000
    assert labels.labelmap.same_grid(torso.ct)
    corner = labels.working.to_mm(np.array([-0.5, -0.5, -0.5]))
    assert np.allclose(corner, torso.ct.to_mm(np.array([-0.5, -0.5, -0.5])))
    whole = bone_ct.run({"CT": torso.ct}, parameters, Context())
    body = [np.count_nonzero(x.labelmap.voxels) for x in (labels, whole)]
    assert body[0] == pytest.approx(body[1], rel=0.15)


def test_thick_slices_are_drawn_on_wider_pixels_and_labelled_on_their_own():
    made = sphere_phantom(30.0, (5.0, 0.5, 0.5), hu=600.0)
    labels = bone_ct.run({"CT": made.ct}, checked_parameters(bone_ct.DESCRIPTION, {}), Context())
    missed = np.count_nonzero((labels.labelmap.voxels == 1) != (made.labels.voxels == 1))
    assert missed < 0.02 * np.count_nonzero(made.labels.voxels)
    assert labels.working.spacing_mm == pytest.approx((5.0, 1.25, 1.25), rel=0.02)
    held = [np.count_nonzero(v.voxels == 1) * v.voxel_volume_ml for v in (labels.working, labels.labelmap)]
    assert held[0] == pytest.approx(held[1], rel=0.02)


def test_air_alone_is_refused_and_tissue_without_bone_warns():
    affine = np.eye(4)
    air = Volume(np.full((12, 12, 12), -1000, np.int16), affine, modality="CT")
    parameters = checked_parameters(bone_ct.DESCRIPTION, {})
    with pytest.raises(EngineError, match="no body"):
        bone_ct.run({"CT": air}, parameters, Context())
    made = sphere_phantom(15.0)
    labels = bone_ct.run({"CT": made.ct}, parameters, Context())
    assert "200 HU" in labels.warnings[0]
    missed = np.count_nonzero((labels.labelmap.voxels == 2) != (made.labels.voxels == 1))
    assert missed < 0.015 * np.count_nonzero(made.labels.voxels)


def test_a_table_under_the_back_is_left_out():
    made = sphere_phantom(30.0)
    voxels = made.ct.voxels.copy()
    # A shell of plastic that touches the ball from behind along one line.
    back = int(np.argwhere(made.labels.voxels.any((0, 2))).max())
    voxels[:, back + 1 : back + 3, :] = -50
    labels = bone_ct.run({"CT": made.ct.with_voxels(voxels)}, checked_parameters(bone_ct.DESCRIPTION, {}), Context())
    table = np.zeros(voxels.shape, bool)
    table[:, back + 1 : back + 3, :] = True
    assert np.count_nonzero(labels.labelmap.voxels[table]) < 0.05 * np.count_nonzero(table)
    assert np.count_nonzero(labels.labelmap.voxels) > 0.97 * np.count_nonzero(made.labels.voxels)
