"""What whoever may see a segmentation is told of it, on result:<study id> or on reading:<id>."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class SegmentationReady(Event):
    """`segmentation` as GET /api/segmentations/{id}/ answers it."""

    type: ClassVar[str] = "segmentation.ready"
    segmentation: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SegmentationDamaged(Event):
    """A stored file of it failed its integrity check and was set aside; running it again makes a new one."""

    type: ClassVar[str] = "segmentation.damaged"
    segmentation_id: UUID
    artefact: str


@dataclass(frozen=True, kw_only=True)
class SegmentationEdited(Event):
    """One operation more. Its voxels (the effect) are asked for by number; `segments` are rows new or changed."""

    type: ClassVar[str] = "segmentation.edited"
    segmentation_id: UUID
    operation: Mapping[str, Any]
    segments: list[Mapping[str, Any]]
    removed: list[int]


@dataclass(frozen=True, kw_only=True)
class SurfaceRemade(Event):
    """Surfaces of an edited segmentation have caught up with its voxels; `segments` are their rows."""

    type: ClassVar[str] = "surface.remade"
    segmentation_id: UUID
    segments: list[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class VersionSaved(Event):
    """Somebody gave the state of an edited segmentation a name."""

    type: ClassVar[str] = "version.saved"
    segmentation_id: UUID
    version: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ComparisonReady(Event):
    """A comparison the person asked for has been made, or could not be; GET /api/comparisons/{id}/ answers it."""

    type: ClassVar[str] = "comparison.ready"
    comparison_id: UUID
    study_id: UUID
