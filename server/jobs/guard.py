"""The guard: claims jobs and does each by its kind, with the engine as a process it can kill.

    prepare (input files into a private folder) -> engine -> store (result files, encrypted) -> finish (one transaction)

A crash before `finish` commits leaves only files nobody names; a crash after it is done. Whatever ends the guard,
the sweeper puts the job back into line when its beats stop.
"""

from __future__ import annotations

import functools
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.dispatch import Signal
from django.utils.translation import gettext as _

from server.core import storage
from server.core.errors import LaminaError
from server.jobs import conf, selectors, services
from server.jobs.hints import hint
from server.jobs.kinds import JobKind, kind_of
from server.jobs.models import Job
from server.jobs.process import EngineFailed, EngineStopped, Interrupted, run_engine
from server.jobs.services import CancelRequested, FenceLost
from server.jobs.slot import Claim, Slot
from server.jobs.states import JobState

__all__ = ["EngineFailed", "guard_step", "run_engine", "work_queue"]

log = logging.getLogger("lamina.jobs")
PATIENCE_SECONDS = 600.0
T = TypeVar("T")

guard_step = Signal()
"""Sent at each named step with `step` and `job`: claimed, prepared, answered, stored, finishing, finished.
Fault tests stop the process there."""


def work_queue(slot: Slot, queue: str, *, until_job: UUID | None = None) -> int:
    """Claim and do jobs of one queue until none waits (or until one job ended). Returns how many were claimed."""
    count = 0
    while not slot.is_leaving():
        job = services.claim_next(queue, worker=slot.name, device=slot.device)
        if job is None:
            break
        count += 1
        if selectors.waiting(queue).exists():
            hint(queue)  # another free slot may take the next one
        run_claimed(slot, job)
        if job.pk == until_job:
            break
    return count


def run_claimed(slot: Slot, job: Job) -> None:
    """Do one claimed job to its end, whatever that is. Raises nothing but what ends the process."""
    kind = kind_of(job.kind)
    claim = Claim(job, kind.limits.seconds if kind else None, slot.is_leaving)
    slot.take(claim)
    try:
        if kind is None:
            _refuse_unknown(claim)
        else:
            _do(slot, claim, kind)
    except FenceLost:
        log.warning("job %s fence %d: this worker's claim was over; nothing was written", job.pk, job.fence)
        slot.engine.stop()
    finally:
        slot.take(None)
        if kind is not None and kind.fresh:
            slot.engine.stop()


def _do(slot: Slot, claim: Claim, kind: JobKind) -> None:
    job = claim.job
    peak: float | None = None
    try:
        with storage.workspace("job") as folder:
            _step("claimed", claim)
            call = kind.prepare(job, folder)
            _step("prepared", claim)
            result: Mapping[str, Any] = {}
            if call is not None:
                answer = slot.engine.call(
                    call.verb,
                    call.request,
                    on_progress=_Progress(claim),
                    limits=kind.limits.for_engine(),
                    interruption=claim.interruption,
                )
                peak, result = answer.peak_memory_mib, answer.result
            _step("answered", claim)
            finish = _finisher(kind, job, folder, result)
            _step("stored", claim)
            _finish(claim, finish, peak)
            guard_step.send(sender=None, step="finished", job=job)
    except Interrupted as interrupted:
        _end_interrupted(claim, str(interrupted))
    except CancelRequested:
        _patiently(claim, lambda: services.end_cancelled(job))
    except EngineFailed as error:
        if error.code == "cancelled" and claim.cancelled.is_set():
            _patiently(claim, lambda: services.end_cancelled(job))
        else:
            message, facts = _words(kind, error)
            _fail(claim, error.code, message, facts, error.peak_memory_mib)
    except EngineStopped as error:
        if claim.lost.is_set():
            raise FenceLost from None
        log.warning("job %s attempt %d: %s", job.pk, job.attempt, error.reason)
        _patiently(claim, functools.partial(_release, job, error))
    except LaminaError as error:
        _fail(claim, error.code, error.message, error.facts, peak)
    except FenceLost:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        # The exception's own words may quote an image; its kind and place are enough to find it.
        log.error("job %s failed: %s at %s", job.pk, type(error).__name__, where)
        message = _("Something went wrong on the server. Try again; the administrator finds the place in the log.")
        _fail(claim, "internal", message, {"exception": type(error).__name__, "place": where}, peak)


