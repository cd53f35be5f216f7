"""The checks on one NIfTI file: lengths, dimensions, geometry, values. The person says what modality it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError, IntakeFinding
from recon_engine.dicom import to_int16_where_exact
from recon_engine.intake import limits, phases, reasons, rules
from recon_engine.intake.inspection import Examined
from recon_engine.intake.reasons import Issue
from recon_engine.nifti import StoredImage, read_bytes, read_header, to_volume
from recon_engine.volume import Volume

_AGREE = 0.1  # of a voxel: how far the corners of qform and sform may lie apart
UNITS = {"CT": "HU"}


def examine_nifti(path: str, relative: str, modality: str | None = None) -> Examined:
    """One NIfTI file with its finding; `modality` is what the person says, None where nobody has."""
    issues: list[Issue] = []
    facts: dict[str, Any] = {"nifti": None, "frame_of_reference_uid": None, "phantom": False, "withheld": False}
    image: StoredImage | None = None
    try:
        image = _read(path, issues)
    except EngineError as error:
        issues.append(Issue(error.code, error.message))
    volume: Volume | None = None
    if image is not None:
        facts["nifti"] = {"affine": image.affine.tolist(), "shape": list(image.voxels.shape)}
        facts["unit"] = UNITS.get(modality or "", "")
        rules.check_count(min(image.voxels.shape), issues)
        volume = to_volume(image, modality, facts["unit"])
    sorted_issues = reasons.sort_issues(issues)
    finding = IntakeFinding(
        key=relative,
        series_instance_uid=None,
        study_instance_uid=None,
        modality=modality or None,
        description=relative.rsplit("/", 1)[-1],
        files=(relative,),
        shape=volume.shape if volume is not None else None,
        spacing_mm=tuple(round(v, 6) for v in volume.spacing_mm) if volume is not None else None,
        verdict=reasons.verdict(sorted_issues),
        reasons=tuple(issue.code for issue in sorted_issues),
        message=reasons.message(relative, sorted_issues),
        facts={**facts, "kept": False, "instances": 1},
    )

    def loaded() -> Volume:
        if volume is None:
            raise EngineError("internal", "The file has no volume.")
        return volume

    def later(number: int) -> Volume:
        # Read once more: a file of many volumes does not lie in memory whole while the first is looked at.
        image = _read(path, [], number)
        if image is None:
            raise EngineError("internal", "The file has no such volume.")
        return to_volume(image, modality, facts["unit"])

    marks = _marks(image) if image is not None else ()
    unit = facts.get("unit", "")
    return Examined(finding, [], sorted_issues, unit=unit, load=loaded, load_later=later, marks=marks, path=path)


def _marks(image: StoredImage) -> tuple[phases.Mark, ...]:
    """Times where the header says how far the volumes lie apart (pixdim[4] in xyzt_units), else their numbers."""
    if image.volumes < 2:
        return ()
    step = float(image.header["pixdim"][4])
    per_unit = {8: 1000.0, 16: 1.0, 24: 0.001}.get(int(image.header["xyzt_units"]) & 56)
    if int(image.header["dim"][0]) == 4 and per_unit and math.isfinite(step) and step > 0:
        return tuple(phases.Mark("time", round(n * step * per_unit, 6)) for n in range(image.volumes))
    return phases.counted(image.volumes)


def _read(path: str, issues: list[Issue], number: int = 0) -> StoredImage | None:
    """The file's volume of this number, from 0."""
    data = read_bytes(path, _needed)
    header = read_header(data)
    shape, volumes = _dimensions(header)
    dtype = _dtype(header, issues)
    affine = _affine(header, shape, issues)
    kept = volumes if math.prod(shape) * volumes <= limits.VOXELS else 1
    if kept < volumes:
        issues.append(phases.too_many(volumes))
    if dtype is None:
        return None
    start, expected = _voxel_bytes(header, shape, volumes, dtype)
    if len(data) - start < expected:
        there = max(0, len(data) - start)
        issues.append(Issue("pixel_data_truncated", f"{there:,} of {expected:,} bytes of voxels are there."))
        return None
    if affine is None:
        return None
    count = shape[0] * shape[1] * shape[2]
    stored = np.frombuffer(data, dtype, count, start + number * count * dtype.itemsize).reshape(shape, order="F")
    voxels, nonfinite = _real_values(stored, header)
    if nonfinite:
        issues.append(Issue("nonfinite_voxels_replaced", f"{nonfinite:,} values were not finite and are replaced."))
    return StoredImage(header, voxels, affine, kept, nonfinite)


