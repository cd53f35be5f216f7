"""Whether an algorithm fits a series, and if not, why: sentences a person can act on. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from recon_engine.contract import AlgorithmDescription

MODALITY_NAMES = {"CT": "CT", "MR": "MR", "PT": "PET", "CR": "X-ray (CR)", "DX": "X-ray (DX)"}


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """What fit needs to know of one stored series. `shape` and `spacing_mm` are (k, j, i)."""

    modality: str | None
    shape: tuple[int, ...] | None = None
    spacing_mm: tuple[float, ...] | None = None  # None: unknown
    phantom: bool = False
    verdict: str = "accept"  # of its IntakeFinding
    is_volume: bool = True
    reasons: tuple[str, ...] = ()  # codes of its IntakeFinding


def fit(description: AlgorithmDescription, facts: SeriesFacts) -> tuple[str, ...]:
    """Why `description` cannot take this series, one sentence per reason; empty means it fits.

    An algorithm of several inputs fits a series of any of its modalities: the form asks for the others.
    """
    name = description.name
    if facts.verdict == "refuse" or not facts.is_volume or facts.shape is None or len(facts.shape) != 3:
        return ("The series is not a volume, so no algorithm takes it.",)
    why: list[str] = []
    if facts.modality not in description.inputs:
        wanted = " or ".join(MODALITY_NAMES.get(m, m) for m in description.inputs)
        given = MODALITY_NAMES.get(facts.modality or "", facts.modality or "unknown")
        why.append(f"The series is {given}; {name} takes {wanted}.")
    if description.intended_for == "phantom" and not facts.phantom:
        why.append(f"{name} is made for phantoms and this series is not marked as one.")
    if description.intended_for == "patient" and facts.phantom:
        why.append(f"{name} is made for patients and this series is a phantom.")
    slices = facts.shape[0]
    if slices < description.minimum_slices:
        why.append(f"The series has {slices} slices; {name} needs at least {description.minimum_slices}.")
    if facts.spacing_mm is None:
        if description.maximum_spacing_mm is not None:
            why.append(f"The spacing is unknown; {name} needs it in millimetres.")
    elif description.maximum_spacing_mm is not None:
        largest = max(facts.spacing_mm)
        if largest > description.maximum_spacing_mm + 1e-3:
            what = "Slices are" if largest == facts.spacing_mm[0] else "Voxels are"
            why.append(f"{what} {largest:.1f} mm apart; {name} takes up to {description.maximum_spacing_mm:.1f} mm.")
    return tuple(why)
