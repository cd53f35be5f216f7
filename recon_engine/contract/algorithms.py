"""What an algorithm says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recon_engine.contract.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Code(Record):
    """A coded concept, DICOM PS3.3 section 8.8."""

    value: str
    scheme: str  # "SCT", "RADLEX", "99LAMINA"
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentDescription(Record):
    """A segment an algorithm can make (SegmentNumber, SegmentLabel, category and type of DICOM PS3.3 C.8.20.4)."""

    number: int
    label: str
    colour: str  # "#RRGGBB"
    category: Code
    type: Code


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter(Record):
    """One field of the form a reconstruction is started from."""

    name: str
    title: str
    kind: str  # "integer" | "number" | "boolean" | "choice"
    default: float | int | bool | str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    help: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlgorithmDescription(Record):
    """What `describe` says of one AlgorithmVersion. `inputs` names the modalities, one volume each."""

    name: str
    version: str
    title: str
    summary: str
    inputs: tuple[str, ...]  # ("CT",), ("MR",), ("CT", "PT", "MR")
    segments: tuple[SegmentDescription, ...]
    parameters: tuple[Parameter, ...] = ()
    intended_for: str = "patient"  # "patient" | "phantom" (then refused on anything else) | "any"
    body_part: str = ""
    status: str = "in service"  # or "experimental"
    minimum_slices: int = 8
    maximum_spacing_mm: float | None = None  # largest voxel edge the algorithm takes
    weights_sha256: str = ""  # "" for an algorithm without training
    licence: str = "Apache-2.0"
    attribution: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)  # measured numbers, data, split, known failures
