"""Everything at one path, examined: the series, the files that are no image, and what could not be read at all.

This is the one function behind `inspect`, `read_volume` and `prepare`. Whatever a file holds, it ends as a finding
or in the list of ignored files; only a path that is not there raises.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recon_engine.contract import EngineError, InspectResult
from recon_engine.intake import pictures, sopclasses, tags
from recon_engine.intake.archive import Collected, Entry, collect
from recon_engine.intake.decoding import check_decoding
from recon_engine.intake.header import Header, read_header
from recon_engine.intake.inspection import Examined, examine_headers, refused
from recon_engine.intake.niftirules import examine_nifti

_REFUSED_KINDS = {
    "empty": "empty_file",
    "format": "format_unsupported",
    "gzip": "format_unsupported",
    "archive": "format_unsupported",
    "other": "not_dicom",
}


@dataclass
class Survey:
    examined: list[Examined] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)

    def result(self) -> InspectResult:
        return InspectResult(findings=tuple(e.finding for e in self.examined), ignored=tuple(self.ignored))


@dataclass
class Watch:
    """How the survey tells its parent which file it is about to hand to a parser, and which files to leave alone."""

    about_to_parse: Callable[[str], None] = lambda relative: None
    killers: Mapping[str, str] = field(default_factory=dict)  # relative name -> code of what it did to a child


def survey(
    path: str | Path,
    workspace: str | Path,
    modality_by_key: Mapping[str, str] | None = None,
    watch: Watch | None = None,
) -> Survey:
    """Examine a file, a folder or a zip. `workspace` is an empty folder that the caller removes afterwards."""
    modality_by_key, watch = modality_by_key or {}, watch or Watch()
    found = collect(path, workspace)
    out = Survey()
    for relative, error in found.refused:
        out.examined.append(refused(relative, error.code, error.message))
    headers, names = _read_headers(found, out, watch)
    series = examine_headers(headers, lambda p: names.get(p, p))
    series = [check_decoding(e, names, watch.about_to_parse) for e in series]
    derived = [e for e in series if "derived_object_not_source" in e.finding.reasons]
    out.examined.extend(e for e in series if e not in derived)
    for entry in found.entries:
        if entry.kind in ("nifti", "nifti_gz") and entry.relative not in watch.killers:
            watch.about_to_parse(entry.relative)
            out.examined.append(_nifti(entry, modality_by_key.get(entry.relative)))
    _pair_files(found, out)
    _others(found, out, derived, modality_by_key, watch)
    out.examined.sort(key=lambda e: (e.finding.verdict == "refuse", e.finding.files[:1]))
    return out


def _read_headers(found: Collected, out: Survey, watch: Watch) -> tuple[list[Header], dict[str, str]]:
    headers: list[Header] = []
    names: dict[str, str] = {}
    for entry in found.entries:
        if entry.relative in watch.killers:
            code = watch.killers[entry.relative]
            out.examined.append(refused(entry.relative, code, "The parser did not survive this file."))
            continue
        if entry.kind != "dicom":
            continue
        names[entry.path] = entry.relative
        try:
            header = read_header(entry.path)
        except EngineError as error:
            out.examined.append(refused(entry.relative, error.code, error.message))
            continue
        except (struct.error, OSError, ValueError) as error:
            out.examined.append(refused(entry.relative, "parse_error", f"Not readable ({type(error).__name__})."))
            continue
        if tags.DIRECTORY_RECORDS in header.values or header.text(tags.MEDIA_SOP_CLASS) == sopclasses.DICOMDIR:
            out.ignored.append((entry.relative, "dicomdir_index"))
            continue
        headers.append(header)
    return headers, names


def _nifti(entry: Entry, modality: str | None) -> Examined:
    try:
        return examine_nifti(entry.path, entry.relative, modality)
    except MemoryError:
        return refused(entry.relative, "declared_size_over_limit", "The image does not fit in memory.")
    except Exception as error:
        return refused(entry.relative, "parse_error", f"The header misleads ({type(error).__name__}).")


def _pair_files(found: Collected, out: Survey) -> None:
    """A .hdr and .img pair is not read; without its other half that is said, with it the cure is one file."""
    names = {entry.relative for entry in found.entries}
    for entry in found.entries:
        if entry.kind != "nifti_pair":
            continue
        stem = entry.relative.rsplit(".", 1)[0]
        whole = any(stem + end in names for end in (".img", ".IMG", ".img.gz"))
        code = "format_unsupported" if whole else "missing_pair_file"
        out.examined.append(
            refused(entry.relative, code, "A NIfTI or Analyze pair." if whole else "The .img is missing.")
        )


def _others(
    found: Collected, out: Survey, derived: list[Examined], modality_by_key: Mapping[str, str], watch: Watch
) -> None:
    """Pictures, derived objects and files that are no image: ignored beside images, refused where nothing else is."""
    has_images = bool(out.examined)
    pairs = {e.relative.rsplit(".", 1)[0] for e in found.entries if e.kind == "nifti_pair"}
    paint = [entry for entry in found.entries if entry.kind in ("png", "jpeg")]
    if has_images:
        out.ignored.extend((entry.relative, "not_dicom") for entry in paint)
    else:
        stacks, strangers = pictures.group([entry for entry in paint if entry.relative not in watch.killers])
        for entry in paint:
            watch.about_to_parse(entry.relative)
        out.examined.extend(pictures.examine(stack, modality_by_key) for stack in stacks)
        out.examined.extend(
            refused(e.relative, "not_dicom", "A PNG or JPEG that calls itself otherwise.") for e in strangers
        )
    has_images = bool(out.examined)
    for entry in found.entries:
        code = _REFUSED_KINDS.get(entry.kind)
        if code is None or (entry.kind == "other" and entry.relative.rsplit(".", 1)[0] in pairs):
            continue
        if has_images:
            out.ignored.append((entry.relative, code))
        else:
            out.examined.append(refused(entry.relative, code))
    for examined in derived:
        if has_images:
            out.ignored.extend((name, "derived_object_not_source") for name in examined.finding.files)
        else:
            out.examined.append(examined)
    if not out.examined:
        for name, code in out.ignored:
            out.examined.append(refused(name, code))
        out.ignored.clear()
    if not out.examined:
        out.examined.append(refused("", "not_dicom", "There are no files here."))
