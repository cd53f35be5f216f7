"""What is asked and answered when files come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recon_engine.contract.record import Record


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
