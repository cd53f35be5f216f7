"""F16 and the socket's half of F6: a browser that was away, a Redis that forgot or died."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from server.jobs.services import cancel_job
from server.realtime.services import publish
from tests.faults.harness import Site
from tests.realtime.browser import Browser, TestHappened


def tell(stream: str, count: int) -> None:
    for number in range(count):
        with transaction.atomic():
            publish(TestHappened(number=number), stream=stream)


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events]


def test_sockets_recover_when_redis_is_flushed_and_when_it_dies(site: Site, people: Any) -> None:
    project, user = people
    stream = f"test:{project.pk}"
    web = site.web()
    with Browser(web.port, user) as tab:
        tab.follow(stream)
        tell(stream, 2)
        assert numbers(tab.events(2)) == [1, 2]
        site.redis_client().flushall()
        tell(stream, 2)
        assert numbers(tab.events(2)) == [3, 4]
        assert site.redis is not None
        site.stop(site.redis)
        tell(stream, 3)  # publishing does not fail; the round over the open sockets finds the events
        assert numbers(tab.events(3, timeout=10)) == [5, 6, 7]
        site.start_redis()
        tell(stream, 2)
        assert numbers(tab.events(2, timeout=10)) == [8, 9]


def test_a_browser_that_was_away_follows_a_job_to_its_end(site: Site, people: Any) -> None:
    """Cut, job goes on, back with the last number: every event once, in order."""
    project, user = people
    web = site.web()
    site.worker()
    job = site.submit(project, user, stream=f"test:{project.pk}", seconds=0.5)
    with Browser(web.port, user) as tab:
        tab.follow(job.stream)
        first = tab.events(1)
    site.wait_for(job, "succeeded")
    cancelled = site.submit(project, user, stream=job.stream, seconds=30, steps=100)
    site.wait_for(cancelled, "running")
    cancel_job(cancelled, user)
    site.wait_for(cancelled, "cancelled")
    with Browser(web.port, user) as tab:
        tab.follow(job.stream, first[-1]["seq"])
        rest = tab.events(5)
        assert tab.silence(0.3) == []
    assert numbers(first + rest) == [1, 2, 3, 4, 5, 6]
    assert [event["type"] for event in first + rest] == [
        "job.queued", "job.started", "job.succeeded", "job.queued", "job.started", "job.cancelled",
    ]  # fmt: skip


@pytest.mark.slow
def test_progress_reaches_the_browser_at_most_twice_a_second(site: Site, people: Any) -> None:
    project, user = people
    web = site.web()
    site.worker()
    with Browser(web.port, user) as tab:
        stream = f"test:{project.pk}"
        tab.follow(stream)
        job = site.submit(project, user, stream=stream, seconds=2, steps=40)
        frames = []
        while True:
            frame = tab.hear(10)
            frames.append(frame)
            if frame.get("event", {}).get("type") == "job.succeeded":
                break
    steps = [frame["progress"]["job"] for frame in frames if "progress" in frame]
    moving = [step for step in steps if step["state"] == "running" and step["phase"]]
    assert 2 <= len(moving) <= 6
    fractions = [step["fraction"] for step in moving]
    assert fractions == sorted(fractions)
    assert moving[-1]["detail"].startswith("step ")
    assert moving[-1]["seconds_left"] is not None
    assert {step["id"] for step in steps} == {str(job.pk)}
