"""The generated bad cases of the promises page, each with its verdict and its first reason."""

from __future__ import annotations

import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recon_engine.contract import IntakeFinding
from recon_engine.intake import inspect, reasons
from tests.engine.intake import makers
from tests.engine.intake.makers import ct_slice, element, to_bytes, write_series


def look(path: Path) -> tuple[IntakeFinding, ...]:
    return inspect(path, in_process=True).findings


def only(path: Path) -> IntakeFinding:
    findings = look(path)
    assert len(findings) == 1, [(f.key, f.reasons) for f in findings]
    return findings[0]


def test_a_clean_series_is_accepted(tmp_path: Path) -> None:
    finding = only(write_series(tmp_path / "ct"))
    assert (finding.verdict, finding.reasons) == ("accept", ())
    assert finding.shape == (10, makers.ROWS, makers.COLUMNS)
    assert finding.spacing_mm == (2.0, 1.0, 1.0)
    assert finding.modality == "CT"
    assert finding.series_instance_uid == "1.2.3.4.1"
    # slice order is by position, whatever the names: the number behind the underscore is k
    assert [int(name.rsplit("_", 1)[1][:-4]) for name in finding.files] == list(range(10))


def at(k: int, **changes: Any) -> Any:
    """Changes for slice k alone."""
    return lambda here: changes if here == k else {}


