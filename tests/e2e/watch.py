"""What is watched on every page of the browser tests: errors, broken policies, foreign addresses, answers of 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.e2e.site import Site

# What a machine four times slower than a small one may take over a step; a step that works is never waited for.
PATIENCE = 60.0
WAIT_MS = 60_000
REPORT = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


class Watch:
    """What went wrong on the pages of one test. `allow` names parts of messages a test provokes on purpose."""

    def __init__(self, site: Site) -> None:
        self.host = urlsplit(site.url).netloc
        self.troubles: list[str] = []
        self.allow: list[str] = []

    def page(self, page: Any) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            place = urlsplit(message.location.get("url", "")).path  # of what failed to load
            self.troubles.append(f"console: {message.text} {place}".rstrip())

    def _request(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != self.host:
            self.troubles.append(f"request to another address: {address.netloc}")

    def _response(self, response: Any) -> None:
        if response.status >= 500:
            self.troubles.append(f"{response.status}: {urlsplit(response.url).path}")

    def left(self) -> list[str]:
        return [trouble for trouble in self.troubles if not any(part in trouble for part in self.allow)]
