"""A project's audit trail: which entries are asked for, and which study each one is about.

An entry names its target and holds ids in its facts, nothing else. Which study that belongs to is looked up here, so
that the chain itself stays as it was sealed. What was deleted since is found by the ids in its facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import CharField, Model, Q, QuerySet
from django.db.models.functions import Cast

from server.accounts.models import Project
from server.approvals.models import KeyImage, Report
from server.core.models import AuditEntry
from server.discussions.models import Comment, Thread
from server.jobs.models import Job
from server.readings.models import Annotation, Case, Consensus, Pick, Reading, Verdict
from server.reconstructions.models import SavePoint, Segmentation
from server.studies.models import Series, Study, Transform
from server.studies.selectors import studies_visible_to

# How each kind of target leads to its study.
PATHS: dict[type[Model], str] = {
    Study: "pk",
    Series: "study",
    Transform: "fixed_series__study",
    Segmentation: "study",
    SavePoint: "segmentation__study",
    Annotation: "study",
    Case: "study",
    Reading: "case__study",
    Verdict: "reading__case__study",
    Pick: "reading__case__study",
    Consensus: "case__study",
    Thread: "study",
    Comment: "thread__study",
    KeyImage: "study",
    Report: "study",
    Job: "owner_id",  # of a study or of an intake; the ids of both are random
}
KINDS: dict[str, tuple[type[Model], str]] = {
    str(model._meta.model_name): (model, path) for model, path in PATHS.items()
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is asked for; None and "" leave a filter out. Days are calendar days of the project, both included."""

    act: str = ""
    person: UUID | None = None
    study: UUID | None = None
    since: date | None = None
    until: date | None = None


def entries_of(project: Project, wanted: Wanted) -> QuerySet[AuditEntry]:
    """Newest first."""
    rows = AuditEntry.objects.filter(project_id=project.pk)
    if wanted.act:
        rows = rows.filter(act=wanted.act)
    if wanted.person:
        rows = rows.filter(actor_id=wanted.person)
    if wanted.since:
        rows = rows.filter(at__gte=_midnight(wanted.since, project))
    if wanted.until:
        rows = rows.filter(at__lt=_midnight(wanted.until + timedelta(days=1), project))
    if wanted.study:
        rows = rows.filter(_about(wanted.study))
    return rows.order_by("-at", "-id")


def after(rows: QuerySet[AuditEntry], last: AuditEntry) -> QuerySet[AuditEntry]:
    """The rows behind this one, in the order of `entries_of`. The plain bound lets the index find the place."""
    return rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk), at__lte=last.at)


def _midnight(day: date, project: Project) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(project.time_zone))


def _about(study_id: UUID) -> Q:
    case = Case.objects.filter(study_id=study_id).values_list("pk", flat=True).first()
    found = Q(facts__study_id=str(study_id)) | Q(target_kind="study", target_id=str(study_id))
    if case is not None:
        found |= Q(facts__case_id=str(case))
    for kind, (model, path) in KINDS.items():
        ids = model.objects.filter(**{path: study_id}).annotate(text=Cast("pk", CharField())).values("text")
        found |= Q(target_kind=kind, target_id__in=ids)
    return found


def studies_of(entries: Iterable[AuditEntry], user: Any) -> dict[UUID, Study]:
    """Entry id -> its study, where the person may see it. A query for each kind of target, however many entries."""
    entries = list(entries)
    asked: dict[str, set[UUID]] = defaultdict(set)
    for entry in entries:
        if entry.target_kind in KINDS and (target := _uuid(entry.target_id)):
            asked[entry.target_kind].add(target)
        if case := _uuid(entry.facts.get("case_id")):
            asked["case"].add(case)
    known: dict[tuple[str, UUID], UUID] = {}
    for kind, ids in asked.items():
        model, path = KINDS[kind]
        known |= {(kind, pk): study for pk, study in model.objects.filter(pk__in=ids).values_list("pk", path)}
    led: dict[UUID, UUID] = {}
    for entry in entries:
        case, target = _uuid(entry.facts.get("case_id")), _uuid(entry.target_id)
        study = known.get((entry.target_kind, target)) if target else None
        study = study or _uuid(entry.facts.get("study_id")) or (known.get(("case", case)) if case else None)
        if study:
            led[entry.pk] = study
    visible = {study.pk: study for study in studies_visible_to(user).filter(pk__in=set(led.values()))}
    return {entry: visible[study] for entry, study in led.items() if study in visible}


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        return None
