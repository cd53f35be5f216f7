"""Every reason code with the check it belongs to, whether it refuses, its rule and its cure.

The order is the order of the checks: archive, type, parse limits, required tags, one patient, localisers, one
orientation, sorting, duplicates, spacing, tilt, number of slices, values, transfer syntax. `sort_issues` puts the
refusing ones first, each group in that order; `message` says file, rule and cure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One row of the catalogue. `keeps` is True where the pictures may still be kept in a study."""

    check: int
    refuses: bool
    rule: str
    cure: str
    keeps: bool = False


@dataclass(frozen=True)
class Issue:
    """A code that applies here, with what was found. `found` holds no text from the file."""

    code: str
    found: str = ""


def _refuse(check: int, rule: str, cure: str, *, keeps: bool = False) -> Reason:
    return Reason(check, True, rule, cure, keeps)


def _warn(check: int, rule: str, cure: str = "") -> Reason:
    return Reason(check, False, rule, cure, True)


CATALOGUE: dict[str, Reason] = {
    "unsafe_archive_entry": _refuse(
        1, "An archive may only hold plain files below its own folder.", "Zip the image folder again, without links."
    ),
    "too_many_entries": _refuse(1, "An archive may hold 20,000 files.", "Split it into one archive per study."),
    "archive_encrypted": _refuse(
        1, "An archive may not be encrypted.", "Unpack it and zip it again without a password."
    ),
    "nested_archive": _refuse(1, "An archive may not hold another archive.", "Unpack the inner archive first."),
    "inflated_size_over_limit": _refuse(
        1, "Unpacked data may not be larger than 4 GiB, nor than it declares.", "Send fewer series at a time."
    ),
    "empty_file": _refuse(2, "A file must not be empty.", "Export it again."),
    "not_dicom": _refuse(2, "The file holds neither DICOM, NIfTI, PNG nor JPEG.", "Choose the image files themselves."),
    "format_unsupported": _refuse(2, "This file format is not read here.", "Convert it to DICOM or NIfTI (.nii.gz)."),
    "missing_pair_file": _refuse(
        2, "A NIfTI header (.hdr) needs its image (.img) beside it.", "Send both, or one .nii or .nii.gz file."
    ),
    "dicomdir_index": _refuse(2, "A DICOMDIR is an index without images.", "Send the folder with the images."),
    "parse_error": _refuse(3, "The file must follow its format.", "Export it again from the source."),
    "nesting_too_deep": _refuse(3, "Sequences may be nested 32 deep.", "Export it again from the source."),
    "declared_size_over_limit": _refuse(
        3, "A volume may have 2,147,483,648 voxels and 4 GiB, a header 100,000 elements.", "Send a smaller part."
    ),
    "transfer_syntax_unsupported": _refuse(
        3, "The pixel data uses a transfer syntax that is not read here.", "Export it uncompressed or as JPEG 2000."
    ),
    "pixel_data_truncated": _refuse(
        3, "The pixel data must be as long as its header says.", "Send the file again; it may have been cut."
    ),
    "pixel_decode_failed": _refuse(
        3,
        "The compressed pixel data must decode to the size in its header.",
        "Export it again, uncompressed if possible.",
    ),
    "missing_required_tag": _refuse(4, "A required tag is missing.", "Export it again with complete headers."),
    "invalid_uid": _refuse(
        4, "A UID is digits and dots, at most 64 characters.", "Correct the UIDs in the source and export again."
    ),
    "no_pixel_data": _refuse(4, "The file holds no pixel data.", "Send the image files."),
    "derived_object_not_source": _refuse(
        4, "This is made from images (segmentation, structure set, dose, report), not an image.", "Send the images."
    ),
    "not_a_volume_modality": _refuse(
        4, "Only CT, MR and PET make a volume.", "It can be kept and read as pictures.", keeps=True
    ),
    "colour_image": _refuse(4, "A volume needs one grey value per pixel.", "Send the grey source series.", keeps=True),
    "mixed_patients": _refuse(5, "One series belongs to one patient and one study.", "Send each patient on their own."),
    "mixed_frames_of_reference": _refuse(
        5, "One volume has one frame of reference.", "It can be kept as pictures.", keeps=True
    ),
    "localizer_series": _refuse(6, "A localiser is no volume.", "It can be kept as pictures.", keeps=True),
    "missing_geometry": _refuse(
        7, "Each slice needs its position, orientation and pixel spacing.", "Export the original series.", keeps=True
    ),
    "no_frame_geometry": _refuse(
        7,
        "Each frame needs its own position and orientation.",
        "Export an enhanced or single-frame series.",
        keeps=True,
    ),
    "invalid_geometry": _refuse(
        7,
        "Positions must be finite and the orientation two perpendicular unit vectors.",
        "Export it again.",
        keeps=True,
    ),
    "invalid_pixel_spacing": _refuse(7, "Pixel spacing must be above 0 mm.", "Export the original series.", keeps=True),
    "mixed_orientations": _refuse(7, "All slices of a volume are parallel.", "It can be kept as pictures.", keeps=True),
    "mixed_pixel_spacing": _refuse(
        7, "All slices of a volume have one matrix and one pixel spacing.", "It can be kept as pictures.", keeps=True
    ),
    "no_slice_separation": _refuse(
        8, "Slices must lie at different places.", "It can be kept as pictures.", keeps=True
    ),
    "conflicting_instance": _refuse(
        9, "Two different files carry the same instance UID.", "Send only the right one.", keeps=False
    ),
    "duplicate_slice_positions": _refuse(9, "One place may hold one slice.", "Send one series at a time.", keeps=True),
    "too_many_missing_slices": _refuse(
        10, "At most 5 % of the slices may be missing.", "Send the complete series.", keeps=True
    ),
    "single_slice": _refuse(
        12, "A volume needs at least 8 slices (5 to 7 for some).", "It can be kept as a picture.", keeps=True
    ),
    "too_few_slices": _refuse(
        12, "A volume needs at least 8 slices (5 to 7 for some).", "It can be kept as pictures.", keeps=True
    ),
    "weights_unsafe": _refuse(20, "Weights are read from safetensors only.", "Install the published weights again."),
    "weights_hash_mismatch": _refuse(
        20, "The weights are not the ones that were registered.", "Install the published weights again."
    ),
    "weights_corrupt": _refuse(20, "The weights file is damaged.", "Install the published weights again."),
    "weights_incompatible": _refuse(
        20, "The weights do not fit this network.", "Install weights made for this version."
    ),
    "preamble_cleared": _warn(2, "The preamble held other data; it is cleared."),
    "charset_replaced": _warn(4, "Some text did not fit its character set; those characters are replaced."),
    "four_d_first_volume_used": _warn(9, "The series holds several volumes of one place; the first is used."),
    "nonuniform_spacing_resampled": _warn(10, "Slices were not evenly spaced; they are resampled."),
    "missing_slices": _warn(10, "A few slices are missing and are filled in between their neighbours."),
    "gantry_tilt_corrected": _warn(11, "Slices lean; they are sheared back by their positions."),
    "few_slices": _warn(12, "The volume has 5 to 7 slices; only algorithms that allow so few are offered."),
    "inverted_photometric": _warn(13, "Grey values are stored inverted (MONOCHROME1)."),
    "qform_sform_disagree": _warn(13, "The two geometries in the header disagree; the sform is used."),
    "nonfinite_voxels_replaced": _warn(
        13, "Some values were not finite; they are replaced by the lowest finite value."
    ),
    "lossy_compression": _warn(14, "The images were compressed with loss; fine detail may be gone."),
    "retired_transfer_syntax": _warn(14, "The file uses a retired transfer syntax."),
    "burned_in_annotation": _warn(
        14, "The pixels may show a name.", "Look at the pictures; the series is withheld until you confirm."
    ),
    "spacing_unknown": _warn(14, "Pixel spacing is unknown: no millimetres and no millilitres are shown."),
}


