"""The fast reader gives pydicom's values voxel by voxel, over transfer syntaxes, bits, signs, rescale and padding."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest

from recon_engine.contract import EngineError
from recon_engine.dicom import read_series
from recon_engine.intake import codestreams, inspect, read_volume
from tests.engine.intake import makers
from tests.engine.intake.makers import ct_slice, encapsulated, to_bytes, write_series

RLE, LOSSLESS_JPEG = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"
JPEG_LS, JPEG_2000, HTJ2K = (f"1.2.840.10008.1.2.4.{n}" for n in (80, 90, 201))


def truth(folder: Path) -> np.ndarray:
    """What a pydicom loop makes of the folder: sorted by z, value = pixel_array * slope + intercept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slices = [pydicom.dcmread(path) for path in folder.iterdir()]
        slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
        return np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])


def rle(values: np.ndarray) -> bytes:
    """DICOM RLE (PS3.5 annex G) with literal runs only: one segment per byte, most significant first."""
    rows = values.astype(values.dtype.newbyteorder(">")).view(np.uint8).reshape(-1, values.dtype.itemsize)
    segments = []
    for plane in rows.T:
        data = plane.tobytes()
        pieces = [bytes([len(part) - 1]) + part for part in (data[n : n + 128] for n in range(0, len(data), 128))]
        joined = b"".join(pieces)
        segments.append(joined + b"\x80" * (len(joined) % 2))
    offsets = np.zeros(16, "<u4")
    offsets[0] = len(segments)
    place = 64
    for number, segment in enumerate(segments):
        offsets[number + 1] = place
        place += len(segment)
    return offsets.tobytes() + b"".join(segments)


ENCODERS: dict[str, Any] = {
    RLE: rle,
    JPEG_LS: imagecodecs.jpegls_encode,
    JPEG_2000: lambda v: imagecodecs.jpeg2k_encode(v, level=0, reversible=True, codecformat="j2k"),
    HTJ2K: lambda v: imagecodecs.htj2k_encode(v, reversible=True),
    LOSSLESS_JPEG: lambda v: imagecodecs.ljpeg_encode(v, bitspersample=16),
}


def noisy(k: int, kind: str) -> np.ndarray:
    random = np.random.default_rng(k)
    if kind == "u12":
        return random.integers(0, 4096, (24, 20)).astype(np.uint16)
    if kind == "u8":
        return random.integers(0, 256, (24, 20)).astype(np.uint8)
    if kind == "s12":
        return random.integers(-2048, 2048, (24, 20)).astype(np.int16)
    return random.integers(-3000, 3000, (24, 20)).astype(np.int16)


@pytest.mark.parametrize("syntax", [makers.IMPLICIT, makers.EXPLICIT, makers.DEFLATED, makers.BIG])
@pytest.mark.parametrize(("kind", "bits"), [("u12", 12), ("s12", 12), ("s16", 16), ("u8", 8)])
def test_uncompressed(syntax: str, kind: str, bits: int, tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    for k in range(9):
        tags = ct_slice(k, noisy(k, kind), bits=bits, intercept=-1024)
        if syntax == makers.BIG and kind != "u8":
            tags[0x7FE00010] = ("OW", noisy(k, kind).astype(noisy(k, kind).dtype.newbyteorder(">")).tobytes())
        (folder / f"{k}.dcm").write_bytes(to_bytes(tags, syntax))
    volume, finding = read_volume(folder, in_process=True)
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, truth(folder))
    assert finding.verdict == ("warn" if syntax == makers.BIG else "accept")


UNSIGNED_ONLY = (JPEG_LS, LOSSLESS_JPEG, HTJ2K)  # the signed case of these is a test of its own
COMPRESSED = [
    (syntax, kind, bits)
    for syntax in ENCODERS
    for kind, bits in (("u12", 12), ("s16", 16), ("u8", 8))
    if kind != "s16" or syntax not in UNSIGNED_ONLY
]


