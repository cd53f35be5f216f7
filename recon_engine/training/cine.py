"""The set of cine heart slices: PNG pairs, two tables, and what can be said of them without a pixel size.

Laid out as `<case>/<instance>.png` (8-bit grey, the instance in four digits) with `<instance>_endo.png` (the left
ventricle's endocardium) beside it, `slices.csv` and `cases.csv`. Each slice is there at end-diastole and end-systole;
areas are counted in pixels, and a ventricle's size is the sum over its slices, "pixel-slices", never mL.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon_engine.contract import EngineError


@dataclass(frozen=True)
class CineSlice:
    """One labelled picture: `image` (j, i) uint8 and `endocardium` (j, i) bool."""

    case: str
    slice_index: int
    phase_index: int
    image: NDArray
    endocardium: NDArray


@dataclass(frozen=True)
class Beat:
    """Sizes of one ventricle in pixel-slices, and the fraction it throws out (0 to 1)."""

    end_diastole: int
    end_systole: int

    @property
    def ejection_fraction(self) -> float | None:
        """(ED - ES) / ED; None where nothing was found at end-diastole."""
        return (self.end_diastole - self.end_systole) / self.end_diastole if self.end_diastole else None


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(newline="") as handle:
            return list(csv.DictReader(handle))
    except OSError:
        raise EngineError("not_found", f"{file.parent.name}/{file.name} is missing from the set.") from None


def cases(folder: Path) -> dict[str, str]:
    """Case -> pathology, as in cases.csv, sorted. Raises EngineError("not_found")."""
    return {row["case"]: row["pathology"] for row in sorted(_rows(Path(folder) / "cases.csv"), key=lambda r: r["case"])}


def slices(folder: Path, names: Sequence[str]) -> list[CineSlice]:
    """All labelled slices of the cases, base to apex, each phase. Raises EngineError not_found or parse_error."""
    table = _rows(Path(folder) / "slices.csv")
    wanted = set(names)
    if missing := wanted - {row["case"] for row in table}:
        raise EngineError("not_found", f"The set has no case {min(missing)} ({len(missing)} missing in all).")
    found = []
    for row in table:
        if row["case"] not in wanted:
            continue
        stem = Path(folder) / row["case"] / f"{int(row['instance']):04d}"
        found.append(
            CineSlice(
                row["case"],
                int(row["slice_index"]),
                int(row["phase_index"]),
                _picture(stem.with_suffix(".png")),
                _picture(stem.with_name(f"{stem.name}_endo.png")) > 0,
            )
        )
    return sorted(found, key=lambda one: (one.case, one.phase_index, one.slice_index))


def _picture(file: Path) -> NDArray:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            return np.array(picture.convert("L"))
    except FileNotFoundError:
        raise EngineError("not_found", f"{file.parent.name}/{file.name} is missing from the set.") from None
    except (UnidentifiedImageError, OSError) as error:
        raise EngineError("parse_error", f"{file.name} cannot be read as PNG: {type(error).__name__}.") from None


def samples(found: Sequence[CineSlice], box: tuple[int, int, int]) -> tuple[NDArray, NDArray]:
    """As the network sees them: images (N, 1, H, W) float32 and labels (N, 1, H, W) uint8, centred in the box."""
    from recon_engine.recipes.grids import centred, standardised

    images = np.stack([centred(standardised(one.image)[None], box)[0] for one in found])
    labels = np.stack([centred(one.endocardium[None].astype(np.uint8), box)[0] for one in found])
    return images, labels


def beat(sizes: dict[int, int]) -> Beat:
    """From pixel-slices per phase: the largest is end-diastole, the smallest end-systole."""
    return Beat(max(sizes.values(), default=0), min(sizes.values(), default=0))
