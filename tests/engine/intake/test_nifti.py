"""NIfTI: geometry, hostile headers, values, and a labelmap that lies on its source."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from recon_engine.contract import IntakeFinding
from recon_engine.intake import inspect, read_volume
from recon_engine.results import labelmap_files

SHAPE = (12, 10, 9)
AFFINE = np.array([[1.5, 0, 0, -20], [0, 2.0, 0, -30], [0, 0, 3.0, 5], [0, 0, 0, 1.0]])


def ramp(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def write(path: Path, data: np.ndarray | None = None, affine: np.ndarray = AFFINE, **header: Any) -> Path:
    image = nibabel.Nifti1Image(ramp() if data is None else data, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def patched(path: Path, offset: int, layout: str, *values: Any) -> Path:
    """The same file with header bytes changed behind the library's back."""
    data = bytearray(path.read_bytes())
    struct.pack_into(layout, data, offset, *values)
    path.write_bytes(bytes(data))
    return path


def only(path: Path) -> IntakeFinding:
    findings = inspect(path, in_process=True).findings
    assert len(findings) == 1
    return findings[0]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "picture.dcm"])
def test_a_clean_image(name: str, tmp_path: Path) -> None:
    source = write(tmp_path / ("a.nii.gz" if name.endswith("gz") else "a.nii"))
    source = source.rename(tmp_path / name)
    finding = only(source)
    assert (finding.verdict, finding.modality, finding.series_instance_uid) == ("accept", None, None)
    assert finding.shape == (9, 10, 12)
    assert finding.spacing_mm == (3.0, 2.0, 1.5)


ORIENTATIONS = {
    "RAS": np.diag([1.5, 2.0, 3.0, 1]),
    "LPS": np.diag([-1.5, -2.0, 3.0, 1]),
    "LAS": np.diag([-1.5, 2.0, 3.0, 1]),
    "PSR": np.array([[0, 0, 3.0, 0], [-1.5, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]]),
    "IPL": np.array([[0, 0, -3.0, 0], [0, -2.0, 0, 0], [-1.5, 0, 0, 0], [0, 0, 0, 1]]),
}


@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_every_voxel_keeps_its_place(axes: str, tmp_path: Path) -> None:
    affine = ORIENTATIONS[axes].copy()
    affine[:3, 3] = (11, -7, 4)
    path = write(tmp_path / "a.nii.gz", affine=affine)
    volume, _ = read_volume(path, modality="MR", in_process=True)
    stored = np.array(np.meshgrid(*map(np.arange, SHAPE), indexing="ij")).reshape(3, -1).T
    ras = stored @ affine[:3, :3].T + affine[:3, 3]
    index = np.rint(volume.to_index(ras * [-1, -1, 1])).astype(int)
    np.testing.assert_array_equal(volume.voxels[tuple(index.T)], ramp()[tuple(stored.T)])
    # k runs to the head, j to the back, i to the left
    assert (np.abs(volume.direction - np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])) < 1e-6).all()


