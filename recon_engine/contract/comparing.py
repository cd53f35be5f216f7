"""What is asked and answered when labelmaps are held against one another, or made into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recon_engine.contract.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentPair(Record):
    """One thing as both labelmaps have it: the labels that make it up on each side, () where one has none.

    The first label of a side is the segment's own; others are inside it and count as part of it.
    """

    number: int  # how it is called in the answer
    label: str
    colour: str
    left: tuple[int, ...]
    right: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareRequest(Record):
    """How far apart are two labelmaps? Piece folders (recon_engine.pieces) or NIfTI files; left is A, right is B.

    Where they lie on different grids, voxels are counted on the left one's. `right_to_left` (4 x 4, LPS mm) brings the
    right one over where the frames of reference differ; None: they share one. `witnesses` (name -> piece or file on the
    left grid, numbered as the left one) are asked at every place whether they hold with A or with B.
    """

    left: str
    right: str
    pairs: tuple[SegmentPair, ...]
    out: str
    right_to_left: tuple[tuple[float, ...], ...] | None = None
    witnesses: Mapping[str, str] = field(default_factory=dict)
    threads: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentAgreement(Record):
    """mm and mL are None where the spacing is unknown, distances also where one of both is empty."""

    number: int
    label: str
    colour: str
    voxels_a: int
    voxels_b: int
    dice: float
    hd95_mm: float | None
    assd_mm: float | None
    max_mm: float | None  # largest distance between the surfaces
    volume_a_ml: float | None
    volume_b_ml: float | None
    volume_difference_percent: float | None  # (B - A) / A


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceOfDifference(Record):
    """One connected place where A and B differ. Points are LPS mm in the left one's frame; None: spacing unknown."""

    n: int  # 1 is the largest
    key: str  # "<segment number>:<lowest voxel>": the same place of the same two labelmaps for ever
    number: int  # of the segment
    label: str
    side: str  # "a_only" | "b_only": which goes further
    voxels: int
    volume_ml: float | None
    max_mm: float | None  # positive where B goes further; None: the other has no such segment, or spacing is unknown
    centroid_mm: tuple[float, ...] | None
    point_mm: tuple[float, ...] | None  # on the surface that goes further, where it does most
    middle_mm: tuple[float, ...] | None  # from there halfway to the other: planes through it show both outlines
    bounds_mm: tuple[float, ...] | None  # x0 x1 y0 y1 z0 z1
    witnesses: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # name -> like_a, like_b: shares of 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareResult(Record):
    """The folder holds, with their SHA-256 in `files`:

    left.browser.glb, right.browser.glb   surfaces for the browser, LPS mm of the left frame; vertex attribute
                                          _DISTANCE_MM: mm to the other surface, positive outside it
    left.u8.gz, right.u8.gz               both as numbers of pairs: uint8, C order (k, j, i) of the left grid, gzip
    places.i64                            little-endian int64 rows: start, length, n of every run of voxels of a region,
                                          C order (k, j, i) of the left grid
    """

    segments: tuple[SegmentAgreement, ...]
    regions: tuple[PlaceOfDifference, ...]  # largest first
    regions_left_out: int  # more, smaller ones that are not told one by one
    voxels_left_out: int
    definitions: Mapping[str, str]
    files: Mapping[str, str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class CombineRequest(Record):
    """Make one labelmap of several readers': "union", "majority" or "staple" (recon_engine.comparing.combining).

    Numbers mean the same thing in all of them. `segments`: () takes all there are. The folder gets labelmap.u8 (uint8,
    C order (k, j, i)); with `whole` labelmap.nii.gz too.
    """

    labelmaps: tuple[str, ...]
    method: str
    out: str
    segments: tuple[int, ...] = ()
    whole: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderPerformance(Record):
    """What STAPLE makes of one reader and one segment. `reader` counts the labelmaps from 0."""

    number: int
    reader: int
    sensitivity: float
    specificity: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CombineResult(Record):
    method: str
    voxels: Mapping[str, int]  # segment number -> voxels in the combined labelmap
    performances: tuple[ReaderPerformance, ...]  # of STAPLE; () else
    files: Mapping[str, str]
    seconds: Mapping[str, float]