def refuses(code: str) -> bool:
    return CATALOGUE[code].refuses


def sort_issues(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Each code once (its first finding wins), refusing ones first, in the order of the checks."""
    first: dict[str, Issue] = {}
    for issue in issues:
        first.setdefault(issue.code, issue)
    places = {code: place for place, code in enumerate(CATALOGUE)}
    return tuple(sorted(first.values(), key=lambda i: (not refuses(i.code), CATALOGUE[i.code].check, places[i.code])))


def verdict(issues: Iterable[Issue]) -> str:
    codes = [issue.code for issue in issues]
    if any(refuses(code) for code in codes):
        return "refuse"
    return "warn" if codes else "accept"


def may_be_kept(issues: Iterable[Issue]) -> bool:
    """True where a refused series can still be kept as pictures."""
    return all(CATALOGUE[issue.code].keeps for issue in issues)


def sentence(issue: Issue) -> str:
    """What was found, the rule and the cure of one issue."""
    reason = CATALOGUE[issue.code]
    parts = [issue.found, reason.rule if reason.refuses or not issue.found else "", reason.cure]
    return " ".join(part for part in parts if part)


def message(name: str, issues: tuple[Issue, ...]) -> str:
    """One or two sentences for people: the first issue whole, the further warnings or refusals by what was found."""
    if not issues:
        return f"{name}: ready."
    rest = [issue.found or CATALOGUE[issue.code].rule for issue in issues[1:]]
    return " ".join([f"{name}: {sentence(issues[0])}", *rest])
