"""What is told of cases and readings. Ids only: whoever hears of it asks again, as themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class CaseMoved(Event):
    """On study:<id>: the case reached another stage or state, or was opened."""

    type: ClassVar[str] = "case.moved"
    case_id: UUID


@dataclass(frozen=True, kw_only=True)
class ProtocolChanged(Event):
    """On project:<id>."""

    type: ClassVar[str] = "protocol.changed"
    project_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReadingBegun(Event):
    """On reading:<id>, as the next three."""

    type: ClassVar[str] = "reading.begun"
    reading_id: UUID
    segmentation_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReadingCommitted(Event):
    type: ClassVar[str] = "reading.committed"
    reading_id: UUID
    seq: int


@dataclass(frozen=True, kw_only=True)
class ReadingSubmitted(Event):
    type: ClassVar[str] = "reading.submitted"
    reading_id: UUID
    seq: int


@dataclass(frozen=True, kw_only=True)
class ReadingWithdrawn(Event):
    type: ClassVar[str] = "reading.withdrawn"
    reading_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReadingAssigned(Event):
    """On user:<id> of the reader."""

    type: ClassVar[str] = "reading.assigned"
    reading_id: UUID
    study_id: UUID


@dataclass(frozen=True, kw_only=True)
class WorklistChanged(Event):
    """On user:<id>: the own list, or a list of cases the person leads."""

    type: ClassVar[str] = "worklist.changed"
    case_id: UUID
