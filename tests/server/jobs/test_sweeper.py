"""Leases by a monotonic clock of one's own, hints at a measured pace."""

from __future__ import annotations

from typing import Any

import pytest

from server.jobs import hints, services
from server.jobs.estimate import seconds_left, typical_seconds
from server.jobs.models import Job
from server.jobs.sweeper import StillWatch, Sweeper


def test_a_counter_that_moves_is_never_still() -> None:
    watch = StillWatch(lease=10)
    for now in range(0, 60, 3):
        assert watch.look([("a", now)], now) == []


def test_a_counter_is_still_one_lease_after_it_was_first_seen() -> None:
    watch = StillWatch(lease=10)
    assert watch.look([("a", 1)], 0) == []
    assert watch.next_due(0) == 10
    assert watch.look([("a", 1)], 9.9) == []
    assert watch.next_due(9.9) == pytest.approx(0.1)
    assert watch.look([("a", 1), ("b", 1)], 10) == ["a"]
    assert watch.look([("a", 2)], 11) == []  # it moved after all: the fence decides who is right


def test_a_watcher_that_could_not_look_starts_anew() -> None:
    """The database was away, or this process was stopped: nobody may be blamed for that time."""
    watch = StillWatch(lease=10)
    watch.look([("a", 1)], 0)
    assert watch.look([("a", 1)], 60) == []
    assert watch.look([("a", 1)], 66) == []
    assert watch.look([("a", 1)], 70) == ["a"]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    queues: list[str] = []
    monkeypatch.setattr(hints, "hint", lambda queue: queues.append(queue) or True)
    monkeypatch.setattr(hints, "hints_waiting", lambda queue: 0)
    return queues


def test_only_the_silent_worker_loses_its_job(submit: Any, sent: list[str], settings: Any) -> None:
    settings.LAMINA_LEASE_SECONDS = 10.0
    submit(), submit()
    silent, alive = (services.claim_next("recon", worker=f"w/{n}") for n in range(2))
    clock = Clock()
    sweeper = Sweeper(clock)
    for _ in range(3):
        assert sweeper.sweep() == []
        services.beat(alive.pk, alive.fence)
        clock.now += 4
    assert sweeper.sweep() == [silent.pk]
    assert Job.objects.get(pk=silent.pk).state == "queued"
    assert Job.objects.get(pk=silent.pk).detail == "worker lost, attempt 2 of 3"
    assert Job.objects.get(pk=alive.pk).state == "running"


def test_a_queue_with_work_gets_one_hint_every_five_seconds(submit: Any, sent: list[str], settings: Any) -> None:
    settings.LAMINA_HINT_SECONDS = 5.0
    submit(), submit(), submit(kind="test_files")
    clock = Clock()
    sweeper = Sweeper(clock)
    for _ in range(11):
        sweeper.sweep()
        clock.now += 1
    assert sorted(sent) == ["io"] * 3 + ["recon"] * 3


def test_a_hint_nobody_has_read_is_enough(submit: Any, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "hints_waiting", lambda queue: 1)
    submit()
    Sweeper(Clock()).sweep()
    assert sent == []


def test_time_left_goes_from_the_past_to_the_jobs_own_pace() -> None:
    assert seconds_left(1, 0.0, None) is None
    assert seconds_left(10, 0.5, None) == pytest.approx(10)
    assert seconds_left(0, 0.0, 60) == pytest.approx(60)
    assert seconds_left(30, 0.5, 60) == pytest.approx(30)
    assert 0 < seconds_left(90, 0.5, 60) < 90  # type: ignore[operator]
    assert seconds_left(100, 1.0, 60) == 0
    assert typical_seconds([]) is None
    assert typical_seconds([10, 11, 900]) == 11
