"""Automatic registration: asking for it, and taking what a worker found as a transform.

A worker only proposes. The job keeps the matrix with its stated error; a person who accepts it stores it as a
transform, so that nothing is laid over anything because a program said so. Images alone are looked at: nothing that is
sealed goes in or comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.services import submit_job
from server.jobs.states import JobState
from server.studies.fusion import name_of, refusal
from server.studies.models import Series, StudyState, Transform, TransformMethod, frame_key_of
from server.studies.transforms import add_transform

KIND = "registration"
UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)
# What a stored transform keeps of the answer beside its matrix.
FACTS = (
    "algorithm", "version", "seed", "runs", "error_mm", "repeat_mm", "inverse_mm", "farthest_mm",
    "similarity_before", "similarity_after", "overlap",
)  # fmt: skip


def check_pair(fixed: Series, moving: Series) -> None:
    """Raises LaminaError with the rule that two series must keep to be registered."""
    for one in (fixed, moving):
        if one.study.state != StudyState.ACTIVE:
            raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    if refused := refusal(fixed, moving):
        raise LaminaError(refused[0], refused[1], 422)
    if frame_key_of(moving) == frame_key_of(fixed):
        message = _("Both series have the same frame of reference: they lie over each other as they are.")
        raise LaminaError("same_frame", message, 422)
    if fixed.modality != moving.modality:
        message = _("%(moving)s and %(fixed)s are of different modalities: their values do not compare. Use landmarks.")
        raise LaminaError("other_modality", message % {"moving": name_of(moving), "fixed": name_of(fixed)}, 422)


@transaction.atomic
def ask(*, fixed: Series, moving: Series, by: Any) -> Job:
    """Put the registration of two series in line; the one that is under way where there is one."""
    check_pair(fixed, moving)
    Series.objects.select_for_update().filter(pk=fixed.pk).first()  # two who ask at once: one job
    known = latest(fixed, moving)
    if known is not None and known.state in UNDER_WAY:
        return known
    study = fixed.study
    return submit_job(
        KIND,
        owner_kind="study",
        owner_id=study.pk,
        project_id=study.project_id,
        stream=study.stream,
        requested_by=by,
        parameters={"fixed_series_id": str(fixed.pk), "moving_series_id": str(moving.pk)},
    )


def latest(fixed: Series, moving: Series) -> Job | None:
    """The newest registration of the two, whatever became of it."""
    rows = Job.objects.filter(kind=KIND, owner_kind="study", owner_id=fixed.study_id)
    pair = {"parameters__fixed_series_id": str(fixed.pk), "parameters__moving_series_id": str(moving.pk)}
    return rows.filter(**pair).select_related("requested_by").order_by("-created_at", "-id").first()


def accepted(job: Job) -> Transform | None:
    """The transform a person made of it, while it is stored."""
    return Transform.objects.filter(facts__job_id=str(job.pk)).first()


@transaction.atomic
def accept(*, job: Job, fixed: Series, moving: Series, by: Any) -> Transform:
    """Store what the worker found. The same again answers the transform that is there."""
    if job.state != JobState.SUCCEEDED or not job.result:
        raise LaminaError("not_registered", _("There is no finished registration of the two to accept."), 409)
    check_pair(fixed, moving)
    Job.objects.select_for_update().filter(pk=job.pk).first()
    if there := accepted(job):
        return there
    found = job.result
    return add_transform(
        moving=moving,
        fixed=fixed,
        matrix=found["matrix"],
        method=TransformMethod.REGISTRATION,
        by=by,
        facts={**{name: found.get(name) for name in FACTS}, "job_id": str(job.pk)},
    )


def finish(job: Job, result: Mapping[str, Any]) -> dict[str, Any]:
    """What the job keeps: the engine's answer and which two series it is of."""
    kept = (*FACTS, "matrix", "rotation_degrees", "shift_mm", "working_mm")
    return {**{name: result[name] for name in kept}, **job.parameters}
