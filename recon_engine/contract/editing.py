"""What is asked and answered when a segment is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recon_engine.contract.algorithms import Code
from recon_engine.contract.reconstruction import SegmentResult
from recon_engine.contract.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentWanted(Record):
    """A segment to make a surface of. `encloses`: numbers inside it, which its surface runs round as well."""

    number: int
    label: str
    colour: str
    category: Code
    type: Code
    encloses: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SurfacesRequest(Record):
    """Make surfaces of a labelmap: a piece folder (recon_engine.pieces) or a NIfTI file.

    With `together` the result folder holds what a result has: surfaces.glb, surfaces.browser.glb and both labelmaps;
    without it one surface-<number>.browser.glb for each segment that has voxels.
    """

    labelmap: str
    segments: tuple[SegmentWanted, ...]
    out: str
    together: bool = False
    threads: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SurfacesResult(Record):
    """`files` maps each file of the folder to its SHA-256."""

    segments: tuple[SegmentResult, ...]
    files: Mapping[str, str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class RefineRequest(Record):
    """Work one change of a labelmap out: a piece folder (recon_engine.pieces) or a NIfTI file.

    `prompt` has `kind` and what that kind takes (recon_engine.refining). `image` is a NIfTI file, a DICOM folder or a
    prepared series; "" where the piece brings its own, or the kind needs none. Nothing is written but below `out`.
    With `whole` the result folder holds labelmap.nii.gz too: the labelmap with the change made.
    """

    labelmap: str
    prompt: Mapping[str, Any]
    out: str
    image: str = ""
    whole: bool = False
    threads: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RefineLayer(Record):
    """Set `label` in the layer's voxels, where one of `over` is now (None: whatever is).

    A label below 0 is a segment that is new: a split makes -1, -2, ...
    """

    label: int
    over: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefineResult(Record):
    """What shall change, layer after layer.

    layers.u8 in the result folder holds the layers' voxels one after another: 1 where the layer speaks, C order
    (k, j, i), of `box` (k0 j0 i0 k1 j1 i1, half-open) on the grid of the labelmap. `changed` counts voxels that really
    get another label.
    """

    layers: tuple[RefineLayer, ...]
    box: tuple[int, int, int, int, int, int]
    changed: int
    facts: Mapping[str, Any]
    seconds: Mapping[str, float]