@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_a_labelmap_lies_on_the_axes_of_its_source(axes: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", affine=ORIENTATIONS[axes])
    volume, finding = read_volume(path, modality="MR", in_process=True)
    labels = volume.with_voxels((volume.voxels % 7).astype(np.uint8))
    (tmp_path / "labels.nii.gz").write_bytes(labelmap_files(labels, finding.facts["nifti"])[0])
    back = nibabel.load(tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(np.asarray(back.dataobj), ramp() % 7)
    np.testing.assert_allclose(back.affine, ORIENTATIONS[axes], atol=1e-5)


HEADER_CASES: dict[str, tuple[int, str, tuple[Any, ...], str]] = {
    "a NaN in the affine": (280, "<f", (float("nan"),), "invalid_geometry"),
    "an infinite affine": (284, "<f", (float("inf"),), "invalid_geometry"),
    "a singular affine": (280, "<12f", (0.0,) * 12, "invalid_geometry"),
    "dimensions that lie": (42, "<h", (32000,), "pixel_data_truncated"),
    "dimensions past every limit": (40, "<8h", (3, 32767, 32767, 32767, 1, 1, 1, 1), "declared_size_over_limit"),
    "a negative dimension": (42, "<h", (-12,), "parse_error"),
    "no dimension": (40, "<h", (0,), "parse_error"),
    "forty dimensions": (40, "<h", (40,), "parse_error"),
    "an unknown type of voxels": (70, "<h", (999,), "format_unsupported"),
    "colours": (70, "<hh", (128, 24), "colour_image"),
    "complex numbers": (70, "<hh", (32, 64), "format_unsupported"),
    "an offset past the end": (108, "<f", (1e9,), "pixel_data_truncated"),
    "no geometry at all": (252, "<hh", (0, 0), "missing_geometry"),
}


@pytest.mark.parametrize("case", HEADER_CASES)
def test_hostile_headers_are_refused(case: str, tmp_path: Path) -> None:
    offset, layout, values, code = HEADER_CASES[case]
    finding = only(patched(write(tmp_path / "a.nii"), offset, layout, *values))
    assert (finding.verdict, finding.reasons[0]) == ("refuse", code)
    assert finding.message.startswith("a.nii: ")


def test_a_nan_offset_falls_back_to_the_usual_place(tmp_path: Path) -> None:
    assert only(patched(write(tmp_path / "a.nii"), 108, "<f", float("nan"))).verdict == "accept"


def test_qform_against_sform(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii")
    finding = only(patched(path, 268, "<f", -14.0))  # the qform's x offset
    assert (finding.verdict, finding.reasons) == ("warn", ("qform_sform_disagree",))
    volume, _ = read_volume(path, in_process=True)
    np.testing.assert_allclose(np.sort(volume.spacing_mm), (1.5, 2.0, 3.0), atol=1e-6)


def test_a_qform_alone_is_used(tmp_path: Path) -> None:
    path = patched(write(tmp_path / "a.nii"), 254, "<h", 0)
    finding = only(path)
    assert (finding.verdict, finding.spacing_mm) == ("accept", (3.0, 2.0, 1.5))


def test_a_cut_gzip(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", np.random.default_rng(1).integers(0, 999, SHAPE).astype(np.int16))
    path.write_bytes(path.read_bytes()[:-200])
    assert only(path).reasons == ("pixel_data_truncated",)


def test_a_damaged_gzip(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", np.random.default_rng(1).integers(0, 999, SHAPE).astype(np.int16))
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF  # the checksum
    path.write_bytes(bytes(data))
    assert only(path).reasons == ("parse_error",)


def test_a_gzip_bomb_is_given_up_at_what_its_header_declares(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.nii").read_bytes()
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb", 9) as stream:
        stream.write(plain)
        for _ in range(20):
            stream.write(bytes(1 << 20))
    assert path.stat().st_size < 100_000
    assert only(path).reasons == ("inflated_size_over_limit",)


def test_infinite_voxels_are_replaced(tmp_path: Path) -> None:
    data = ramp().astype(np.float32) - 50.5
    data[3, 3, 3], data[4, 4, 4] = np.inf, np.nan
    path = write(tmp_path / "a.nii.gz", data)
    finding = only(path)
    assert (finding.verdict, finding.reasons) == ("warn", ("nonfinite_voxels_replaced",))
    volume, _ = read_volume(path, in_process=True)
    assert np.isfinite(volume.voxels).all()
    assert volume.voxels.min() == -50.5
    assert (volume.voxels == -50.5).sum() == 3


def test_scaling_is_applied(tmp_path: Path) -> None:
    path = patched(write(tmp_path / "a.nii"), 112, "<ff", 0.5, -10.0)
    volume, _ = read_volume(path, in_process=True)
    np.testing.assert_allclose(np.sort(volume.voxels.ravel()), np.sort(ramp().ravel()) * 0.5 - 10)


@pytest.mark.parametrize(("stored", "read"), [("u1", "i2"), ("i2", "i2"), ("i4", "i2"), ("f4", "i2"), ("u4", "i2")])
def test_whole_numbers_stay_whole(stored: str, read: str, tmp_path: Path) -> None:
    volume, _ = read_volume(write(tmp_path / "a.nii", (ramp() % 200).astype(stored)), in_process=True)
    assert volume.voxels.dtype == np.dtype(read)


def test_the_first_of_several_volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = np.stack([ramp(), ramp() + 1], axis=-1)
    path = write(tmp_path / "a.nii.gz", data)
    assert only(path).verdict == "accept"
    volume, _ = read_volume(path, in_process=True)
    assert volume.voxels.min() == 0
    monkeypatch.setattr("recon_engine.intake.limits.VOXELS", 3 * ramp().size // 2)
    finding = only(path)
    assert finding.reasons == ("four_d_first_volume_used",)
    assert "2 volumes" in finding.message


def test_a_header_without_its_image(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(ramp(), AFFINE), tmp_path / "a.img")
    whole = only(tmp_path)
    assert whole.reasons == ("format_unsupported",)
    (tmp_path / "a.img").unlink()
    assert only(tmp_path).reasons == ("missing_pair_file",)


def test_a_flat_image_is_no_volume(tmp_path: Path) -> None:
    assert only(write(tmp_path / "a.nii", ramp((40, 40, 1)))).reasons == ("single_slice",)


def test_a_stated_modality_gives_ct_its_unit(tmp_path: Path) -> None:
    volume, finding = read_volume(write(tmp_path / "a.nii"), modality="CT", in_process=True)
    assert (volume.unit, volume.modality, finding.modality) == ("HU", "CT", "CT")
