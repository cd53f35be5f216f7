"""F4, F5, F6: a worker that sleeps and wakes, hints that come twice, a broker that forgets everything."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from server.jobs import services
from server.jobs.hints import hint
from server.jobs.models import Job
from tests.faults.harness import LEASE, Site, assert_promise, wait_until


def zombie_wakes_after_its_job_was_done(site: Site, people: Any, stop_at: str, without: str = "") -> Job:
    """F4. A guard stops itself, another worker does the job, the first one goes on 2.2 leases later."""
    sleeper = site.worker(without=without)
    job = site.submit(*people, stop_at=stop_at)
    (pid,) = sleeper.slots()
    wait_until(lambda: _stopped(pid), 10, "the guard to stop", site.tail)
    stopped_at = time.monotonic()
    site.worker(without=without)
    site.sweeper()
    site.wait_for(job, "succeeded", timeout=60)
    time.sleep(max(0.0, stopped_at + 2.2 * LEASE - time.monotonic()))
    os.kill(pid, signal.SIGCONT)
    after = site.submit(*people)
    site.wait_for(after, "succeeded")  # the site goes on; the zombie had its turn too
    time.sleep(1.0)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("stop_at", ["stored", pytest.param("finishing", marks=pytest.mark.slow)])
def test_a_worker_that_slept_through_its_lease_changes_nothing(site: Site, people: Any, stop_at: str) -> None:
    job = zombie_wakes_after_its_job_was_done(site, people, stop_at)
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert_promise([job])


@pytest.mark.slow
def test_without_the_fence_the_zombie_doubles_the_result(site: Site, people: Any) -> None:
    job = zombie_wakes_after_its_job_was_done(site, people, "stored", without="fence")
    with pytest.raises(AssertionError, match="2 results"):
        assert_promise([job])


@pytest.mark.slow
def test_without_the_idle_limit_a_guard_stopped_while_finishing_blocks_its_job(site: Site, people: Any) -> None:
    with pytest.raises(AssertionError, match="waited"):
        zombie_wakes_after_its_job_was_done(site, people, "finishing", without="idle_timeout")
    for child in site.children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGCONT)


# --- F5 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def racing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every thread opens its own connection: the pool of one process holds fewer than 16."""
    from django.db import connection

    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "pool", raising=False)
    monkeypatch.setattr(services, "tell_line", lambda queue: None)  # the threads share one Redis client


def racers_claim(project: Any, user: Any, site: Site, racers: int = 16) -> list[Any]:
    """16 threads with a connection each reach for one job at the same moment; returns what they got."""
    from django.db import connection

    job = site.submit(project, user)
    ready = threading.Barrier(racers)
    claims: list[Any] = []

    def reach(number: int) -> None:
        try:
            connection.ensure_connection()
            ready.wait(20)
            with contextlib.suppress(Exception):
                claims.append(services.claim_next("recon", worker=f"racer {number}"))
        finally:
            connection.close()

    threads = [threading.Thread(target=reach, args=(number,)) for number in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [claim for claim in claims if claim is not None and claim.pk == job.pk]


def test_sixteen_racers_make_one_claim(site: Site, people: Any, racing: None) -> None:
    assert len(racers_claim(*people, site)) == 1


def test_without_row_locks_racers_claim_twice(
    site: Site, people: Any, racing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim without its lock and the trigger: the race test sees more than one claim."""
    careless = services._CLAIM.replace("LIMIT 1 FOR UPDATE SKIP LOCKED", "LIMIT 1")
    careless = careless.replace("FROM next WHERE", "FROM next, pg_sleep(0.5) WHERE")
    monkeypatch.setattr(services, "_CLAIM", careless)
    _drop_trigger()
    try:
        assert len(racers_claim(*people, site)) > 1
    finally:
        _restore_trigger()


def test_a_hint_delivered_many_times_is_one_run(site: Site, people: Any) -> None:
    site.worker(slots=2)
    jobs = [site.submit(*people, seconds=0.3) for _ in range(3)]
    for _ in range(20):
        hint("recon")
    site.wait_for(jobs, "succeeded")
    assert_promise(jobs)
    assert {Job.objects.get(pk=job.pk).attempt for job in jobs} == {1}


# --- F6 -----------------------------------------------------------------------------------------------------------


def test_a_broker_that_forgot_everything_is_refilled_from_the_database(site: Site, people: Any) -> None:
    jobs = [site.submit(*people, seconds=0.2) for _ in range(6)]
    site.redis_client().flushall()
    site.worker(slots=2)
    site.sweeper()
    site.redis_client().flushall()
    assert site.wait_for(jobs, "succeeded", timeout=60) < 30
    assert_promise(jobs)
    site.redis_client().flushall()
    late = site.submit(*people)  # after a flush this process's hints still arrive
    site.wait_for(late, "succeeded", timeout=60)


@pytest.mark.slow
def test_without_repeated_hints_a_flush_strands_the_queue(site: Site, people: Any) -> None:
    jobs = [site.submit(*people) for _ in range(2)]
    site.redis_client().flushall()
    site.worker()
    site.sweeper(without="repeated_hints")
    with pytest.raises(AssertionError, match="waited"):
        site.wait_for(jobs, timeout=4)


def _stopped(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
    return False


def _drop_trigger() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER jobs_check_move ON jobs_job")


def _restore_trigger() -> None:
    from importlib import import_module

    from django.db import connection

    sql = import_module("server.jobs.migrations.0002_fence_and_moves").TRIGGER
    with connection.cursor() as cursor:
        cursor.execute(sql[sql.index("CREATE TRIGGER") :])
