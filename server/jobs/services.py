"""Every change of a job: row, event and audit entry together.

Lock order everywhere: job, then stream counter, then other rows. Writes of a running job go through `_fenced`, so a
worker that was paused, lost its lease and woke up changes nothing.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from server.core import audit
from server.core.errors import LaminaError
from server.jobs import conf
from server.jobs.events import JobCancelled, JobFailed, JobQueued, JobRequeued, JobStarted, JobSucceeded
from server.jobs.hints import hint
from server.jobs.kinds import kind_of
from server.jobs.models import Job
from server.jobs.selectors import RETRYABLE, error_json, job_json, result_is_open, waiting
from server.jobs.states import FINAL, JobState
from server.realtime.services import lock_stream, nudge_many, publish

log = logging.getLogger("lamina.jobs")
LINE_TOLD = 20  # so many waiting jobs hear their new place when the line moves

_CLAIM = """
WITH next AS MATERIALIZED (
  SELECT id FROM jobs_job WHERE queue = %s AND state = 'queued'
  ORDER BY priority DESC, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE jobs_job SET state = 'running', fence = nextval('jobs_fence'), attempt = attempt + 1, beat = 0,
  worker = %s, device = %s, started_at = clock_timestamp(), modified_at = clock_timestamp(), finished_at = NULL,
  phase = '', fraction = 0, seconds_left = NULL, exit_signal = NULL
FROM next WHERE jobs_job.id = next.id RETURNING jobs_job.id
"""


class FenceLost(Exception):
    """This worker's claim is over: somebody else has the job, or it ended. Nothing was written."""


class CancelRequested(Exception):
    """A person cancelled the job before it could finish."""


# --- a person's acts ----------------------------------------------------------------------------------------------


@transaction.atomic
def submit_job(
    kind: str,
    *,
    owner_kind: str,
    owner_id: UUID,
    project_id: UUID,
    stream: str,
    requested_by: Any,
    parameters: Mapping[str, Any],
    idempotency_key: str | None = None,
    priority: int = 0,
    retry_of: Job | None = None,
) -> Job:
    """Put a job in line: the row, its first event and the audit entry in one transaction; the hint on commit.

    `idempotency_key` counts per person and kind: the same key again returns the first job, with `is_repeat` True,
    and does nothing else. Raises LaminaError for an unknown kind, or a key that was used for something else.
    """
    registered = kind_of(kind)
    if registered is None:
        raise LaminaError("unknown_kind", f"There is no kind of job called {kind!r}.", 400)
    key = f"{getattr(requested_by, 'pk', None) or '-'}:{kind}:{idempotency_key}" if idempotency_key else None
    job = Job(
        kind=kind,
        queue=registered.queue,
        owner_kind=owner_kind,
        owner_id=owner_id,
        project_id=project_id,
        stream=stream,
        requested_by=requested_by,
        parameters=dict(parameters),
        idempotency_key=key,
        priority=priority,
        retry_of=retry_of,
    )
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        # A racing request with the same key waits on the unique index until the first one has committed.
        first = Job.objects.select_related("requested_by").filter(idempotency_key=key).first() if key else None
        if first is None:
            raise
        if (str(first.owner_id), first.parameters) != (str(owner_id), dict(parameters)):
            message = _("This Idempotency-Key was used for another job. Use a new key for each new job.")
            raise LaminaError("idempotency_key_reused", message, 422) from None
        first.is_repeat = True  # type: ignore[attr-defined]
        return first
    job.is_repeat = False  # type: ignore[attr-defined]
    audit.record(requested_by, "job.submitted", job, project_id=project_id, job_kind=kind, owner_id=owner_id)
    publish(JobQueued(job=job_json(job)), stream=stream)
    transaction.on_commit(functools.partial(hint, job.queue), robust=True)
    return job


@transaction.atomic
def cancel_job(job: Job, by: Any) -> Job:
    """Cancel at once what waits; ask the worker to stop what runs (it does within 5 s).

    Once this has committed the job cannot succeed any more. Raises LaminaError when it ended before.
    """
    row = Job.objects.select_for_update(of=("self",)).select_related("requested_by").get(pk=job.pk)
    if row.state == JobState.CANCELLED or (row.state == JobState.RUNNING and row.cancel_requested_at):
        return row
    if row.state in FINAL:
        message = _("This job has ended already; there is nothing to cancel.")
        raise LaminaError("job_ended", message, 409, state=str(row.state))
    row.cancel_requested_at = timezone.now()
    row.cancel_requested_by = by
    row.save(update_fields=["cancel_requested_at", "cancel_requested_by", "modified_at"])
    audit.record(by, "job.cancelled", row, project_id=row.project_id)
    if row.state == JobState.QUEUED:
        _end_cancelled(row)
        transaction.on_commit(functools.partial(tell_line, row.queue), robust=True)
    return row


def cancel_jobs_of(owner_kind: str, owner_id: UUID, by: Any) -> int:
    """Cancel everything open of one owner. Call it first in a transaction: jobs are locked before other rows."""
    open_jobs = Job.objects.filter(owner_kind=owner_kind, owner_id=owner_id).exclude(state__in=FINAL).order_by("id")
    count = 0
    for job in open_jobs:
        try:
            cancel_job(job, by)
            count += 1
        except LaminaError:
            continue  # it ended in between
    return count


@transaction.atomic
def retry_job(job: Job, by: Any) -> Job:
    """A new job that names the old one. Pressing twice gives the same new job. Raises LaminaError unless it may."""
    old = Job.objects.select_for_update().get(pk=job.pk)
    running = old.retries.exclude(state__in=FINAL).select_related("requested_by").first()
    if running is not None:
        running.is_repeat = True
        return running
    if old.state not in RETRYABLE:
        message = _("Only a failed or cancelled job can be tried again.")
        raise LaminaError("job_not_retryable", message, 409, state=str(old.state))
    new = submit_job(
        old.kind,
        owner_kind=old.owner_kind,
        owner_id=old.owner_id,
        project_id=old.project_id,
        stream=old.stream,
        requested_by=by,
        parameters=old.parameters,
        priority=old.priority,
        retry_of=old,
    )
    kind = kind_of(old.kind)
    if kind is not None and kind.retried is not None:
        kind.retried(new)
    return new


# --- a worker's acts ----------------------------------------------------------------------------------------------


def claim_next(queue: str, *, worker: str, device: str = "") -> Job | None:
    """Take the next job of a queue under a new fence; None when nothing waits. Two claimers never get the same job."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [queue, worker, device])
            row = cursor.fetchone()
        if row is None:
            return None
        job = Job.objects.select_related("requested_by").get(pk=row[0])
        started = JobStarted(job_id=job.pk, attempt=job.attempt, worker=worker, device=device)
        publish(started, stream=job.stream)
    tell_line(queue)
    return job


def _fenced(job_id: UUID, fence: int) -> QuerySet[Job]:
    """The running job under this fence: the only rows a worker may write."""
    return Job.objects.filter(pk=job_id, fence=fence, state=JobState.RUNNING)


def beat(job_id: UUID, fence: int) -> bool:
    """Say that the worker lives. Returns whether a person asked to cancel. Raises FenceLost."""
    if not _fenced(job_id, fence).update(beat=F("beat") + 1, modified_at=timezone.now()):
        raise FenceLost
    return Job.objects.filter(pk=job_id, cancel_requested_at__isnull=False).exists()


def write_progress(job: Job, *, phase: str, fraction: float, detail: str, seconds_left: float | None) -> None:
    """Put progress on the row and tell the open pages. Raises FenceLost."""
    values = {"phase": phase[:40], "fraction": fraction, "detail": detail[:120], "seconds_left": seconds_left}
    if not _fenced(job.pk, job.fence).update(**values, modified_at=timezone.now()):
        raise FenceLost
    for name, value in values.items():
        setattr(job, name, value)
    nudge_many([(job.stream, {"progress": {"job": job_json(job, places={})}})])


@transaction.atomic
def finish_job(job: Job, finish: Callable[[], dict[str, Any]], *, peak_memory_mib: float | None = None) -> None:
    """Make the job's rows (`finish`) and its success visible together. Raises FenceLost or CancelRequested."""
    # A guard that is stopped in here must not hold the job and the stream for ever: PostgreSQL ends its session.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [_milliseconds()])
    row = _hold(job.pk, job.fence)
    if row.cancel_requested_at is not None:
        raise CancelRequested
    kind = kind_of(row.kind)
    for stream in kind.holds(row) if kind is not None and kind.holds is not None else [row.stream]:
        lock_stream(stream)
    result = finish()
    values = _ended(JobState.SUCCEEDED) | {
        "result": result,
        "fraction": 1.0,
        "seconds_left": 0.0,
        "peak_memory_mib": peak_memory_mib,
    }
    if not _fenced(job.pk, job.fence).update(**values):
        raise FenceLost
    told = result if result_is_open(row) else {}
    publish(JobSucceeded(job_id=row.pk, result=told), stream=row.stream)


@transaction.atomic
def fail_job(
    job: Job,
    *,
    code: str,
    message: str,
    facts: Mapping[str, Any] | None = None,
    peak_memory_mib: float | None = None,
) -> None:
    """End the job with a named error. Raises FenceLost. A cancel that came first wins."""
    row = _hold(job.pk, job.fence)
    if peak_memory_mib is not None:
        row.peak_memory_mib = peak_memory_mib
    if row.cancel_requested_at is not None:
        _end_cancelled(row)
    else:
        _end_failed(row, code, message, dict(facts or {}))


@transaction.atomic
def end_cancelled(job: Job) -> None:
    """The worker has stopped what a person cancelled. Raises FenceLost."""
    _end_cancelled(_hold(job.pk, job.fence))


@transaction.atomic
def release_job(
    job_id: UUID,
    fence: int,
    *,
    reason: str,
    exit_signal: int | None = None,
    peak_memory_mib: float | None = None,
    beat: int | None = None,
    counts: bool = True,
) -> JobState:
    """The worker or its engine is gone: back into line, or `worker_lost` after the last attempt.

    `beat` is the counter the sweeper saw standing still; a worker that has beaten since, or is just finishing,
    keeps its job (FenceLost). With `counts` False (a worker that was told to stop) the attempt is given back.
    """
    row = _hold(job_id, fence, skip_locked=beat is not None)
    if beat is not None and row.beat != beat:
        raise FenceLost
    row.exit_signal, row.peak_memory_mib = exit_signal, peak_memory_mib or row.peak_memory_mib
    if row.cancel_requested_at is not None:
        _end_cancelled(row)
    elif counts and row.attempt >= row.max_attempts:
        message = _("The worker was lost %(attempts)d times, last: %(reason)s. Try again or ask the administrator.")
        _end_failed(
            row,
            "worker_lost",
            message % {"attempts": row.attempt, "reason": reason},
            {"exit_signal": exit_signal, "attempts": row.attempt},
        )
    else:
        lost_attempt = row.attempt
        row.state = JobState.QUEUED
        row.attempt -= 0 if counts else 1
        row.worker, row.phase, row.fraction, row.seconds_left = "", "", 0.0, None
        row.detail = f"{reason}, attempt {row.attempt + 1} of {row.max_attempts}"[:120]
        row.save()
        publish(JobRequeued(job_id=row.pk, attempt=lost_attempt, reason=reason), stream=row.stream)
        transaction.on_commit(functools.partial(hint, row.queue), robust=True)
    return JobState(row.state)


def tell_line(queue: str) -> None:
    """The line moved: the first jobs in it hear their new place. Outside transactions; may be lost."""
    jobs = list(waiting(queue).select_related("requested_by")[:LINE_TOLD])
    places = {job.pk: place for place, job in enumerate(jobs, start=1)}
    nudge_many((job.stream, {"progress": {"job": job_json(job, places=places)}}) for job in jobs)


# --- inside the transactions above --------------------------------------------------------------------------------


def _milliseconds() -> str:
    return str(int(conf.lease() * 1000))


def _hold(job_id: UUID, fence: int, *, skip_locked: bool = False) -> Job:
    row = _fenced(job_id, fence).select_for_update(skip_locked=skip_locked).first()
    if row is None:
        raise FenceLost
    return row


def _ended(state: JobState) -> dict[str, Any]:
    now = timezone.now()
    return {"state": state, "finished_at": now, "modified_at": now}


def _end_cancelled(row: Job) -> None:
    for name, value in _ended(JobState.CANCELLED).items():
        setattr(row, name, value)
    row.seconds_left = None
    row.save()
    _tell_kind(row)
    publish(JobCancelled(job_id=row.pk, by=row.cancel_requested_by_id), stream=row.stream)


def _end_failed(row: Job, code: str, message: str, facts: dict[str, Any]) -> None:
    for name, value in _ended(JobState.FAILED).items():
        setattr(row, name, value)
    row.error_code, row.error_message, row.error_facts, row.seconds_left = code[:60], message, facts, None
    row.save()
    _tell_kind(row)
    error = error_json(row) or {}
    publish(JobFailed(job_id=row.pk, error=error), stream=row.stream)


def _tell_kind(row: Job) -> None:
    """Let the app put its own rows right. Its mistake must not keep the job from ending."""
    kind = kind_of(row.kind)
    if kind is None or kind.failed is None:
        return
    try:
        with transaction.atomic():
            kind.failed(row)
    except Exception as error:
        log.error("job %s: the `failed` hook of %s raised %s", row.pk, row.kind, type(error).__name__)
