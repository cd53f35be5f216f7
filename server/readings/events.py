"""What everybody who may see a study is told of the marks on it. What a person typed stays out of events: `annotation`
carries `name_version`, and who knows an older one asks for the annotation itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class AnnotationAdded(Event):
    """`annotation` as GET /api/annotations/{id}/ answers it, without `name`."""

    type: ClassVar[str] = "annotation.added"
    operation_id: UUID
    annotation: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AnnotationChanged(Event):
    type: ClassVar[str] = "annotation.changed"
    operation_id: UUID
    annotation: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AnnotationDeleted(Event):
    type: ClassVar[str] = "annotation.deleted"
    operation_id: UUID
    annotation_id: UUID
    version: int
    changed_by: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class AnnotationRestored(Event):
    type: ClassVar[str] = "annotation.restored"
    operation_id: UUID
    annotation: Mapping[str, Any]
