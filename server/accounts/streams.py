"""Who may hear the stream user:<id>: that person alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from server.realtime.registry import register_stream


def _may_hear_user(user: Any, owner_id: UUID) -> bool:
    return bool(user.is_active and str(user.pk) == str(owner_id))


register_stream("user", may_see=_may_hear_user)
