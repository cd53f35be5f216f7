"""What may happen to a study after its import: the bin, the way back, and erasing.

Lock order as everywhere: jobs, then the stream's counter, then rows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from server.core import audit, storage
from server.core.errors import LaminaError
from server.core.models import AuditEntry, DataKey, StoredObject
from server.jobs.models import Job
from server.jobs.services import cancel_jobs_of
from server.jobs.states import JobState
from server.realtime.services import erase_stream, lock_stream, publish
from server.studies.events import StudyBinned, StudyErased, StudyRestored
from server.studies.models import Patient, Study, StudyState
from server.studies.sealing import streams_beside


@transaction.atomic
def bin_study(*, study: Study, by: Any) -> Study:
    """Put a study into the bin for 30 days. Putting it there twice changes nothing."""
    study = _locked(study)
    if study.state == StudyState.BINNED:
        return study
    study.state, study.binned_at, study.binned_by = StudyState.BINNED, timezone.now(), by
    study.save(update_fields=["state", "binned_at", "binned_by", "modified_at"])
    audit.record(by, "study.binned", study)
    publish(StudyBinned(study_id=study.pk, binned_at=study.binned_at.isoformat()), stream=study.stream)
    return study


@transaction.atomic
def restore_study(*, study: Study, by: Any) -> Study:
    """Take a study out of the bin as it was."""
    study = _locked(study)
    if study.state == StudyState.ACTIVE:
        return study
    study.state, study.binned_at, study.binned_by = StudyState.ACTIVE, None, None
    study.save(update_fields=["state", "binned_at", "binned_by", "modified_at"])
    audit.record(by, "study.restored", study)
    publish(StudyRestored(study_id=study.pk), stream=study.stream)
    return study


def erase_study(*, study: Study, by: Any) -> None:
    """Remove a study for good: rows, events, files, key. One audit entry is left.

    The key goes after the rows are committed: a crash in between leaves bytes that no row names, and the next
    cleaning pass (`erase_expired`) destroys their key.
    """
    with transaction.atomic():
        cancel_jobs_of("study", study.pk, by)
        study = _locked(study)
        if study.state != StudyState.BINNED:
            message = _("Only a study in the bin can be erased. Move it to the bin first.")
            raise LaminaError("not_in_bin", message, 409)
        study_id, patient_id, stream = study.pk, study.patient_id, study.stream
        audit.record(by, "study.erased", study, series=study.series.count())
        for told in [stream, *streams_beside(study_id)]:
            erase_stream(told)
        study.delete()  # with its series and what was made of them
        _forget_jobs(study_id)
        if not Study.objects.filter(patient_id=patient_id).exists():
            Patient.objects.filter(pk=patient_id).delete()
        publish(StudyErased(study_id=study_id), stream=stream)
        transaction.on_commit(lambda: storage.erase_owner(study_id))


def _locked(study: Study) -> Study:
    lock_stream(study.stream)
    return Study.objects.select_for_update(of=("self",)).select_related("project").get(pk=study.pk)


def _forget_jobs(study_id: UUID) -> None:
    """Jobs of the study go with it; a worker still busy with one loses its fence and stops."""
    Job.objects.filter(owner_kind="study", owner_id=study_id).delete()


def erase_expired() -> int:
    """Erase what has been in the bin for its 30 days, and finish what a crash left half erased."""
    limit = timezone.now() - timedelta(days=settings.LAMINA_BIN_DAYS)
    expired = list(Study.objects.filter(state=StudyState.BINNED, binned_at__lt=limit)[:20])
    for study in expired:
        erase_study(study=study, by=None)
    since = timezone.now() - timedelta(days=2)
    erased = AuditEntry.objects.filter(act="study.erased", at__gt=since).values_list("target_id", flat=True)
    owners = {UUID(text) for text in erased} - {study.pk for study in expired}
    unfinished = list(DataKey.objects.filter(owner_id__in=owners, wrapped__isnull=False))
    for key in unfinished:
        storage.erase_owner(key.owner_id)
    return len(expired) + len(unfinished)


def _study_ids(jobs: QuerySet[Job]) -> set[UUID]:
    return {UUID(parameters["study_id"]) for parameters in jobs.values_list("parameters", flat=True)}


def erase_unfinished_imports() -> int:
    """Bytes an import stored before it failed for good: after a day without a study, their key goes."""
    now = timezone.now()
    ended = Job.objects.filter(
        kind="intake",
        state__in=[JobState.FAILED, JobState.CANCELLED],
        finished_at__lt=now - timedelta(days=1),
        finished_at__gt=now - timedelta(days=8),
    )
    again = Job.objects.filter(kind="intake", state__in=[JobState.QUEUED, JobState.RUNNING])
    wanted = _study_ids(ended) - _study_ids(again)
    wanted -= set(Study.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    left = StoredObject.objects.filter(owner_id__in=wanted, created_at__lt=now - timedelta(days=1))
    owners = set(left.values_list("owner_id", flat=True))
    for owner_id in owners:
        storage.erase_owner(owner_id)
    return len(owners)