def _step(name: str, claim: Claim) -> None:
    """A named place in the work; an interruption is noticed here too."""
    guard_step.send(sender=None, step=name, job=claim.job)
    if reason := claim.interruption():
        raise Interrupted(reason)


def _finisher(kind: JobKind, job: Job, folder: Path, result: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Do the slow storing now; what is returned runs inside the transaction."""
    if kind.store is None:
        return lambda: kind.finish(job, folder, result)
    stored = kind.store(job, folder, result)
    return lambda: kind.finish(job, folder, result, stored)


def _finish(claim: Claim, finish: Callable[[], dict[str, Any]], peak: float | None) -> None:
    def finish_in_transaction() -> dict[str, Any]:
        result = finish()
        guard_step.send(sender=None, step="finishing", job=claim.job)
        return result

    tries = 0

    def once() -> None:
        nonlocal tries
        tries += 1
        try:
            services.finish_job(claim.job, finish_in_transaction, peak_memory_mib=peak)
        except FenceLost:
            # The database may have gone away just after our own commit: then the row says so.
            mine = Job.objects.filter(pk=claim.job.pk, fence=claim.job.fence, state=JobState.SUCCEEDED)
            if tries == 1 or not mine.exists():
                raise

    _patiently(claim, once)


def _end_interrupted(claim: Claim, reason: str) -> None:
    match reason:
        case "lost":
            raise FenceLost
        case "cancelled":
            _patiently(claim, lambda: services.end_cancelled(claim.job))
        case "leaving":
            give_back = functools.partial(services.release_job, reason="worker was stopped", counts=False)
            _patiently(claim, lambda: give_back(claim.job.pk, claim.job.fence))
        case _:
            message = _("The job took longer than its limit of %(seconds)d s.") % {"seconds": claim.time_limit or 0}
            _fail(claim, "time_limit", message, {"limit_seconds": claim.time_limit}, None)


def _fail(claim: Claim, code: str, message: str, facts: Mapping[str, Any], peak: float | None) -> None:
    write = functools.partial(
        services.fail_job, claim.job, code=code, message=message, facts=facts, peak_memory_mib=peak
    )
    _patiently(claim, write)


def _release(job: Job, error: EngineStopped) -> None:
    services.release_job(
        job.pk,
        job.fence,
        reason=error.reason,
        exit_signal=error.exit_signal,
        peak_memory_mib=error.peak_memory_mib,
    )


def _words(kind: JobKind, error: EngineFailed) -> tuple[str, dict[str, Any]]:
    """The error as it may stand in a row. For uploads only numbers are kept: text may quote a header."""
    if kind.neutral_message is None:
        return error.message, error.facts
    numbers = {name: value for name, value in error.facts.items() if isinstance(value, int | float)}
    place = {
        name: error.facts[name] for name in ("exception", "place") if error.code == "internal" and name in error.facts
    }
    return kind.neutral_message(error.code) or error.message, numbers | place


def _refuse_unknown(claim: Claim) -> None:
    message = _("This worker does not know the kind of job %(kind)s. Start workers of the same release.")
    _fail(claim, "unknown_kind", message % {"kind": claim.job.kind}, {}, None)


def _patiently(claim: Claim, write: Callable[[], T]) -> T:
    """A finished result is kept while the database is away, and written when it is back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.2
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline or claim.lost.is_set():
                raise
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, 2.0)


class _Progress:
    """Takes every line of the engine, writes at most two a second; the engine speaks again soon."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.past = selectors.past_seconds(claim.job)
        self.written_at = float("-inf")

    def __call__(self, progress: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if now - self.written_at < conf.progress_period():
            return
        self.written_at = now
        fraction = min(max(float(progress["fraction"]), 0.0), 1.0)
        services.write_progress(
            self.claim.job,
            phase=str(progress["phase"]),
            fraction=fraction,
            detail=str(progress.get("detail", "")),
            seconds_left=selectors.time_left(self.claim.elapsed, fraction, self.past),
        )
