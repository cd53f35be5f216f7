"""The seal on real sockets: every kind of person asks for every stream of a blind case with planted words.

`tests/server/test_seal_matrix.py` asks the rule; here a browser's frames go to a web process and what comes back is
searched: at first all that is kept of each stream, then what happens while everybody listens.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import transaction
from websockets.exceptions import ConnectionClosed

from server.realtime.selectors import last_numbers
from server.realtime.services import publish
from tests.realtime.browser import Browser, TestHappened
from tests.realtime.conftest import opened, site, web
from tests.server.reconstructions.conftest import make_result
from tests.server.sealed_world import READERS, Sealed, draw, found, go_to_adjudication, make_sealed

__all__ = ["make_result", "opened", "site", "web"]

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = ("lead", *READERS, "judge", "viewer", "unassigned", "stranger")
SECONDS = 40.0  # so long a slow machine may take over one answer


@pytest.fixture
def world(
    transactional_db: None, make_user: Any, make_project: Any, make_study: Any, make_result: Any, monkeypatch: Any
) -> Sealed:
    from server import engine
    from server.algorithms.services import sync_algorithms

    monkeypatch.setattr(engine, "encloses", lambda algorithm: {})
    sync_algorithms()
    return make_sealed(make_user, make_project, make_study, make_result)


class Ears:
    """One tab of a person that asks for everything from its beginning, and all that came back to it."""

    def __init__(self, tab: Browser, world: Sealed, role: str) -> None:
        self.tab, self.world, self.role = tab, world, role
        self.refused: set[str] = set()
        self.told: list[dict[str, Any]] = []
        streams = list(world.streams())
        self.last = last_numbers(streams)
        self.behind = {stream for stream in streams if self.last[stream]}
        tab.say({"subscribe": dict.fromkeys(streams, 0)})
        tab.say({"ping": "asked"})
        self.until(lambda frame: not self.behind and self.answered)

    answered = False

    def until(self, right: Any) -> None:
        """Listen until a frame makes `right` true."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                frame = self.tab.hear(max(0.01, end - time.monotonic()))
            except (TimeoutError, ConnectionClosed) as problem:
                raise AssertionError(f"{self.role} still waits for {sorted(self.behind)}: {problem!r}") from None
            self.take(frame)
            if right(frame):
                return

    def take(self, frame: dict[str, Any]) -> None:
        if set(frame) != {"refused"}:  # that one only says again what was asked for
            self.told.append(frame)
        self.answered = self.answered or frame == {"pong": "asked"}
        if stream := frame.get("refused") or frame.get("reload"):
            self.behind.discard(stream)
            if "refused" in frame:
                self.refused.add(stream)
        if (event := frame.get("event")) and event["seq"] >= self.last[event["stream"]]:
            self.behind.discard(event["stream"])

    def heard(self, text: str) -> bool:
        return text in json.dumps(self.told, ensure_ascii=False)

    @property
    def wrong(self) -> list[str]:
        whole = json.dumps(self.told, ensure_ascii=False).encode()
        met = [f"{self.role} hears {text!r} of {group}" for group, text in found(whole, self.world.closed(self.role))]
        return met + [f"{self.role} hears {name!r}" for name in self.world.names(self.role) if name.encode() in whole]


def followed(world: Sealed, role: str) -> set[str]:
    """Whose streams are open to a role, by the contract: reads of others are never live, not even to an admin."""
    if role == "stranger":
        return {"user:stranger"}
    own = {f"read:{role}"} if role in READERS else set()
    return {"study", f"user:{role}"} | own | ({"result"} if "result" in world.opened(role) else set())


def everybody(world: Sealed, open_tab: Any) -> dict[str, Ears]:
    """Each person in a tab of their own; what came back is what the contract says, and nothing else."""
    ears = {role: Ears(open_tab(world.people[role]), world, role) for role in PEOPLE}
    streams = world.streams()
    for role, one in ears.items():
        assert {whose for stream, whose in streams.items() if stream not in one.refused} == followed(world, role), role
        assert one.wrong == []
    return ears


def happens(world: Sealed, ears: dict[str, Ears], stream: str, word: str, hearers: set[str]) -> None:
    """Something happens in `stream`; bells keep their order, so who has heard the next one would have heard it."""
    with transaction.atomic():
        publish(TestHappened(number=1, text=word), stream=stream)
    for role, one in ears.items():
        after = f"user:{world.people[role].pk}"
        with transaction.atomic():
            publish(TestHappened(number=2, text=f"after {word}"), stream=after)
        one.until(lambda frame, word=word: frame.get("event", {}).get("payload", {}).get("text") == f"after {word}")
    assert {role for role, one in ears.items() if one.heard(f'"{word}"')} == hearers


def test_seal_matrix_over_real_sockets_of_every_kind_of_person(world: Sealed, opened: Any) -> None:
    study, result = world.study.stream, f"result:{world.study.pk}"
    members = set(PEOPLE) - {"stranger"}
    ears = everybody(world, opened)
    draw(world.reading("other").segmentation, world.people["other"], "Planted segment of other, live")
    happens(world, ears, study, "open-fact", members)
    happens(world, ears, result, "of-the-result", {"lead", "done"})
    for reader in READERS:
        happens(world, ears, world.reading(reader).stream, f"read-of-{reader}", {reader})
    assert {role for role, one in ears.items() if one.heard("Planted segment of other, live")} == {"other"}
    assert [one.wrong for one in ears.values() if one.wrong] == []

    # All reads are in and differ: the result opens to the readers and the adjudicator, each other's reads to nobody.
    go_to_adjudication(world)
    ears = everybody(world, opened)
    happens(world, ears, result, "of-the-ruling", {"lead", "judge", *READERS})
    happens(world, ears, world.reading("done").stream, "still-own", {"done"})
    assert [one.wrong for one in ears.values() if one.wrong] == []
