"""Hints: "there is work in this queue". They name no job, may be lost and may come twice."""

from __future__ import annotations

import logging
import time

from server.celery import app

log = logging.getLogger("lamina.jobs")
VERSION = 1
_QUIET_SECONDS = 30.0
_last_complaint = -_QUIET_SECONDS


def hint(queue: str) -> bool:
    """Send one. Returns False when the broker did not take it; the sweeper sends another one then."""
    try:
        app.send_task("jobs.work", kwargs={"queue": queue, "version": VERSION}, queue=queue, retry=False)
    except Exception as error:  # kombu, redis and the socket each raise their own
        _complain(error)
        return False
    return True


def hints_waiting(queue: str) -> int | None:
    """How many hints lie in the broker for `queue`; None when it does not answer."""
    try:
        with app.connection_for_write() as connection:
            return connection.default_channel._size(queue)
    except Exception as error:
        _complain(error)
        return None


def _complain(error: Exception) -> None:
    global _last_complaint
    now = time.monotonic()
    if now - _last_complaint >= _QUIET_SECONDS:
        _last_complaint = now
        log.warning("the broker does not answer (%s); waiting jobs start when it is back", type(error).__name__)
