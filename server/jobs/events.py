"""What a job's stream is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class JobQueued(Event):
    type: ClassVar[str] = "job.queued"
    job: Mapping[str, Any]  # selectors.job_json


@dataclass(frozen=True, kw_only=True)
class JobStarted(Event):
    type: ClassVar[str] = "job.started"
    job_id: UUID
    attempt: int
    worker: str
    device: str


@dataclass(frozen=True, kw_only=True)
class JobRequeued(Event):
    """The worker was lost; the job waits for its next attempt."""

    type: ClassVar[str] = "job.requeued"
    job_id: UUID
    attempt: int  # the one that was lost
    reason: str


@dataclass(frozen=True, kw_only=True)
class JobSucceeded(Event):
    type: ClassVar[str] = "job.succeeded"
    job_id: UUID
    result: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class JobFailed(Event):
    type: ClassVar[str] = "job.failed"
    job_id: UUID
    error: Mapping[str, Any]  # code, message, facts


@dataclass(frozen=True, kw_only=True)
class JobCancelled(Event):
    type: ClassVar[str] = "job.cancelled"
    job_id: UUID
    by: UUID | None
