"""What prepare writes: the volume's files, pictures of what is no volume, stacks with stated provenance, the record."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from recon_engine.contract import EngineError, PreparedSeries, PrepareRequest, PrepareResult, Progress, no_progress
from recon_engine.intake import inspect, prepare, read_volume
from recon_engine.phantoms.beating import STEP_MS, write_beating
from tests.engine.intake import makers
from tests.engine.intake.makers import ct_slice, to_bytes, write_series

KEY = "5a" * 32


def take(source: Path, out: Path, on_progress: Any = no_progress, **values: Any) -> PrepareResult:
    given: dict[str, Any] = {"pseudonym": "LAM-1", "uid_key": KEY, "date_shift_days": 3, "keys": ()}
    request = PrepareRequest(source=str(source), out=str(out), **(given | values))
    return prepare(request, on_progress, in_process=True)


def test_the_files_of_a_volume(tmp_path: Path) -> None:
    source = write_series(
        tmp_path / "ct", count=12, change=lambda k: {"stored": makers.values(k, 160, 128)}, intercept=-24
    )
    steps: list[Progress] = []
    series = take(source, tmp_path / "out", steps.append, keys=("1.2.3.4.1",)).series[0]
    files = series.volume
    assert files is not None
    assert (files.shape, files.spacing_mm, files.unit) == ((12, 160, 128), (2.0, 1.0, 1.0), "HU")
    expected = np.stack([makers.values(k, 160, 128) - 24 for k in range(12)])
    raw = np.fromfile(tmp_path / "out" / files.voxels, "<i2").reshape(files.shape)
    np.testing.assert_array_equal(raw * files.slope + files.intercept, expected)
    assert files.value_range == (expected.min(), expected.max())
    assert files.window == (400.0, 40.0)
    preview = np.frombuffer(gzip.decompress((tmp_path / "out" / files.preview).read_bytes()), np.uint8)
    preview = preview.reshape(files.preview_shape)
    low, high = files.preview_range
    middle = np.array(files.preview_affine) @ [6, 10, 9, 1]
    index = np.linalg.inv(np.array(files.affine)) @ middle  # the same place in the whole volume
    assert preview[6, 10, 9] / 255 * (high - low) + low == pytest.approx(
        100 * index[0] + 5 * index[1] + index[2] - 24, abs=8
    )
    with Image.open(tmp_path / "out" / files.thumbnail) as thumbnail:
        assert (thumbnail.size, thumbnail.mode) == ((264, 192), "L")
        assert np.asarray(thumbnail)[0, 0] == 0
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_the_record_opens_the_volume_at_once(tmp_path: Path) -> None:
    source = write_series(tmp_path / "ct")
    result = take(source, tmp_path / "out", keys=("1.2.3.4.1",))
    folder = (tmp_path / "out" / "series-000").rename(tmp_path / "moved")
    record = PreparedSeries.from_dict(json.loads((folder / "prepared.json").read_text()))
    assert record.series_instance_uid == result.series[0].series_instance_uid
    assert all((folder / instance.path).is_file() for instance in record.instances)
    volume, finding = read_volume(folder)
    np.testing.assert_array_equal(volume.voxels, np.stack([makers.values(k) for k in range(10)]))
    assert not volume.voxels.flags.writeable
    assert (volume.frame_of_reference_uid, volume.modality, volume.unit) == (record.frame_of_reference_uid, "CT", "HU")
    assert finding.series_instance_uid == record.series_instance_uid
    (folder / "voxels.i16").write_bytes(b"short")
    with pytest.raises(EngineError) as caught:
        read_volume(folder)
    assert caught.value.code == "pixel_data_truncated"


def test_float_values_come_back_within_their_step(tmp_path: Path) -> None:
    source = write_series(tmp_path / "mr", modality="MR", slope=0.37, intercept=0.11)
    take(source, tmp_path / "out", keys=("1.2.3.4.1",))
    exact, _ = read_volume(source, in_process=True)
    stored, _ = read_volume(tmp_path / "out" / "series-000")
    span = float(exact.voxels.max() - exact.voxels.min())
    assert np.abs(exact.voxels - stored.voxels).max() <= span / 65535


def test_two_series_of_one_study_stay_together(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    for k in range(10):
        other = ct_slice(k, series="1.2.3.4.2", uid=f"1.2.3.4.2.{k}", modality="MR")
        (folder / f"b{k}.dcm").write_bytes(to_bytes(other))
    keys = tuple(f.key for f in inspect(folder, in_process=True).findings)
    first, second = take(folder, tmp_path / "out", keys=keys).series
    assert first.study_instance_uid == second.study_instance_uid
    assert first.frame_of_reference_uid == second.frame_of_reference_uid
    assert first.series_instance_uid != second.series_instance_uid
    assert {i.sop_instance_uid for i in first.instances}.isdisjoint(i.sop_instance_uid for i in second.instances)


def test_scouts_are_kept_as_pictures(tmp_path: Path) -> None:
    source = write_series(
        tmp_path / "mr", count=4, modality="MR", tags={0x00281050: ("DS", "200"), 0x00281051: ("DS", "400")}
    )
    series = take(source, tmp_path / "out", keys=("1.2.3.4.1",)).series[0]
    assert series.volume is None
    assert series.finding.verdict == "refuse"
    assert len(series.pictures) == len(series.instances) == 4
    with Image.open(tmp_path / "out" / series.pictures[2]) as picture:
        pixels = np.asarray(picture)
    expected = np.clip(((makers.values(2) - 199.5) / 399 + 0.5), 0, 1) * 255
    np.testing.assert_allclose(pixels, expected, atol=1)
    assert (tmp_path / "out" / "series-000" / "thumbnail.png").is_file()
    with pytest.raises(EngineError) as caught:
        read_volume(tmp_path / "out" / "series-000")
    assert caught.value.code == "too_few_slices"


def test_an_xray_is_a_picture_and_monochrome1_is_turned(tmp_path: Path) -> None:
    stored = makers.values(0, 40, 50).astype(np.uint16)
    window = {0x00281050: ("DS", "125"), 0x00281051: ("DS", "251")}
    source = write_series(
        tmp_path / "dx", count=1, modality="DX", stored=stored, photometric="MONOCHROME1", bits=12, tags=window
    )
    series = take(source, tmp_path / "out", keys=("1.2.3.4.1",)).series[0]
    with Image.open(tmp_path / "out" / series.pictures[0]) as picture:
        pixels = np.asarray(picture).astype(int)
    assert pixels.shape == (40, 50)
    assert pixels[0, 0] > pixels[39, 49]  # low stored values are bright


def test_a_colour_capture_keeps_its_colours(tmp_path: Path) -> None:
    colours = np.random.default_rng(3).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    tags = ct_slice(0, modality="OT", sop_class="1.2.840.10008.5.1.4.1.1.7")
    tags |= {0x00280002: ("US", 3), 0x00280004: ("CS", "RGB"), 0x00280006: ("US", 0), 0x00280010: ("US", 20)}
    tags |= {0x00280011: ("US", 30), 0x00280100: ("US", 8), 0x00280101: ("US", 8), 0x00280102: ("US", 7)}
    tags |= {0x00280103: ("US", 0), 0x7FE00010: ("OB", colours.tobytes())}
    source = tmp_path / "capture.dcm"
    source.write_bytes(to_bytes(tags))
    key = "1.2.3.4.1"
    assert take(source, tmp_path / "a", keys=(key,)).series == ()
    series = take(source, tmp_path / "b", keys=(key,), confirmed_keys=(key,)).series[0]
    with Image.open(tmp_path / "b" / series.pictures[0]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), colours)


def test_withheld_series_wait_for_a_person(tmp_path: Path) -> None:
    source = write_series(tmp_path / "ct", tags={0x00280301: ("CS", "YES")})
    assert take(source, tmp_path / "a", keys=("1.2.3.4.1",)).series == ()
    assert not list((tmp_path / "a").iterdir())
    confirmed = take(source, tmp_path / "b", keys=("1.2.3.4.1",), confirmed_keys=("1.2.3.4.1",))
    assert len(confirmed.series) == 1


def test_what_cannot_be_kept_raises_its_code(tmp_path: Path) -> None:
    source = write_series(tmp_path / "ct", change=lambda k: {"patient": f"P{k % 2}"})
    with pytest.raises(EngineError) as caught:
        take(source, tmp_path / "out", keys=("1.2.3.4.1",))
    assert caught.value.code == "mixed_patients"
    with pytest.raises(EngineError) as caught:
        take(source, tmp_path / "out", keys=("9.9",))
    assert caught.value.code == "bad_request"


def test_a_cancel_stops_it(tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        raise EngineError("cancelled", "Stopped.")

    with pytest.raises(EngineError) as caught:
        take(write_series(tmp_path / "ct"), tmp_path / "out", stop, keys=("1.2.3.4.1",))
    assert caught.value.code == "cancelled"


# --- NIfTI and pictures ----------------------------------------------------------------------------------------


def test_a_nifti_loses_the_text_of_its_header(tmp_path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(np.arange(1000, dtype=np.int16).reshape(10, 10, 10), np.diag([1.0, 1, 1, 1]))
    image.header["descrip"] = b"Doe Jane 1961"
    image.header["db_name"] = b"Doe Jane"
    image.header["aux_file"] = b"/home/doe/jane"
    image.header["intent_name"] = b"Doe"
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Doe Jane was here"))
    nibabel.save(image, tmp_path / "doe.nii")
    series = take(tmp_path / "doe.nii", tmp_path / "out", keys=("doe.nii",), modality_by_key={"doe.nii": "MR"}).series[
        0
    ]
    assert (series.modality, series.instances[0].path) == ("MR", "series-000/instances/image.nii.gz")
    data = gzip.decompress((tmp_path / "out" / series.instances[0].path).read_bytes())
    assert b"oe" not in data[:348]
    assert b"Jane" not in data
    again = nibabel.load(tmp_path / "out" / series.instances[0].path)
    np.testing.assert_array_equal(np.asarray(again.dataobj), np.asarray(image.dataobj))
    np.testing.assert_array_equal(again.affine, image.affine)
    assert "doe" not in series.to_json().lower()
    volume, _ = read_volume(tmp_path / "out" / "series-000")
    assert volume.modality == "MR"


def test_a_nifti_without_a_modality_is_asked_for_one(tmp_path: Path) -> None:
    import nibabel

    nibabel.save(nibabel.Nifti1Image(np.zeros((10, 10, 10), np.int16), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(EngineError) as caught:
        take(tmp_path / "a.nii", tmp_path / "out", keys=("a.nii",))
    assert caught.value.code == "bad_request"


def pictures(folder: Path, count: int = 12) -> Path:
    folder.mkdir()
    for k in range(count):
        text = PngImagePlugin.PngInfo()
        text.add_text("Patient", "Doe Jane")
        grey = (makers.values(k, 20, 30) // 8).clip(0, 255).astype(np.uint8)
        Image.fromarray(grey).save(folder / f"slice {k}.png", pnginfo=text)
    return folder


def test_a_stack_of_pictures_claims_no_millimetres(tmp_path: Path) -> None:
    source = pictures(tmp_path / "png")
    series = take(source, tmp_path / "out", as_stack=True, stack_modality="CT").series[0]
    assert series.finding.reasons == ("spacing_unknown",)
    assert series.volume is not None
    assert series.volume.spacing_mm is None
    volume, _ = read_volume(tmp_path / "out" / "series-000")
    assert volume.spacing_known is False
    expected = np.stack([(makers.values(k, 20, 30) // 8).clip(0, 255) for k in range(12)])  # 2 before 10
    np.testing.assert_array_equal(volume.voxels, expected)
    assert volume.unit == ""
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or b"Jane" not in path.read_bytes()


def test_a_stated_spacing_is_taken(tmp_path: Path) -> None:
    source = pictures(tmp_path / "png")
    result = take(source, tmp_path / "out", as_stack=True, stack_modality="MR", stack_spacing_mm=(8.0, 1.5, 1.25))
    volume, finding = read_volume(tmp_path / "out" / "series-000")
    assert finding.verdict == "accept"
    assert volume.spacing_mm == (8.0, 1.5, 1.25)
    assert result.series[0].volume is not None
    assert result.series[0].volume.spacing_mm == (8.0, 1.5, 1.25)


def test_one_xray_picture(tmp_path: Path) -> None:
    source = tmp_path / "wrist.jpg"
    Image.fromarray((makers.values(0, 60, 40) % 256).astype(np.uint8)).save(source)
    series = take(source, tmp_path / "out", as_stack=True, stack_modality="DX").series[0]
    assert series.volume is None
    assert series.finding.reasons == ("not_a_volume_modality", "spacing_unknown")
    assert series.pictures == ("series-000/pictures/00000.png",)


@pytest.mark.parametrize("modality", ["", "PT", "SEG"])
def test_pictures_may_not_claim_every_modality(modality: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        take(pictures(tmp_path / "png"), tmp_path / "out", as_stack=True, stack_modality=modality)
    assert caught.value.code == "bad_request"


def test_pictures_of_two_sizes_are_no_stack(tmp_path: Path) -> None:
    source = pictures(tmp_path / "png")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(source / "slice 5.png")
    finding = inspect(source, in_process=True).findings[0]
    assert finding.reasons == ("mixed_pixel_spacing", "spacing_unknown")


def test_inspection_can_show_a_thumbnail(tmp_path: Path) -> None:
    (tmp_path / "thumbs").mkdir()
    source = write_series(tmp_path / "ct")
    finding = inspect(source, out=tmp_path / "thumbs", changes=True, in_process=True).findings[0]
    assert (tmp_path / "thumbs" / finding.facts["thumbnail"]).stat().st_size > 100
    assert any(row["keyword"] == "PatientName" and row["before"] == "Doe^Jane" for row in finding.facts["changes"])
    assert len(finding.facts["patient_key"]) == 64


def test_every_phase_of_a_beating_heart_is_kept(tmp_path: Path) -> None:
    """Voxel by voxel the phantom's phases, in the order of their times, whatever order the files lie in."""
    truth = write_beating(tmp_path / "heart")
    (finding,) = inspect(tmp_path / "heart", in_process=True).findings
    assert (finding.verdict, finding.facts["volumes"]) == ("accept", 4)
    series = take(tmp_path / "heart", tmp_path / "out", keys=(finding.key,)).series[0]
    files = series.volume
    assert files is not None
    assert [(phase.kind, phase.value) for phase in files.phases] == [("time", n * STEP_MS) for n in range(4)]
    assert files.phases[0].voxels == files.voxels
    for phase, volume in zip(files.phases, truth, strict=True):
        raw = np.fromfile(tmp_path / "out" / phase.voxels, "<i2").reshape(files.shape)
        np.testing.assert_array_equal(raw * phase.slope + phase.intercept, volume.voxels)
    assert len(series.instances) == 4 * files.shape[0]
    assert PreparedSeries.from_dict(json.loads(series.to_json())) == series
    # A reconstruction sees the first phase.
    first, _ = read_volume(tmp_path / "out" / "series-000", in_process=True)
    np.testing.assert_array_equal(first.voxels, truth[0].voxels)


