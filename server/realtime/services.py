"""Publishing. `publish` belongs inside the transaction of the act it tells about; `nudge` is for progress only."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from server.realtime import bells, registry
from server.realtime.events import Event, to_json_value
from server.realtime.models import Stream, StreamEvent
from server.realtime.selectors import last_numbers

__all__ = [
    "clean_events", "end_session", "erase_stream", "last_numbers", "lock_stream", "nudge", "nudge_many", "publish",
    "recheck_user",
]  # fmt: skip

_NEXT_NUMBER = """
INSERT INTO realtime_stream (name, last, kept_from) VALUES (%s, 1, 1)
ON CONFLICT (name) DO UPDATE SET last = realtime_stream.last + 1 RETURNING last
"""


def publish(event: Event, *, stream: str) -> StreamEvent:
    """Write `event` under the stream's next number and ring its doorbell when the transaction commits.

    Raises RuntimeError outside a transaction, ValueError for a stream kind nobody registered, TypeError for a
    value that does not fit the event's declaration. Lock order: job, then this counter, then other rows.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event.type} must be published inside the transaction of its act")
    if registry.parse(stream) is None:
        raise ValueError(f"{stream!r} is no stream of a registered kind")
    payload = event.payload()
    row = StreamEvent.objects.create(
        stream=stream, seq=next_number(stream), type=event.type, payload=payload, at=timezone.now()
    )
    message = {"type": "stream.bell", "stream": stream, "seq": row.seq}
    transaction.on_commit(functools.partial(bells.ring, [(bells.group_of(stream), message)]), robust=True)
    return row


def next_number(stream: str) -> int:
    """Take the stream's next number. The counter row stays locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_NUMBER, [stream])
        return cursor.fetchone()[0]


def lock_stream(stream: str) -> None:
    """Hold the stream's counter before touching rows that other publishers lock after it."""
    Stream.objects.get_or_create(name=stream)
    Stream.objects.select_for_update().get(name=stream)


def nudge(stream: str, message: Mapping[str, Any]) -> None:
    """Send something that may be lost and has no number, such as {"progress": {"job": ...}}. Outside transactions."""
    nudge_many([(stream, message)])


def nudge_many(messages: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """`nudge` for several streams over one connection."""
    bells.ring(
        [
            (bells.group_of(stream), {"type": "stream.nudge", "stream": stream, "message": to_json_value(message)})
            for stream, message in messages
        ]
    )


def recheck_user(user_id: Any) -> None:
    """A role, a membership or a password changed: every open socket of the person asks for its rights again.

    Call it inside the transaction of the change; sockets hear of it when that commits.
    """
    _control(user_id, {"type": "control.recheck"})


def recheck_room(room: str) -> None:
    """Something changed who may be in the room: all who are inside are asked again when the transaction commits."""
    message = {"type": "room.recheck", "room": room}
    transaction.on_commit(functools.partial(bells.ring, [(bells.room_group(room), message)]), robust=True)


def end_session(user_id: Any, session_key: str | None = None) -> None:
    """Close the person's sockets with 4401: those of one session, or all of them."""
    digest = session_digest(session_key) if session_key else ""
    _control(user_id, {"type": "control.signed_out", "session": digest})


def session_digest(session_key: str) -> str:
    """A session key never travels through Redis; its digest is enough to recognise it."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def _control(user_id: Any, message: dict[str, Any]) -> None:
    transaction.on_commit(functools.partial(bells.ring, [(bells.personal_group(user_id), message)]), robust=True)


def erase_stream(stream: str) -> int:
    """Remove the stream's events because what they speak of is erased. Its numbers go on; who is behind reloads."""
    with transaction.atomic():
        lock_stream(stream)
        row = Stream.objects.get(name=stream)
        removed, _ = StreamEvent.objects.filter(stream=stream).delete()
        row.kept_from = row.last + 1
        row.save(update_fields=["kept_from"])
    return removed


def clean_events(limit: int = 5000) -> int:
    """Remove events older than LAMINA_EVENT_DAYS, at most `limit` per call. Returns how many."""
    oldest = timezone.now() - timedelta(days=settings.LAMINA_EVENT_DAYS)
    with transaction.atomic():
        old = StreamEvent.objects.filter(at__lt=oldest).order_by("at")[:limit].values_list("stream", "seq", "id")
        # Per stream the lowest numbers go first, whatever the clock said when they were written.
        highest: dict[str, int] = {}
        for stream, seq, _ in old:
            highest[stream] = max(seq, highest.get(stream, 0))
        removed = 0
        for stream in sorted(highest):
            lock_stream(stream)
            gone, _ = StreamEvent.objects.filter(stream=stream, seq__lte=highest[stream]).delete()
            Stream.objects.filter(name=stream, kept_from__lte=highest[stream]).update(kept_from=highest[stream] + 1)
            removed += gone
    return removed
