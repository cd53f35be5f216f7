"""Reading jobs: the line, who may see what, and the JSON every page gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from server.accounts.selectors import acts_in, may, project_ids_with
from server.jobs import estimate
from server.jobs.kinds import kind_of, kinds_without_news, quiet_kinds
from server.jobs.models import Job
from server.jobs.states import JobState

LINE = ("-priority", "created_at", "id")
PAST_RUNS = 20
CANCELLABLE = frozenset({JobState.QUEUED, JobState.RUNNING})
RETRYABLE = frozenset({JobState.FAILED, JobState.CANCELLED})


def waiting(queue: str) -> QuerySet[Job]:
    """The line of one queue, first in line first."""
    return Job.objects.filter(queue=queue, state=JobState.QUEUED).order_by(*LINE)


def waiting_counts() -> dict[str, int]:
    """How many jobs wait in each queue that has any."""
    rows = Job.objects.filter(state=JobState.QUEUED).order_by().values("queue").annotate(n=Count("id"))
    return {row["queue"]: row["n"] for row in rows}


def place_in_line(job: Job) -> int | None:
    """1 for the next job of its queue, None when it does not wait."""
    if job.state != JobState.QUEUED:
        return None
    before = Q(priority__gt=job.priority) | Q(priority=job.priority) & (
        Q(created_at__lt=job.created_at) | Q(created_at=job.created_at, id__lt=job.id)
    )
    return waiting(job.queue).filter(before).count() + 1


def places_in_line(jobs: Iterable[Job]) -> dict[UUID, int]:
    """`place_in_line` for many jobs with one query per queue."""
    queues = {job.queue for job in jobs if job.state == JobState.QUEUED}
    places: dict[UUID, int] = {}
    for queue in queues:
        for place, job_id in enumerate(waiting(queue).values_list("id", flat=True), start=1):
            places[job_id] = place
    return places


def jobs_visible_to(user: Any) -> QuerySet[Job]:
    """Jobs of the projects the person belongs to: those everybody there hears of, and of the others the own ones."""
    if not getattr(user, "is_authenticated", False):
        return Job.objects.none()
    told = ~(Q(stream__startswith="user:") | Q(stream__startswith="result:") | Q(stream__startswith="reading:"))
    mine = Q(stream=f"user:{user.pk}") | Q(requested_by_id=user.pk) & ~Q(stream__startswith="user:")
    return Job.objects.filter(told | mine, project_id__in=project_ids_with(user, "view")).select_related("requested_by")


def jobs_open_to(user: Any) -> QuerySet[Job]:
    """Jobs the person may open by id: also every job for those who run the site (shown without its result)."""
    if getattr(user, "is_site_admin", False) and user.is_active:
        return Job.objects.select_related("requested_by")
    return jobs_visible_to(user)


def worth_listing(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Without the jobs of quiet kinds, unless they failed."""
    return jobs.exclude(~Q(state=JobState.FAILED), kind__in=quiet_kinds())


def latest_by_owner(owner_kind: str, owner_ids: Iterable[UUID], user: Any) -> dict[UUID, Job]:
    """The newest job of each owner that is news and told to the person, in one query."""
    rows = (
        worth_listing(jobs_visible_to(user).filter(owner_kind=owner_kind, owner_id__in=list(owner_ids)))
        .exclude(kind__in=kinds_without_news())
        .order_by("owner_id", "-created_at")
        .distinct("owner_id")
        .select_related("requested_by")
    )
    return {job.owner_id: job for job in rows}


def past_seconds(job: Job) -> list[float]:
    """Durations of the last successful runs of the same kind, algorithm and device, newest first."""
    rows = Job.objects.filter(kind=job.kind, state=JobState.SUCCEEDED, device=job.device, started_at__isnull=False)
    if algorithm := job.parameters.get("algorithm"):
        rows = rows.filter(parameters__algorithm=algorithm)
    times = rows.order_by("-finished_at").values_list("started_at", "finished_at")[:PAST_RUNS]
    return [(end - start) / timedelta(seconds=1) for start, end in times if end]