@pytest.mark.parametrize(("syntax", "kind", "bits"), COMPRESSED)
def test_compressed_without_loss(syntax: str, kind: str, bits: int, tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    stored = [noisy(k, kind) for k in range(8)]
    for k, values in enumerate(stored):
        tags = ct_slice(k, values, bits=bits, intercept=-1024)
        (folder / f"{k}.dcm").write_bytes(to_bytes(tags, syntax, encapsulated([bytes(ENCODERS[syntax](values))])))
    volume, finding = read_volume(folder, in_process=True)
    assert finding.verdict == "accept"
    np.testing.assert_array_equal(volume.voxels, np.stack(stored).astype(np.int32) - 1024)
    if syntax != LOSSLESS_JPEG:  # pydicom has no decoder for it here
        np.testing.assert_array_equal(volume.voxels, truth(folder))


@pytest.mark.parametrize(("syntax", "bits"), [("1.2.840.10008.1.2.4.50", 8), ("1.2.840.10008.1.2.4.51", 12)])
def test_lossy_jpeg_is_read_and_said(syntax: str, bits: int, tmp_path: Path) -> None:
    folder = tmp_path / "mr"
    folder.mkdir()
    smooth = (np.add.outer(np.arange(24), np.arange(20)) * (4 if bits == 8 else 60)).astype(f"u{1 + (bits > 8)}")
    for k in range(8):
        frame = bytes(imagecodecs.jpeg8_encode(smooth, level=98, bitspersample=bits))
        tags = ct_slice(k, smooth, bits=bits, modality="MR")
        (folder / f"{k}.dcm").write_bytes(to_bytes(tags, syntax, encapsulated([frame])))
    volume, finding = read_volume(folder, in_process=True)
    assert (finding.verdict, finding.reasons) == ("warn", ("lossy_compression",))
    assert np.abs(volume.voxels - smooth.astype(int)).max() <= 3


def test_signed_values_in_a_codec_without_sign(tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    stored = [noisy(k, "s16") for k in range(8)]
    for k, values in enumerate(stored):
        frame = bytes(imagecodecs.jpegls_encode(values.view(np.uint16)))
        (folder / f"{k}.dcm").write_bytes(to_bytes(ct_slice(k, values), JPEG_LS, encapsulated([frame])))
    volume, _ = read_volume(folder, in_process=True)
    np.testing.assert_array_equal(volume.voxels, np.stack(stored))
    np.testing.assert_array_equal(volume.voxels, truth(folder))


def test_garbage_above_the_stored_bits_is_cut_off(tmp_path: Path) -> None:
    """12-bit signed values with the upper four bits full of something else."""
    folder = tmp_path / "ct"
    folder.mkdir()
    real = [noisy(k, "s12") for k in range(9)]
    for k, values in enumerate(real):
        dirty = (values.view(np.uint16) & 0x0FFF) | (
            ((np.arange(values.size) % 16).reshape(values.shape) << 12).astype(np.uint16)
        )
        (folder / f"{k}.dcm").write_bytes(to_bytes(ct_slice(k, dirty.view(np.int16), bits=12)))
    volume, _ = read_volume(folder, in_process=True)
    np.testing.assert_array_equal(volume.voxels, np.stack(real))
    np.testing.assert_array_equal(volume.voxels, truth(folder))


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", change=lambda k: {"slope": 0.5 + k, "intercept": -k}, modality="MR")
    volume, _ = read_volume(folder, in_process=True)
    expected = np.stack([makers.values(k) * (0.5 + k) - k for k in range(10)])
    np.testing.assert_allclose(volume.voxels, expected, rtol=1e-6)
    folder = write_series(tmp_path / "whole", change=lambda k: {"intercept": -1000 - k})
    volume, _ = read_volume(folder, in_process=True)
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels, np.stack([makers.values(k) - 1000 - k for k in range(10)]))


def test_values_that_do_not_fit_become_float(tmp_path: Path) -> None:
    stored = np.full((16, 12), 65000, np.uint16)
    folder = write_series(tmp_path / "ct", stored=stored, intercept=-1024)
    volume, _ = read_volume(folder, in_process=True)
    assert volume.voxels.dtype == np.float32
    assert (volume.voxels == 63976).all()


def test_a_modality_table_takes_the_place_of_the_rescale(tmp_path: Path) -> None:
    table = (np.arange(1200, dtype=np.uint16) * 3 + 5).tobytes()
    item = {0x00283002: ("US", [1200, 0, 16]), 0x00283004: ("LO", "US"), 0x00283006: ("OW", table)}
    stored = [makers.values(k).astype(np.uint16) for k in range(10)]
    folder = write_series(
        tmp_path / "mr",
        modality="MR",
        change=lambda k: {"stored": stored[k]},
        tags={0x00283000: ("SQ", [item]), 0x00281052: None, 0x00281053: None},
    )
    volume, _ = read_volume(folder, in_process=True)
    np.testing.assert_array_equal(volume.voxels, np.stack(stored).astype(int) * 3 + 5)


def test_ct_padding_becomes_air(tmp_path: Path) -> None:
    def padded(k: int) -> dict[str, Any]:
        values = makers.values(k)
        values[0, :3] = -2000
        return {"stored": values, "intercept": -24, "tags": {0x00280120: ("SS", -2000)}}

    volume, _ = read_volume(write_series(tmp_path / "ct", change=padded), in_process=True)
    assert (volume.voxels[:, 0, :3] == -1024).all()
    np.testing.assert_array_equal(volume.voxels[:, 1:], np.stack([makers.values(k)[1:] - 24 for k in range(10)]))


def test_a_padding_value_that_could_be_tissue_is_left_alone(tmp_path: Path) -> None:
    volume, _ = read_volume(write_series(tmp_path / "ct", tags={0x00280120: ("SS", 100)}), in_process=True)
    assert (volume.voxels == 100).any()


def test_mr_padding_becomes_zero(tmp_path: Path) -> None:
    def padded(k: int) -> dict[str, Any]:
        values = makers.values(k) + 7
        values[0, :3] = -32768
        return {"stored": values, "modality": "MR", "tags": {0x00280120: ("SS", -32768)}}

    volume, _ = read_volume(write_series(tmp_path / "mr", change=padded), in_process=True)
    assert (volume.voxels[:, 0, :3] == 0).all()


def test_monochrome1_turns_grey_values_but_keeps_quantities(tmp_path: Path) -> None:
    mr = write_series(tmp_path / "mr", modality="MR", photometric="MONOCHROME1")
    ct = write_series(tmp_path / "ct", modality="CT", photometric="MONOCHROME1")
    stored = np.stack([makers.values(k) for k in range(10)])
    np.testing.assert_array_equal(read_volume(mr, in_process=True)[0].voxels, -1 - stored)
    np.testing.assert_array_equal(read_volume(ct, in_process=True)[0].voxels, stored)


def test_the_index_follows_positions_not_numbers(tmp_path: Path) -> None:
    """InstanceNumber runs backwards, SliceLocation lies: the position alone decides."""
    folder = write_series(
        tmp_path / "ct", change=lambda k: {"number": 100 - k, "tags": {0x00201041: ("DS", f"{(k * 37) % 10}")}}
    )
    volume, _ = read_volume(folder, in_process=True)
    np.testing.assert_array_equal(volume.voxels, np.stack([makers.values(k) for k in range(10)]))
    np.testing.assert_allclose(volume.to_mm((3, 2, 1)), (1.0, 2.0, 6.0))
    assert (volume.unit, volume.modality, volume.frame_of_reference_uid) == ("HU", "CT", "1.2.3.4.9")


def damaged_jpeg_2000(tmp_path: Path, change: Any) -> Path:
    folder = tmp_path / "ct"
    folder.mkdir()
    for k in range(8):
        values = noisy(k, "u12")
        frame = bytes(ENCODERS[JPEG_2000](values))
        if k == 3:
            frame = change(frame)
        (folder / f"{k}.dcm").write_bytes(to_bytes(ct_slice(k, values, bits=12), JPEG_2000, encapsulated([frame])))
    return folder


def lying_header(frame: bytes) -> bytes:
    """A SIZ marker that claims 60,000 x 60,000 pixels."""
    start = frame.index(b"\xff\x4f\xff\x51") + 8
    return frame[:start] + (60_000).to_bytes(4, "big") * 2 + frame[start + 8 :]


@pytest.mark.parametrize(
    "change",
    [lying_header, lambda f: f[:20], lambda f: b"", lambda f: bytes(len(f)), lambda f: f[:60]],
    ids=["lying size", "cut head", "empty", "zeros", "cut data"],
)
def test_a_compressed_frame_that_lies_is_refused(change: Any, tmp_path: Path) -> None:
    findings = inspect(damaged_jpeg_2000(tmp_path, change), in_process=True).findings
    assert [(f.verdict, f.reasons[0]) for f in findings] == [("refuse", "pixel_decode_failed")]


def test_a_cut_fragment_list_is_refused(tmp_path: Path) -> None:
    folder = damaged_jpeg_2000(tmp_path, lambda f: f)
    path = folder / "5.dcm"
    path.write_bytes(path.read_bytes()[:-200])
    assert inspect(folder, in_process=True).findings[0].reasons == ("pixel_data_truncated",)


def test_rle_that_unpacks_to_more_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    for k in range(8):
        frame = rle(np.zeros((240, 200), np.int16))
        (folder / f"{k}.dcm").write_bytes(to_bytes(ct_slice(k), RLE, encapsulated([frame])))
    assert inspect(folder, in_process=True).findings[0].reasons == ("pixel_decode_failed",)


def test_the_claimed_size_is_read_without_decoding() -> None:
    values = np.zeros((24, 20), np.uint16)
    for syntax, codec in (
        (JPEG_LS, "jpeg_ls"),
        (JPEG_2000, "jpeg_2000"),
        (HTJ2K, "htj2k"),
        (LOSSLESS_JPEG, "jpeg_lossless"),
    ):
        assert codestreams.declared_size(bytes(ENCODERS[syntax](values)), codec) == (24, 20, 1)
    with pytest.raises(EngineError, match="head"):
        codestreams.declared_size(b"not a codestream", "jpeg_2000")


def test_read_series_takes_a_list_of_files(tmp_path: Path) -> None:
    volume = read_series(sorted(write_series(tmp_path / "ct").iterdir()))
    assert volume.shape == (10, makers.ROWS, makers.COLUMNS)


def test_a_refused_series_raises_its_first_code(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        read_volume(write_series(tmp_path / "ct", count=3), in_process=True)
    assert caught.value.code == "too_few_slices"


def test_two_volumes_at_one_place_need_a_key(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    for k in range(10):
        other = ct_slice(k, makers.values(k + 40), series="1.2.3.4.2", uid=f"1.2.3.4.2.{k}", modality="MR")
        (folder / f"b{k}.dcm").write_bytes(to_bytes(other))
    with pytest.raises(EngineError) as caught:
        read_volume(folder, in_process=True)
    assert caught.value.code == "bad_request"
    by_modality, _ = read_volume(folder, modality="MR", in_process=True)
    by_key, finding = read_volume(folder, key="1.2.3.4.2", in_process=True)
    np.testing.assert_array_equal(by_modality.voxels, by_key.voxels)
    assert finding.modality == "MR"
    with pytest.raises(EngineError) as caught:
        read_volume(folder, modality="PT", in_process=True)
    assert caught.value.code == "bad_request"
