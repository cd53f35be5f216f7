"""From slice positions to one grid: sort, spacing, gaps, tilt (DICOM PS3.3 C.7.6.2.1.1).

All distances are mm in LPS. Slices are sorted by their position along the normal of the image plane; the numbers
in InstanceNumber and SliceLocation are not looked at. A `Plan` says where each stored slice goes, so that the
reader can place, shear and resample in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon_engine.intake.reasons import Issue

EVEN = 1.05  # largest over smallest step still taken as even
GAP = 1.8  # times the median step: from here on a slice is missing
MISSING = 0.05  # part of the slices that may be missing
DRIFT_MM = 0.05  # sideways drift per slice from which on a stack leans
PARALLEL = 1.5e-3  # orientation components that agree to 3 decimals
SAME_PLACE_MM = 1e-3


@dataclass(frozen=True)
class Plan:
    """How the stored slices become one volume.

    `order` indexes the stored slices, lowest along the normal first. `shape` and `affine` are those of the result.
    `shifts` (n, 2) is where pixel (0, 0) of each ordered slice lies on the result's (j, i) grid, in pixels. `planes`
    (k,) places each result slice between the ordered ones, as a fractional index; None where they are the same.
    """

    order: tuple[int, ...]
    shape: tuple[int, int, int]
    affine: NDArray
    shifts: NDArray | None = None
    planes: NDArray | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        k, j, i = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(k), float(j), float(i)

    @property
    def is_direct(self) -> bool:
        return self.shifts is None and self.planes is None


def check_orientation(orientation: tuple[float, ...]) -> bool:
    """Two unit vectors at a right angle, as six numbers."""
    values = np.asarray(orientation, dtype=np.float64)
    if values.shape != (6,) or not np.isfinite(values).all():
        return False
    row, column = values[:3], values[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    return bool(abs(lengths[0] - 1) < 1e-2 and abs(lengths[1] - 1) < 1e-2 and abs(row @ column) < 1e-2)


def axes(orientation: tuple[float, ...]) -> NDArray:
    """(3, 3): unit LPS vectors of the normal, of j (down a column) and of i (along a row), one per column."""
    i_axis, j_axis = np.asarray(orientation[:3], float), np.asarray(orientation[3:], float)
    i_axis = i_axis / np.linalg.norm(i_axis)
    j_axis = j_axis - (j_axis @ i_axis) * i_axis
    j_axis = j_axis / np.linalg.norm(j_axis)
    return np.stack([np.cross(i_axis, j_axis), j_axis, i_axis], axis=1)


def affine_of(directions: NDArray, spacing: tuple[float, float, float], origin: NDArray) -> NDArray:
    """(4, 4) from (k, j, i) indices to LPS mm."""
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(spacing)
    affine[:3, 3] = origin
    return affine


def plan_slices(
    positions: NDArray, orientation: tuple[float, ...], pixel_spacing: tuple[float, float], matrix: tuple[int, int]
) -> tuple[Plan | None, list[Issue]]:
    """Rules 8 to 11 for slices that are already known to be parallel and of one matrix.

    `positions` (n, 3) mm, all different; `pixel_spacing` and `matrix` are (j, i). Returns the plan, or None with the
    refusing issues.
    """
    directions = axes(orientation)
    along = positions @ directions[:, 0]
    order = np.argsort(along, kind="stable")
    along, sorted_positions = along[order], positions[order]
    steps = np.diff(along)
    issues: list[Issue] = []
    if len(order) < 2:
        plan = _flat_plan(directions, pixel_spacing, matrix, sorted_positions[0])
        return plan, issues
    if steps.max() < SAME_PLACE_MM:
        return None, [Issue("no_slice_separation", "All slices lie at the same place along their normal.")]
    if steps.min() < SAME_PLACE_MM:
        count = int((steps < SAME_PLACE_MM).sum())
        return None, [Issue("duplicate_slice_positions", f"{count} slices lie where another one lies.")]

    facts: dict[str, Any] = {}
    spacing, planes = _even_planes(along, steps, issues, facts)
    if spacing is None:
        return None, issues
    shifts, extent, start = _sideways(sorted_positions, along, directions, pixel_spacing, issues, facts)
    if shifts is None and start is None:
        return None, issues
    origin = sorted_positions[0]
    shape = (len(order) if planes is None else len(planes), matrix[0] + extent[0], matrix[1] + extent[1])
    if start is not None:
        origin = (
            origin + directions[:, 1] * start[0] * pixel_spacing[0] + directions[:, 2] * start[1] * pixel_spacing[1]
        )
    affine = affine_of(directions, (spacing, *pixel_spacing), origin)
    return Plan(tuple(int(n) for n in order), shape, affine, shifts, planes, facts), issues


def _flat_plan(directions: NDArray, pixel_spacing: tuple[float, float], matrix: tuple[int, int], at: NDArray) -> Plan:
    """One slice has no spacing of its own: 1 mm stands in, and the number of slices refuses it anyway."""
    return Plan((0,), (1, *matrix), affine_of(directions, (1.0, *pixel_spacing), at))


def _even_planes(
    along: NDArray, steps: NDArray, issues: list[Issue], facts: dict[str, Any]
) -> tuple[float | None, NDArray | None]:
    """Rule 10. Returns the spacing and, where slices have to be resampled, their fractional places."""
    median = float(np.median(steps))
    gaps = steps > GAP * median
    if steps.max() / steps.min() <= EVEN:
        return float((along[-1] - along[0]) / len(steps)), None
    facts["gaps_mm"] = sorted({round(float(step), 1) for step in steps})
    missing = int(np.rint(steps[gaps] / median - 1).sum())
    if missing and missing / (len(along) + missing) > MISSING:
        share = 100 * missing / (len(along) + missing)
        found = f"{missing} of {len(along) + missing} slices are missing ({share:.0f} %)."
        issues.append(Issue("too_many_missing_slices", found))
        return None, None
    regular = steps[~gaps]
    if missing:
        facts["missing_slices"] = missing
        issues.append(Issue("missing_slices", f"{missing} missing slice{'s are' if missing > 1 else ' is'} filled in."))
    if regular.max() / regular.min() > EVEN:
        listed = [f"{gap:.1f}" for gap in facts["gaps_mm"]]
        text = ", ".join(listed[:-1]) + f" and {listed[-1]}" if len(listed) < 5 else f"{listed[0]} to {listed[-1]}"
        issues.append(Issue("nonuniform_spacing_resampled", f"Gaps of {text} mm become {median:.1f} mm."))
    count = int(np.floor((along[-1] - along[0]) / median + 1e-3)) + 1
    targets = along[0] + median * np.arange(count)
    return median, np.interp(targets, along, np.arange(len(along), dtype=np.float64))


def _sideways(
    positions: NDArray,
    along: NDArray,
    directions: NDArray,
    pixel_spacing: tuple[float, float],
    issues: list[Issue],
    facts: dict[str, Any],
) -> tuple[NDArray | None, tuple[int, int], NDArray | None]:
    """Rule 11: how far each slice lies sideways of the first, in pixels on a grid wide enough to hold them all.

    Returns the shifts (None: no tilt), how many rows and columns the grid gains, and where the grid starts from the
    first slice's corner in pixels (None with no shifts: refused).
    """
    drift = (positions - positions[0]) @ directions[:, 1:]  # (n, 2) mm along j and i
    spread = drift - np.outer(along - along[0], (drift[-1]) / (along[-1] - along[0]))
    per_slice = np.abs(np.diff(drift, axis=0)).max()
    if per_slice <= DRIFT_MM:
        return None, (0, 0), np.zeros(2)
    if np.abs(spread).max() > max(1.0, max(pixel_spacing)):
        issues.append(Issue("invalid_geometry", "The slices jump sideways; they are no straight stack."))
        return None, (0, 0), None
    total = drift[-1]
    length = float(along[-1] - along[0])
    facts["tilt_degrees"] = round(float(np.degrees(np.arctan2(np.linalg.norm(total), length))), 1)
    facts["shear_mm"] = round(float(np.linalg.norm(total)), 1)
    issues.append(
        Issue(
            "gantry_tilt_corrected",
            f"The gantry was tilted by {facts['tilt_degrees']:.1f}°; slices are sheared back by their positions, "
            f"largest shift {facts['shear_mm']:.1f} mm.",
        )
    )
    pixels = drift / np.asarray(pixel_spacing)
    pixels[:, np.abs(total) < DRIFT_MM] = 0.0
    start = np.floor(pixels.min(axis=0) + 1e-6)
    shifts = pixels - start
    extent = np.ceil(shifts.max(axis=0) - 1e-6).astype(int)
    return shifts, (int(extent[0]), int(extent[1])), start
