"""The rule `studies.sealing` asks: what is closed to whom while a case is blind.

Closed to everybody in the project, except: its admins unless they read the case themselves and have not committed;
readers of the case who have committed (they see results and their own read, never another's); the case's adjudicator
from that stage on (who sees results and the submitted reads, without names).
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from server.accounts.models import COLOURS
from server.accounts.selectors import project_ids_with
from server.core.errors import LaminaError
from server.readings.cases.states import LIVE, OPEN, UNFINISHED, CaseState, ReadingKind, ReadingState
from server.readings.models.cases import Case, Reading
from server.studies.sealing import Masks
from server.studies.selectors import studies_visible_to

DECIDING = ("adjudication", "approval")
FINISHED = (ReadingState.COMMITTED, ReadingState.SUBMITTED)


def reads(user: Any, kind: str, states: Any, case: str = "pk") -> Exists:
    """Does the person have such a reading of the outer query's case?"""
    return Exists(Reading.objects.filter(case=OuterRef(case), reader_id=user.pk, kind=kind, state__in=states))


def leads(user: Any, path: str = "") -> Q:
    """The person is admin of the case's project."""
    return Q(**{f"{path}project_id__in": project_ids_with(user, "manage")})


class ReaderMasks(Masks):
    """Readers of a blind case go by their letters, and their work by its day."""

    def __init__(self, user: Any, letters: dict[UUID, str], own: set[UUID]) -> None:
        self.user, self.letters, self.own = user, letters, own

    def author(self, author: Any, audience: UUID | None = None) -> dict[str, Any] | None:
        if author is None or author.pk == self.user.pk or author.pk not in self.letters:
            return super().author(author, audience)
        letter = self.letters[author.pk]
        name = _("Reader %(letter)s") % {"letter": letter} if letter else _("Adjudicator")
        return {"id": None, "name": name, "colour": COLOURS[ord(letter[:1] or "Z") % len(COLOURS)]}

    def time(self, at: datetime | None, audience: UUID | None = None) -> datetime | None:
        if at is None or audience is None or audience in self.own:
            return at
        return datetime.combine(at.date(), time(), tzinfo=at.tzinfo)


class CaseRule:
    """See server.studies.sealing for what each of these answers."""

    def sealed_study_ids(self, user: Any) -> QuerySet:
        committed = reads(user, ReadingKind.FIRST, FINISHED)
        unfinished = reads(user, ReadingKind.FIRST, UNFINISHED)
        adjudicates = Q(stage__in=DECIDING) & Q(reads(user, ReadingKind.ADJUDICATION, LIVE))
        let_in = Q(committed) | adjudicates | (leads(user) & ~Q(unfinished))
        return Case.objects.filter(~let_in, is_blind=True).values("study_id")

    def open_audience_ids(self, user: Any) -> QuerySet:
        opened = Q(case__is_blind=False, state__in=LIVE)
        led = leads(user, "case__") & ~Q(reads(user, ReadingKind.FIRST, LIVE, "case"))
        adjudicates = Q(
            reads(user, ReadingKind.ADJUDICATION, LIVE, "case"),
            case__stage__in=DECIDING,
            state=ReadingState.SUBMITTED,
        )
        return Reading.objects.filter(Q(reader_id=user.pk) | opened | led | adjudicates).values("pk")

    def audience_for(self, user: Any, study_id: UUID) -> UUID | None:
        mine = Reading.objects.filter(case__study_id=study_id, reader_id=user.pk, state__in=OPEN)
        return mine.values_list("pk", flat=True).first()

    def check_write(self, user: Any, study_id: UUID, audience: UUID | None) -> None:
        case = Case.objects.filter(study_id=study_id).first()
        if audience is not None:
            _check_reading(user, audience)
        elif case is not None and case.is_blind:
            own = case.readings.filter(reader_id=user.pk, state__in=LIVE).exists()
            if own or self.sealed_study_ids(user).filter(pk=case.pk).exists():
                raise LaminaError("case_sealed", _("This case is sealed. Nothing is shared until it opens."), 409)
        if case is not None and case.state == CaseState.COMPLETED:
            message = _("This case is signed. Open it again with a reason before changing anything.")
            raise LaminaError("case_signed", message, 409)

    def masks(self, user: Any, study_id: UUID) -> Masks:
        rows = list(Reading.objects.filter(case__study_id=study_id, case__is_blind=True).select_related("case"))
        mine = [row for row in rows if row.reader_id == user.pk]
        live = any(row.state in LIVE for row in mine)
        if not rows or (not live and Case.objects.filter(leads(user), pk=rows[0].case_id).exists()):
            return Masks()
        return ReaderMasks(user, {row.reader_id: row.letter for row in rows}, {row.pk for row in mine})

    def together(self, user: Any, study_id: UUID) -> bool:
        return not Case.objects.filter(study_id=study_id, is_blind=True).exists()

    def audiences_of(self, study_id: UUID) -> list[UUID]:
        return list(Reading.objects.filter(case__study_id=study_id).values_list("pk", flat=True))


def _check_reading(user: Any, reading_id: UUID) -> None:
    row = Reading.objects.filter(pk=reading_id).values_list("reader_id", "state").first()
    if row is None or row[0] != user.pk:
        raise LaminaError("not_your_reading", _("This belongs to another reader's read."), 409)
    if row[1] == ReadingState.WITHDRAWN:
        raise withdrawn()
    if row[1] == ReadingState.SUBMITTED:
        raise LaminaError("reading_submitted", _("Your read is submitted and no longer changes."), 409)


def withdrawn() -> LaminaError:
    return LaminaError("reading_withdrawn", _("This case was given to somebody else. What you drew is kept."), 409)


def may_see_reading(user: Any, reading_id: UUID) -> bool:
    """Who hears reading:<id>: its reader; everybody who may see the study once the case is not blind."""
    rows = Reading.objects.filter(pk=reading_id, case__study__in=studies_visible_to(user))
    return rows.filter(Q(reader_id=user.pk) | Q(case__is_blind=False, state__in=LIVE)).exists()
