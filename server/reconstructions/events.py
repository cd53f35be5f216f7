"""What everybody who may see a study is told of its reconstructions."""

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
