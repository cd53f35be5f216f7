"""Rooms: who is here, where they point; limits; and nothing to anybody who may not be inside."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from server.accounts.models import Membership
from server.accounts.services import remove_member
from server.realtime import said
from server.realtime.pace import Bucket
from tests.realtime.browser import Browser
from tests.server.conftest import import_series, make_study  # noqa: F401  studies as the other tests make them

pytestmark = pytest.mark.django_db(transaction=True)

SERIES = "00000000-0000-4000-8000-00000000000a"


def cursor(*at: float, pane: str = "axial", series: str = SERIES) -> dict[str, Any]:
    return {"series": series, "at": list(at), "pane": pane, "free": False}


def stroke(number: int, mm: float) -> dict[str, Any]:
    return {"segmentation": SERIES, "number": number, "mm": mm, "erases": False}


class Inside:
    """A tab in a room: the list of who is here and the newest word of each, as its frames say."""

    def __init__(self, tab: Browser, room: str) -> None:
        self.tab, self.room = tab, room
        self.me = ""
        self.people: list[dict[str, Any]] = []
        self.words: dict[str, dict[str, Any]] = {}
        tab.say({"join": room})
        self.until(lambda: self.me)

    def take(self, frame: dict[str, Any]) -> None:
        if "room" in frame:
            self.me, self.people = frame["room"]["me"], frame["room"]["people"]
        for member, words in frame.get("here", {}).get("said", {}).items():
            self.words.setdefault(member, {}).update(words)

    def until(self, ready: Any, timeout: float = 10.0) -> None:
        """Read frames until `ready()`."""
        end = time.monotonic() + timeout
        while not ready():
            self.take(self.tab.hear(max(0.01, end - time.monotonic())))

    def names(self) -> set[str]:
        return {one["name"] for one in self.people}

    def say(self, **words: Any) -> None:
        self.tab.say({"here": {"room": self.room, **words}})

    def word(self, of: Inside, name: str) -> Any:
        return self.words.get(of.me, {}).get(name)


@pytest.fixture
def inside(opened: Any, team: Any) -> Any:
    return lambda user, **options: Inside(opened(user, **options), team.stream)


def test_people_come_point_and_go(team: Any, inside: Any) -> None:
    first = inside(team.admin)
    assert first.names() == {"Ada"}
    first.say(cursor=cursor(1, 2, 3))
    second = inside(team.reader)
    second.until(lambda: second.names() == {"Ada", "Rita"})
    first.until(lambda: first.names() == {"Ada", "Rita"})
    # Who comes later hears what was said before.
    second.until(lambda: second.word(first, "cursor") == cursor(1, 2, 3))
    second.say(cursor=cursor(-4.5, 0, 12.25, pane="surfaces"), stroke=None)
    first.until(lambda: first.word(second, "cursor") == cursor(-4.5, 0, 12.25, pane="surfaces"))
    colours = {one["name"]: one["colour"] for one in first.people}
    assert len(set(colours.values())) == 2
    second.until(lambda: {one["name"]: one["colour"] for one in second.people} == colours)
    second.tab.close()
    first.until(lambda: first.names() == {"Ada"})


def test_a_room_spans_web_processes_and_loses_who_died(team: Any, inside: Any, site: Any) -> None:
    other = site.web()
    first, second = inside(team.admin), inside(team.reader, port=other.port)
    first.until(lambda: first.names() == {"Ada", "Rita"})
    second.say(cursor=cursor(1, 1, 1))
    first.until(lambda: first.word(second, "cursor") == cursor(1, 1, 1))
    site.stop(other.child)  # killed: it says no farewell
    first.until(lambda: first.names() == {"Ada"}, timeout=20)


def test_two_tabs_of_one_person_have_one_colour(team: Any, inside: Any) -> None:
    tabs = [inside(team.reader), inside(team.reader), inside(team.admin)]
    tabs[0].until(lambda: len(tabs[0].people) == 3)
    tabs[0].until(lambda: len({(one["id"], one["colour"]) for one in tabs[0].people}) == 2)


def test_six_people_have_six_colours(team: Any, inside: Any, make_user: Any) -> None:
    from server.accounts.services import add_member

    users = [make_user(f"Person {number}") for number in range(4)]
    for user in users:
        add_member(project=team.project, user=user, role="reader", by=team.admin)
    tabs = [inside(user) for user in [team.admin, team.reader, *users]]
    last = tabs[-1]
    last.until(lambda: len({one["colour"] for one in last.people}) == 6)
    wanted = {one["id"]: one["colour"] for one in last.people}
    for tab in tabs[:-1]:
        tab.until(lambda tab=tab: {one["id"]: one["colour"] for one in tab.people} == wanted)


def test_only_who_follows_gets_the_view(team: Any, inside: Any, make_user: Any) -> None:
    from server.accounts.services import add_member

    third = make_user("Tess")
    add_member(project=team.project, user=third, role="viewer", by=team.admin)
    leader, follower, watcher = inside(team.admin), inside(team.reader), inside(third)
    for tab in (leader, follower, watcher):
        tab.until(lambda tab=tab: len(tab.people) == 3)
    assert [one["watches"] for one in leader.people if one["name"] == "Tess"] == [True]
    follower.say(follow=leader.me)
    leader.until(lambda: any(one["follows"] == leader.me for one in leader.people))
    leader.say(view="v=1&at=1,2,3&camera=10,20,300,1,2,3", cursor=cursor(9, 9, 9))
    follower.until(lambda: follower.word(leader, "view") == "v=1&at=1,2,3&camera=10,20,300,1,2,3")
    watcher.until(lambda: watcher.word(leader, "cursor") == cursor(9, 9, 9))
    assert watcher.word(leader, "view") is None
    follower.say(follow=None)
    leader.until(lambda: all(one["follows"] is None for one in leader.people))


def test_a_stranger_a_missing_room_and_an_unknown_kind_are_shut_alike(team: Any, opened: Any) -> None:
    tab = opened(team.stranger)
    missing = "test:00000000-0000-4000-8000-000000000000"
    for room in (team.stream, missing, "secret:1", "", f"user:{team.admin.pk}"):
        tab.say({"join": room})
        assert tab.hear() == {"shut": room}
    tab.say({"here": {"room": team.stream, "cursor": cursor(1, 2, 3)}})
    assert tab.silence(0.3) == []


def test_a_removed_member_is_shown_out_at_once(team: Any, inside: Any) -> None:
    staying, going = inside(team.admin), inside(team.reader)
    staying.until(lambda: staying.names() == {"Ada", "Rita"})
    begun = time.monotonic()
    remove_member(membership=Membership.objects.get(user=team.reader, project=team.project), by=team.admin)
    while going.tab.hear(2.0) != {"shut": team.stream}:
        pass
    staying.until(lambda: staying.names() == {"Ada"})
    assert time.monotonic() - begun < 2.0
    staying.say(cursor=cursor(1, 2, 3))
    going.say(cursor=cursor(4, 5, 6))
    assert going.tab.silence(0.4) == []
    assert staying.word(going, "cursor") is None


def test_a_seal_shuts_the_room_at_once_and_its_opening_lets_people_meet(
    team: Any,
    opened: Any,
    make_study: Any,  # noqa: F811
) -> None:
    """The room of a real study, with the rule of the readings: as little there as a study that does not exist."""
    from django.db import transaction

    from server.accounts.services import add_member
    from server.readings.cases.holding import hold_case, move_case
    from server.readings.cases.opening import open_cases, set_protocol

    add_member(project=team.project, user=team.stranger, role="reader", by=team.admin)
    study = make_study(team.project)
    set_protocol(project=team.project, by=team.admin, values={"is_sealed": True, "readers_per_case": 1})
    room = f"study:{study.pk}"
    people = [Inside(opened(user), room) for user in (team.admin, team.reader)]
    for one in people:
        one.until(lambda one=one: one.names() == {"Ada", "Rita"})
    begun = time.monotonic()
    (case,) = open_cases(project=team.project, studies=[study], by=team.admin)
    for one in people:
        while one.tab.hear(2.0) != {"shut": room}:
            pass
    assert time.monotonic() - begun < 2.0
    # Nothing that is said reaches anybody, and nobody comes in: the same word as for a study that is not there.
    for one in people:
        one.say(cursor=cursor(1, 2, 3))
    assert [one.tab.silence(0.3) for one in people] == [[], []]
    missing = "study:00000000-0000-4000-8000-000000000000"
    for name in (room, missing):
        people[0].tab.say({"join": name})
        assert people[0].tab.hear() == {"shut": name}
    with transaction.atomic():
        held = hold_case(case)
        move_case(case=held, to=("reading", "in_progress"), by=team.admin, is_blind=False)
    for one in people:
        one.me = ""
        one.tab.say({"join": room})
        one.until(lambda one=one: one.me)
    for one in people:
        one.until(lambda one=one: one.names() == {"Ada", "Rita"})


BAD = [
    {}, {"cursor": 5}, {"cursor": {}}, {"name": "Rita"}, {"view": "javascript:alert(1)"}, {"view": "v=1&x=<script>"},
    {"view": "v=1&" + "x" * 3000}, {"follow": "everybody"}, {"follow": 7}, {"stroke": {"number": 1}},
    {"cursor": cursor(1, 2)}, {"cursor": cursor(1, 2, 1e6)}, {"cursor": cursor(True, 2, 3)},
    {"cursor": cursor("1", 2, 3)}, {"cursor": cursor(1, 2, 3, pane="elsewhere")},
    {"cursor": cursor(1, 2, 3, series="x")}, {"cursor": cursor(10**400, 0, 0)},
    {"cursor": {**cursor(1, 2, 3), "name": "Rita"}}, {"stroke": stroke(0, 5)}, {"stroke": stroke(300, 5)},
    {"stroke": stroke(1, -1)}, {"stroke": stroke(1, 501)}, {"stroke": stroke(True, 5)},
]  # fmt: skip
NOT_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999"]


def test_what_is_no_number_or_out_of_range_is_refused() -> None:
    for words in BAD:
        with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
            said.cleaned(words)
    for text in NOT_NUMBERS:
        with pytest.raises((ValueError, TypeError)):
            said.cleaned(json.loads(json.dumps({"cursor": cursor(-7, 2, 3)}).replace("-7", text)))
    assert said.cleaned({"cursor": None, "stroke": None, "follow": None}) == {
        "cursor": None, "stroke": None, "follow": None,
    }  # fmt: skip


def test_a_bad_frame_reaches_nobody_and_is_answered(team: Any, inside: Any) -> None:
    speaker, listener = inside(team.admin), inside(team.reader)
    listener.until(lambda: len(listener.people) == 2)
    for text in NOT_NUMBERS[:2]:
        frame = json.dumps({"here": {"room": team.stream, "cursor": cursor(-7, 2, 3)}})
        speaker.tab.say(frame.replace("-7, 2", f"{text}, 2"))
    speaker.say(view="v=1&" + "x" * 5000)
    errors = 0
    while errors < 3:
        errors += "error" in speaker.tab.hear()
    speaker.say(cursor=cursor(1, 2, 3))
    listener.until(lambda: listener.word(speaker, "cursor") == cursor(1, 2, 3))
    assert listener.word(speaker, "view") is None


def test_more_than_twenty_a_second_are_dropped(team: Any, inside: Any, site: Any) -> None:
    """Counted where they pass: what is dropped never reaches Redis."""
    speaker, listener = inside(team.admin), inside(team.reader)
    listener.until(lambda: len(listener.people) == 2)
    passing = site.redis_client().pubsub()
    passing.psubscribe("*")
    passing.get_message(timeout=1)
    begun = time.monotonic()
    for number in range(100):
        speaker.say(cursor=cursor(number, 0, 0))
    speaker.tab.say({"ping": 1})
    while speaker.tab.hear() != {"pong": 1}:
        pass
    seconds = time.monotonic() - begun
    passed = 0
    while (message := passing.get_message(timeout=0.3)) is not None:
        passed += isinstance(message["data"], bytes) and b"cursor" in message["data"]
    passing.close()
    assert 20 <= passed <= min(100, 21 + 20 * seconds)
    listener.until(lambda: listener.word(speaker, "cursor") is not None)


def test_a_flood_closes_with_4429(team: Any, inside: Any) -> None:
    speaker, listener = inside(team.admin), inside(team.reader)
    with contextlib.suppress(ConnectionClosed):
        for number in range(1000):
            speaker.say(cursor=cursor(number, 0, 0))
    assert speaker.tab.closed_with() == 4429
    listener.until(lambda: listener.names() == {"Rita"})


def test_the_bucket_fills_by_itself() -> None:
    now = 0.0
    bucket = Bucket(20, 20, clock=lambda: now)
    assert sum(bucket.take() for _ in range(100)) == 20
    now = 0.5
    assert sum(bucket.take() for _ in range(100)) == 10
    now = 100.0
    assert sum(bucket.take() for _ in range(100)) == 20


def test_nothing_of_a_person_goes_through_redis(team: Any, inside: Any, site: Any) -> None:
    """All that is said passes Redis: no name, no address is in it."""
    listening = site.redis_client().pubsub()
    listening.psubscribe("*")
    first, second = inside(team.admin), inside(team.reader)
    first.until(lambda: first.names() == {"Ada", "Rita"})
    first.say(cursor=cursor(1, 2, 3))
    second.until(lambda: second.word(first, "cursor") is not None)
    passed = b""
    while (message := listening.get_message(timeout=0.3)) is not None:
        passed += message["data"] if isinstance(message["data"], bytes) else b""
    listening.close()
    assert str(team.admin.pk).encode() in passed
    for word in ("Ada", "Rita", team.admin.email, team.reader.email, "@example.org"):
        assert word.encode() not in passed, word
