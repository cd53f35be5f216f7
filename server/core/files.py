"""Files out: byte ranges answered with 206, streamed from storage without blocking the event loop."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from server.core import storage

RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


async def _pieces(first: bytes, iterator: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    following = sync_to_async(lambda: next(iterator, None), thread_sensitive=False)
    while (piece := await following()) is not None:
        yield piece


def content_digest(body: bytes) -> dict[str, str]:
    """The header that says what the body has to be."""
    return {"Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"}


def ranged(
    request: HttpRequest,
    ref: str,
    content_type: str,
    *,
    filename: str | None = None,
    encoding: str | None = None,
    on_damage: Callable[[], None] | None = None,
    digest_up_to: int = 0,
) -> HttpResponse:
    """Answer one stored object: 200, 206 for a single range, 416 outside it.

    A range of at most `digest_up_to` bytes says its SHA-256 (Content-Digest, RFC 9530), so that the reader notices
    bytes that were changed on the way.

    `encoding` is a Content-Encoding the stored bytes already have (gzip); ranges are not offered then, since
    they would count encoded bytes. Never cached by anybody between server and browser. The first piece is read
    before the headers go out, so that damage answers as an error (and calls `on_damage`), not as a cut body.
    """
    try:
        source = storage.reader(ref)
    except storage.IntegrityError:
        if on_damage:
            on_damage()
        raise
    total = source.plain_size
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    if filename:
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", filename)
        headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    start, length, status = 0, total, 200
    if encoding:
        headers["Content-Encoding"] = encoding
    else:
        headers["Accept-Ranges"] = "bytes"
        wanted = RANGE.match(request.headers.get("Range", ""))
        if wanted and (wanted[1] or wanted[2]):
            if wanted[1]:
                start = int(wanted[1])
                end = min(int(wanted[2]), total - 1) if wanted[2] else total - 1
            else:
                start, end = max(0, total - int(wanted[2])), total - 1
            if start >= total or end < start:
                return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{total}"})
            length, status = end - start + 1, 206
            headers["Content-Range"] = f"bytes {start}-{end}/{total}"
    headers["Content-Length"] = str(length)
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    iterator = source.range(start, length)
    try:
        first = next(iterator, b"")
    except storage.IntegrityError:
        if on_damage:
            on_damage()
        raise
    if status == 206 and length <= digest_up_to:
        whole = b"".join([first, *iterator])
        return HttpResponse(whole, status=206, content_type=content_type, headers=headers | content_digest(whole))
    body = _pieces(first, iterator)
    return StreamingHttpResponse(body, status=status, content_type=content_type, headers=headers)