@pytest.mark.parametrize(("units", "step", "wanted"), [(8, 0.5, [("time", 0.0), ("time", 500.0)]),
                                                     (0, 0.0, [("number", 1.0), ("number", 2.0)])])  # fmt: skip
def test_every_volume_of_a_nifti_file_is_kept(units: int, step: float, wanted: list[Any], tmp_path: Path) -> None:
    import nibabel

    stored = np.arange(2 * 12 * 10 * 9, dtype=np.int16).reshape(12, 10, 9, 2)
    image = nibabel.Nifti1Image(stored, np.diag([-1.0, -1.0, 1.0, 1.0]))  # its axes are those of LPS
    image.header["pixdim"][4] = step
    image.header["xyzt_units"] = 2 + units
    nibabel.save(image, tmp_path / "four.nii.gz")
    key = inspect(tmp_path / "four.nii.gz", in_process=True).findings[0].key
    given = {"keys": (key,), "modality_by_key": {key: "MR"}}
    files = take(tmp_path / "four.nii.gz", tmp_path / "out", **given).series[0].volume
    assert files is not None
    assert [(phase.kind, phase.value) for phase in files.phases] == wanted
    for n, phase in enumerate(files.phases):
        raw = np.fromfile(tmp_path / "out" / phase.voxels, "<i2").reshape(files.shape)
        np.testing.assert_array_equal(raw * phase.slope + phase.intercept, stored[..., n].transpose(2, 1, 0))
