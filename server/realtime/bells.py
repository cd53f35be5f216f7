"""Doorbells: a few bytes through Redis that say "look". They carry no content and may be lost.

What is true stands in PostgreSQL; a browser whose bell was lost catches up at the next bell or the next round of
`server.realtime.watch`. So a Redis that is away never fails the act that rang.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

log = logging.getLogger("lamina.realtime")
_QUIET_SECONDS = 30.0
_last_complaint = -_QUIET_SECONDS


def group_of(stream: str) -> str:
    """The channel group of a stream: group names take no colon."""
    return stream.replace(":", ".")


def room_group(room: str) -> str:
    """Where who is in a room hears the others. Not the stream's own group: not everybody who reads is inside."""
    return f"room.{group_of(room)}"


def personal_group(user_id: Any) -> str:
    """Every socket of a person listens here, subscribed or not: sign-out and role changes ring this bell."""
    return group_of(f"user:{user_id}")


def ring(messages: Sequence[tuple[str, dict[str, Any]]]) -> bool:
    """Send each (group, message). Returns False when Redis did not take them; never raises for that."""
    if not messages:
        return True
    try:
        async_to_sync(_send)(messages)
    except Exception as error:  # a bell may be lost whatever the client library raises
        complain(error)
        return False
    return True


async def _send(messages: Sequence[tuple[str, dict[str, Any]]]) -> None:
    layer = get_channel_layer()
    for group, message in messages:
        await layer.group_send(group, message)


def complain(error: Exception) -> None:
    """One line now and then: an outage must not fill the log."""
    global _last_complaint
    now = time.monotonic()
    if now - _last_complaint >= _QUIET_SECONDS:
        _last_complaint = now
        log.warning("live updates are delayed: Redis does not answer (%s)", type(error).__name__)
