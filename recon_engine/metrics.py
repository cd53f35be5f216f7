"""How well two labelmaps agree, in words and units people know; every number says how it was made.

Distances are between surface voxels' centres in mm (spacing as given, (k, j, i)); a surface voxel is a labelled voxel
with an unlabelled face neighbour or on the border of the array. Checked in the tests against a second implementation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFINITIONS: dict[str, tuple[str, str]] = {
    "dice": ("Dice: 2 |A and B| / (|A| + |B|) over voxels; 1 where both are empty", ""),
    "hd95_mm": (
        "HD95: the larger of the two 95th percentiles of the distance from each surface voxel of one to the "
        "nearest surface voxel of the other",
        "mm",
    ),
    "assd_mm": (
        "ASSD: mean over all surface voxels of both of the distance to the nearest surface voxel of the other",
        "mm",
    ),
    "volume_error_percent": ("Volume error: |A - B| / B x 100, voxels of result A and truth B", "%"),
    "ef_error": ("Error of the ejection fraction: |found - true|, each (ED - ES) / ED of areas summed over slices", ""),
    "volume_ml": ("Volume of the result: voxels x voxel volume", "mL"),
    "truth_volume_ml": ("Volume of the truth: voxels x voxel volume", "mL"),
}
LOWER_IS_WORSE = {"dice"}


def dice(found: NDArray, truth: NDArray) -> float:
    """Overlap of two boolean arrays of one shape: 0 to 1, 1 where both are empty."""
    total = int(found.sum()) + int(truth.sum())
    return 1.0 if total == 0 else 2.0 * int((found & truth).sum()) / total


def surface_distances(found: NDArray, truth: NDArray, spacing_mm: Sequence[float]) -> tuple[NDArray, NDArray] | None:
    """Distances in mm from each surface voxel of `found` to `truth` and the reverse; None where either is empty."""
    from scipy import ndimage

    if not found.any() or not truth.any():
        return None
    both = np.argwhere(found | truth)
    part = tuple(slice(a, b + 1) for a, b in zip(both.min(0), both.max(0), strict=True))
    edges = []
    for mask in (found, truth):
        padded = np.pad(mask[part], 1)
        edges.append(padded & ~ndimage.binary_erosion(padded))
    away = [ndimage.distance_transform_edt(~edge, sampling=spacing_mm) for edge in edges]
    return away[1][edges[0]], away[0][edges[1]]


def hd95(distances: tuple[NDArray, NDArray]) -> float:
    """The larger 95th percentile of the two directed surface distances, mm."""
    return float(max(np.percentile(distances[0], 95), np.percentile(distances[1], 95)))


def assd(distances: tuple[NDArray, NDArray]) -> float:
    """Mean of all surface distances of both directions, mm."""
    return float(np.concatenate(distances).mean())


def compare(found: NDArray, truth: NDArray, spacing_mm: Sequence[float]) -> dict[str, float | None]:
    """All metrics of one segment. None: not defined, because one of the two is empty."""
    found, truth = found.astype(bool), truth.astype(bool)
    millilitres = float(np.prod(spacing_mm)) / 1000
    distances = surface_distances(found, truth, spacing_mm)
    true_voxels = int(truth.sum())
    error = abs(int(found.sum()) - true_voxels) / true_voxels * 100 if true_voxels else None
    return {
        "dice": dice(found, truth),
        "hd95_mm": hd95(distances) if distances else None,
        "assd_mm": assd(distances) if distances else None,
        "volume_error_percent": error,
        "volume_ml": int(found.sum()) * millilitres,
        "truth_volume_ml": true_voxels * millilitres,
    }


def bootstrap_interval(
    values: Sequence[float], *, level: float = 0.95, repeats: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean over cases drawn again with replacement; equal seeds, equal intervals."""
    sample = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(seed).integers(0, len(sample), (repeats, len(sample)))
    means = sample[drawn].mean(axis=1)
    low, high = np.percentile(means, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)


def summarise(cases: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Per metric of the cases ("anterior.dice"): mean, interval, worst case, n, definition, unit.

    Cases where a metric is not defined are left out of it and counted in `missing`.
    """
    summary = {}
    for metric in metrics:
        have = [(float(case[metric]), str(case["case"])) for case in cases if case.get(metric) is not None]
        base = metric.rpartition(".")[2]
        definition, unit = DEFINITIONS.get(base, (base, ""))
        row: dict[str, Any] = {"mean": None, "low": None, "high": None, "worst": None, "worst_case": None}
        if have:
            values = [value for value, _ in have]
            worst = min(have) if base in LOWER_IS_WORSE else max(have)
            low, high = bootstrap_interval(values)
            row = {"mean": float(np.mean(values)), "low": low, "high": high, "worst": worst[0], "worst_case": worst[1]}
        summary[metric] = row | {
            "n": len(have),
            "missing": len(cases) - len(have),
            "definition": definition,
            "unit": unit,
            "interval": "95 % bootstrap over cases, 2000 repeats",
        }
    return summary
