"""Planted identifiers are counted in the bytes that are written, and what the volume needs is still there."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from recon_engine.contract import EngineError, PrepareRequest
from recon_engine.intake import inspect, inspect_changes, prepare, read_volume
from recon_engine.intake.descriptors import cleaned
from recon_engine.intake.header import read_header
from recon_engine.intake.replacements import Replacements
from recon_engine.intake.rewriting import write_cleaned
from tests.engine.intake import makers
from tests.engine.intake.makers import ct_slice, element, to_bytes, write_series

KEY = bytes(range(32))
REPLACE = Replacements("LAM-0434", KEY, -82)


def mark(number: int) -> str:
    """A planted text: no word of it is one that a header may keep."""
    return f"Zq{number:02d}planted"


SECRET_UID = "1.2.3.4444.5555.{}"
PLAIN: dict[int, tuple[str, Any]] = {
    # who
    0x00100010: ("PN", f"{mark(1)}^{mark(2)}"),
    0x00100020: ("LO", mark(3)),
    0x00100021: ("LO", mark(4)),
    0x00100030: ("DA", "19610417"),
    0x00100050: ("SQ", [{0x00080104: ("LO", mark(5))}]),
    0x00101000: ("LO", mark(6)),
    0x00101001: ("PN", mark(7)),
    0x00101005: ("PN", mark(8)),
    0x00101040: ("LO", mark(9)),
    0x00101060: ("PN", mark(10)),
    0x00102154: ("SH", mark(11)),
    0x00102160: ("SH", mark(12)),
    0x00102180: ("SH", mark(13)),
    0x001021B0: ("LT", mark(14)),
    0x001021F0: ("LO", mark(15)),
    0x00104000: ("LT", mark(16)),
    # where and by whom
    0x00080050: ("SH", mark(17)),
    0x00080080: ("LO", mark(18)),
    0x00080081: ("ST", mark(19)),
    0x00080082: ("SQ", [{0x00080104: ("LO", mark(20))}]),
    0x00080090: ("PN", mark(21)),
    0x00080092: ("ST", mark(22)),
    0x00080094: ("SH", mark(23)),
    0x00080096: ("SQ", [{0x00401101: ("SQ", [{0x00080104: ("LO", mark(24))}])}]),
    0x00081010: ("SH", mark(25)),
    0x00081040: ("LO", mark(26)),
    0x00081048: ("PN", mark(27)),
    0x00081050: ("PN", mark(28)),
    0x00081060: ("PN", mark(29)),
    0x00081070: ("PN", mark(30)),
    # free text
    0x00081030: ("LO", f"CT HEAD {mark(31)}"),
    0x0008103E: ("LO", f"{mark(32)} axial 2.5mm"),
    0x00081080: ("LO", mark(33)),
    0x00084000: ("LT", mark(34)),
    0x00082111: ("ST", mark(35)),
    0x00181030: ("LO", f"{mark(36)} routine"),
    0x00181400: ("LO", mark(37)),
    0x00184000: ("LT", mark(38)),
    0x00200010: ("SH", mark(39)),
    0x00204000: ("LT", mark(40)),
    0x00281055: ("LO", mark(41)),
    0x00321032: ("PN", mark(42)),
    0x00321060: ("LO", mark(43)),
    0x00324000: ("LT", mark(44)),
    0x00380010: ("LO", mark(45)),
    0x00400241: ("AE", mark(46)),
    0x00400254: ("LO", mark(47)),
    0x00400275: ("SQ", [{0x00400007: ("LO", mark(48)), 0x00400008: ("SQ", [{0x00080100: ("SH", mark(49))}])}]),
    0x0040A124: ("UI", SECRET_UID.format(1)),
    0x0040A730: ("SQ", [{0x0040A160: ("UT", mark(50)), 0x0040A123: ("PN", mark(51))}]),
    0x40084000: ("ST", mark(52)),
    # machines and places that lead back
    0x00181000: ("LO", mark(53)),
    0x00181002: ("UI", SECRET_UID.format(2)),
    0x00181250: ("SH", mark(54)),
    0x00080018: ("UI", SECRET_UID.format(3)),
    0x0020000D: ("UI", SECRET_UID.format(4)),
    0x0020000E: ("UI", SECRET_UID.format(5)),
    0x00200052: ("UI", SECRET_UID.format(6)),
    0x00081140: ("SQ", [{0x00081155: ("UI", SECRET_UID.format(7)), 0x00081150: ("UI", makers.CT_STORAGE)}]),
    # hidden ones: private, overlay, digital signature, icon, a second one deep in kept sequences
    0x00090010: ("LO", mark(55)),
    0x00091001: ("LT", mark(56)),
    0x00291102: ("OB", mark(57).encode()),
    0x60000022: ("LO", mark(58)),
    0x60003000: ("OW", mark(59).encode() + b" "),
    0x04000561: ("SQ", [{0x04000550: ("SQ", [{0x00100010: ("PN", mark(60))}])}]),
    0x00880200: ("SQ", [{0x00280010: ("US", 1), 0x7FE00010: ("OW", mark(61).encode() + b" ")}]),
    0x00540016: ("SQ", [{0x00180031: ("LO", mark(62)), 0x00181072: ("TM", "101500"), 0x00091001: ("LT", mark(63))}]),
    0x00180015: ("CS", "ZQ64PLANTED"),
    0x00180050: ("DS", "2.5 Zq65pl"),
    0x00282000: ("OB", b"Zq66planted"),
    0x00080022: ("DA", "20190823"),
    0x0008002A: ("DT", "20190823101112"),
}
COUNT = 66


def planted_file() -> bytes:
    tags = ct_slice(0) | PLAIN
    tags[0x00100040], tags[0x00101010], tags[0x00101030] = ("CS", "F"), ("AS", "058Y"), ("DS", "80")
    data = to_bytes(tags, preamble=b"Zq70planted".ljust(128, b"\0"))
    after = element(0xFFFCFFFC, "OB", b"Zq71planted trailing padding")
    return data + after


@pytest.fixture
def cleaned_file(tmp_path: Path) -> Path:
    source = tmp_path / f"{mark(72)}.dcm"
    source.write_bytes(planted_file())
    write_cleaned(read_header(source), tmp_path / "clean.dcm", REPLACE)
    return tmp_path / "clean.dcm"


def test_no_planted_identifier_is_left(cleaned_file: Path) -> None:
    data = cleaned_file.read_bytes()
    before = planted_file()
    planted = set(re.findall(rb"[Zz][Qq]\d\dpl", before)) | set(re.findall(rb"ZQ\d\dPL", before))
    assert len(planted) >= COUNT
    left = set(re.findall(rb"[Zz][Qq]\d\d", data))
    assert left == set()
    assert b"4444.5555" not in data
    assert b"19610417" not in data
    assert b"20190823" not in data
    assert data[:128] == bytes(128)


def test_what_the_volume_needs_is_kept(cleaned_file: Path) -> None:
    ds = pydicom.dcmread(cleaned_file)
    assert (ds.PatientName, ds.PatientID, ds.PatientBirthDate) == ("LAM-0434", "LAM-0434", "")
    assert (ds.PatientSex, ds.PatientAge, ds.PatientWeight) == ("F", "058Y", 80)
    assert (ds.StudyDate, ds.AcquisitionDate, ds.AcquisitionDateTime) == ("20190602", "20190602", "20190602101112")
    assert (ds.StudyDescription, ds.SeriesDescription) == ("CT HEAD", "axial 2.5mm")
    assert ds.PatientIdentityRemoved == "YES"
    assert (ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName) == ("", "", "")
    assert list(ds.PixelSpacing) == [1, 1]
    assert ds.SOPClassUID == makers.CT_STORAGE
    for uid in (ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID):
        assert uid.startswith("2.25.")
        assert len(uid) <= 64
    assert ds.ReferencedImageSequence[0].ReferencedSOPInstanceUID.startswith("2.25.")
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
    np.testing.assert_array_equal(ds.pixel_array, makers.values(0))


@pytest.mark.parametrize("syntax", [makers.IMPLICIT, makers.EXPLICIT, makers.DEFLATED, makers.BIG])
def test_pixel_data_is_not_touched(syntax: str, tmp_path: Path) -> None:
    source, target = tmp_path / "a.dcm", tmp_path / "b.dcm"
    tags = ct_slice(4)
    source.write_bytes(to_bytes(tags, syntax))
    write_cleaned(read_header(source), target, REPLACE)
    ds = pydicom.dcmread(target)
    assert ds.PixelData == tags[0x7FE00010][1]
    assert ds.file_meta.TransferSyntaxUID == (makers.EXPLICIT if syntax == makers.DEFLATED else syntax)


def test_compressed_pixel_data_is_copied_whole(tmp_path: Path) -> None:
    frames = [bytes(range(200)), b"\1" * 333]
    source, target = tmp_path / "a.dcm", tmp_path / "b.dcm"
    pixels = makers.encapsulated(frames)
    source.write_bytes(to_bytes(ct_slice(0), "1.2.840.10008.1.2.4.90", pixels) + element(0xFFFCFFFC, "OB", b"tail"))
    write_cleaned(read_header(source), target, REPLACE)
    assert target.read_bytes().endswith(pixels)


def test_uids_are_keyed_and_stable() -> None:
    uid = REPLACE.uid("1.2.3")
    assert uid == Replacements("other", KEY, 5).uid("1.2.3")
    assert uid != Replacements("LAM-0434", bytes(32), -82).uid("1.2.3")
    assert uid != REPLACE.uid("1.2.4")
    assert REPLACE.uid("1.2.840.10008.1.2.1") == "1.2.840.10008.1.2.1"
    number = int(uid.removeprefix("2.25."))
    assert (number >> 76) & 0xF == 8
    assert (number >> 62) & 0x3 == 2


def test_dates_move_by_whole_days() -> None:
    assert REPLACE.date("20190823") == "20190602"
    assert REPLACE.date("20120000") == ""
    assert REPLACE.moment("20190823101112.5+0100") == "20190602101112.5+0100"
    assert REPLACE.moment("Doe") == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT HEAD W/O", "CT HEAD W O"),
        ("Thorax axial 1.25 B30f", "Thorax axial 1.25 B30f"),
        ("DOE JANE 17.04.1961 abdomen", "abdomen"),
        ("IBSI_1_STS_003_CT_image", "CT image"),
        ("Mr Black's left knee, 0612345678", "Mr left knee"),
        ("<script>", ""),
    ],
)
def test_descriptions_keep_known_words_only(text: str, left: str) -> None:
    assert cleaned(text) == left


def test_a_known_word_that_is_the_patients_name_goes_too() -> None:
    assert cleaned("Head Neck CT", {"head"}) == "Neck CT"


def test_the_table_shows_every_tag_before_consent(tmp_path: Path) -> None:
    source = tmp_path / "a.dcm"
    source.write_bytes(planted_file())
    rows = {row.tag: row for row in inspect_changes(source, SECRET_UID.format(5), "LAM-0434", KEY.hex(), -82)}
    name = rows["(0010,0010)"]
    assert (name.keyword, name.before, name.after, name.action) == (
        "PatientName",
        f"{mark(1)}^{mark(2)}",
        "LAM-0434",
        "replaced",
    )
    assert (rows["(0010,0030)"].before, rows["(0010,0030)"].action) == ("1961-04-17", "removed")
    assert (rows["(0010,1010)"].before, rows["(0010,1010)"].after, rows["(0010,1010)"].action) == (
        "058Y",
        "058Y",
        "kept",
    )
    assert (rows["(0008,0020)"].after, rows["(0008,0020)"].action) == ("2019-06-02", "shifted")
    assert rows["(0009,xxxx)"].before == "vendor data, 2 elements"
    assert rows["(0018,1000)"].action == "removed"
    top = [tag for tag in PLAIN if (tag >> 16) % 2 == 0]
    assert len(rows) >= len(top)
    json.dumps([row.to_dict() for row in rows.values()])


def request(source: Path, out: Path, **values: Any) -> PrepareRequest:
    given = {"pseudonym": "LAM-0434", "uid_key": KEY.hex(), "date_shift_days": -82}
    return PrepareRequest(source=str(source), out=str(out), **(given | values))


def test_a_prepared_study_holds_no_planted_text_anywhere(tmp_path: Path) -> None:
    """Every file that prepare writes, every field it answers, and the names of the files."""
    folder = tmp_path / "upload"
    folder.mkdir()
    for k in range(10):
        tags = ct_slice(k) | {t: v for t, v in PLAIN.items() if t not in (0x00080018, 0x00180050)}
        tags[0x00080018] = ("UI", f"{SECRET_UID.format(3)}.{k}")
        (folder / f"{mark(73)}{k}.dcm").write_bytes(to_bytes(tags))
    finding = inspect(folder, in_process=True).findings[0]
    result = prepare(request(folder, tmp_path / "out", keys=(finding.key,)), in_process=True)
    assert len(result.series[0].instances) == 10
    assert not re.search(r"[Zz][Qq]\d\d|4444\.5555|19610417|1961-04-17", result.to_json())
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) >= 14
    for path in written:
        assert not re.search(rb"[Zz][Qq]\d\d|4444\.5555|19610417", path.read_bytes() + path.name.encode()), path


def test_the_mark_of_a_phantom_is_kept(tmp_path: Path) -> None:
    folder = write_series(
        tmp_path / "ct",
        tags={0x00280300: ("CS", "YES"), 0x00081090: ("LO", "Lamina phantom"), 0x00080070: ("LO", "Lamina")},
    )
    finding = inspect(folder, in_process=True).findings[0]
    assert finding.facts["phantom"] is True
    result = prepare(request(folder, tmp_path / "out", keys=(finding.key,)), in_process=True)
    again = inspect(tmp_path / "out" / "series-000" / "instances", in_process=True).findings[0]
    assert again.facts["phantom"] is True
    assert result.series[0].finding.facts["phantom"] is True


def test_a_cleaned_series_is_the_same_volume(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct", slope=2, intercept=-7)
    before, _ = read_volume(folder, in_process=True)
    prepare(request(folder, tmp_path / "out", keys=("1.2.3.4.1",)), in_process=True)
    after, finding = read_volume(tmp_path / "out" / "series-000" / "instances", in_process=True)
    np.testing.assert_array_equal(before.voxels, after.voxels)
    np.testing.assert_allclose(before.affine, after.affine)
    assert finding.verdict == "accept"


@pytest.mark.parametrize("uid_key", ["", "zz", "ab" * 31])
def test_a_bad_key_is_named(uid_key: str, tmp_path: Path) -> None:
    folder = write_series(tmp_path / "ct")
    with pytest.raises(EngineError) as caught:
        prepare(request(folder, tmp_path / "out", keys=("1.2.3.4.1",), uid_key=uid_key), in_process=True)
    assert caught.value.code == "bad_request"


@pytest.mark.parametrize("charset", ["KLINGON", "\\ISO 2022 IR 87", "ISO_IR 100\\ISO_IR 9"])
def test_a_wild_character_set_is_written_as_utf8(charset: str, tmp_path: Path) -> None:
    source, target = tmp_path / "a.dcm", tmp_path / "b.dcm"
    maker = "G\xe9n\xe9ral \x1b$B".encode("latin-1")
    source.write_bytes(to_bytes(ct_slice(0, tags={0x00080005: ("CS", charset), 0x00080070: ("LO", maker)})))
    write_cleaned(read_header(source), target, REPLACE)
    ds = pydicom.dcmread(target)
    assert ds.SpecificCharacterSet == "ISO_IR 192"
    assert ds.PatientID == "LAM-0434"
    np.testing.assert_array_equal(ds.pixel_array, makers.values(0))


def errors_of(path: Path) -> set[str]:
    """The errors of dciodvfy, without their values."""
    answer = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (answer.stderr + answer.stdout).splitlines()
    return {re.sub(r"<[^>]*>|value.*", "", line).strip() for line in lines if line.startswith("Error")}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_cleaning_adds_no_error_of_the_standard(tmp_path: Path, real_dicom: Any) -> None:
    for name in ("sts003_ct", "sts003_pet", "sts003_mr_t1", "ge_head_ct_gantry_tilt"):
        source = real_dicom(name)
        target = tmp_path / f"{name}.dcm"
        write_cleaned(read_header(source), target, REPLACE)
        assert errors_of(target) - errors_of(source) == set(), name


def test_the_buffer_of_a_nested_length_is_right() -> None:
    """Our own writer against pydicom: nested sequences come out as they went in."""
    ds = pydicom.dcmread(io.BytesIO(planted_file()))
    assert ds[0x0040, 0xA730].value[0][0x0040, 0xA160].value == mark(50)
    assert struct.calcsize("<HHL") == 8
