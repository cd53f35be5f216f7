"""Reading events for many sockets with few queries.

When a doorbell rings, every socket on the stream wants the same rows. The first one reads; the others who come
before its query has begun share the answer. Who comes later waits for the next read, so nobody is handed an
answer older than the bell he heard.
"""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field

from channels.db import database_sync_to_async

from server.realtime.selectors import Replay, events_after

_GATHER_SECONDS = 0.005


@dataclass
class _Feed:
    pending: dict[tuple[str, int], asyncio.Task[Replay]] = field(default_factory=dict)


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Feed] = weakref.WeakKeyDictionary()


async def read(stream: str, after: int) -> Replay:
    """Events of `stream` above `after`, shared with whoever asks the same within a few milliseconds."""
    feed = _feeds.setdefault(asyncio.get_running_loop(), _Feed())
    key = (stream, after)
    task = feed.pending.get(key)
    if task is None:
        task = asyncio.create_task(_read_soon(feed, key))
        feed.pending[key] = task
    return await asyncio.shield(task)


async def _read_soon(feed: _Feed, key: tuple[str, int]) -> Replay:
    await asyncio.sleep(_GATHER_SECONDS)
    del feed.pending[key]
    return await database_sync_to_async(events_after)(*key)
