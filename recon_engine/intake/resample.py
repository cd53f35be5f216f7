"""Shear a leaning stack upright and put slices at even distances: one pass, linear, slice by slice.

With the shears taken from the slice positions this is trilinear interpolation in the patient's space. A value is
only mixed from stored ones; beyond them stands `outside`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recon_engine.intake.geometry import Plan


def place_slices(values: NDArray, plan: Plan, outside: float) -> NDArray:
    """(n, rows, columns) ordered slices -> (k, j, i) on the plan's grid, of the same type."""
    result = np.empty(plan.shape, values.dtype)
    upright: dict[int, NDArray] = {}

    def slice_at(n: int) -> NDArray:
        if n not in upright:
            upright[n] = _shifted(values[n], plan, n, outside)
            for old in [key for key in upright if key < n - 2]:
                del upright[old]
        return upright[n]

    places = plan.planes if plan.planes is not None else np.arange(len(values), dtype=np.float64)
    for k, place in enumerate(places):
        below = min(int(place), len(values) - 1)
        weight = place - below
        plane = slice_at(below)
        if weight > 1e-6 and below + 1 < len(values):
            plane = plane * np.float32(1 - weight) + slice_at(below + 1) * np.float32(weight)
        result[k] = np.rint(plane) if values.dtype.kind == "i" else plane
    return result


def _shifted(pixels: NDArray, plan: Plan, n: int, outside: float) -> NDArray:
    """One slice at its place on the wider grid, float32 (rows, columns)."""
    if plan.shifts is None:
        return pixels.astype(np.float32)
    _, rows, columns = plan.shape
    j, i = plan.shifts[n]
    moved = _shift_axis(pixels.astype(np.float32), float(j), rows, outside)
    return _shift_axis(moved.T, float(i), columns, outside).T


def _shift_axis(pixels: NDArray, shift: float, length: int, outside: float) -> NDArray:
    """Move rows down by `shift` pixels onto `length` rows; a part of a pixel mixes the two rows it falls between."""
    whole = int(np.floor(shift + 1e-6))
    part = np.float32(max(0.0, shift - whole))
    wide = np.full((length + 1, pixels.shape[1]), np.float32(outside), np.float32)
    wide[whole : whole + len(pixels)] = pixels
    if part < 1e-5:
        return wide[:length]
    lower = np.empty_like(wide)
    lower[0], lower[1:] = np.float32(outside), wide[:-1]
    mixed = wide * (1 - part) + lower * part
    return mixed[:length]
