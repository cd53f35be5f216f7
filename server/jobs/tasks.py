"""The one Celery task, and the life of a slot in each prefork child."""

from __future__ import annotations

import logging
import os
from typing import Any

from celery.signals import worker_init, worker_process_init, worker_process_shutdown, worker_shutting_down

from server.celery import app
from server.jobs import hints, worker
from server.jobs.guard import work_queue
from server.jobs.states import Queue

log = logging.getLogger("lamina.jobs")


@app.task(name="jobs.work")
def work(queue: str, version: int = hints.VERSION) -> None:
    """A hint came: do what waits in `queue`. A spare hint costs one empty query."""
    if version != hints.VERSION:
        log.warning("a hint of version %s for %s was left alone; the sweeper asks again", version, queue)
        return
    work_queue(worker.current_slot(), queue)


@worker_init.connect
def _name_the_node(sender: Any = None, **_: Any) -> None:
    """Runs in the parent: its children inherit the name."""
    os.environ.setdefault("LAMINA_WORKER_NAME", getattr(sender, "hostname", "") or worker.node_name())


@worker_shutting_down.connect
def _leave(**_: Any) -> None:
    """Runs in the parent when it is told to stop; the children see the shared byte."""
    worker.leave()


@worker_process_init.connect
def _open_slot(**_: Any) -> None:
    """Runs in each child after the fork, in the thread that will run tasks."""
    from billiard.process import current_process

    queues = list(app.amqp.queues.consume_from)
    slot = worker.current_slot(getattr(current_process(), "index", 0), queues, restarts=True)
    if Queue.INTERACTIVE in queues:
        slot.engine.warm()  # somebody will wait for the first of its jobs


@worker_process_shutdown.connect
def _close_slot(**_: Any) -> None:
    worker.close_slot()
