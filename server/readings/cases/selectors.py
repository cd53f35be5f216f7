"""Who sees which cases and readings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from server.accounts.models import Membership, Role
from server.readings.cases.states import LIVE, OPEN
from server.readings.models.cases import Case, Protocol, Reading
from server.studies import sealing
from server.studies.models import Study
from server.studies.selectors import studies_visible_to


def protocol_of(project_id: UUID) -> Protocol:
    """The project's protocol; one that was never stored has the defaults."""
    return Protocol.objects.filter(project_id=project_id).first() or Protocol(project_id=project_id)


def complete(rows: QuerySet[Case]) -> QuerySet[Case]:
    return rows.select_related("project__protocol", "study__project").prefetch_related("readings__reader")


def cases_visible_to(user: Any) -> QuerySet[Case]:
    return complete(Case.objects.filter(study__in=studies_visible_to(user)))


def case_of(study: Study) -> Case | None:
    return complete(Case.objects.filter(study=study)).first()


def readings_visible_to(user: Any) -> QuerySet[Reading]:
    """The person's own readings, withdrawn ones included, and those open to them."""
    rows = Reading.objects.filter(case__study__in=studies_visible_to(user))
    return rows.filter(pk__in=sealing.open_audience_ids(user)).select_related("case__study__project", "reader")


def own_readings(user: Any) -> QuerySet[Reading]:
    return readings_visible_to(user).filter(reader_id=user.pk)


def open_readings(user: Any) -> QuerySet[Reading]:
    """What waits for the person, by due date, then by age."""
    return own_readings(user).filter(state__in=OPEN)


def is_blind_in(user: Any, project_id: UUID) -> bool:
    """Does the person have a part in a case of the project that is still blind, whatever else they may see there?"""
    rows = Reading.objects.filter(reader_id=user.pk, state__in=LIVE, case__project_id=project_id)
    return rows.filter(case__is_blind=True).exists()


def reader_ids(project_id: UUID) -> list[UUID]:
    """People of the project who read."""
    rows = Membership.objects.filter(project_id=project_id, role=Role.READER, user__is_active=True)
    return list(rows.values_list("user_id", flat=True))


def streams_of(study: Study, user: Any) -> list[str]:
    """Every stream of the study that the person may hear."""
    streams = [study.stream]
    if not sealing.is_sealed(user, study.pk):
        streams.append(sealing.stream_of(study.pk, None))
    heard = Q(reader_id=user.pk) | Q(case__is_blind=False)
    readings = Reading.objects.filter(heard, case__study_id=study.pk, state__in=LIVE)
    return streams + [f"reading:{pk}" for pk in readings.order_by("created_at").values_list("pk", flat=True)]
