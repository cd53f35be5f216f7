"""What is asked and answered when an algorithm runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recon_engine.contract.algorithms import Code
from recon_engine.contract.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconstructionRequest(Record):
    """`inputs` maps a modality (or "" when there is one) to a file or folder: DICOM, NIfTI, or a prepared series."""

    algorithm: str
    inputs: Mapping[str, str]
    out: str
    version: str = ""  # "" takes the newest
    parameters: Mapping[str, Any] = field(default_factory=dict)
    device: str = ""  # "" chooses; "cpu", "cuda:0"
    profile: bool = False
    threads: int = 0  # 0 lets the engine choose


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentResult(Record):
    number: int
    label: str
    colour: str
    category: Code
    type: Code
    voxels: int
    volume_ml: float | None  # None where spacing is unknown; counted from voxels
    triangles: int
    node: str  # name of the node in surfaces.glb
    centroid_mm: tuple[float, float, float] | None
    bounds_mm: tuple[float, ...] | None  # x0 x1 y0 y1 z0 z1


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconstructionResult(Record):
    """A result folder. `manifest.json` in it is this record; `files` maps each other file to its SHA-256.

    labelmap.nii.gz      uint8 SegmentNumbers on the grid of the source volume
    labelmap.u8.gz       the same voxels raw, C order (k, j, i), gzip, for the browser
    surfaces.glb         plain GLB: one node per segment under one root; LPS mm in the vertices
    surfaces.browser.glb the same with EXT_meshopt_compression and KHR_mesh_quantization
    """

    algorithm: str
    version: str
    engine_version: str
    weights_sha256: str
    preprocessing_sha256: str
    device: str
    source_uids: tuple[str, ...]
    source_sha256: tuple[str, ...]
    shape: tuple[int, int, int]
    affine: tuple[tuple[float, ...], ...]
    frame_of_reference_uid: str | None
    segments: tuple[SegmentResult, ...]
    warnings: tuple[str, ...]  # sentences: "unlike training data: spacing 5 mm, trained on 1 mm"
    seconds: Mapping[str, float]  # per stage
    peak_memory_mib: float
    metrics: Mapping[str, Any]
    files: Mapping[str, str]
    licence: str
    attribution: str
