"""The live socket at /ws/: numbered events in order, progress on top, rights asked anew.

The browser says {"subscribe": {"study:<id>": 12}}, {"unsubscribe": ["study:<id>"]} or {"ping": 1}. The server sends
{"event"}, {"progress"}, {"reload"}, {"refused"}, {"pong"} and {"error"}; every frame is one JSON object.

Who is there now (rooms.py): the browser says {"join": "study:<id>"}, {"leave": ...} and {"here": {"room", ...}}; the
server sends {"room": who is here}, {"here": what they said} and {"shut": name} to who may not be inside.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from server.realtime import bells, feed, origins, registry, said, services, sessions, watch
from server.realtime.rooms import Rooms, TooFast

log = logging.getLogger("lamina.realtime")

SIGNED_OUT, WRONG_ORIGIN, LOCKED, TOO_FAST = 4401, 4403, 4408, 4429
TOO_SLOW, TOO_LARGE, TOO_WRONG = 1013, 1009, 1008
FRAME_BYTES = 16 * 1024
STREAMS_PER_SOCKET = 200
ANSWERS_WAITING = 500  # a browser that asks and never reads is as slow as one that does not read events
WRONG_FRAMES = 20


@dataclass
class Subscription:
    """Where one socket stands in one stream."""

    last: int  # newest number sent
    wanted: int  # newest number known to exist; one more than `last` makes the pump look


class LiveConsumer(AsyncWebsocketConsumer):
    """One browser tab. Frames are answered here; one pump task does all the sending, so order is kept."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As the base class, but `gone` ends the conversation too: a browser that takes no bytes takes no close."""
        self.gone = asyncio.Event()

        async def receive_or_gone() -> Any:
            tasks = [asyncio.ensure_future(receive()), asyncio.ensure_future(self.gone.wait())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                return tasks[0].result() if tasks[0].done() else {"type": "websocket.disconnect", "code": TOO_SLOW}
            finally:
                for task in tasks:
                    task.cancel()

        await super().__call__(scope, receive_or_gone, send)

    async def connect(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.answers: deque[dict[str, Any]] = deque()
        self.progress: dict[tuple[str, str], dict[str, Any]] = {}
        self.wake = asyncio.Event()
        self.rooms = Rooms(self, watch.here().rights)
        self.pump: asyncio.Task[None] | None = None
        self.wrong_frames = 0
        self.closing = False
        self.user: Any = None
        if not origins.allowed(self.scope):
            await self.close(code=WRONG_ORIGIN)  # before accepting: the handshake is refused with 403
            return
        self.session_key = getattr(self.scope.get("session"), "session_key", None)
        self.user = await database_sync_to_async(sessions.person_of)(self.session_key)
        await self.accept()
        if self.user is None:
            await self.end(SIGNED_OUT)
            return
        await self.channel_layer.group_add(bells.personal_group(self.user.pk), self.channel_name)
        self.pump = asyncio.create_task(self._pump())
        watch.here().add(self)

    async def disconnect(self, code: int) -> None:
        self.closing = True
        watch.here().remove(self)
        if self.pump is not None:
            self.pump.cancel()
        if self.user is not None:
            await self.rooms.close()
            groups = [bells.group_of(stream) for stream in self.subscriptions]
            for group in {bells.personal_group(self.user.pk), *groups}:
                await self.channel_layer.group_discard(group, self.channel_name)
        self.subscriptions.clear()

    async def end(self, code: int) -> None:
        """Close from our side, at most once."""
        if self.closing:
            return
        self.closing = True
        watch.here().remove(self)
        try:
            await asyncio.wait_for(self.close(code=code), timeout=2)
        except (TimeoutError, RuntimeError):
            self.gone.set()

    # --- what the browser says --------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.closing or self.user is None:
            return
        if len(text_data or b"") > FRAME_BYTES or len(bytes_data or b"") > FRAME_BYTES:
            await self.end(TOO_LARGE)
            return
        try:
            frame = json.loads(text_data or "")
            if not isinstance(frame, dict) or len(frame) != 1:
                raise ValueError
            ((verb, value),) = frame.items()
            if verb == "here" and len(text_data or "") > said.FRAME_BYTES:
                raise ValueError
            act: Callable[[Any], Awaitable[None]] = {
                "subscribe": self._subscribe,
                "unsubscribe": self._unsubscribe,
                "ping": self._ping,
                "lock": self._lock,
                "join": self.rooms.join,
                "leave": self.rooms.leave,
                "here": self.rooms.here,
            }[verb]
            await act(value)
        except TooFast:
            await self.end(TOO_FAST)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            await self._wrong_frame()

    async def _wrong_frame(self) -> None:
        self.wrong_frames += 1
        if self.wrong_frames > WRONG_FRAMES:
            await self.end(TOO_WRONG)
            return
        message = "This frame is not understood. Send one of subscribe, unsubscribe, ping, join, leave, here."
        self.answer({"error": {"code": "frame_not_understood", "message": message}})

    async def _subscribe(self, streams: dict[str, int]) -> None:
        for stream, after in streams.items():
            if isinstance(after, bool) or not isinstance(after, int) or after < 0:
                raise ValueError(stream)
        if len(self.subscriptions.keys() | streams.keys()) > STREAMS_PER_SOCKET:
            message = f"One connection follows at most {STREAMS_PER_SOCKET} streams."
            self.answer({"error": {"code": "too_many_streams", "message": message}})
            return
        for stream, after in streams.items():
            if not await database_sync_to_async(registry.may_see)(self.user, stream):
                await self._drop(stream)
                self.answer({"refused": stream})
                continue
            # Join first, read after: whatever is published in between rings.
            await self.channel_layer.group_add(bells.group_of(stream), self.channel_name)
            self.subscriptions[stream] = Subscription(last=after, wanted=after + 1)
            self.wake.set()

    async def _unsubscribe(self, streams: list[str]) -> None:
        if not isinstance(streams, list):
            raise TypeError
        for stream in streams:
            await self._drop(stream)

    async def _drop(self, stream: str) -> None:
        if self.subscriptions.pop(stream, None) is not None:
            for key in [key for key in self.progress if key[0] == stream]:
                del self.progress[key]
            if bells.group_of(stream) == bells.personal_group(self.user.pk):
                return  # sign-out and role changes are heard whatever the page follows
            await self.channel_layer.group_discard(bells.group_of(stream), self.channel_name)

    async def _ping(self, number: Any) -> None:
        if not isinstance(number, int | float | str) or len(str(number)) > 40:
            raise TypeError
        self.answer({"pong": number})

    async def _lock(self, value: Any) -> None:
        """The page locked itself after 15 idle minutes: nothing more is sent to it."""
        await self.end(LOCKED)

    # --- what the bells say -----------------------------------------------------------------------------------------

    async def stream_bell(self, message: dict[str, Any]) -> None:
        self.heard(message["stream"], message["seq"])
        if bells.group_of(message["stream"]) == bells.personal_group(self.user.pk):
            await self.recheck()  # a role, a password or a session may have changed
        elif message["stream"] in self.rooms.joined:
            await self.rooms.recheck(message["stream"])  # what happened may have closed or opened the room

    def heard(self, stream: str, seq: int) -> None:
        """There is an event `seq` in `stream`."""
        subscription = self.subscriptions.get(stream)
        if subscription is not None and seq > subscription.last:
            subscription.wanted = max(subscription.wanted, seq)
            self.wake.set()

    async def stream_nudge(self, message: dict[str, Any]) -> None:
        """Progress: only the newest of each job waits, so a slow browser skips steps instead of falling behind."""
        stream, content = message["stream"], message["message"]
        if stream in self.subscriptions and "progress" in content:
            job = content["progress"].get("job", {})
            self.progress[(stream, str(job.get("id", "")))] = {"progress": {"stream": stream, **content["progress"]}}
            self.wake.set()

    async def control_signed_out(self, message: dict[str, Any]) -> None:
        if message["session"] in ("", services.session_digest(self.session_key or "")):
            await self.end(SIGNED_OUT)

    async def room_word(self, message: dict[str, Any]) -> None:
        await self.rooms.hear(message)

    async def room_recheck(self, message: dict[str, Any]) -> None:
        await self.rooms.recheck(message["room"])

    async def control_recheck(self, message: dict[str, Any]) -> None:
        await self.recheck()

    async def recheck(self) -> None:
        """Ask again who this is and what may be seen."""
        if self.closing:
            return
        person = await database_sync_to_async(sessions.person_of)(self.session_key)
        if person is None or person.pk != self.user.pk:
            await self.end(SIGNED_OUT)
            return
        self.user = person
        for stream in list(self.subscriptions):
            if not await database_sync_to_async(registry.may_see)(self.user, stream):
                await self._drop(stream)
                self.answer({"refused": stream})
        await self.rooms.recheck()

    # --- what is sent -----------------------------------------------------------------------------------------------

    def answer(self, message: dict[str, Any]) -> None:
        self.answers.append(message)
        self.wake.set()

    async def _pump(self) -> None:
        """The only sender. Each round: answers, events of every stream that is behind, progress, then rooms."""
        try:
            while not self.closing:
                await self.wake.wait()
                self.wake.clear()
                if len(self.answers) > ANSWERS_WAITING:
                    raise TimeoutError
                while self.answers:
                    await self._send(self.answers.popleft())
                for stream in list(self.subscriptions):
                    await self._catch_up(stream)
                while self.progress:
                    key = next(iter(self.progress))
                    await self._send(self.progress.pop(key))
                for message in await self.rooms.batch():
                    await self._send(message)
        except TimeoutError:
            await self.end(TOO_SLOW)
        except Exception as error:  # a database that is away ends the socket; the browser comes back with its numbers
            log.warning("a socket ended early (%s)", type(error).__name__)
            await self.end(1011)

    async def _catch_up(self, stream: str) -> None:
        subscription = self.subscriptions.get(stream)
        while subscription is not None and subscription.wanted > subscription.last:
            asked = subscription.wanted
            replay = await feed.read(stream, subscription.last)
            if self.subscriptions.get(stream) is not subscription or self.closing:
                return  # unsubscribed or refused while reading
            if replay.reload or (not replay.events and replay.last > subscription.last):
                subscription.last = subscription.wanted = replay.last
                await self._send({"reload": stream})
                return
            for event in replay.events:
                if self.subscriptions.get(stream) is not subscription:
                    return
                await self._send({"event": event})
                subscription.last = event["seq"]
            if subscription.wanted == asked:  # else a bell rang while reading: read once more
                subscription.wanted = max(replay.last, subscription.last)

    async def _send(self, message: dict[str, Any]) -> None:
        """Raises TimeoutError when the browser does not take it in time."""
        if self.closing:
            return
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        await asyncio.wait_for(self.send(text_data=text), timeout=getattr(settings, "LAMINA_SLOW_SECONDS", 10.0))
