"""The real series that LAMINA_DATA points at: each with the verdict and the geometry it must have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recon_engine.contract import EngineError, PrepareRequest
from recon_engine.intake import inspect, prepare, read_volume


@pytest.mark.parametrize(
    ("name", "modality", "shape", "unit"),
    [
        ("sts003_ct", "CT", (51, 158, 154), "HU"),
        ("sts003_pet", "PT", (51, 30, 29), "SUV"),
        ("sts003_mr_t1", "MR", (47, 138, 121), ""),
    ],
)
def test_one_patient_three_modalities(
    name: str, modality: str, shape: tuple[int, ...], unit: str, lamina_data: Path
) -> None:
    path = lamina_data / "dicom" / f"{name}.zip"
    result = inspect(path)
    assert [(f.verdict, f.modality, f.shape) for f in result.findings] == [("accept", modality, shape)]
    assert [code for _, code in result.ignored] == ["derived_object_not_source"]
    volume, finding = read_volume(path)
    assert volume.shape == shape
    assert volume.unit == unit
    assert finding.facts["frame_of_reference_uid"] == volume.frame_of_reference_uid
    assert volume.frame_of_reference_uid is not None
    assert volume.frame_of_reference_uid.endswith("323821825956")  # one frame for all three
    assert volume.spacing_mm[0] == pytest.approx(3.27, abs=1e-3)


def test_pet_is_in_suv(lamina_data: Path) -> None:
    """The series stores SUV (GML) with a slope of its own per slice; the tumour is hot, the rest is not."""
    volume, _ = read_volume(lamina_data / "dicom" / "sts003_pet.zip")
    assert volume.voxels.dtype == np.float32
    assert volume.voxels.min() == 0.0
    assert volume.voxels.max() == pytest.approx(10.265, abs=0.01)


def test_the_tilted_head_is_put_upright(lamina_data: Path) -> None:
    path = lamina_data / "dicom" / "ge_head_ct_gantry_tilt.zip"
    finding = inspect(path).findings[0]
    assert finding.verdict == "warn"
    assert set(finding.reasons) == {"gantry_tilt_corrected", "nonuniform_spacing_resampled"}
    assert finding.facts["tilt_degrees"] == 18.5
    assert finding.facts["shear_mm"] == 48.2
    assert finding.facts["gaps_mm"] == [1.1, 4.0, 7.0]
    volume, _ = read_volume(path)
    assert volume.spacing_mm == pytest.approx((4.0019, 0.4883, 0.4883), abs=1e-3)
    np.testing.assert_allclose(volume.direction.T @ volume.direction, np.eye(3), atol=1e-9)
    assert volume.shape == finding.shape
    assert volume.voxels.min() == -1024  # padding of -1500 is air
    # the middle of the skull stays in place from slice to slice: upright, it drifts by less than 10 mm
    bone = volume.voxels > 300
    rows = [np.argwhere(plane)[:, 0] for plane in bone[6:26]]
    middles = np.array([(r.min() + r.max()) / 2 for r in rows]) * volume.spacing_mm[1]
    assert np.abs(np.diff(middles)).mean() < 4


def test_scouts_in_three_planes_are_one_refused_series(lamina_data: Path) -> None:
    path = lamina_data / "dicom" / "sunnybrook_scouts_3_planes.zip"
    findings = inspect(path).findings
    assert len(findings) == 1
    assert findings[0].verdict == "refuse"
    assert findings[0].reasons == ("mixed_frames_of_reference", "mixed_orientations")
    assert findings[0].facts["kept"] is True
    with pytest.raises(EngineError) as caught:
        read_volume(path)
    assert caught.value.code == "mixed_frames_of_reference"


@pytest.mark.parametrize("name", ["ge_head_ct_gantry_tilt", "sunnybrook_scouts_3_planes", "sts003_pet"])
def test_they_can_be_prepared(name: str, lamina_data: Path, tmp_path: Path) -> None:
    path = lamina_data / "dicom" / f"{name}.zip"
    finding = inspect(path).findings[0]
    request = PrepareRequest(
        source=str(path),
        out=str(tmp_path),
        pseudonym="LAM-3",
        uid_key="cd" * 32,
        date_shift_days=-82,
        keys=(finding.key,),
    )
    series = prepare(request).series[0]
    assert (series.volume is None) == (finding.verdict == "refuse")
    assert len(series.instances) == finding.facts["instances"]
    if series.volume is None:
        assert len(series.pictures) == len(series.instances)
    else:
        again, _ = read_volume(tmp_path / "series-000" / "instances")
        stored, _ = read_volume(tmp_path / "series-000")
        assert np.abs(again.voxels - stored.voxels).max() <= series.volume.slope
        np.testing.assert_allclose(again.affine, stored.affine)


@pytest.mark.parametrize("folder", ["hippocampus_mri/images", "torso_ct_example", "sarcoma_ct_pet_mr"])
def test_every_nifti_is_accepted(folder: str, lamina_data: Path) -> None:
    files = sorted((lamina_data / folder).rglob("*.nii.gz"))[:12]
    assert files
    for path in files:
        finding = inspect(path, in_process=True).findings[0]
        assert finding.verdict == "accept", (path.name, finding.reasons)
