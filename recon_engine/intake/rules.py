"""The checks on one DICOM series, in their fixed order. Each adds its issues; none stops the next."""

from __future__ import annotations

import hashlib
import math
import re

import numpy as np

from recon_engine.contract import EngineError
from recon_engine.intake import limits, sopclasses, syntaxes, tags
from recon_engine.intake.frames import PixelFormat, pixel_format
from recon_engine.intake.geometry import PARALLEL, SAME_PLACE_MM, check_orientation
from recon_engine.intake.header import UNDEFINED, Header
from recon_engine.intake.reasons import Issue
from recon_engine.intake.slices import Frame, repeat_of

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_REQUIRED = {
    "SOPClassUID": tags.SOP_CLASS,
    "SOPInstanceUID": tags.SOP_INSTANCE,
    "StudyInstanceUID": tags.STUDY_UID,
    "SeriesInstanceUID": tags.SERIES_UID,
    "Modality": tags.MODALITY,
}


def is_uid(value: str) -> bool:
    """Digits and dots, at most 64. Leading zeros are tolerated: scanners write them and they do no harm."""
    return len(value) <= 64 and _UID.fullmatch(value) is not None


def check_pixels(headers: list[Header], issues: list[Issue]) -> dict[int, PixelFormat]:
    """Rules 3 and part of 4: sizes against each other. Returns the pixel format per header (by identity)."""
    formats: dict[int, PixelFormat] = {}
    voxels = 0
    for header in headers:
        if header.pixel_length is None:
            issues.append(Issue("no_pixel_data", "A file holds no pixel data."))
            continue
        try:
            form = pixel_format(header)
        except EngineError as error:
            issues.append(Issue(error.code, error.message))
            continue
        formats[id(header)] = form
        if form.frames < 1:
            issues.append(Issue("missing_required_tag", f"NumberOfFrames is {form.frames}."))
            continue
        voxels += form.rows * form.columns * form.frames
        expected = form.frame_bytes * form.frames
        plane = form.rows * form.columns
        if expected > limits.DECLARED_BYTES or plane * form.frames > limits.VOXELS or plane > limits.PICTURE_PIXELS:
            issues.append(Issue("declared_size_over_limit", f"A file declares {expected >> 20} MiB of pixels."))
        if not syntaxes.is_readable(header.syntax):
            issues.append(
                Issue("transfer_syntax_unsupported", f"Transfer syntax {header.syntax[:64]} is not read here.")
            )
        elif header.syntax in syntaxes.UNCOMPRESSED:
            _check_length(header, form, expected, issues)
        elif header.pixel_length not in (UNDEFINED, None):
            issues.append(Issue("pixel_decode_failed", "Compressed pixel data is not in frames."))
    if voxels > limits.VOXELS:
        issues.append(Issue("declared_size_over_limit", f"The series declares {voxels:,} voxels."))
    return formats


