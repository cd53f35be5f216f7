"""Bodies over the limit are refused in front of Django, whether they say their length or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from server.api.limits import HEARD_OUT, BodyLimit


class Conversation:
    """One request as the server sees it: what the app got, what was answered."""

    def __init__(self, pieces: list[bytes], declared: int | None) -> None:
        self.messages = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
            for number, piece in enumerate(pieces)
        ]
        headers = [] if declared is None else [(b"content-length", str(declared).encode())]
        self.scope = {"type": "http", "headers": headers}
        self.sent: list[dict[str, Any]] = []
        self.got: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return self.messages.pop(0)

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def run(self, limit: int) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            while True:
                message = await receive()
                self.got.append(message)
                if message["type"] == "http.disconnect" or not message["more_body"]:
                    return

        await BodyLimit(app, limit)(self.scope, self.receive, self.send)


async def test_a_small_body_passes() -> None:
    talk = Conversation([b"ab", b"cd"], 4)
    await talk.run(4)
    assert [message["body"] for message in talk.got] == [b"ab", b"cd"]
    assert talk.sent == []


async def test_a_declared_one_over_the_limit_never_reaches_the_app() -> None:
    talk = Conversation([b"ab", b"cde"], 5)
    await talk.run(4)
    assert talk.got == []
    assert talk.sent[0]["status"] == 413
    assert json.loads(talk.sent[1]["body"])["limit_bytes"] == 4
    assert talk.messages == [], "the client is heard out, so that it meets the answer and not a reset"


async def test_a_huge_one_is_not_waited_for() -> None:
    talk = Conversation([b"ab"], HEARD_OUT + 1)
    await talk.run(4)
    assert talk.sent[0]["status"] == 413
    assert len(talk.messages) == 1


@pytest.mark.parametrize("declared", [None, 3])
async def test_an_undeclared_or_lying_one_is_counted(declared: int | None) -> None:
    talk = Conversation([b"ab", b"cde", b"f"], declared)
    await talk.run(4)
    assert [message["type"] for message in talk.got] == ["http.request", "http.disconnect"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/api/studies/"])
def test_a_foreign_host_name_is_refused_with_a_page_not_a_failure(path: str) -> None:
    assert Client(HTTP_HOST="elsewhere.example").get(path).status_code == 400
