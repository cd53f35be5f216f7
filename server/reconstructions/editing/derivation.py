"""Asking the engine for what follows from edits: jobs of kind "derivation" on the interactive queue.

Surfaces: at most one such job waits for each segmentation; when it runs it makes every surface that is behind, so that
quick strokes cost one job, not one each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from server.jobs.models import Job
from server.jobs.services import submit_job
from server.jobs.states import JobState
from server.reconstructions.models import Segment, Segmentation
from server.studies.models import Study

KIND = "derivation"
SURFACES, FILES, REFINE = "surfaces", "files", "refine"


def behind(segmentation: Segmentation) -> Any:
    """Segments whose surface shows voxels that are not those of today."""
    touched = Q(touched_seq__gt=0) & (Q(surface__isnull=True) & Q(voxels__gt=0) | Q(touched_seq__gt=F("surface__seq")))
    return Segment.objects.filter(touched, segmentation=segmentation)


def ask_for_surfaces(segmentation: Segmentation, study: Study, by: Any) -> Job | None:
    """Put the job in line unless one waits already, or nothing is behind. Inside the edit's transaction."""
    waiting = Job.objects.filter(
        kind=KIND,
        state=JobState.QUEUED,
        owner_id=study.pk,
        parameters__segmentation_id=str(segmentation.pk),
        parameters__task=SURFACES,
    )
    if waiting.exists() or not behind(segmentation).exists():
        return None
    return ask(segmentation, study, by, SURFACES, {})


def remove_old_jobs(older_than: timedelta = timedelta(days=1), most: int = 500) -> int:
    """Every stroke leaves a finished job; nobody looks at yesterday's. Returns how many; the sweeper calls it."""
    old = Job.objects.filter(kind=KIND, state=JobState.SUCCEEDED, finished_at__lt=timezone.now() - older_than)
    removed, _ = Job.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:most])).delete()
    return removed


def ask(
    segmentation: Segmentation,
    study: Study,
    by: Any,
    task: str,
    parameters: Mapping[str, Any],
    *,
    key: str | None = None,
    priority: int = 0,
) -> Job:
    """A job that a worker without torch does in about a second."""
    return submit_job(
        KIND,
        owner_kind="study",
        owner_id=study.pk,
        project_id=study.project_id,
        stream=segmentation.stream,
        requested_by=by,
        idempotency_key=key,
        priority=priority,
        parameters={"segmentation_id": str(segmentation.pk), "task": task, **parameters},
    )
