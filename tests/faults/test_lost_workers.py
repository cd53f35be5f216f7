"""F1, F2, F3: processes die by kill -9; every job still ends with exactly one result or a named failure."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from tests.faults.app import STEPS
from tests.faults.harness import LEASE, Site, assert_promise, engines_alive, wait_until


def test_a_guard_killed_at_each_step_loses_nothing(site: Site, people: Any) -> None:
    """F1. The guard dies at a named step of its first attempt; the sweeper frees the job after one lease."""
    site.worker(slots=2)
    site.sweeper()
    jobs = [site.submit(*people, kill_at=step) for step in STEPS]
    site.wait_for(jobs, timeout=40)
    assert_promise(jobs)
    for job, step in zip(jobs, STEPS, strict=True):
        job.refresh_from_db()
        assert job.state == "succeeded", step
        assert job.attempt == (1 if step == "finished" else 2), step


def test_a_killed_engine_is_replaced_at_once(site: Site, people: Any) -> None:
    """F1. The guard sees the signal itself: no sweeper runs here, so nothing else can start the next attempt."""
    site.worker()
    job = site.submit(*people, die_at=2, bad_attempts=1)
    site.wait_for(job)
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert_promise([job])
    requeued = _events(job, "job.requeued")
    assert requeued[0].payload["reason"] == "worker stopped (signal 9)"
    assert requeued[0].payload["attempt"] == 1


def test_a_killed_worker_with_reserved_hints_loses_nothing(site: Site, people: Any) -> None:
    """F2. kill -9 of the whole worker while six more jobs wait; another worker takes over; no engine stays behind."""
    first = site.worker(slots=1)
    site.sweeper()
    jobs = [site.submit(*people, seconds=0.6) for _ in range(7)]
    wait_until(lambda: bool(engines_alive(site.folder)), 10, "an engine")
    time.sleep(0.3)
    os.killpg(first.child.pid, signal.SIGKILL)
    wait_until(lambda: not engines_alive(site.folder), 5, "the engine to end with its guard")
    site.worker(slots=2)
    site.wait_for(jobs, timeout=40)
    assert_promise(jobs)
    for job in jobs:
        job.refresh_from_db()
    assert {job.state for job in jobs} == {"succeeded"}
    assert sorted(job.attempt for job in jobs) == [1] * 6 + [2]


@pytest.mark.slow
def test_a_job_that_always_kills_its_worker_fails_by_name(site: Site, people: Any) -> None:
    """F3. Three attempts, then `worker_lost`; the others finish."""
    site.worker(slots=2)
    site.sweeper()
    bad = site.submit(*people, die_at=1, bad_attempts=99)
    worse = site.submit(*people, kill_at="prepared", bad_attempts=99)
    good = [site.submit(*people, seconds=0.1) for _ in range(3)]
    site.wait_for([bad, worse, *good], timeout=40)
    assert_promise([bad, worse, *good])
    for job in (bad, worse):
        job.refresh_from_db()
        assert (job.state, job.error_code, job.attempt) == ("failed", "worker_lost", 3)
    assert bad.exit_signal == 9
    assert "3 times" in bad.error_message
    for job in good:
        job.refresh_from_db()
        assert job.state == "succeeded"


def test_a_worker_that_is_told_to_stop_gives_its_job_back_at_once(site: Site, people: Any) -> None:
    """SIGTERM is no fault: the attempt is not counted and nobody waits for a lease."""
    first = site.worker()
    job = site.submit(*people, seconds=30, steps=300, bad_attempts=0)
    site.wait_for(job, "running")
    time.sleep(0.5)
    first.child.terminate()
    site.wait_for(job, "queued", timeout=5)
    job.refresh_from_db()
    assert job.attempt == 0
    assert job.detail == "worker was stopped, attempt 1 of 3"
    first.child.wait(timeout=8)
    assert not engines_alive(site.folder)
    assert [event.payload["reason"] for event in _events(job, "job.requeued")] == ["worker was stopped"]


@pytest.mark.slow
def test_without_the_sweeper_a_killed_guard_loses_its_job(site: Site, people: Any) -> None:
    """The test of F1 notices when nobody frees jobs."""
    site.worker()
    site.sweeper(without="sweep")
    job = site.submit(*people, kill_at="claimed")
    with pytest.raises(AssertionError, match="waited"):
        site.wait_for(job, timeout=3 * LEASE)


def _events(job: Any, kind: str) -> list[Any]:
    from server.realtime.models import StreamEvent

    return list(StreamEvent.objects.filter(stream=job.stream, type=kind).order_by("seq"))
