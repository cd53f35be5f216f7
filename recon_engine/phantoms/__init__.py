"""Phantoms: volumes whose truth is known because formulae drew them. No person is in them.

python -m recon_engine.phantoms OUT --seed N --kind torso     writes a DICOM CT series
"""

from pathlib import Path

from recon_engine.phantoms.calibrated import INSERTS, calibrated_phantom, sphere_phantom
from recon_engine.phantoms.series import write_ct_series
from recon_engine.phantoms.torso import TORSO_NAMES, Lesion, Phantom, make_torso, torso_phantom

__all__ = [
    "INSERTS",
    "TORSO_NAMES",
    "Lesion",
    "Phantom",
    "calibrated_phantom",
    "make_torso",
    "sphere_phantom",
    "torso_phantom",
    "write_ct_series",
    "write_demo_ct",
    "write_phantom",
]

KINDS = ("torso", "sphere", "calibrated")


def write_phantom(folder: str | Path, kind: str = "torso", seed: int = 0, spacing_mm: float = 2.0) -> Phantom:
    """Make one phantom and write it as a DICOM CT series into `folder`. Raises ValueError for an unknown kind."""
    if kind == "torso":
        made, name, words = make_torso(seed, spacing_mm), f"torso-{seed}-{spacing_mm:g}", "Torso phantom, CT"
    elif kind == "sphere":
        made, name, words = sphere_phantom(spacing_mm=(spacing_mm,) * 3), f"sphere-{spacing_mm:g}", "Ball phantom, CT"
    elif kind == "calibrated":
        made, name, words = calibrated_phantom(), "calibrated", "Calibrated phantom, CT"
    else:
        raise ValueError(f"there is no phantom {kind!r}; take one of {', '.join(KINDS)}")
    write_ct_series(made.ct, folder, name, words)
    return made


def write_demo_ct(folder: str | Path) -> None:
    """The demo's CT phantom as one DICOM series."""
    write_phantom(folder, "torso", seed=1)
