"""What a person's own browsers are told about the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class MembershipChanged(Event):
    """A role was given, changed or taken. Sockets ask for permission again."""

    type: ClassVar[str] = "membership.changed"
    project_id: UUID
    role: str | None


@dataclass(frozen=True, kw_only=True)
class SessionsEnded(Event):
    """Signed out everywhere: password changed, or an admin ended the sessions."""

    type: ClassVar[str] = "sessions.ended"
    reason: str
