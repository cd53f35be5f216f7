"""An admin gives a case to an adjudicator: where nobody was free, or whoever had it cannot go on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from server.accounts.models import Membership, Role, User
from server.core.errors import LaminaError
from server.readings.agreement.settling import deal_adjudicator, give_to_adjudicator
from server.readings.cases.holding import hold_case, tell_people
from server.readings.cases.services import withdraw_reading
from server.readings.cases.states import LIVE, UNFINISHED, CaseStage
from server.readings.models.cases import Case, Reading, ReadingKind


def adjudicators_for(case: Case) -> QuerySet[Membership]:
    """Readers of the project who could settle the case: they never had a read of it, and do not settle it now.

    Those whose duty it is come first. Who is excluded from reads may adjudicate all the same.
    """
    rows = case.readings.all()
    saw = rows.filter(kind=ReadingKind.FIRST).values("reader_id")
    has = rows.filter(kind=ReadingKind.ADJUDICATION, state__in=LIVE).values("reader_id")
    members = Membership.objects.filter(project_id=case.project_id, role=Role.READER, user__is_active=True)
    free = members.exclude(user_id__in=saw).exclude(user_id__in=has)
    return free.select_related("user").order_by("-is_adjudicator", "user__display_name", "user_id")


def reads_it(case: Case, user_id: UUID) -> bool:
    """Who reads a blind case does not choose its judge: whom one may not choose would tell who the others are."""
    return case.is_blind and case.readings.filter(reader_id=user_id, state__in=LIVE).exists()


@transaction.atomic
def assign_adjudicator(*, case: Case, by: Any, person: User | None = None) -> Reading:
    """Give the case to this person, or to whoever of those on duty has least (None).

    An adjudication that somebody else had not finished is withdrawn; what was drawn stays with it. Raises LaminaError
    409 case_moved (it is not in adjudication), ruling_submitted, own_case, no_adjudicator, already_reads; 422
    not_a_reader.
    """
    case = hold_case(case.pk)
    if case.stage != CaseStage.ADJUDICATION:
        message = _("This case is in another stage by now. Look again.")
        raise LaminaError("case_moved", message, 409, stage=str(case.stage), state=str(case.state))
    if reads_it(case, by.pk):
        raise LaminaError("own_case", _("You read this case yourself. Another admin gives it to an adjudicator."), 409)
    if person is not None:
        _check(case, person)
    for held in case.readings.filter(kind=ReadingKind.ADJUDICATION, state__in=LIVE):
        if held.state not in UNFINISHED:
            raise LaminaError("ruling_submitted", _("The ruling is submitted and no longer changes."), 409)
        held.case = case
        withdraw_reading(held, by)
    made = give_to_adjudicator(case, person, by) if person is not None else deal_adjudicator(case, by)
    if made is None:
        message = _("Nobody of the project who adjudicates is free of this case. Choose somebody.")
        raise LaminaError("no_adjudicator", message, 409)
    tell_people(case, also=[made.reader_id])
    return made


def _check(case: Case, person: User) -> None:
    members = Membership.objects.filter(project_id=case.project_id, user=person, role=Role.READER)
    if not person.is_active or not members.exists():
        raise LaminaError("not_a_reader", _("Only readers of the project can be given a case."), 422)
    if not adjudicators_for(case).filter(user=person).exists():
        raise LaminaError("already_reads", _("This person has a part in the case already."), 409)
