"""Who sees which studies, and the few grouped queries a page of them needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum

from server.accounts.selectors import may, project_ids_with
from server.studies.models import Intake, Series, Study, StudyState, Transform, UploadedFile


def studies_visible_to(user: Any, act: str = "view") -> QuerySet[Study]:
    """Active studies of projects where the person's role allows `act`; binned ones for who may delete and restore."""
    if not getattr(user, "is_authenticated", False):
        return Study.objects.none()
    binned = Q(state=StudyState.BINNED, project_id__in=project_ids_with(user, "delete"))
    if act == "delete":
        return Study.objects.filter(project_id__in=project_ids_with(user, "delete"))
    return Study.objects.filter(Q(state=StudyState.ACTIVE, project_id__in=project_ids_with(user, act)) | binned)


def active_studies_visible_to(user: Any, act: str = "view") -> QuerySet[Study]:
    """Without the bin: what work may be done on.

    The project ids are read first: with plain values PostgreSQL walks the index of the asked order, with a subquery
    it sorts everything.
    """
    if not getattr(user, "is_authenticated", False):
        return Study.objects.none()
    ids = list(project_ids_with(user, act).values_list("project_id", flat=True))
    return Study.objects.filter(state=StudyState.ACTIVE, project_id__in=ids)


def binned_studies_visible_to(user: Any) -> QuerySet[Study]:
    if not getattr(user, "is_authenticated", False):
        return Study.objects.none()
    ids = list(project_ids_with(user, "delete").values_list("project_id", flat=True))
    return Study.objects.filter(state=StudyState.BINNED, project_id__in=ids)


def series_visible_to(user: Any, act: str = "view") -> QuerySet[Series]:
    return Series.objects.filter(study__in=studies_visible_to(user, act)).select_related("study")


def transforms_visible_to(user: Any) -> QuerySet[Transform]:
    rows = Transform.objects.filter(moving_series__study__in=studies_visible_to(user))
    return rows.select_related("moving_series__study", "fixed_series__study", "author")


MOST_PRIORS = 20


def priors_of(study: Study, user: Any) -> QuerySet[Study]:
    """Other studies of the same patient that the person may open, newest first, undated last."""
    others = active_studies_visible_to(user).filter(patient_id=study.patient_id).exclude(pk=study.pk)
    newest = others.order_by(F("study_date").desc(nulls_last=True), "-created_at", "id")
    return newest.prefetch_related(Prefetch("series", Series.objects.order_by("number", "created_at", "id")))[
        :MOST_PRIORS
    ]


def intakes_visible_to(user: Any) -> QuerySet[Intake]:
    """A person's own intakes, while the project still lets them import. Findings may name a patient."""
    if not getattr(user, "is_authenticated", False):
        return Intake.objects.none()
    mine = Intake.objects.filter(created_by_id=user.pk, project_id__in=project_ids_with(user, "import"))
    return mine.select_related("project")


def uploads_visible_to(user: Any) -> QuerySet[UploadedFile]:
    return UploadedFile.objects.filter(intake__in=intakes_visible_to(user)).select_related("intake")


def may_see_study(user: Any, study_id: UUID) -> bool:
    return studies_visible_to(user).filter(pk=study_id).exists()


def may_see_project(user: Any, project_id: UUID) -> bool:
    return may(user, project_id, "view")


@dataclass(frozen=True)
class SeriesSummary:
    """What a row of the list says of a study's series."""

    series_count: int = 0
    slices: int = 0
    thumbnail_series_id: UUID | None = None


def summaries_of(study_ids: Iterable[UUID]) -> dict[UUID, SeriesSummary]:
    """For a page of studies: two queries, however many rows."""
    ids = list(study_ids)
    counted = (
        Series.objects.filter(study_id__in=ids)
        .order_by()
        .values("study_id")
        .annotate(series_count=Count("id"), total=Sum("slices"))
    )
    pictured = dict(
        Series.objects.filter(study_id__in=ids)
        .exclude(thumbnail_ref="", picture_refs=[])
        .order_by("study_id", "-is_volume", "-slices", "id")
        .distinct("study_id")
        .values_list("study_id", "id")
    )
    summaries = {
        row["study_id"]: SeriesSummary(row["series_count"], row["total"] or 0, pictured.get(row["study_id"]))
        for row in counted
    }
    return {study_id: summaries.get(study_id, SeriesSummary()) for study_id in ids}
