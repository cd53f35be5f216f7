"""Phantoms as files: valid DICOM, marked as phantoms, and with the numbers a viewer is checked by."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pydicom
import pytest

from recon_engine.intake import read_volume
from recon_engine.phantoms import (
    INSERTS,
    calibrated_phantom,
    make_torso,
    sphere_phantom,
    write_ct_series,
    write_phantom,
)
from recon_engine.phantoms.__main__ import main
from recon_engine.volume import Volume


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torso")
    made = make_torso(seed=9, spacing_mm=8.0)
    return made, write_ct_series(made.ct, folder, "torso-9", "Torso phantom, CT")


def test_the_series_comes_back_voxel_by_voxel(written):
    made, files = written
    volume, finding = read_volume(files[0].parent)
    assert np.array_equal(volume.voxels, made.ct.voxels)
    assert volume.same_grid(made.ct)
    assert finding.verdict == "accept"
    assert finding.facts["phantom"] is True
    assert volume.frame_of_reference_uid == made.ct.frame_of_reference_uid
    assert volume.unit == "HU"


def test_every_file_says_that_it_is_a_phantom(written):
    _, files = written
    headers = [pydicom.dcmread(f, stop_before_pixels=True) for f in files]
    assert {h.QualityControlImage for h in headers} == {"YES"}
    assert {h.ManufacturerModelName for h in headers} == {"Lamina phantom"}
    assert len({h.SOPInstanceUID for h in headers}) == len(files)
    assert len({h.SeriesInstanceUID for h in headers}) == 1
    assert [f.name for f in files] != sorted(f.name for f in files), "file order is not slice order"


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not here")
def test_dciodvfy_finds_nothing_wrong(written, tmp_path):
    _, files = written
    write_phantom(tmp_path / "c", "calibrated")
    for path in (files[0], files[-1], next((tmp_path / "c").iterdir())):
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert "Error" not in said, said
        assert "Warning" not in said, said


def test_equal_seeds_give_equal_files(tmp_path):
    for folder in ("a", "b"):
        write_ct_series(sphere_phantom(5.0).ct, tmp_path / folder, "ball", "Ball")
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_what_no_ct_holds_is_refused(tmp_path):
    affine = np.eye(4)[[2, 1, 0, 3]]
    with pytest.raises(ValueError, match="12 bits"):
        write_ct_series(Volume(np.full((2, 2, 2), 9000, np.int16), affine), tmp_path, "x", "x")
    skewed = affine.copy()
    skewed[0, 0] = 0.5
    with pytest.raises(ValueError, match="square"):
        write_ct_series(Volume(np.zeros((2, 2, 2), np.int16), skewed), tmp_path, "x", "x")
    with pytest.raises(ValueError, match="first axis"):
        write_ct_series(Volume(np.zeros((2, 2, 2), np.int16), np.eye(4)), tmp_path, "x", "x")
    with pytest.raises(ValueError, match="torso, sphere, calibrated"):
        write_phantom(tmp_path, "unicorn")


def test_the_calibrated_phantom_measures_what_it_says():
    made = calibrated_phantom()
    points = {name: np.array(p) for name, p in made.points_mm.items()}
    assert np.linalg.norm(points["Bead 1"] - points["Bead 2"]) == pytest.approx(50.0)
    arms = [points[name] - points["Apex"] for name in ("Arm 1", "Arm 2")]
    cosine = arms[0] @ arms[1] / np.linalg.norm(arms[0]) / np.linalg.norm(arms[1])
    assert np.degrees(np.arccos(cosine)) == pytest.approx(30.0)
    for name, hu in INSERTS.items():
        k, j, i = np.rint(made.ct.to_index(points[name])).astype(int)
        assert (made.ct.voxels[k - 3 : k + 4, j - 3 : j + 4, i - 3 : i + 4] == hu).all(), name
    # The voxels agree with the points: middles of the two beads.
    beads = made.ct.to_mm(np.argwhere(made.labels.voxels == 1))
    left, right = beads[beads[:, 0] > 0].mean(0), beads[beads[:, 0] < 0].mean(0)
    assert np.linalg.norm(left - right) == pytest.approx(50.0, abs=0.01)


def test_a_ball_holds_its_formula_and_its_centre():
    made = sphere_phantom(20.0, (3.0, 0.8, 0.8))
    assert made.volumes_ml["Ball"] == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)
    assert np.allclose(made.labels.to_mm(np.argwhere(made.labels.voxels)).mean(0), made.points_mm["centre"], atol=0.1)


def test_the_command_writes_a_series_with_its_truth(tmp_path, capsys):
    assert main([str(tmp_path / "out"), "--kind", "torso", "--seed", "3", "--spacing", "8", "--truth"]) == 0
    assert json.loads(capsys.readouterr().out)["Liver"] > 300
    truth = json.loads((tmp_path / "out.truth.json").read_text())
    assert truth["lesions"]
    assert (tmp_path / "out.truth.nii.gz").exists()
    assert len(list((tmp_path / "out").iterdir())) == 64
    assert main([str(tmp_path / "out")]) == 2
    done = subprocess.run([sys.executable, "-m", "recon_engine.phantoms", "--help"], capture_output=True, check=False)
    assert done.returncode == 0
