"""What is told of key images and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class KeyImageKept(Event):
    """On result:<study> or reading:<id>."""

    type: ClassVar[str] = "key_image.kept"
    key_image_id: UUID


@dataclass(frozen=True, kw_only=True)
class KeyImageRemoved(Event):
    type: ClassVar[str] = "key_image.removed"
    key_image_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReportReady(Event):
    """On user:<id> of the person who asked for it."""

    type: ClassVar[str] = "report.ready"
    report_id: UUID
    study_id: UUID
