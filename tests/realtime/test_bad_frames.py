"""What a broken or hostile page sends is answered or closed with a code; others notice nothing."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = [
    "", "{", "[]", "1", "null", '"x"', "{}", '{"a": 1}', '{"subscribe": 1}', '{"subscribe": {"x": -1}}',
    '{"subscribe": {"x": true}}', '{"subscribe": {"x": "1"}}', '{"subscribe": []}', '{"unsubscribe": 5}',
    '{"ping": {}}', '{"ping": []}', '{"subscribe": {}, "ping": 1}', "[" * 5000, "\x00", '{"ping": "' + "x" * 50 + '"}',
]  # fmt: skip


def test_wrong_frames_are_answered(team: Any, opened: Any) -> None:
    tab = opened(team.reader)
    for number, frame in enumerate(WRONG):
        if number % 10 == 0:
            tab = opened(team.reader)
        tab.say(frame)
        assert tab.hear()["error"]["code"] == "frame_not_understood", frame
        tab.say({"ping": number})
        assert tab.hear() == {"pong": number}


def test_too_many_wrong_frames_close_with_1008(team: Any, opened: Any) -> None:
    tab = opened(team.reader)
    with contextlib.suppress(ConnectionClosed):
        for _ in range(40):
            tab.say(b"\xff\xfe")
    assert tab.closed_with() == 1008


def test_a_large_frame_closes_with_1009(team: Any, opened: Any) -> None:
    for size in (20_000, 200_000):
        tab = opened(team.reader)
        with contextlib.suppress(ConnectionClosed):
            tab.say('{"ping": "' + "x" * size + '"}')
        assert tab.closed_with() == 1009


def test_too_many_streams_are_refused(team: Any, opened: Any) -> None:
    tab = opened(team.reader)
    streams = {f"t:{n}": 0 for n in range(201)}
    tab.say({"subscribe": streams})
    assert tab.hear()["error"]["code"] == "too_many_streams"


def test_a_slow_browser_is_closed_and_then_catches_up(team: Any, opened: Any, tell: Any, web: Any) -> None:
    """It reads nothing while megabytes wait: 1013, memory freed; the others are served meanwhile."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # else the kernel takes it all in
    narrow.connect(("127.0.0.1", web.port))
    slow = opened(team.reader, max_queue=1, sock=narrow, compression=None)
    slow.follow(team.stream)
    quick = opened(team.admin)
    quick.follow(team.stream)
    text = "x" * 200_000
    for number in range(60):
        tell(number, text)
    assert len(quick.events(60, timeout=20)) == 60
    time.sleep(4.0)  # a second of patience, two for the close frame
    got = []
    code = None
    try:
        while True:
            got.append(slow.hear(5)["event"]["seq"])
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else None
    assert 0 < len(got) < 60
    assert code in {1013, None}  # None where the close frame itself found no room
    back = opened(team.reader)
    back.follow(team.stream, got[-1])
    assert [event["seq"] for event in back.events(60 - got[-1], timeout=20)] == list(range(got[-1] + 1, 61))


@pytest.mark.slow
def test_twenty_thousand_malformed_frames_disturb_nobody(team: Any, opened: Any, tell: Any, site: Any) -> None:
    """F20, the socket's part. The log stays short."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    quiet = opened(team.admin)
    quiet.follow(team.stream)
    before = site.log.stat().st_size
    sent = 0
    while sent < 20_000:
        tab = opened(team.reader)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                frame = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 60)))
                tab.say(frame if dice.random() < 0.5 else frame.decode("latin-1"))
                sent += 1
        tab.close()
    tell(1)
    assert len(quiet.events(1)) == 1
    assert site.log.stat().st_size - before < 20_000