TILT = math.radians(3)
SERIES_CASES: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    # name: (arguments of write_series, verdict, reasons)
    "one slice missing of 30": ({"count": 30, "skip": (11,)}, "warn", ("missing_slices",)),
    "10 % of the slices missing": ({"count": 30, "skip": (5, 12, 20)}, "refuse", ("too_many_missing_slices",)),
    "the same place twice": (
        {"change": at(4, position=(0, 0, 6.0))},
        "refuse",
        ("duplicate_slice_positions",),
    ),
    "two patients": ({"change": at(3, patient="ID-78")}, "refuse", ("mixed_patients",)),
    "two studies": ({"change": at(3, study="1.2.3.9")}, "refuse", ("mixed_patients",)),
    "two frames of reference": ({"change": at(3, frame="1.2.3.5")}, "refuse", ("mixed_frames_of_reference",)),
    "one slice turned by 3 degrees": (
        {"change": at(3, orientation=(math.cos(TILT), math.sin(TILT), 0, -math.sin(TILT), math.cos(TILT), 0))},
        "refuse",
        ("mixed_orientations",),
    ),
    "one pixel spacing off by 10 %": ({"change": at(3, spacing=(1.1, 1.1))}, "refuse", ("mixed_pixel_spacing",)),
    "one slice of another matrix": (
        {"change": at(3, stored=makers.values(3, 18, 12))},
        "refuse",
        ("mixed_pixel_spacing",),
    ),
    "MONOCHROME1": ({"photometric": "MONOCHROME1"}, "warn", ("inverted_photometric",)),
    "pixel spacing 0": ({"spacing": (0, 0)}, "refuse", ("invalid_pixel_spacing",)),
    "NaN in a position": ({"change": at(3, position=(0, 0, float("nan")))}, "refuse", ("invalid_geometry",)),
    "words in a position": ({"change": at(3, position="here\\there\\now")}, "refuse", ("invalid_geometry",)),
    "no positions": ({"tags": {0x00200032: None}}, "refuse", ("missing_geometry",)),
    "orientation of length 2": ({"orientation": (2, 0, 0, 0, 2, 0)}, "refuse", ("invalid_geometry",)),
    "no series UID in one file": ({"count": 1, "series": ""}, "refuse", ("missing_required_tag", "single_slice")),
    "a UID with letters": ({"change": at(2, uid="1.2.<script>")}, "refuse", ("invalid_uid",)),
    "a UID of 80 digits": ({"frame": "1" * 80}, "refuse", ("invalid_uid",)),
    "a UID that climbs": ({"study": "../../etc/passwd"}, "refuse", ("invalid_uid",)),
    "all slices at one place": ({"position": (0, 0, 5)}, "refuse", ("no_slice_separation",)),
    "one slice": ({"count": 1}, "refuse", ("single_slice",)),
    "four slices": ({"count": 4}, "refuse", ("too_few_slices",)),
    "six slices": ({"count": 6}, "warn", ("few_slices",)),
    "a localiser": ({"image_type": "ORIGINAL\\PRIMARY\\LOCALIZER"}, "refuse", ("localizer_series",)),
    "an X-ray": ({"count": 1, "modality": "DX"}, "refuse", ("not_a_volume_modality",)),
    "ultrasound": ({"modality": "US"}, "refuse", ("not_a_volume_modality",)),
    "burned-in text": ({"tags": {0x00280301: ("CS", "YES")}}, "warn", ("burned_in_annotation",)),
    "compressed with loss once": ({"tags": {0x00282110: ("CS", "01")}}, "warn", ("lossy_compression",)),
    "big endian": ({"syntax": makers.BIG}, "warn", ("retired_transfer_syntax",)),
    "deflated": ({"syntax": makers.DEFLATED}, "accept", ()),
    "implicit": ({"syntax": makers.IMPLICIT}, "accept", ()),
    "unknown transfer syntax": (
        {"syntax": "1.2.840.10008.1.2.4.100"},
        "refuse",
        ("transfer_syntax_unsupported",),
    ),
    "a rescale that is no number": ({"slope": "much"}, "refuse", ("parse_error",)),
    "a rescale that flattens everything": ({"slope": 0}, "refuse", ("parse_error",)),
    "lying NumberOfFrames": (
        {"tags": {0x00280008: ("IS", "1000")}},
        "refuse",
        ("pixel_data_truncated", "no_frame_geometry"),
    ),
    "frames without end": (
        {"tags": {0x00280008: ("IS", "2147483647")}},
        "refuse",
        ("declared_size_over_limit", "pixel_data_truncated", "no_frame_geometry"),
    ),
    "minus three frames": ({"tags": {0x00280008: ("IS", "-3")}}, "refuse", ("missing_required_tag",)),
    "no rows": ({"tags": {0x00280010: None}}, "refuse", ("missing_required_tag",)),
    "no pixels": ({"tags": {0x7FE00010: None}}, "refuse", ("no_pixel_data",)),
    "wrong character set": (
        {"tags": {0x00080005: ("CS", "ISO_IR 192"), 0x0008103E: ("LO", b"Sch\xe4del ")}},
        "warn",
        ("charset_replaced",),
    ),
    "unknown character set": (
        {"tags": {0x00080005: ("CS", "KLINGON"), 0x0008103E: ("LO", b"Sch\xe4del ")}},
        "warn",
        ("charset_replaced",),
    ),
}


@pytest.mark.parametrize("case", SERIES_CASES)
def test_series(case: str, tmp_path: Path) -> None:
    arguments, verdict, codes = SERIES_CASES[case]
    finding = only(write_series(tmp_path / "ct", **arguments))
    assert (finding.verdict, finding.reasons) == (verdict, codes)
    assert len(finding.message) > 10


def test_every_check_that_can_run_does_and_refusals_come_first(tmp_path: Path) -> None:
    turned = {"orientation": (0, 1, 0, 0, 0, -1)}
    finding = only(
        write_series(
            tmp_path / "ct",
            change=lambda k: {"frame": f"1.2.3.{k + 1}"} | (turned if k > 6 else {}),
            photometric="MONOCHROME1",
            tags={0x00280301: ("CS", "YES")},
        )
    )
    assert finding.reasons == (
        "mixed_frames_of_reference",
        "mixed_orientations",
        "inverted_photometric",
        "burned_in_annotation",
    )
    assert finding.facts["kept"] is True
    assert finding.facts["withheld"] is True


