"""Where slots live: in the children of a Celery worker, or in a command that works the queue itself."""

from __future__ import annotations

import mmap
import os
import socket
import time
from uuid import UUID

from server.jobs.guard import work_queue
from server.jobs.models import Job
from server.jobs.slot import Slot
from server.jobs.states import FINAL, Queue

# One byte that the worker process shares with the children it forks: it was told to stop.
_leaving = mmap.mmap(-1, 1)
_slot: Slot | None = None
_slot_pid = 0


def leave() -> None:
    """Told to stop: every slot gives its job back, the attempt uncounted, and takes no other."""
    _leaving[0] = 1


def is_leaving() -> bool:
    return _leaving[0] == 1


def node_name() -> str:
    """The worker process's name, the same for all its slots."""
    return os.environ.get("LAMINA_WORKER_NAME") or f"{socket.gethostname()}-{os.getppid()}"


def current_slot(index: int = 0, queues: list[str] | None = None, *, restarts: bool = False) -> Slot:
    """This process's slot, made on first use; a fork starts with none of its own."""
    global _slot, _slot_pid
    if _slot is None or _slot_pid != os.getpid():
        _slot = Slot(
            f"{node_name()}/{index}",
            queues or list(Queue.values),
            os.environ.get("LAMINA_DEVICE", "cpu"),
            restarts=restarts,
            is_leaving=is_leaving,
        )
        _slot_pid = os.getpid()
    return _slot


def close_slot() -> None:
    global _slot
    if _slot is not None and _slot_pid == os.getpid():
        _slot.close()
    _slot = None


def work(queue: str = Queue.RECON, *, until_job: UUID, poll_seconds: float = 0.5) -> Job:
    """Work a queue in this process until one job has ended; returns it. Another worker may take the job meanwhile."""
    try:
        while True:
            job = Job.objects.get(pk=until_job)
            if job.state in FINAL:
                return job
            if not work_queue(current_slot(queues=[queue]), queue, until_job=until_job):
                time.sleep(poll_seconds)
    finally:
        close_slot()