def time_left(elapsed: float, fraction: float, past: list[float]) -> float | None:
    """Seconds to go of a running job after `elapsed` seconds, None while nothing is known."""
    return estimate.seconds_left(elapsed, fraction, estimate.typical_seconds(past))


def _act(job: Job) -> str:
    kind = kind_of(job.kind)
    return kind.act if kind else "manage"


def may_act_on(user: Any, job: Job) -> bool:
    """Cancelling and retrying need the role that could have started it, or running the site."""
    return bool(getattr(user, "is_site_admin", False)) or may(user, job.project_id, _act(job))


def result_is_open(job: Job) -> bool:
    """May everybody who hears the job's stream know what it made?"""
    kind = kind_of(job.kind)
    return kind is None or kind.open_to is None or not job.stream.startswith("study:")


def open_results(user: Any, jobs: Sequence[Job]) -> set[UUID]:
    """Ids of the jobs whose result the person may know of, in one query per kind."""
    known = {job.pk for job in jobs if job.result is not None}
    for name in {job.kind for job in jobs if job.pk in known}:
        kind = kind_of(name)
        if kind is not None and kind.open_to is not None:
            of_kind = [job for job in jobs if job.kind == name]
            known -= {job.pk for job in of_kind} - kind.open_to(user, of_kind)
    return known


def job_json(
    job: Job,
    *,
    user: Any = None,
    places: Mapping[UUID, int] | None = None,
    acts: Any = None,
    opened: set[UUID] | None = None,
) -> dict[str, Any]:
    """The job as every page sees it.

    Without `user` the two permissions say what the state allows (events go to many people); with it they say what
    this person may do. For lists hand in `places`, `opened` and, per project, `acts` so that no query is made per row.
    """
    place = places.get(job.pk) if places is not None else place_in_line(job)
    allowed, sees_inside = True, result_is_open(job)
    if user is not None:
        acts = acts if acts is not None else acts_in(user, job.project_id)
        allowed = _act(job) in acts or bool(getattr(user, "is_site_admin", False))
        opened = opened if opened is not None else open_results(user, [job])
        # Who only runs the site, or reads sealed, sees that a job ended, not what it found.
        sees_inside = "view" in acts and job.pk in opened
    algorithm = job.parameters.get("algorithm")
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "state": str(job.state),
        "queue": job.queue,
        "place": place,
        "phase": job.phase,
        "detail": job.detail,
        "fraction": job.fraction,
        "seconds_left": job.seconds_left,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "device": job.device,
        "worker": job.worker,
        "error": error_json(job),
        "created_at": job.created_at.isoformat(),
        "started_at": job.started_at.isoformat() if job.started_at else None,
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "requested_by": {"id": str(job.requested_by_id), "name": job.requested_by.display_name}
        if job.requested_by
        else None,
        "study_id": str(job.owner_id) if job.owner_kind == "study" else None,
        "algorithm": {
            "name": algorithm,
            "version": job.parameters.get("version", ""),
            "title": job.parameters.get("title", algorithm),
        }
        if algorithm
        else None,
        "retry_of": str(job.retry_of_id) if job.retry_of_id else None,
        "can_cancel": allowed and job.state in CANCELLABLE and job.cancel_requested_at is None,
        "can_retry": allowed and job.state in RETRYABLE,
        "result": job.result if sees_inside else None,
    }


def jobs_json(jobs: Iterable[Job], *, user: Any) -> list[dict[str, Any]]:
    """`job_json` for a list: one query per queue for places, one per project for rights, one per kind for results."""
    rows = list(jobs)
    opened = open_results(user, rows)
    places = places_in_line(rows)
    acts = {project_id: acts_in(user, project_id) for project_id in {job.project_id for job in rows}}
    return [job_json(job, user=user, places=places, acts=acts[job.project_id], opened=opened) for job in rows]


def error_json(job: Job) -> dict[str, Any] | None:
    if not job.error_code:
        return None
    return {"code": job.error_code, "message": job.error_message, "facts": job.error_facts}
