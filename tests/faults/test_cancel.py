"""F15: cancelling what waits, what runs and what is just ending. Exactly one of cancelled and succeeded wins."""

from __future__ import annotations

import contextlib
import random
import time
from typing import Any

import pytest

from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.services import cancel_job
from tests.faults.harness import Site, assert_promise, engines_alive, wait_until

PROMISED_SECONDS = 5.0


def test_a_waiting_job_is_cancelled_at_once(site: Site, people: Any) -> None:
    job = site.submit(*people)
    assert cancel_job(job, people[1]).state == "cancelled"
    site.worker()
    other = site.submit(*people)
    site.wait_for(other, "succeeded")
    assert_promise([job, other])
    assert Job.objects.get(pk=job.pk).attempt == 0


@pytest.mark.parametrize("deaf", [False, True])
def test_a_running_job_stops_and_gives_its_memory_back(site: Site, people: Any, deaf: bool) -> None:
    """An engine that hears no cancel is killed with its group after the grace."""
    site.worker()
    job = site.submit(*people, seconds=60, steps=600, mib=150, deaf=deaf)
    wait_until(lambda: bool(engines_alive(site.folder)), 10, "the engine", site.tail)
    time.sleep(0.5)
    begun = time.monotonic()
    cancel_job(job, people[1])
    site.wait_for(job, "cancelled", timeout=PROMISED_SECONDS)
    wait_until(lambda: not engines_alive(site.folder), PROMISED_SECONDS, "the engine to be gone")
    assert time.monotonic() - begun < PROMISED_SECONDS
    assert_promise([job])
    after = site.submit(*people)
    site.wait_for(after, "succeeded")


def cancelled_in_the_last_step(site: Site, people: Any, without: str = "") -> Job:
    """The result is stored, its transaction has not begun: the person's cancel has committed before it."""
    site.worker(without=without, LAMINA_TEST_BEAT_SECONDS="30")  # no beat tells the guard: the transaction must see it
    job = site.submit(*people, pause_at="stored", pause=1.5, seconds=0.1)
    wait_until(lambda: _phase_reached(job), 10, "the job to run", site.tail)
    time.sleep(0.8)
    cancel_job(job, people[1])
    site.wait_for(job)
    job.refresh_from_db()
    return job


def test_a_cancel_that_committed_before_the_result_wins(site: Site, people: Any) -> None:
    job = cancelled_in_the_last_step(site, people)
    assert job.state == "cancelled"
    assert_promise([job])


@pytest.mark.slow
def test_without_the_look_at_the_cancel_the_result_wins(site: Site, people: Any) -> None:
    assert cancelled_in_the_last_step(site, people, without="cancel_first").state == "succeeded"


@pytest.mark.slow
def test_random_cancels_leave_one_ending_each(site: Site, people: Any) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    site.worker(slots=2)
    site.sweeper()
    jobs = []
    for _ in range(10):
        jobs.append(site.submit(*people, seconds=0.25, steps=5))
        time.sleep(dice.uniform(0, 0.3))
        with contextlib.suppress(LaminaError):  # it had ended already
            cancel_job(dice.choice(jobs), people[1])
    site.wait_for(jobs, timeout=30)
    assert_promise(jobs)


def _phase_reached(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == "running" and job.phase != ""
