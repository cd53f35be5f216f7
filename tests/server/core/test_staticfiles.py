"""Static files are answered at the door, with the headers of every other answer of the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from server.core.staticfiles import StaticFiles

SECRET = "keep out"


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "collected"
    (folder / "lamina").mkdir(parents=True)
    (folder / "lamina" / "a.js").write_text("export const a = 1;\n" * 40)
    (folder / "lamina" / "a.js.gz").write_bytes(b"packed")
    (folder / "large.bin").write_bytes(bytes(range(256)) * 2048)
    (tmp_path / "secret.txt").write_text(SECRET)
    settings.STATIC_ROOT = folder
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = False
    return folder


async def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of the door; status 0 where it hands on to the site behind it."""
    sent: list[dict[str, Any]] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 0, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": given, "scheme": "http"}
    await StaticFiles(behind)(scope, None, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, sent[1]["body"]


async def test_a_file_comes_whole_packed_in_part_or_not_again(root: Path) -> None:
    text = (root / "lamina" / "a.js").read_bytes()
    status, told, body = await ask("/static/lamina/a.js")
    assert (status, body, told["content-length"]) == (200, text, str(len(text)))
    assert told["content-type"].startswith("text/javascript")
    assert (await ask("/static/lamina/a.js", accept_encoding="gzip"))[2] == b"packed"
    assert (await ask("/static/lamina/a.js", range="bytes=7-11"))[::2] == (206, text[7:12])
    assert (await ask("/static/lamina/a.js", if_none_match=told["etag"]))[::2] == (304, b"")
    assert (await ask("/static/lamina/a.js", "HEAD"))[::2] == (200, b"")
    assert (await ask("/static/lamina/a.js", "POST"))[0] == 405
    assert (await ask("/static/large.bin"))[2] == (root / "large.bin").read_bytes()


async def test_what_is_no_file_there_goes_to_the_site(root: Path) -> None:
    for path in ("/", "/static/", "/static/none.js", "/static/../secret.txt", "/static/lamina/../../secret.txt"):
        assert (await ask(path))[0] == 0, path


async def test_headers_are_those_of_the_site(root: Path, settings: Any) -> None:
    page = Client().get("/nowhere")
    names = {"content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy"}
    _, told, _ = await ask("/static/lamina/a.js")
    assert told.keys() >= names
    for name in names - {"content-security-policy"}:
        assert told[name] == page[name]
    # The policy of a worker is that of its file: nothing inline, and nothing from elsewhere.
    assert "script-src 'self' 'wasm-unsafe-eval'" in told["content-security-policy"]
    assert "default-src 'none'" in told["content-security-policy"]


async def test_behind_tls_a_plain_request_is_sent_on_to_be_redirected(root: Path, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 100
    assert (await ask("/static/lamina/a.js"))[0] == 0
    assert (await ask("/static/lamina/a.js", x_forwarded_proto="http"))[0] == 0
    status, told, _ = await ask("/static/lamina/a.js", x_forwarded_proto="https")
    assert (status, told["strict-transport-security"]) == (200, "max-age=100")