def _check_length(header: Header, form: PixelFormat, expected: int, issues: list[Issue]) -> None:
    length = header.pixel_length or 0
    there = header.size - header.pixel_offset
    if length == UNDEFINED:
        issues.append(Issue("pixel_data_truncated", "Uncompressed pixel data has no length."))
    elif length < expected or there < min(length, expected):
        issues.append(
            Issue("pixel_data_truncated", f"{min(length, there):,} of {expected:,} bytes of pixel data are there.")
        )
    elif length > there:
        issues.append(Issue("pixel_data_truncated", "The pixel data is declared longer than the file."))
    elif length - expected > max(1, form.frame_bytes // form.rows):
        issues.append(
            Issue("pixel_data_truncated", f"{length:,} bytes of pixel data do not fit {expected:,} declared.")
        )


def check_required(headers: list[Header], issues: list[Issue]) -> None:
    """Rule 4: identity of every file and UIDs that are UIDs."""
    for name, tag in _REQUIRED.items():
        missing = sum(1 for header in headers if not header.text(tag))
        if missing:
            issues.append(Issue("missing_required_tag", f"{name} is missing in {missing} of {len(headers)} files."))
    for tag in (tags.SOP_INSTANCE, tags.STUDY_UID, tags.SERIES_UID, tags.FRAME_OF_REFERENCE, tags.SOP_CLASS):
        for value in {header.values.get(tag, b"") for header in headers}:
            if value and tags.text(value) and not is_uid(tags.text(value)):
                issues.append(
                    Issue("invalid_uid", "A UID holds other characters than digits and dots, or is too long.")
                )
                return


def check_kind(headers: list[Header], formats: dict[int, PixelFormat], issues: list[Issue]) -> None:
    """Rule 4: is it an image of a modality that makes volumes, in grey."""
    first = headers[0]
    modality = first.text(tags.MODALITY)
    if modality and modality not in sopclasses.VOLUME_MODALITIES:
        issues.append(Issue("not_a_volume_modality", f"The modality is {modality[:16]}.{_withheld(first)}"))
    elif first.text(tags.SOP_CLASS) in sopclasses.SECONDARY_CAPTURE:
        issues.append(Issue("not_a_volume_modality", f"This is a secondary capture.{_withheld(first)}"))
    if any(form.samples > 1 or form.photometric.startswith(("RGB", "YBR", "PALETTE")) for form in formats.values()):
        issues.append(Issue("colour_image", "The pictures are in colour."))


def _withheld(header: Header) -> str:
    if not sopclasses.is_withheld(header.text(tags.SOP_CLASS), header.text(tags.MODALITY)):
        return ""
    return " Such pictures often show a name, so they are withheld until you confirm."


def check_one_patient(headers: list[Header], issues: list[Issue]) -> None:
    """Rule 5, first half. Patients are told apart by id, and by name where the id is the same or missing."""
    people = {(header.text(tags.PATIENT_ID), header.text(tags.PATIENT_NAME).rstrip("^ ")) for header in headers}
    if len(people) > 1:
        issues.append(Issue("mixed_patients", f"One series names {len(people)} patients."))
    studies = {header.text(tags.STUDY_UID) for header in headers}
    if len(studies) > 1:
        issues.append(Issue("mixed_patients", f"One series names {len(studies)} studies."))


def check_frame_of_reference(headers: list[Header], issues: list[Issue]) -> None:
    """Rule 5, second half."""
    frames = {header.text(tags.FRAME_OF_REFERENCE) for header in headers}
    if len(frames) > 1:
        issues.append(Issue("mixed_frames_of_reference", f"The slices lie in {len(frames)} frames of reference."))


def check_geometry(frames: list[Frame], formats: dict[int, PixelFormat], issues: list[Issue]) -> bool:
    """Rule 7. True where positions can be sorted: all there, finite, parallel, one matrix, one spacing."""
    before = len(issues)
    missing = sum(1 for f in frames if f.position is None or f.orientation is None or f.spacing is None)
    if missing:
        # a tag that is there but holds no numbers is wrong, not missing
        unreadable = any(
            f.header.values.get(tag, b"").strip(b" \0") and f.header.decimals(tag) is None
            for f in frames
            for tag in (tags.POSITION, tags.ORIENTATION)
        )
        if unreadable:
            issues.append(Issue("invalid_geometry", "A position or orientation is no number."))
        else:
            issues.append(
                Issue("missing_geometry", f"{missing} of {len(frames)} slices lack position, orientation or spacing.")
            )
    complete = [f for f in frames if f.position is not None and f.orientation is not None]
    if any(len(f.position or ()) != 3 or not all(map(math.isfinite, f.position or ())) for f in complete):
        issues.append(Issue("invalid_geometry", "A position is not three finite numbers."))
    orientations = {f.orientation for f in complete if f.orientation is not None}
    if not all(check_orientation(o) for o in orientations):
        issues.append(Issue("invalid_geometry", "An orientation is not two perpendicular unit vectors."))
    elif len(orientations) > 1:
        values = np.array(list(orientations))
        if np.abs(values - values[0]).max() > PARALLEL:
            rounded = {tuple(np.round(v, 2)) for v in values}
            issues.append(Issue("mixed_orientations", f"The slices lie in {max(2, len(rounded))} orientations."))
    spacings = {f.spacing for f in frames if f.spacing is not None}
    if any(len(s) != 2 or not all(math.isfinite(v) and v > 0 for v in s) for s in spacings):
        issues.append(Issue("invalid_pixel_spacing", "A pixel spacing is 0, negative or no number."))
    elif len(spacings) > 1 and np.ptp(np.array(list(spacings)), axis=0).max() > 1e-3:
        issues.append(Issue("mixed_pixel_spacing", f"The slices have {len(spacings)} pixel spacings."))
    matrices = {(form.rows, form.columns) for form in formats.values()}
    if len(matrices) > 1:
        listed = ", ".join(f"{rows} x {columns}" for rows, columns in sorted(matrices)[:3])
        issues.append(Issue("mixed_pixel_spacing", f"The slices have different matrices ({listed})."))
    return len(issues) == before and bool(frames)


def drop_identical_files(headers: list[Header], issues: list[Issue]) -> tuple[list[Header], int]:
    """Rule 9, first half: the same instance twice is one; the same UID with other bytes is a conflict."""
    by_uid: dict[bytes, list[Header]] = {}
    for header in headers:
        by_uid.setdefault(header.values.get(tags.SOP_INSTANCE, header.path.encode()), []).append(header)
    if len(by_uid) == len(headers):
        return headers, 0
    kept = [group[0] for group in by_uid.values()]
    for group in by_uid.values():
        if len(group) > 1 and len({_digest(header.path) for header in group}) > 1:
            issues.append(Issue("conflicting_instance", "Two different files carry one instance UID."))
            break
    return kept, len(headers) - len(kept)


def _digest(path: str) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def volumes_of(frames: list[Frame], normal: np.ndarray) -> list[list[Frame]]:
    """Rule 9, second half: a 4D series has every place equally often, told apart by time, echo or number.

    Returns the frames of each volume, the places in the same order; one volume where there are no repeats. Anything
    less regular is left for the sorting to refuse as duplicate places.
    """
    positions = np.array([f.position for f in frames], dtype=np.float64)
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    starts = np.flatnonzero(np.diff(along[order], prepend=-np.inf) > SAME_PLACE_MM)
    counts = np.diff(np.append(starts, len(order)))
    repeats = int(counts[0])
    if repeats < 2 or len(starts) < 2 or not (counts == repeats).all():
        return [frames]
    volumes: list[list[Frame]] = [[] for _ in range(repeats)]
    for start in starts:
        here = [frames[n] for n in order[start : start + repeats]]
        keys = [f.repeat or repeat_of(f.header) for f in here]
        if len(set(keys)) < repeats:
            return [frames]
        for volume, n in zip(volumes, sorted(range(repeats), key=keys.__getitem__), strict=True):
            volume.append(here[n])
    return volumes


def check_count(count: int, issues: list[Issue]) -> None:
    """Rule 12."""
    if count == 1:
        issues.append(Issue("single_slice", "The series has 1 slice."))
    elif 1 < count < 5:
        issues.append(Issue("too_few_slices", f"The series has {count} slices."))
    elif 5 <= count < 8:
        issues.append(Issue("few_slices", f"The series has {count} slices."))


def check_values(headers: list[Header], formats: dict[int, PixelFormat], issues: list[Issue]) -> None:
    """Rules 13 and 14, from the headers."""
    if any(form.photometric == "MONOCHROME1" for form in formats.values()):
        kept = headers[0].text(tags.MODALITY) in ("CT", "PT")
        how = "the values are quantities and stay as they are" if kept else "they are turned"
        issues.append(Issue("inverted_photometric", f"Grey values are stored inverted (MONOCHROME1); {how}."))
    if any(header.preamble_used for header in headers):
        issues.append(Issue("preamble_cleared"))
    if any(header.syntax in syntaxes.LOSSY or header.text(tags.LOSSY) == "01" for header in headers):
        issues.append(Issue("lossy_compression"))
    if any(header.syntax in syntaxes.RETIRED for header in headers):
        issues.append(Issue("retired_transfer_syntax"))
    if any(header.text(tags.BURNED_IN) == "YES" for header in headers):
        issues.append(Issue("burned_in_annotation"))
