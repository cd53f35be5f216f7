"""Zips: what they may hold, how large they may become, and that nothing in them reaches the file system by name."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from recon_engine.contract import EngineError
from recon_engine.intake import inspect, limits, read_volume
from recon_engine.intake.archive import unpack
from tests.engine.intake.makers import ct_slice, to_bytes


def make_zip(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def series() -> dict[str, bytes]:
    return {f"CT/{k:03d}.dcm": to_bytes(ct_slice(k)) for k in range(10)}


def refusal(path: Path, tmp_path: Path) -> str:
    with pytest.raises(EngineError) as caught:
        unpack(path, tmp_path / "unpacked")
    return caught.value.code


def test_a_zip_is_read_like_its_folder(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "study.zip", series() | {"README.txt": b"hello", "__MACOSX/._x": b"mac"})
    result = inspect(path, in_process=True)
    assert [f.verdict for f in result.findings] == ["accept"]
    assert result.findings[0].files[0] == "CT/000.dcm"
    assert result.ignored == (("README.txt", "not_dicom"),)
    assert read_volume(path, in_process=True)[0].shape[0] == 10


def test_a_zip_inside_a_folder_is_read_too(tmp_path: Path) -> None:
    folder = tmp_path / "upload"
    folder.mkdir()
    make_zip(folder / "study.zip", series())
    finding = inspect(folder, in_process=True).findings[0]
    assert (finding.verdict, finding.files[0]) == ("accept", "study.zip/CT/000.dcm")


@pytest.mark.parametrize(
    "name",
    ["../out.dcm", "a/../../out.dcm", "/etc/out.dcm", "C:/out.dcm", "..\\out.dcm", "a\\b.dcm"],
)
def test_entries_that_leave_the_folder(name: str, tmp_path: Path) -> None:
    assert refusal(make_zip(tmp_path / "bad.zip", {name: b"x"}), tmp_path) == "unsafe_archive_entry"
    assert [p.name for p in tmp_path.iterdir()] == ["bad.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices(kind: int, tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert refusal(path, tmp_path) == "unsafe_archive_entry"


def test_an_archive_in_an_archive(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip", {"a.dcm": b"x"}).read_bytes()
    assert refusal(make_zip(tmp_path / "outer.zip", {"inner.dcm": inner}), tmp_path) == "nested_archive"


def test_an_encrypted_archive(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "locked.zip", {"a.dcm": b"x" * 50})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    path.write_bytes(bytes(data))
    assert refusal(path, tmp_path) == "archive_encrypted"


def test_too_many_entries(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "many.zip", {f"{n}": b"" for n in range(limits.ARCHIVE_ENTRIES + 1)})
    assert refusal(path, tmp_path) == "too_many_entries"


def test_a_flat_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "bomb.zip", {f"{n}": bytes(1 << 20) for n in range(8)})
    with pytest.raises(EngineError) as caught:
        unpack(path, tmp_path / "unpacked", most=4 << 20)
    assert caught.value.code == "inflated_size_over_limit"
    assert not (tmp_path / "unpacked").exists()


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "liar.zip", {"a.dcm": bytes(1 << 20)})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, 22, 1000)  # local header
    struct.pack_into("<L", data, central + 24, 1000)
    path.write_bytes(bytes(data))
    assert refusal(path, tmp_path) == "inflated_size_over_limit"


def test_an_entry_shorter_than_it_says(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "liar.zip", {"a.dcm": bytes(1000)}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, 9000)
    path.write_bytes(bytes(data))
    assert refusal(path, tmp_path) == "parse_error"


def test_a_damaged_archive(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "cut.zip", series())
    path.write_bytes(path.read_bytes()[:-40])
    assert refusal(path, tmp_path) == "parse_error"
    finding = inspect(path, in_process=True).findings[0]
    assert (finding.verdict, finding.reasons) == ("refuse", ("parse_error",))
    assert finding.message.startswith("cut.zip: ")


def test_another_compression_is_named(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "xz.zip", {"a": b"x" * 100}, zipfile.ZIP_LZMA)
    assert refusal(path, tmp_path) == "format_unsupported"


def test_unpacked_names_are_numbers(tmp_path: Path) -> None:
    entries = unpack(make_zip(tmp_path / "a.zip", {"Doe^Jane/<b>.dcm": b"x"}), tmp_path / "unpacked")
    assert [Path(entry.path).name for entry in entries] == ["000000"]
    assert entries[0].relative == "Doe^Jane/<b>.dcm"


def test_zip_bytes_renamed_as_dicom_are_still_a_zip(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in series().items():
            archive.writestr(name, data)
    path = tmp_path / "image.dcm"
    path.write_bytes(buffer.getvalue())
    assert inspect(path, in_process=True).findings[0].verdict == "accept"
