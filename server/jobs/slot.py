"""One slot of a worker: a name, a warm engine process, and a thread that beats for the slot and its job.

The thread runs whatever the main thread does (decrypting files, waiting for the engine), so a beat that stops
means the process is stopped or gone. It also sees a cancel, a lost fence and the end of the job's time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from server.jobs import conf, services
from server.jobs.models import Job, Worker
from server.jobs.process import EngineProcess
from server.jobs.selectors import waiting_counts

log = logging.getLogger("lamina.jobs")
_ROW_EVERY_BEATS = 3


class Claim:
    """A job this slot has claimed, and why it should stop, if it should."""

    def __init__(self, job: Job, time_limit: float | None, is_leaving: Callable[[], bool]) -> None:
        self.job = job
        self.is_leaving = is_leaving
        self.claimed_at = time.monotonic()
        self.time_limit = time_limit
        self.lost = threading.Event()
        self.cancelled = threading.Event()
        self.done = threading.Event()

    @property
    def elapsed(self) -> float:
        """Seconds since the claim, by this machine's monotonic clock."""
        return time.monotonic() - self.claimed_at

    def interruption(self) -> str | None:
        if self.lost.is_set():
            return "lost"
        if self.cancelled.is_set():
            return "cancelled"
        if self.is_leaving():
            return "leaving"
        if self.time_limit is not None and self.elapsed > self.time_limit:
            return "timeout"
        return None


class Slot:
    """Runs one job at a time. Make it in the process (after any fork) and the thread that will work."""

    def __init__(
        self,
        name: str,
        queues: list[str],
        device: str = "",
        *,
        restarts: bool = False,
        is_leaving: Callable[[], bool] = bool,  # bool() is False: nobody ever tells a command to leave
    ) -> None:
        self.name = name
        self.queues = queues
        self.device = device
        self.engine = EngineProcess()
        self.is_leaving = is_leaving  # the worker was told to stop: give the job back, take no other
        self.restarts = restarts  # a supervised worker process that the watchdog may end
        self._claim: Claim | None = None
        self._last_claim = time.monotonic()
        self._hungry_since: float | None = None
        self._stop = threading.Event()
        self._started_at = timezone.now()
        self._beats = 0
        self._row_known = False
        self._thread = threading.Thread(target=self._beat_on, name="beat", daemon=True)
        self._thread.start()

    def take(self, claim: Claim | None) -> None:
        """Begin or end a job."""
        if self._claim is not None:
            self._claim.done.set()
        self._claim = claim
        self._last_claim = time.monotonic()
        self._hungry_since = None

    def close(self) -> None:
        """Stop beating, end the engine, remove the row."""
        self._stop.set()
        self._thread.join(timeout=5)
        self.engine.stop()
        with contextlib.suppress(DatabaseError, InterfaceError):
            Worker.objects.filter(name=self.name, pid=os.getpid()).delete()

    # --- the beating thread ---------------------------------------------------------------------------------------

    def _beat_on(self) -> None:
        while not self._stop.is_set():
            try:
                self._beat()
            except (DatabaseError, InterfaceError, OSError) as error:
                log.warning("slot %s could not beat (%s)", self.name, type(error).__name__)
                with contextlib.suppress(Exception):
                    connection.close()
            self._stop.wait(conf.beat())
        with contextlib.suppress(Exception):
            connection.close()

    def _beat(self) -> None:
        claim = self._claim
        if claim is not None and not claim.done.is_set() and not claim.lost.is_set():
            self._beat_for(claim)
        if self._beats % _ROW_EVERY_BEATS == 0:
            self._write_row(claim.job.pk if claim is not None else None)
            if self.restarts and claim is None:
                self._watch()
        self._beats += 1

    def _beat_for(self, claim: Claim) -> None:
        try:
            if services.beat(claim.job.pk, claim.job.fence):
                claim.cancelled.set()
        except services.FenceLost:
            if not claim.done.is_set():
                claim.lost.set()
                self.engine.kill()

    def _write_row(self, job_id: UUID | None) -> None:
        self._row_known = True
        Worker.objects.update_or_create(
            name=self.name,
            defaults={
                "host": socket.gethostname()[:80],
                "pid": os.getpid(),
                "queues": self.queues,
                "device": self.device,
                "job_id": job_id,
                "beat": self._beats,
                "memory_mib": round(_resident_mib(os.getpid()) + _resident_mib(self.engine.pid), 1),
                "started_at": self._started_at,
                "last_beat_at": timezone.now(),
            },
        )

    def _watch(self) -> None:
        """The broker's line may be cut while the process lives: work waits, and no hint comes through.

        Then this worker ends and its supervisor starts another; slots of the same worker that are busy put it off.
        """
        counts = waiting_counts()
        now = time.monotonic()
        if not any(counts.get(queue) for queue in self.queues):
            self._hungry_since = None
            return
        if self._hungry_since is None:
            self._hungry_since = now
        if now - max(self._hungry_since, self._last_claim) < conf.watchdog():
            return
        node = self.name.rsplit("/", 1)[0]
        if Worker.objects.filter(name__startswith=f"{node}/", job__isnull=False).exists():
            return
        log.error("slot %s claimed nothing for %d s while work waits; its worker restarts", self.name, conf.watchdog())
        parent = os.getppid()
        for signum in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(parent, signum)
            if self._stop.wait(10):
                return


def _resident_mib(pid: int | None) -> float:
    """Memory a process holds now; 0 where it is gone or the system has no /proc."""
    if pid is None:
        return 0.0
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