def _dimensions(header: Any) -> tuple[tuple[int, int, int], int]:
    """Shape (x, y, z) and number of volumes. Raises EngineError parse_error for dimensions that cannot be."""
    dims = [int(n) for n in header["dim"]]
    if not 1 <= dims[0] <= 7 or any(n < 1 for n in dims[1 : dims[0] + 1]):
        raise EngineError("parse_error", "The header names impossible dimensions.")
    x, y, z = [*dims[1 : min(dims[0], 3) + 1], 1, 1][:3]
    return (x, y, z), math.prod(dims[4 : dims[0] + 1])


def _voxel_bytes(header: Any, shape: tuple[int, int, int], volumes: int, dtype: np.dtype) -> tuple[int, int]:
    """Where the voxels start and how many bytes they take. Raises EngineError declared_size_over_limit."""
    count = math.prod(shape)
    expected = count * volumes * dtype.itemsize
    if count > limits.VOXELS or expected > limits.DECLARED_BYTES:
        raise EngineError("declared_size_over_limit", f"The header declares {expected / (1 << 30):,.1f} GiB of voxels.")
    offset = float(header["vox_offset"])
    start = int(offset) if math.isfinite(offset) and 0 <= offset <= limits.DECLARED_BYTES else 0
    return max(start, int(header["sizeof_hdr"]) + 4), expected


def _needed(head: bytes) -> int:
    """How long the inflated file should be, from its header alone."""
    header = read_header(head)
    shape, volumes = _dimensions(header)
    try:
        dtype = header.get_data_dtype()
    except Exception:  # an unknown type is named by the rule for types
        return limits.INFLATED_BYTES
    start, expected = _voxel_bytes(header, shape, volumes, dtype)
    return start + expected


def _dtype(header: Any, issues: list[Issue]) -> np.dtype | None:
    try:
        dtype = header.get_data_dtype()
    except Exception:
        issues.append(Issue("format_unsupported", "The header names an unknown type of voxels."))
        return None
    if dtype.fields is not None:
        issues.append(Issue("colour_image", "The voxels are colours."))
        return None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        issues.append(Issue("format_unsupported", "The voxels are complex or 128-bit numbers."))
        return None
    return dtype


def _affine(header: Any, shape: tuple[int, int, int], issues: list[Issue]) -> NDArray | None:
    """The sform where there is one, else the qform (nifti1.h, methods 3 and 2). None: refused."""
    codes = int(header["sform_code"]), int(header["qform_code"])
    with np.errstate(all="ignore"):
        sform = header.get_sform() if codes[0] > 0 else None
        qform = None
        if codes[1] > 0:
            try:
                qform = header.get_qform()
            except Exception:
                qform = np.full((4, 4), np.nan)
    chosen = sform if sform is not None else qform
    if chosen is None:
        issues.append(Issue("missing_geometry", "The header has neither sform nor qform."))
        return None
    if not _is_usable(chosen):
        issues.append(Issue("invalid_geometry", "The affine of the header is not finite or cannot be inverted."))
        return None
    if sform is not None and qform is not None:
        corners = np.array(
            [[i, j, k, 1] for i in (0, shape[0] - 1) for j in (0, shape[1] - 1) for k in (0, shape[2] - 1)]
        )
        apart = np.abs(corners @ sform.T - corners @ qform.T).max() if _is_usable(qform) else np.inf
        if not apart <= _AGREE * np.linalg.norm(sform[:3, :3], axis=0).min():
            issues.append(Issue("qform_sform_disagree"))
    return np.asarray(chosen, dtype=np.float64)


def _is_usable(affine: NDArray) -> bool:
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return False
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if lengths.min() < 1e-6:
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / lengths)) > 1e-4)


def _real_values(stored: NDArray, header: Any) -> tuple[NDArray, int]:
    """scl_slope and scl_inter applied, infinite values replaced; int16 where exact, else float32.

    Returns the values and how many were not finite. Works plane by plane: never a second volume of float64.
    """
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope) or not np.isfinite(intercept):
        slope, intercept = 1.0, 0.0
    plain = slope == 1 and intercept == 0
    if (
        plain
        and stored.dtype.kind in "iu"
        and (stored.dtype.itemsize == 1 or stored.dtype.newbyteorder("=") == np.int16)
    ):
        return stored.astype(np.int16), 0
    values = np.empty(stored.shape, np.float32, order="F")
    nonfinite = 0
    for z in range(stored.shape[2]):
        with np.errstate(all="ignore"):
            plane = stored[..., z] if plain else stored[..., z] * np.float64(slope) + intercept
            values[..., z] = plane
        nonfinite += values[..., z].size - int(np.isfinite(values[..., z]).sum())
    if nonfinite:
        finite = np.isfinite(values)
        values[~finite] = values[finite].min() if finite.any() else 0
    return to_int16_where_exact(values), nonfinite
