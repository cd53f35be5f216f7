"""Holding a case for a change, moving it, and telling people of it.

Lock order: the study's stream, the case, its readings, then streams of readings, then those of people by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from server.accounts.models import Membership, Project, Role
from server.core import audit
from server.core.errors import LaminaError
from server.readings.cases.events import CaseMoved, ReadingAssigned, WorklistChanged
from server.readings.cases.states import CASE_MOVES, LIVE, CaseState
from server.readings.models.cases import Case, Protocol, Reading
from server.realtime.services import publish, recheck_user
from server.reconstructions.editing.writing import hold_study

ReadsComplete = Callable[..., None]
_when_complete: list[ReadsComplete] = []


def on_reads_complete(callback: ReadsComplete) -> None:
    """callback(case, by=person) inside the transaction of the last submit of a case that several people read."""
    if callback not in _when_complete:
        _when_complete.append(callback)


def tell_reads_complete(case: Case, by: Any) -> None:
    for callback in _when_complete:
        callback(case, by=by)


def hold_case(case: Case | UUID) -> Case:
    """The case as it is now, under its study's lock and its own. Raises LaminaError study_in_bin."""
    case_id = case.pk if isinstance(case, Case) else case
    hold_study(Case.objects.values_list("study_id", flat=True).get(pk=case_id))
    rows = Case.objects.select_for_update(of=("self",)).select_related("study", "series", "project__protocol")
    return rows.get(pk=case_id)


def hold_reading(reading_id: UUID) -> Reading:
    """The reading under the locks of its case; `reading.case` is the held one."""
    case = hold_case(Reading.objects.values_list("case_id", flat=True).get(pk=reading_id))
    reading = Reading.objects.select_for_update(of=("self",)).select_related("reader", "segmentation")
    row = reading.get(pk=reading_id)
    row.case = case
    return row


def protocol_of_case(case: Case) -> Protocol:
    return getattr(case.project, "protocol", None) or Protocol(project_id=case.project_id)


def due_on(project: Project, days: int | None) -> date | None:
    """A calendar day in the project's zone."""
    if days is None:
        return None
    return timezone.now().astimezone(ZoneInfo(project.time_zone)).date() + timedelta(days=days)


def move_case(*, case: Case, to: tuple[str, str], by: Any, **values: Any) -> Case:
    """Take a case (held by `hold_case`) to another stage and state, with what is decided by it.

    `values`: is_blind, final, final_seq, decided_at. Opening a signed case again begins its next version. Row, audit
    entry and events in the caller's transaction. Raises LaminaError case_moved where there is no such move.
    """
    if unknown := set(values) - {"is_blind", "final", "final_seq", "decided_at"}:
        raise TypeError(f"a case's move sets no {sorted(unknown)}")
    here = (str(case.stage), str(case.state))
    if to not in CASE_MOVES[here]:
        message = _("This case is in another stage by now. Look again.")
        raise LaminaError("case_moved", message, 409, stage=here[0], state=here[1])
    if here[1] == CaseState.COMPLETED:
        case.version += 1
    opened = case.is_blind and values.get("is_blind") is False
    case.stage, case.state = to
    for name, value in values.items():
        setattr(case, name, value)
    case.save()
    facts = {"from": " ".join(here), "to": " ".join(to), "version": case.version}
    audit.record(by, "case.moved", case, **facts, **({"opened": True} if opened else {}))
    publish(CaseMoved(case_id=case.pk), stream=case.study.stream)
    tell_people(case, also_readers=True)
    if opened:
        recheck_members(case.project_id)
    return case


def tell_reader(reading: Reading) -> None:
    """A case was given to this person."""
    told = ReadingAssigned(reading_id=reading.pk, study_id=reading.case.study_id)
    publish(told, stream=f"user:{reading.reader_id}")
    recheck_user(reading.reader_id)


def tell_people(case: Case, *, also_readers: bool = False, also: Iterable[UUID] = ()) -> None:
    """Lists that show the case: of the project's admins, and of its readers where that tells them nothing sealed."""
    people = set(also)
    admins = Membership.objects.filter(project_id=case.project_id, role=Role.ADMIN)
    people |= set(admins.values_list("user_id", flat=True))
    if also_readers:
        people |= set(case.readings.filter(state__in=LIVE).values_list("reader_id", flat=True))
    for user_id in sorted(people):
        publish(WorklistChanged(case_id=case.pk), stream=f"user:{user_id}")


def recheck_members(project_id: UUID) -> None:
    """What may be heard has changed: every open socket of the project's people asks again."""
    for user_id in (
        Membership.objects.filter(project_id=project_id).order_by("user_id").values_list("user_id", flat=True)
    ):
        recheck_user(user_id)
