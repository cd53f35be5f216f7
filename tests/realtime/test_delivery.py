"""Numbers without gaps, in order, to everybody who may see them; whoever was away gets the rest."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from server.realtime import services
from server.realtime.models import StreamEvent
from server.realtime.services import clean_events, erase_stream, publish
from tests.realtime.browser import TestHappened

pytestmark = pytest.mark.django_db(transaction=True)


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events]


def publish_from_threads(stream: str, threads: int = 4, each: int = 15) -> int:
    """Writers race; every third act is rolled back. Returns how many events were committed."""

    def write(writer: int) -> None:
        try:
            for step in range(each):
                with transaction.atomic():
                    publish(TestHappened(number=writer * 100 + step), stream=stream)
                    transaction.set_rollback(step % 3 == 2)
        finally:
            connection.close()

    running = [threading.Thread(target=write, args=(writer,)) for writer in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    return threads * (each - each // 3)


def test_two_browsers_get_every_event_once_and_in_order(team: Any, opened: Any) -> None:
    first, second = opened(team.admin), opened(team.reader)
    for tab in (first, second):
        tab.follow(team.stream)
    count = publish_from_threads(team.stream)
    for tab in (first, second):
        assert numbers(tab.events(count, timeout=20)) == list(range(1, count + 1))
        assert tab.silence(0.3) == []


def test_the_author_hears_of_an_act_soon_after_its_commit(team: Any, opened: Any, tell: Any) -> None:
    tab = opened(team.admin)
    tab.follow(team.stream)
    tell(0)
    tab.events(1)
    times = []
    for number in range(1, 21):
        begun = time.monotonic()
        tell(number)
        (event,) = tab.events(1)
        times.append(time.monotonic() - begun)
        assert event["payload"]["number"] == number
    print(f"publish to browser: median {sorted(times)[10] * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms")
    assert sorted(times)[10] < 0.5


def test_a_rolled_back_act_is_never_told(team: Any, opened: Any, tell: Any) -> None:
    tab = opened(team.admin)
    tab.follow(team.stream)
    with transaction.atomic():
        publish(TestHappened(number=1), stream=team.stream)
        transaction.set_rollback(True)
    tell(2)
    assert [(e["seq"], e["payload"]["number"]) for e in tab.events(1)] == [(1, 2)]


def told_while_committing_slowly(team: Any, tab: Any, timeout: float) -> None:
    """The event of a slow transaction reaches the browser within `timeout` of its commit."""
    with transaction.atomic():
        publish(TestHappened(number=1), stream=team.stream)
        time.sleep(0.4)
    tab.events(1, timeout=timeout)


def test_the_bell_rings_after_the_commit(team: Any, opened: Any) -> None:
    tab = opened(team.admin)
    tab.follow(team.stream)
    told_while_committing_slowly(team, tab, 5)


def test_a_bell_before_the_commit_is_noticed(
    team: Any, site: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without on_commit the browser looks too early and finds nothing."""
    monkeypatch.setattr(services.transaction, "on_commit", lambda act, robust=False: act())
    blind = site.web(without="watch")
    tab = opened(team.admin, port=blind.port)
    tab.follow(team.stream)
    tab.silence(0.2)
    with pytest.raises(TimeoutError):
        told_while_committing_slowly(team, tab, 1)


def test_numbers_from_a_sequence_would_have_gaps(team: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the numbers notices a counter that is not rolled back with its act."""
    from itertools import count

    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE IF NOT EXISTS test_numbers")

    def careless(stream: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('test_numbers')")
            return cursor.fetchone()[0]

    monkeypatch.setattr(services, "next_number", careless)
    try:
        committed = publish_from_threads(team.stream, threads=2)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SEQUENCE test_numbers")
    kept = list(StreamEvent.objects.filter(stream=team.stream).order_by("seq").values_list("seq", flat=True))
    assert len(kept) == committed
    assert kept != [number for number, _ in zip(count(1), kept, strict=False)]


def test_whoever_was_away_gets_the_rest(team: Any, opened: Any, tell: Any) -> None:
    """F16. More than one page of events passed while the tab was cut off."""
    tab = opened(team.reader)
    tab.follow(team.stream)
    for number in range(5):
        tell(number)
    last = numbers(tab.events(5))[-1]
    tab.close()
    with transaction.atomic():
        for number in range(450):
            publish(TestHappened(number=number), stream=team.stream)
    back = opened(team.reader)
    back.follow(team.stream, last)
    assert numbers(back.events(450, timeout=20)) == list(range(6, 456))
    assert back.silence(0.3) == []


def test_older_than_kept_reloads(team: Any, opened: Any, tell: Any, settings: Any) -> None:
    for number in range(6):
        tell(number)
    long_ago = timezone.now() - timedelta(days=settings.LAMINA_EVENT_DAYS + 1)
    StreamEvent.objects.filter(stream=team.stream, seq__lte=4).update(at=long_ago)
    assert clean_events() == 4
    assert clean_events() == 0
    tab = opened(team.admin)
    tab.follow(team.stream, 2)
    assert tab.hear() == {"reload": team.stream}
    tell(7)
    assert numbers(tab.events(1)) == [7]
    current = opened(team.admin)
    current.follow(team.stream, 4)
    assert numbers(current.events(3)) == [5, 6, 7]


def test_a_number_that_never_was_reloads(team: Any, opened: Any, tell: Any) -> None:
    """A browser from before a restored backup."""
    tell(1)
    tab = opened(team.admin)
    tab.follow(team.stream, 99)
    assert tab.hear() == {"reload": team.stream}


def test_an_erased_stream_keeps_counting_and_tells_nothing_old(team: Any, opened: Any, tell: Any) -> None:
    tell(1, "planted")
    assert erase_stream(team.stream) == 1
    assert not StreamEvent.objects.filter(stream=team.stream).exists()
    tell(2)
    tab = opened(team.admin)
    tab.follow(team.stream, 0)
    assert tab.hear() == {"reload": team.stream}
    assert services.last_numbers([team.stream, "test:00000000-0000-4000-8000-000000000000"]) == {
        team.stream: 2,
        "test:00000000-0000-4000-8000-000000000000": 0,
    }


def test_progress_has_no_number_and_only_its_newest_waits(team: Any, opened: Any) -> None:
    tab = opened(team.admin)
    tab.follow(team.stream)
    tab.say({"ping": 1})
    assert tab.hear() == {"pong": 1}
    services.nudge(team.stream, {"progress": {"job": {"id": "a", "fraction": 0.5}}})
    assert tab.hear() == {"progress": {"stream": team.stream, "job": {"id": "a", "fraction": 0.5}}}


def test_polling_answers_the_same_events(team: Any, tell: Any, api_client: Any) -> None:
    for number in range(3):
        tell(number)
    answer = api_client(team.reader).get("/api/events/", {"stream": team.stream, "after": "1"}).json()
    assert (numbers(answer["events"]), answer["last"]) == ([2, 3], 3)
    assert api_client(team.reader).get("/api/events/", {"stream": team.stream, "after": 9}).json()["reload"] is True
    assert api_client(team.stranger).get("/api/events/", {"stream": team.stream}).status_code == 404
    assert api_client(team.reader).get("/api/events/", {"stream": "nothing:1"}).status_code == 404
    assert api_client(team.reader).get("/api/events/", {"stream": team.stream, "after": "-1"}).status_code == 422
    assert api_client().get("/api/events/", {"stream": team.stream}).status_code in {401, 403}
