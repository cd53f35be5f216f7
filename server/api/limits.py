"""Bodies that are too large are refused before they are read.

Django's ASGI handler spools a body to a temporary file, in the clear, before any view sees it. So the limit
stands in front of it: by the declared length at once, and by counting where no length is declared.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from server.core.errors import problem

LIMIT = 8 * 1024 * 1024  # also what one piece of an upload may hold (studies.tus)
HEARD_OUT = 64 * 1024 * 1024  # a larger body is not worth waiting for: the connection is closed on it
App = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


class BodyLimit:
    """ASGI middleware: 413 for an HTTP body above `limit` bytes."""

    def __init__(self, app: App, limit: int = LIMIT) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self.limit:
            if int(declared) <= HEARD_OUT:
                await self._let_finish(receive)
            await self._refuse(send)
            return
        seen = 0

        async def counted() -> Any:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self.limit:
                    # The handler takes this for a browser that went away and drops what it has.
                    return {"type": "http.disconnect"}
            return message

        await self.app(scope, counted, send)

    async def _let_finish(self, receive: Any) -> None:
        """Take the body and drop it: a client that is still sending would meet a reset instead of the answer."""
        while True:
            message = await receive()
            if message["type"] != "http.request" or not message.get("more_body"):
                return

    async def _refuse(self, send: Any) -> None:
        detail = f"One request may hold {self.limit} bytes. Send files in smaller pieces."
        body = json.dumps(problem("too_large", detail, 413, limit_bytes=self.limit)).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