def test_the_same_file_twice_is_one(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    source = sorted(folder.iterdir())[0]
    (folder / "copy.dcm").write_bytes(source.read_bytes())
    finding = only(folder)
    assert (finding.verdict, finding.facts["identical_files"]) == ("accept", 1)


def test_one_uid_with_two_contents_is_a_conflict(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    (folder / "other.dcm").write_bytes(to_bytes(ct_slice(3, makers.values(90), position=(0, 0, 40))))
    (folder / "third.dcm").write_bytes(to_bytes(ct_slice(3, makers.values(91), position=(0, 0, 42))))
    finding = only(folder)
    assert finding.verdict == "refuse"
    assert "conflicting_instance" in finding.reasons


def test_a_fourth_dimension_is_no_reason_to_warn(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", modality="MR")
    for k in range(10):
        later = ct_slice(k, makers.values(k + 50), modality="MR", uid=f"1.2.3.4.2.{k}", number=k + 11)
        (folder / f"later{k}.dcm").write_bytes(to_bytes(later))
    finding = only(folder)
    assert (finding.verdict, finding.reasons) == ("accept", ())
    assert finding.facts["volumes"] == 2
    assert finding.shape == (10, makers.ROWS, makers.COLUMNS)
    assert ["later" in name for name in finding.files] == [False] * 10 + [True] * 10


def test_localisers_get_a_list_of_their_own(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    for k in range(2):
        local = ct_slice(
            k, uid=f"1.2.3.7.{k}", image_type="ORIGINAL\\PRIMARY\\LOCALIZER", orientation=(0, 1, 0, 0, 0, -1)
        )
        (folder / f"scout{k}.dcm").write_bytes(to_bytes(local))
    findings = look(folder)
    assert [(f.verdict, f.reasons) for f in findings] == [("accept", ()), ("refuse", ("localizer_series",))]
    assert len({f.key for f in findings}) == 2


def test_a_colour_capture_is_kept_apart(tmp_path: Path) -> None:
    tags = ct_slice(0, modality="OT", sop_class="1.2.840.10008.5.1.4.1.1.7")
    tags |= {0x00280002: ("US", 3), 0x00280004: ("CS", "RGB"), 0x00280006: ("US", 0), 0x00280100: ("US", 8)}
    tags |= {0x00280101: ("US", 8), 0x00280102: ("US", 7), 0x00280103: ("US", 0)}
    tags[0x7FE00010] = ("OB", bytes(makers.ROWS * makers.COLUMNS * 3))
    path = tmp_path / "capture.dcm"
    path.write_bytes(to_bytes(tags))
    finding = only(path)
    assert finding.reasons == ("not_a_volume_modality", "colour_image")
    assert finding.facts["withheld"] is True


# --- single files ----------------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    """`depth` sequences, one inside the other, all of undefined length."""
    start = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    end = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return start * depth + end * depth


def with_body(extra: bytes, syntax: str = makers.EXPLICIT) -> bytes:
    """A CT slice with raw bytes put before its pixel data."""
    tags = ct_slice(0)
    pixels = element(0x7FE00010, *tags[0x7FE00010], explicit=syntax != makers.IMPLICIT)
    return to_bytes(tags, syntax, extra + pixels)


def many_elements() -> bytes:
    return b"".join(element(0x00090000 + (n % 0xFF00) + 0x10, "LO", "x") for n in range(100_100))


PE = b"MZ\x90\0" + bytes(124)
HTML = b"<html><script>alert(1)</script>".ljust(128, b" ")
FILE_CASES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "refuse", "empty_file"),
    "an ELF program": (b"\x7fELF\2\1\1" + bytes(400), "refuse", "not_dicom"),
    "a JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(300), "refuse", "not_dicom"),
    "plain text": (b"Dear colleague, please find enclosed the images." * 4, "refuse", "not_dicom"),
    "zeros": (bytes(5000), "refuse", "not_dicom"),
    "20,000 nested sequences": (with_body(nested(20_000)), "refuse", "nesting_too_deep"),
    "33 nested sequences": (with_body(nested(33)), "refuse", "nesting_too_deep"),
    "over 100,000 elements": (with_body(many_elements()), "refuse", "declared_size_over_limit"),
    "a sequence that never ends": (with_body(nested(3)[:36]), "refuse", "parse_error"),
    "cut in half": (to_bytes(ct_slice(0, makers.values(0, 64, 64)))[: 128 + 4000], "refuse", "pixel_data_truncated"),
    "cut inside the header": (to_bytes(ct_slice(0))[:500], "refuse", "parse_error"),
    "only file information": (to_bytes({})[:200], "refuse", "no_pixel_data"),
    "pixel length 0xFFFFFFF0": (
        to_bytes(ct_slice(0), pixels=element(0x7FE00010, "OW", bytes(384), length=0xFFFFFFF0)),
        "refuse",
        "pixel_data_truncated",
    ),
    "pixels twice as long as declared": (
        to_bytes(ct_slice(0), pixels=element(0x7FE00010, "OW", bytes(768))),
        "refuse",
        "pixel_data_truncated",
    ),
    "an element that claims 4 GB": (
        with_body(struct.pack("<HH2sHL", 0x0028, 0x3010, b"OW", 0, 0xFFFFFFF0)),
        "refuse",
        "parse_error",
    ),
    "65,535 x 65,535 pixels": (
        to_bytes(ct_slice(0) | {0x00280010: ("US", 65535), 0x00280011: ("US", 65535)}),
        "refuse",
        "declared_size_over_limit",
    ),
    "a structure set": (
        to_bytes(ct_slice(0, modality="RTSTRUCT", sop_class="1.2.840.10008.5.1.4.1.1.481.3")),
        "refuse",
        "derived_object_not_source",
    ),
    "a segmentation": (
        to_bytes(ct_slice(0, modality="SEG", sop_class="1.2.840.10008.5.1.4.1.1.66.4")),
        "refuse",
        "derived_object_not_source",
    ),
    "a DICOMDIR that points outside": (
        to_bytes(
            {
                0x00080016: ("UI", "1.2.840.10008.1.3.10"),
                0x00080018: ("UI", "1.2.3"),
                0x00041220: ("SQ", [{0x00041500: ("CS", "..\\..\\ETC\\PASSWD")}]),
            }
        ),
        "refuse",
        "dicomdir_index",
    ),
    "damaged deflate": (
        to_bytes(ct_slice(0), makers.DEFLATED)[:-300] + zlib.compress(bytes(1 << 20), 9),
        "refuse",
        "parse_error",
    ),
    "NRRD": (b"NRRD0004\ntype: short\n" + bytes(400), "refuse", "format_unsupported"),
    "TIFF": (b"II*\0" + bytes(400), "refuse", "format_unsupported"),
    "a rar archive": (b"Rar!\x1a\7\0" + bytes(400), "refuse", "format_unsupported"),
}


@pytest.mark.parametrize("case", FILE_CASES)
@pytest.mark.parametrize("name", ["image.dcm", "noname"])
def test_file(case: str, name: str, tmp_path: Path) -> None:
    data, verdict, code = FILE_CASES[case]
    path = tmp_path / name
    path.write_bytes(data)
    finding = only(path)
    assert (finding.verdict, finding.reasons[0]) == (verdict, code)
    assert name in finding.message or "series" in finding.message or "Thorax" in finding.message


def test_an_inflated_data_set_over_the_limit_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recon_engine.intake import header

    monkeypatch.setattr(header.inflate, "__defaults__", (1 << 20,))
    path = tmp_path / "bomb.dcm"
    path.write_bytes(to_bytes(ct_slice(0, np.zeros((1024, 1024), np.int16)), makers.DEFLATED))
    assert path.stat().st_size < 10_000
    assert only(path).reasons == ("inflated_size_over_limit",)


@pytest.mark.parametrize("preamble", [PE, HTML], ids=["a program", "a web page"])
def test_a_preamble_of_another_format_is_cleared(preamble: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    for k in range(10):
        (folder / f"{k}.dcm").write_bytes(to_bytes(ct_slice(k), preamble=preamble))
    finding = only(folder)
    assert (finding.verdict, finding.reasons) == ("warn", ("preamble_cleared",))


def test_a_file_without_preamble_is_read_by_content(tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    for k in range(10):
        (folder / f"{k}").write_bytes(makers.dataset(ct_slice(k), explicit=False))
    assert only(folder).verdict == "accept"


TEXT_TAGS = (0x00080050, 0x00080080, 0x00080081, 0x00080090, 0x00081010, 0x00081030, 0x0008103E, 0x00081040, 0x00081048)
HOSTILE = ("<script>alert(1)</script>", '=HYPERLINK("x")', "\0\0NUL\0", "'; DROP TABLE", "{{7*7}}", "\x1b[31mred")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_verdict_and_is_not_shown_raw(text: str, tmp_path: Path) -> None:
    more = dict.fromkeys(TEXT_TAGS, ("LO", text)) | {0x00100000 + n: ("LO", text) for n in range(0x1000, 0x1020)}
    finding = only(write_series(tmp_path / "ct", tags=more, name=text))
    assert finding.verdict in ("accept", "warn")
    assert all(character.isprintable() for character in finding.description)


def test_other_files_beside_a_series_are_ignored_by_name(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    (folder / "README.txt").write_text("hello")
    (folder / "empty").write_bytes(b"")
    (folder / "DICOMDIR").write_bytes(FILE_CASES["a DICOMDIR that points outside"][0])
    (folder / "RS.dcm").write_bytes(FILE_CASES["a structure set"][0].replace(b"1.2.3.4.1", b"1.2.3.4.8"))
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    result = inspect(folder, in_process=True)
    assert [f.verdict for f in result.findings] == ["accept"]
    assert dict(result.ignored) == {
        "README.txt": "not_dicom",
        "empty": "empty_file",
        "DICOMDIR": "dicomdir_index",
        "RS.dcm": "derived_object_not_source",
    }


def test_a_damaged_file_beside_a_series_is_named(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    (folder / "broken.dcm").write_bytes(FILE_CASES["20,000 nested sequences"][0])
    findings = look(folder)
    assert [(f.verdict, f.reasons) for f in findings] == [("accept", ()), ("refuse", ("nesting_too_deep",))]
    assert findings[1].files == ("broken.dcm",)


def test_a_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    (folder / os.fsdecode(b"J\xe4ne.dcm")).write_bytes(b"")
    result = inspect(folder, in_process=True)
    assert result.ignored == (("J\ufffdne.dcm", "empty_file"),)
    result.to_json().encode()


def test_an_empty_folder_has_an_answer(tmp_path: Path) -> None:
    assert only(tmp_path).verdict == "refuse"


def test_the_catalogue_is_complete() -> None:
    """Every code of the promises page, with rule and cure; warnings never refuse."""
    warnings = {code for code, reason in reasons.CATALOGUE.items() if not reason.refuses}
    assert warnings == {
        *("missing_slices", "nonuniform_spacing_resampled", "gantry_tilt_corrected", "four_d_first_volume_used"),
        *("qform_sform_disagree", "nonfinite_voxels_replaced", "inverted_photometric", "charset_replaced"),
        *("preamble_cleared", "lossy_compression", "retired_transfer_syntax", "burned_in_annotation", "few_slices"),
        "spacing_unknown",
    }
    for code, reason in reasons.CATALOGUE.items():
        assert reason.rule.endswith("."), code
        assert reason.cure or not reason.refuses, code
    assert len(reasons.CATALOGUE) == 55
