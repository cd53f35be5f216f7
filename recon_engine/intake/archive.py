"""The files of what was sent: one file, a folder, or a zip unpacked under rules.

An archive is refused whole, before anything in it is parsed: too many entries, too much inflated, an encrypted or
nested archive, or an entry that tries to leave its folder. Unpacked files get plain numbers for names, so no name from
an archive ever reaches the file system.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from recon_engine.contract import EngineError
from recon_engine.intake import limits
from recon_engine.intake.filetypes import HEAD_BYTES, kind_of

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its name as sent, where it lies now, and what it is by content."""

    relative: str
    path: str
    kind: str


@dataclass
class Collected:
    entries: list[Entry] = field(default_factory=list)
    refused: list[tuple[str, EngineError]] = field(default_factory=list)  # (archive name, why)
    inflated: int = 0


def collect(path: str | Path, workspace: str | Path) -> Collected:
    """All files at `path`. Zips (the path itself, or files in a folder) are unpacked below `workspace`.

    Raises EngineError not_found for a path that is not there, too_many_entries for a folder with too many files.
    """
    source = Path(path)
    found = Collected()
    if source.is_dir():
        for relative in _walk(source):
            _add(found, as_text(relative), str(source / relative), Path(workspace))
    elif source.is_file():
        _add(found, as_text(source.name), str(source), Path(workspace), alone=True)
    else:
        raise EngineError("not_found", f"There is no file or folder {source.name!r}. Check the path.")
    return found


def as_text(name: str) -> str:
    """A file name that can be shown and stored: bytes that are no text are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _walk(folder: Path) -> list[str]:
    names: list[str] = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            full = os.path.join(parent, name)
            if os.path.isfile(full) and not is_clutter(name):
                names.append(os.path.relpath(full, folder))
        if len(names) > limits.ARCHIVE_ENTRIES:
            raise EngineError("too_many_entries", "The folder holds over 20,000 files. Send one study at a time.")
    return names


def is_clutter(name: str) -> bool:
    """Files that systems leave in folders and that nobody sent."""
    base = name.rsplit("/", 1)[-1]
    return base in (".DS_Store", "Thumbs.db", "desktop.ini") or base.startswith("._") or name.startswith("__MACOSX/")


def _add(found: Collected, relative: str, path: str, workspace: Path, alone: bool = False) -> None:
    with open(path, "rb") as file:
        kind = kind_of(file.read(HEAD_BYTES))
    if kind != "zip":
        found.entries.append(Entry(relative, path, kind))
        return
    folder = workspace / f"archive-{len(found.entries):06d}-{len(found.refused)}"
    try:
        inner = unpack(path, folder, limits.INFLATED_BYTES - found.inflated)
    except EngineError as error:
        found.refused.append((relative, error))
        return
    found.inflated += sum(os.path.getsize(entry.path) for entry in inner)
    prefix = "" if alone else relative + "/"
    found.entries.extend(Entry(prefix + entry.relative, entry.path, entry.kind) for entry in inner)


def unpack(path: str | Path, folder: Path, most: int = limits.INFLATED_BYTES) -> list[Entry]:
    """Unpack a zip below `folder`. Raises EngineError with the code of rule 1 that it breaks, or parse_error."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _check_entries(infos, most)
            folder.mkdir(parents=True, exist_ok=True)
            return _unpack(archive, infos, folder, most)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, EOFError):
            raise
        raise EngineError("parse_error", "The archive is damaged. Make it again.") from None


def _check_entries(infos: list[zipfile.ZipInfo], most: int) -> None:
    if len(infos) > limits.ARCHIVE_ENTRIES:
        raise EngineError("too_many_entries", f"The archive has {len(infos):,} entries.")
    for info in infos:
        if not is_safe_name(info):
            raise EngineError("unsafe_archive_entry", "An entry of the archive points outside it or is a link.")
    if any(info.flag_bits & 0x1 for info in infos):
        raise EngineError("archive_encrypted", "The archive is encrypted.")
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
        raise EngineError("format_unsupported", "The archive uses a compression that is not read here.")
    declared = sum(info.file_size for info in infos)
    if declared > most:
        raise EngineError("inflated_size_over_limit", f"The archive declares {declared / (1 << 30):.1f} GiB.")


def is_safe_name(info: zipfile.ZipInfo) -> bool:
    """No way out of the folder: no absolute path, no .., no drive, no backslash trick, no link or device."""
    name = info.orig_filename if isinstance(info.orig_filename, str) else info.filename
    if "\0" in name or "\\" in name or name.startswith("/") or ".." in name.split("/"):
        return False
    if len(name) > 1 and name[1] == ":":
        return False
    mode = info.external_attr >> 16
    return not mode or stat.S_IFMT(mode) in (0, stat.S_IFREG, stat.S_IFDIR)


def _unpack(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], folder: Path, most: int) -> list[Entry]:
    entries: list[Entry] = []
    left = most
    for number, info in enumerate(infos):
        if info.is_dir() or is_clutter(info.filename):
            continue
        target = folder / f"{number:06d}"
        declared = info.file_size
        info.file_size = limits.INFLATED_BYTES + 1  # so that an entry which is longer than it says shows itself
        written, head = 0, b""
        with archive.open(info) as source, open(target, "wb") as out:
            while chunk := source.read(CHUNK):
                written += len(chunk)
                left -= len(chunk)
                if written > declared or left < 0:
                    raise EngineError("inflated_size_over_limit", "The archive inflates to more than it declares.")
                if len(head) < HEAD_BYTES:
                    head += chunk[: HEAD_BYTES - len(head)]
                out.write(chunk)
        if written < declared:
            raise EngineError("parse_error", "An entry of the archive is shorter than it declares.")
        kind = kind_of(head)
        if kind in ("zip", "archive") or (kind == "gzip" and not _is_office_preview(info.filename)):
            raise EngineError("nested_archive", "The archive holds another archive.")
        entries.append(Entry(as_text(info.filename), str(target), kind))
    return entries


def _is_office_preview(name: str) -> bool:
    """Compressed vector graphics are gzip by content and no archive."""
    return name.lower().endswith((".svgz", ".emz"))
