"""Reading events: what follows a number, and the newest number of each stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from server.realtime.models import Stream, StreamEvent

PAGE = 200


@dataclass(frozen=True, slots=True)
class Replay:
    """What a browser at number `after` gets. With `reload` its number is older than kept, or from another time line."""

    events: tuple[dict[str, Any], ...]
    last: int
    reload: bool

    @property
    def complete(self) -> bool:
        return not self.events or self.events[-1]["seq"] >= self.last


def last_numbers(streams: Iterable[str]) -> dict[str, int]:
    """The newest number of each stream; 0 where nothing was published yet.

    Read it in the same transaction as, or before, the state it goes with: then events after it complete the state.
    """
    names = list(streams)
    numbers = dict.fromkeys(names, 0)
    numbers.update(Stream.objects.filter(name__in=names).values_list("name", "last"))
    return numbers


def events_after(stream: str, after: int, limit: int = PAGE) -> Replay:
    """Events of one stream with a number above `after`, in order, at most `limit`."""
    row = Stream.objects.filter(name=stream).values_list("last", "kept_from").first()
    last, kept_from = row or (0, 1)
    if after > last or after < kept_from - 1:
        return Replay(events=(), last=last, reload=True)
    rows = StreamEvent.objects.filter(stream=stream, seq__gt=after, seq__lte=last).order_by("seq")[:limit]
    return Replay(events=tuple(as_message(row) for row in rows), last=last, reload=False)


def as_message(event: StreamEvent) -> dict[str, Any]:
    """The event as the socket and the polling address send it."""
    return {
        "stream": event.stream,
        "seq": event.seq,
        "type": event.type,
        "at": event.at.isoformat(),
        "payload": event.payload,
    }
