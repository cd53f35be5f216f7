"""Static files at the door: answered before Django's own way of a request, which costs a thread and ten layers each.

A page of the viewer is some 250 small files. What a file answers (type, age, ETag, gzip, ranges) stays WhiteNoise's;
the headers every answer of this site carries, its policy among them, are those of Django's middleware.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

App = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

# Of a request, what an answer depends on, by the names WhiteNoise asks for.
ASKED = {
    b"accept-encoding": "HTTP_ACCEPT_ENCODING",
    b"if-modified-since": "HTTP_IF_MODIFIED_SINCE",
    b"if-none-match": "HTTP_IF_NONE_MATCH",
    b"range": "HTTP_RANGE",
}
AT_ONCE = 256 * 1024  # more than this is read beside the loop, so that nobody waits for a disk


class StaticFiles:
    """ASGI middleware: a file below STATIC_URL is answered here, everything else by `app`."""

    def __init__(self, app: App) -> None:
        self.app = app
        # Every file with its headers, looked up once; in tests, whenever it is asked for.
        self.files = WhiteNoiseMiddleware()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        file = self._file(scope) if scope["type"] == "http" else None
        if file is None:
            await self.app(scope, receive, send)
            return
        asked = {ASKED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in ASKED}
        answer = file.get_response(scope["method"], asked)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        start = {"type": "http.response.start", "status": int(answer.status), "headers": headers + self._common}
        body = b""
        if answer.file is not None:
            with answer.file as opened:
                large = int(dict(answer.headers).get("Content-Length", 0)) > AT_ONCE
                body = await asyncio.to_thread(opened.read) if large else opened.read()
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _file(self, scope: dict[str, Any]) -> Any:
        path = scope["path"]
        if not path.startswith(self.files.static_prefix):
            return None
        if settings.SECURE_SSL_REDIRECT and not _came_by_tls(scope):
            return None  # Django sends them to where it is safe
        return self.files.find_file(path) if self.files.autorefresh else self.files.files.get(path)

    @cached_property
    def _common(self) -> list[tuple[bytes, bytes]]:
        """What Django's middleware says with every answer. A worker's policy is that of its own file."""
        request = HttpRequest()
        request.method, request.path_info = "GET", settings.STATIC_URL
        if settings.SECURE_SSL_REDIRECT:
            name, value = settings.SECURE_PROXY_SSL_HEADER
            request.META[name] = value
        answer = HttpResponse()
        for layer in (CSPMiddleware, SecurityMiddleware):
            layer(_nobody).process_response(request, answer)
        del answer["Content-Type"]
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.items()]


def _nobody(request: HttpRequest) -> HttpResponse:
    raise AssertionError("only its headers are asked for")


def _came_by_tls(scope: dict[str, Any]) -> bool:
    """As Django sees it: by the proxy's header, and where there is none, by the connection."""
    name, wanted = settings.SECURE_PROXY_SSL_HEADER
    header = name.removeprefix("HTTP_").replace("_", "-").lower().encode()
    said = dict(scope["headers"]).get(header)
    return scope.get("scheme") == "https" if said is None else said.decode("latin-1").split(",")[0].strip() == wanted
