"""What the operations page shows: four facts with their recent history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Func, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from server.jobs.models import Job, Worker
from server.jobs.states import FINAL, JobState

BINS = 24
SHOWN_JOBS = 100


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A number for people: `value` ready to show, `history` oldest first for a sparkline."""

    key: str
    name: str
    value: str
    detail: str
    history: tuple[float, ...]


def duration(seconds: float | None) -> str:
    """1 min 24 s, 3 h 05 min: two units are enough."""
    if seconds is None:
        return "\u2014"
    whole = round(seconds)
    if whole < 60:
        return _("%(s)d s") % {"s": whole}
    if whole < 3600:
        return _("%(m)d min %(s)02d s") % {"m": whole // 60, "s": whole % 60}
    return _("%(h)d h %(m)02d min") % {"h": whole // 3600, "m": whole % 3600 // 60}


def _binned(rows: QuerySet[Job], field: str, since: datetime, span: timedelta) -> tuple[float, ...]:
    """How many of `rows` fall into each of BINS equal parts of the span, in one query."""
    width = span / BINS
    bins = [0.0] * BINS
    binned = ExpressionWrapper(
        Func(width, F(field), since, function="date_bin", output_field=DateTimeField()), output_field=DateTimeField()
    )
    for row in rows.filter(**{f"{field}__gte": since}).values(bin=binned).annotate(n=Count("pk")):
        index = int((row["bin"] - since) / width)
        bins[min(max(index, 0), BINS - 1)] += row["n"]
    return tuple(bins)


def facts(now: datetime | None = None) -> list[Fact]:
    """In line, running, median wait over an hour, finished over a day."""
    now = now or timezone.now()
    hour, day = now - timedelta(hours=1), now - timedelta(hours=24)
    counts = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING]).aggregate(
        queued=Count("pk", filter=Q(state=JobState.QUEUED)),
        running=Count("pk", filter=Q(state=JobState.RUNNING)),
        oldest=Min("created_at", filter=Q(state=JobState.QUEUED)),
    )
    ended = Job.objects.filter(finished_at__gte=day, state__in=FINAL)
    outcomes = dict(ended.values_list("state").annotate(n=Count("pk")))
    started = Job.objects.filter(started_at__gte=hour).values_list("created_at", "started_at")
    waits = sorted((begun - made).total_seconds() for made, begun in started)
    late = waits[min(len(waits) - 1, int(len(waits) * 0.95))] if waits else None
    oldest = duration((now - counts["oldest"]).total_seconds()) if counts["oldest"] else "\u2014"
    return [
        Fact(
            key="in_line",
            name=_("In line"),
            value=str(counts["queued"]),
            detail=_("oldest %(time)s") % {"time": oldest},
            history=_binned(Job.objects.all(), "created_at", hour, timedelta(hours=1)),
        ),
        Fact(
            key="running",
            name=_("Running"),
            value=str(counts["running"]),
            detail=_("started in the last hour: %(n)d") % {"n": len(waits)},
            history=_binned(Job.objects.all(), "started_at", hour, timedelta(hours=1)),
        ),
        Fact(
            key="wait",
            name=_("Median wait, 1 h"),
            value=duration(median(waits) if waits else None),
            detail=_("95 %%: %(time)s") % {"time": duration(late)},
            history=tuple(waits[-BINS:]),
        ),
        Fact(
            key="finished",
            name=_("Finished, 24 h"),
            value=str(outcomes.get(JobState.SUCCEEDED, 0)),
            detail=_("%(failed)d failed, %(cancelled)d cancelled")
            % {"failed": outcomes.get(JobState.FAILED, 0), "cancelled": outcomes.get(JobState.CANCELLED, 0)},
            history=_binned(ended, "finished_at", day, timedelta(hours=24)),
        ),
    ]


def jobs_shown() -> list[Any]:
    """Running first, then the line in its order, then what ended last."""
    rows = Job.objects.select_related("requested_by", "project")
    running = list(rows.filter(state=JobState.RUNNING).order_by("started_at")[:SHOWN_JOBS])
    queued = list(rows.filter(state=JobState.QUEUED).order_by("-priority", "created_at", "id")[:SHOWN_JOBS])
    ended = list(rows.filter(state__in=FINAL).order_by("-finished_at")[: max(0, SHOWN_JOBS - len(running + queued))])
    return running + queued + ended


def workers_shown(now: datetime | None = None) -> list[dict[str, Any]]:
    """Each worker slot with its state. `silent` is for people: the sweeper judges by its own clock."""
    now = now or timezone.now()
    today = dict(
        Job.objects.filter(finished_at__gte=now - timedelta(hours=24))
        .exclude(worker="")
        .values_list("worker")
        .annotate(n=Count("pk"))
    )
    shown = []
    for worker in Worker.objects.select_related("job").order_by("name"):
        age = (now - worker.last_beat_at).total_seconds()
        shown.append(
            {
                "name": worker.name,
                "queues": worker.queues,
                "device": worker.device,
                "state": "silent" if worker.is_silent else "working" if worker.job_id else "idle",
                "job": {"id": str(worker.job_id), "kind": worker.job.kind} if worker.job else None,
                "beat_age_s": round(max(0.0, age), 1),
                "memory_mib": worker.memory_mib,
                "jobs_today": today.get(worker.name, 0),
            }
        )
    return shown
