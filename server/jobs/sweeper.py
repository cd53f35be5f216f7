"""The sweeper: frees jobs whose worker is gone, repeats hints, forgets dead workers. It runs beside web and workers.

Leases are judged by this process's own monotonic clock: a beat counter that has not moved for a lease since this
process first saw that value. No clock of another machine, and no wall clock, is asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from server.jobs import cleaning, conf, hints, services
from server.jobs.models import Job, Worker
from server.jobs.selectors import waiting_counts
from server.jobs.states import JobState

log = logging.getLogger("lamina.jobs")
FORGET_WORKER_LEASES = 6
K = TypeVar("K", bound=Hashable)


class StillWatch(Generic[K]):
    """Which counters stand still? `look` is told what they read and when; it never asks a clock itself."""

    def __init__(self, lease: float) -> None:
        self.lease = lease
        self._seen: dict[K, tuple[Hashable, float]] = {}
        self._last_look: float | None = None

    def look(self, counters: Iterable[tuple[K, Hashable]], now: float) -> list[K]:
        """Keys whose value has not changed for a lease. After a gap of a lease in looking, watching starts anew:
        whoever could not look cannot say that nobody moved."""
        if self._last_look is not None and now - self._last_look >= self.lease:
            self._seen.clear()
        self._last_look = now
        seen = self._seen
        self._seen = {}
        still = []
        for key, value in counters:
            before = seen.get(key)
            since = before[1] if before is not None and before[0] == value else now
            self._seen[key] = (value, since)
            if now - since >= self.lease:
                still.append(key)
        return still

    def next_due(self, now: float) -> float:
        """Seconds until a counter that never moves again would be called still."""
        return max(0.0, min((since + self.lease - now for _, since in self._seen.values()), default=self.lease))


class Sweeper:
    """One pass at a time; several sweepers may run, their passes take turns by an advisory lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.jobs: StillWatch[UUID] = StillWatch(conf.lease())
        self.workers: StillWatch[str] = StillWatch(conf.lease() * FORGET_WORKER_LEASES)
        self._hinted: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Pass after pass until `stop`. A database that is away is waited for."""
        cleaner = threading.Thread(target=run_cleanings, args=(stop,), name="cleaning", daemon=True)
        cleaner.start()
        while not stop.is_set():
            try:
                self.sweep()
            except (DatabaseError, InterfaceError) as error:
                log.warning("a pass of the sweeper failed (%s)", type(error).__name__)
                connection.close()
            pause = min(conf.sweep(), self.jobs.next_due(self.clock()) + 0.05)
            stop.wait(max(pause, 0.2))
        cleaner.join(timeout=5)

    def sweep(self) -> list[UUID]:
        """One pass. Returns the jobs it freed."""
        freed: list[UUID] = []
        waiting: dict[str, int] = {}
        with transaction.atomic():
            if not _my_turn():
                return freed
            running = {row[0]: row[1:] for row in _running()}
            for job_id in self.jobs.look(running.items(), self.clock()):
                fence, beat = running[job_id]
                if self._free(job_id, fence, beat):
                    freed.append(job_id)
            self._forget_workers()
            waiting = waiting_counts()
        self._hint(waiting)
        return freed

    def _free(self, job_id: UUID, fence: int, beat: int) -> bool:
        try:
            with transaction.atomic():
                state = services.release_job(job_id, fence, reason="worker lost", beat=beat)
        except services.FenceLost:
            return False
        log.warning("job %s: its worker was lost; it is %s", job_id, state)
        return True

    def _hint(self, waiting: dict[str, int]) -> None:
        for queue in waiting:
            now = self.clock()
            if now - self._hinted.get(queue, float("-inf")) < conf.hint():
                continue
            # One unread hint is enough, and a queue without workers must not fill the broker for days.
            if hints.hints_waiting(queue):
                continue
            self._hinted[queue] = now
            hints.hint(queue)

    def _forget_workers(self) -> None:
        beats = Worker.objects.values_list("name", "pid", "beat")
        still = self.workers.look([(name, (pid, beat)) for name, pid, beat in beats], self.clock())
        if still:
            Worker.objects.filter(name__in=still).delete()


def _my_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('lamina.sweep'))")
        return cursor.fetchone()[0]


def _running() -> list[tuple[UUID, int, int]]:
    """(id, fence, beat) of what runs, locked against nobody: `release_job` checks all three again."""
    rows = Job.objects.filter(state=JobState.RUNNING).order_by("id")
    return list(rows.values_list("id", "fence", "beat"))


def run_cleanings(stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
    """Each registered cleaning in its own time, beside the passes so that a long one delays no job."""
    due: dict[str, float] = {}
    while not stop.wait(1.0):
        for item in cleaning.cleanings():
            if clock() < due.get(item.name, 0.0):
                continue
            due[item.name] = clock() + item.every_seconds
            try:
                if count := item.clean():
                    log.debug("cleaning %s: %d", item.name, count)
            except Exception as error:  # one app's mistake must not stop the others' cleaning
                log.error("cleaning %s failed (%s)", item.name, type(error).__name__)
                connection.close()
