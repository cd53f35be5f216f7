"""A browser tab as far as the socket knows: a session cookie, an origin, frames."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar

from django.conf import settings
from django.test import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from server.realtime.events import Event


@dataclass(frozen=True, kw_only=True)
class TestHappened(Event):
    __test__ = False
    type: ClassVar[str] = "test.happened"
    number: int
    text: str = ""


class Browser:
    """`user` None opens without a session. Frames are read only when asked for."""

    def __init__(
        self, port: int, user: Any, *, origin: str | None = "same", host: str = "127.0.0.1", **options: Any
    ) -> None:
        self.client = Client()
        headers = {}
        if user is not None:
            self.client.force_login(user)
            headers["Cookie"] = f"{settings.SESSION_COOKIE_NAME}={self.client.session.session_key}"
        self._open = ExitStack()
        opening = connect(
            f"ws://{host}:{port}/ws/",
            origin=f"http://{host}:{port}" if origin == "same" else origin,
            additional_headers=headers,
            proxy=None,
            close_timeout=0.5,
            max_size=None,
            **options,
        )
        self.socket = self._open.enter_context(opening)

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def say(self, frame: Any) -> None:
        self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    def hear(self, timeout: float = 5.0) -> dict[str, Any]:
        return json.loads(self.socket.recv(timeout=timeout))

    def follow(self, stream: str, after: int = 0) -> None:
        """Subscribe and wait until the server has answered a ping sent after it."""
        self.say({"subscribe": {stream: after}})

    def events(self, count: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """The next `count` events; other frames are passed over."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + timeout
        while len(found) < count:
            frame = self.hear(max(0.01, deadline - time.monotonic()))
            if "event" in frame:
                found.append(frame["event"])
        return found

    def silence(self, seconds: float) -> list[dict[str, Any]]:
        """What came within `seconds`, hopefully nothing."""
        found = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                found.append(self.hear(left))
            except TimeoutError:
                break
        return found

    def closed_with(self, timeout: float = 5.0) -> int | None:
        """The close code the server sends within `timeout`; frames before it are passed over."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.hear(max(0.01, deadline - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
