"""The records that cross the engine's door.

Everything here is frozen, holds plain values and names folders on disk; it imports nothing heavy, so the web
process may load it. Shapes and spacings are in array order (k, j, i); points and affines are LPS millimetres
(DICOM PS3.3 C.7.6.2.1.1: x to the patient's left, y to the back, z to the head).
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

ENGINE_VERSION = "0.1.0"


class Record:
    """Base of all records: a dataclass that goes to JSON and comes back equal."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries and lists, ready for JSON."""
        return dataclasses.asdict(self)  # type: ignore[call-overload]

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True, allow_nan=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a record. Raises ValueError naming an unknown or missing field."""
        hints = typing.get_type_hints(cls)
        known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        unknown = set(values) - set(known)
        if unknown:
            raise ValueError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
        try:
            return cls(**{name: _revive(hints[name], value) for name, value in values.items()})
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from None


def _revive(hint: Any, value: Any) -> Any:
    """Turn JSON lists back into tuples and dictionaries back into records, as the type hint says."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if value is None:
        return None
    if origin in (typing.Union, types.UnionType):
        inner = [a for a in arguments if a is not type(None)]
        return _revive(inner[0], value) if len(inner) == 1 else value
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_revive(arguments[0], v) for v in value)
        return tuple(_revive(a, v) for a, v in zip(arguments, value, strict=True))
    if isinstance(hint, type) and issubclass(hint, Record):
        return value if isinstance(value, hint) else hint.from_dict(value)
    return value


class EngineError(Exception):
    """A refusal or failure with a stable code, a sentence for people and facts for the log.

    `code` is one of PROMISES' reason codes or: not_found, out_of_memory, cancelled, bad_request, internal.
    `message` names the thing, the rule and the cure. It never holds patient data.
    """

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts


# --- progress ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress(Record):
    """One step of a long verb."""

    phase: str  # "read" | "preprocess" | "locate" | "infer" | "postprocess" | "surface" | "write" | ...
    fraction: float  # 0 to 1 over the whole job
    detail: str = ""  # real work units, "tile 19 of 50"


OnProgress = Callable[[Progress], None]
"""Called at every real unit of work. It may raise EngineError("cancelled", ...) to stop the verb."""


def no_progress(progress: Progress) -> None:
    """For callers that do not watch."""


# --- what the algorithms are ------------------------------------------------------------------------------------


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


# --- intake -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeFinding(Record):
    """What inspection says of one series. JSON key `verdict` in the shell is `verdict` here too."""

    key: str  # stable within one inspection: the series UID, or the file's relative path
    series_instance_uid: str | None
    study_instance_uid: str | None
    modality: str | None  # None for NIfTI: the person says what it is
    description: str
    files: tuple[str, ...]  # relative to the inspected path, in slice order when known
    shape: tuple[int, ...] | None  # (k, j, i) of the volume that would be made
    spacing_mm: tuple[float, ...] | None
    verdict: str  # "accept" | "warn" | "refuse"
    reasons: tuple[str, ...]  # codes, refusing ones first
    message: str  # file, rule and cure in one or two sentences
    facts: Mapping[str, Any] = field(default_factory=dict)  # tilt_degrees, gaps_mm, phantom, frame_of_reference_uid ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TagChange(Record):
    """One row of the before / after table. `before` identifies people: encrypt it, show it, destroy it."""

    tag: str  # "(0010,0010)"
    keyword: str
    name: str
    before: str
    after: str
    action: str  # "replaced" | "removed" | "kept" | "shifted"


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectResult(Record):
    findings: tuple[IntakeFinding, ...]
    ignored: tuple[tuple[str, str], ...] = ()  # (file, reason code) of files that are no image at all


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareRequest(Record):
    """Make stored series out of inspected ones: replace identifiers, write instances, volume, preview.

    `source` is the folder or file that was inspected. Nothing outside `out` is written.
    `uid_key` (hex, 32 bytes) keys the HMAC that replaces UIDs under 2.25; the same key gives the same UIDs.
    """

    source: str
    out: str
    pseudonym: str
    uid_key: str
    date_shift_days: int
    keys: tuple[str, ...]  # which findings to take
    modality_by_key: Mapping[str, str] = field(default_factory=dict)  # for NIfTI and picture stacks
    as_stack: bool = False  # PNG or JPEG pictures as one series
    stack_modality: str = ""
    stack_spacing_mm: tuple[float, ...] | None = None  # (k, j, i); None: unknown, no mm anywhere
    confirmed_keys: tuple[str, ...] = ()  # withheld series (burned-in text, captures) a person has looked at


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedInstance(Record):
    sop_instance_uid: str
    path: str  # relative to `out`; a DICOM, NIfTI or picture file without direct identifiers
    number: int  # position along the normal, from 0
    sop_class_uid: str = ""
    transfer_syntax_uid: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseFiles(Record):
    """One volume of a series that holds several of the same place. `value` is what tells it from the others.

    `kind`: "time" (ms from the trigger or the first one), "b" (s/mm2), "echo" (ms), or "number" (counted from 1).
    """

    voxels: str  # as VolumeFiles.voxels; the first phase's is that file
    slope: float
    intercept: float
    value: float
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeFiles(Record):
    """The volume as the browser takes it. value = stored * slope + intercept; voxel (k, j, i) at affine @ (k, j, i, 1).

    `voxels` is raw little-endian int16, C order (k, j, i), slice k at byte k*j*i*2: byte ranges fetch slices.
    `preview` is gzip of uint8 at about a quarter of the resolution, 0..255 over `preview_range`.
    `thumbnail` is a 264x192 PNG of the middle slice. Paths are relative to the result folder.
    """

    voxels: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None  # None: unknown spacing
    affine: tuple[tuple[float, ...], ...]  # 4x4, column order (k, j, i, 1) -> LPS mm
    slope: float
    intercept: float
    unit: str  # "HU", "SUV", "" (arbitrary)
    value_range: tuple[float, float]
    window: tuple[float, float]  # width, level to open with
    automatic_window: tuple[float, float]  # 1st to 99th percentile of voxels above 0
    preview: str
    preview_shape: tuple[int, int, int]
    preview_affine: tuple[tuple[float, ...], ...]
    preview_range: tuple[float, float]
    thumbnail: str
    phases: tuple[PhaseFiles, ...] = ()  # all of a 4D series, the first included; none where there is one volume


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedSeries(Record):
    finding: IntakeFinding  # with replaced UIDs and without file names
    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str | None
    modality: str
    description: str
    series_number: int | None
    study_date: str | None  # ISO date, shifted
    study_description: str
    patient_age: str | None
    patient_sex: str | None
    instances: tuple[PreparedInstance, ...]
    changes: tuple[TagChange, ...]  # without `before` values of removed identifiers
    volume: VolumeFiles | None  # None: kept, but refused as a volume
    pictures: tuple[str, ...] = ()  # PNG per instance where there is no volume (2D images, scouts)


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareResult(Record):
    series: tuple[PreparedSeries, ...]


# --- reconstruction ---------------------------------------------------------------------------------------------


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


# --- editing ----------------------------------------------------------------------------------------------------


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


# --- comparing --------------------------------------------------------------------------------------------------


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
