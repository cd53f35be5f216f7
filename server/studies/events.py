"""What people who may see a study, or who brought files in, are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from server.realtime.events import Event
from server.realtime.registry import register_stream
from server.studies import sealing, selectors


@dataclass(frozen=True, kw_only=True)
class StudyCreated(Event):
    """On project:<id>, so that an open worklist can show the new row."""

    type: ClassVar[str] = "study.created"
    study_id: UUID


@dataclass(frozen=True, kw_only=True)
class SeriesImported(Event):
    """`series` as GET /api/series/{id}/ answers it."""

    type: ClassVar[str] = "series.imported"
    series: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StudyChanged(Event):
    """`study` holds the fields of the study's row that are the same for everybody."""

    type: ClassVar[str] = "study.changed"
    study: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StudyBinned(Event):
    type: ClassVar[str] = "study.binned"
    study_id: UUID
    binned_at: str


@dataclass(frozen=True, kw_only=True)
class StudyRestored(Event):
    type: ClassVar[str] = "study.restored"
    study_id: UUID


@dataclass(frozen=True, kw_only=True)
class StudyErased(Event):
    """The last event of a study's stream: everything before it is removed with the study."""

    type: ClassVar[str] = "study.erased"
    study_id: UUID


@dataclass(frozen=True, kw_only=True)
class TransformAdded(Event):
    """`transform` as GET /api/studies/{id}/transforms/ lists it."""

    type: ClassVar[str] = "transform.added"
    transform: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TransformRemoved(Event):
    type: ClassVar[str] = "transform.removed"
    transform_id: UUID


@dataclass(frozen=True, kw_only=True)
class IntakeInspected(Event):
    """On user:<id>: the findings can be fetched."""

    type: ClassVar[str] = "intake.inspected"
    intake_id: UUID


@dataclass(frozen=True, kw_only=True)
class IntakeImported(Event):
    type: ClassVar[str] = "intake.imported"
    intake_id: UUID
    study_ids: list[str]


@dataclass(frozen=True, kw_only=True)
class IntakeFailed(Event):
    """`error` has code and message; a message names files only to the person who sent them."""

    type: ClassVar[str] = "intake.failed"
    intake_id: UUID
    error: Mapping[str, Any]


register_stream("study", may_see=selectors.may_see_study)
register_stream("result", may_see=sealing.may_see_result)
register_stream("project", may_see=selectors.may_see_project)
