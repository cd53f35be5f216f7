"""What is told of threads. Events carry ids only: text, names and times depend on who asks, so the page asks again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class ThreadOpened(Event):
    """`version` is the thread's: whoever knows an older one asks for GET /api/threads/{id}/."""

    type: ClassVar[str] = "thread.opened"
    thread_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class ThreadResolved(Event):
    type: ClassVar[str] = "thread.resolved"
    thread_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class ThreadReopened(Event):
    type: ClassVar[str] = "thread.reopened"
    thread_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class CommentAdded(Event):
    type: ClassVar[str] = "comment.added"
    thread_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class CommentEdited(Event):
    type: ClassVar[str] = "comment.edited"
    thread_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class NoticeAdded(Event):
    """On user:<id>: the bell rings."""

    type: ClassVar[str] = "notice.added"
    notice_id: UUID


@dataclass(frozen=True, kw_only=True)
class NoticesRead(Event):
    """On user:<id>: other windows of the person hear that the bell was looked at."""

    type: ClassVar[str] = "notices.read"
    count: int
