"""One round every few seconds per web process: sockets that missed a bell are woken, lost rights are noticed.

Bells may be lost (Redis restarted, a network cut). The round asks PostgreSQL once for the newest numbers of all
streams this process has sockets for; that bounds the delay without a query per socket.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.conf import settings

from server.realtime.rooms import Rights
from server.realtime.selectors import last_numbers

if TYPE_CHECKING:
    from server.realtime.consumers import LiveConsumer

log = logging.getLogger("lamina.realtime")
_rounds_by_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = weakref.WeakKeyDictionary()
RECHECK_EVERY_ROUNDS = 6


def here() -> Watch:
    """The watch of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _rounds_by_loop:
        _rounds_by_loop[loop] = Watch()
    return _rounds_by_loop[loop]


class Watch:
    """Knows the open sockets of one event loop. Runs while there are any."""

    def __init__(self) -> None:
        self.sockets: set[LiveConsumer] = set()
        self.rights = Rights()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: LiveConsumer) -> None:
        self.sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, socket: LiveConsumer) -> None:
        self.sockets.discard(socket)
        if not self.sockets and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(getattr(settings, "LAMINA_WATCH_SECONDS", 5.0))
            count += 1
            try:
                await self.look(recheck=count % RECHECK_EVERY_ROUNDS == 0)
            except Exception as error:  # the database may be away for a while; the next round asks again
                log.warning("a round over the open sockets failed (%s)", type(error).__name__)

    async def look(self, *, recheck: bool) -> None:
        """Wake sockets behind the newest number; with `recheck` also ask every right again."""
        sockets = list(self.sockets)
        streams = {stream for socket in sockets for stream in socket.subscriptions}
        if streams:
            numbers = await database_sync_to_async(last_numbers)(streams)
            for socket in sockets:
                for stream in socket.subscriptions:
                    socket.heard(stream, numbers[stream])
        for socket in sockets:
            if recheck:
                await socket.recheck()
            await socket.rooms.beat()
