"""What happens to a reading. Row, audit entry and events together; `opening` has how cases begin.

begin, commit and submit may be sent again: the same content changes nothing, other content is a named conflict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from server.accounts.models import Membership, Role, User
from server.core import audit
from server.core.errors import LaminaError
from server.readings.cases.content import checked_answers
from server.readings.cases.dealing import Dealer
from server.readings.cases.events import (
    ReadingBegun,
    ReadingCommitted,
    ReadingSubmitted,
    ReadingWithdrawn,
)
from server.readings.cases.holding import (
    due_on,
    hold_case,
    hold_reading,
    move_case,
    on_reads_complete,
    protocol_of_case,
    tell_people,
    tell_reader,
    tell_reads_complete,
)
from server.readings.cases.sealing import withdrawn
from server.readings.cases.states import LIVE, OPEN, UNFINISHED, ReadingKind, ReadingState
from server.readings.cases.words import answers_of, sealed_apart
from server.readings.models import Annotation
from server.readings.models.cases import Case, Reading
from server.realtime.services import publish, recheck_user
from server.reconstructions.editing import labelmaps
from server.reconstructions.editing.services import begin_edit, begin_empty
from server.reconstructions.models import Edit, Segmentation, SegmentationKind

__all__ = [
    "begin_reading", "commit_reading", "hold_case", "keep_draft", "move_case", "on_reads_complete",
    "reassign_reading", "submit_reading", "tell_reader", "withdraw_reading", "withdraw_readings",
]  # fmt: skip

LONGEST_SECONDS = timedelta(hours=12) / timedelta(seconds=1)  # of one visit; a clock that jumped is no reading


# --- the reader's own acts ----------------------------------------------------------------------------------------


@transaction.atomic
def begin_reading(*, reading: Reading, by: Any) -> Reading:
    """The reader takes the case up; without own outlines an own working copy is made. Again changes nothing.

    It has the protocol's segments, empty; where reads are open and a result is there it begins from that.
    """
    reading = hold_reading(reading.pk)
    if reading.state == ReadingState.WITHDRAWN:
        raise withdrawn()
    if reading.state != ReadingState.ASSIGNED:
        return reading
    case = reading.case
    reading.state, reading.begun_at = ReadingState.IN_PROGRESS, timezone.now()
    reading.segmentation = reading.segmentation or _own_copy(case, reading, by)
    reading.save(update_fields=["state", "begun_at", "segmentation", "modified_at"])
    stage = "reading" if reading.kind == ReadingKind.FIRST else "adjudication"
    audit.record(by, "reading.begun", reading, project_id=case.project_id, case_id=case.pk)
    if (case.stage, case.state) == (stage, "new"):
        _to_progress(case, by)
    begun = ReadingBegun(reading_id=reading.pk, segmentation_id=reading.segmentation.pk)
    publish(begun, stream=reading.stream)
    tell_people(case, also=[reading.reader_id])
    return reading


def _own_copy(case: Case, reading: Reading, by: Any) -> Segmentation:
    protocol = protocol_of_case(case)
    results = Segmentation.objects.filter(series=case.series, kind=SegmentationKind.ALGORITHM, audience=None)
    newest = results.order_by("-created_at").first()
    if not case.is_blind and newest is not None:
        return begin_edit(segmentation=newest, by=by)[0]
    return begin_empty(series=case.series, by=by, rows=[{**row, "encloses": []} for row in protocol.segments])[0]


def _to_progress(case: Case, by: Any) -> None:
    """The first beginner moves the case. While it is blind nobody else is told: that would be a hint."""
    if not case.is_blind:
        move_case(case=case, to=(case.stage, "in_progress"), by=by)
        return
    case.state = "in_progress"
    case.save(update_fields=["state", "modified_at"])
    audit.record(by, "case.moved", case, **{"from": f"{case.stage} new", "to": f"{case.stage} in_progress"})


@transaction.atomic
def keep_draft(*, reading: Reading, by: Any, answers: Mapping[str, Any]) -> Reading:
    """Answers not yet committed or submitted, so that a reload loses nothing. No event: only their author asks."""
    reading = hold_reading(reading.pk)
    _must_be(reading, OPEN)
    protocol = protocol_of_case(reading.case)
    kept = checked_answers(protocol.form, answers, whole=False)
    reading.draft_answers, reading.draft_words = sealed_apart(reading.case, protocol, kept)
    reading.save(update_fields=["draft_answers", "draft_words", "modified_at"])
    return reading


def commit_reading(*, reading: Reading, by: Any, answers: Any, seq: int, seconds: float = 0) -> Reading:
    """Freeze the first read: outlines at operation `seq` with their hash, marks with versions, answers.

    Raises LaminaError 409: reading_changed (with `theirs` and `yours`), reading_committed (other content before),
    reading_withdrawn, reading_not_begun; 422 for answers that do not fit the form.
    """
    return _keep(reading, by, answers, seq, seconds, "first")


def submit_reading(*, reading: Reading, by: Any, answers: Any, seq: int, seconds: float = 0) -> Reading:
    """Hand the read in as it is now; what was first committed stays beside it. Raises as `commit_reading`.

    With the last one of a case its reads may be laid side by side (`on_reads_complete`); a case with one reader goes
    straight to approval.
    """
    return _keep(reading, by, answers, seq, seconds, "final")


def _keep(reading: Reading, by: Any, answers: Any, seq: int, seconds: float, which: str) -> Reading:
    before = Reading.objects.select_related("segmentation__series", "segmentation__study").get(pk=reading.pk)
    digest = _digest(before, seq)  # of operations that never change; the volume is read before others have to wait
    with transaction.atomic():
        reading = hold_reading(reading.pk)
        case, protocol = reading.case, protocol_of_case(reading.case)
        if reading.state == ReadingState.WITHDRAWN:
            raise withdrawn()
        if which == "final" and reading.state not in (ReadingState.COMMITTED, ReadingState.SUBMITTED):
            raise LaminaError("reading_not_committed", _("Commit the first read before submitting."), 409)
        if reading.state == ReadingState.ASSIGNED:
            raise LaminaError("reading_not_begun", _("Begin the read first."), 409)
        given = checked_answers(protocol.form, answers)
        if getattr(reading, f"{which}_seq") is not None:
            return _same_again(reading, which, given, seq)
        head = Edit.objects.values_list("head", flat=True).get(pk=reading.segmentation_id)
        if head != seq or digest is None:
            message = _("Your outlines changed since, perhaps in another tab. Look again before committing.")
            raise LaminaError("reading_changed", message, 409, theirs={"seq": head}, yours={"seq": seq})
        if which == "final":
            _refuse_undecided(reading)
        coded, words = sealed_apart(case, protocol, given)
        now = timezone.now()
        values: dict[str, Any] = {
            f"{which}_seq": seq,
            f"{which}_digest": digest,
            f"{which}_answers": coded,
            f"{which}_words": words,
            f"{which}_annotations": _marks_of(reading),
            "draft_answers": None,
            "draft_words": None,
            "seconds_reading": reading.seconds_reading + min(max(float(seconds), 0.0), LONGEST_SECONDS),
        }
        values |= (
            {"state": ReadingState.COMMITTED, "committed_at": now}
            if which == "first"
            else {"state": ReadingState.SUBMITTED, "submitted_at": now}
        )
        for name, value in values.items():
            setattr(reading, name, value)
        reading.save(update_fields=[*values, "modified_at"])
        act = "committed" if which == "first" else "submitted"
        audit.record(by, f"reading.{act}", reading, project_id=case.project_id, case_id=case.pk, seq=seq, digest=digest)
        told = ReadingCommitted if which == "first" else ReadingSubmitted
        publish(told(reading_id=reading.pk, seq=seq), stream=reading.stream)
        if which == "final":
            _after_submit(case, by)
        tell_people(case, also=[reading.reader_id])
        return reading


def _digest(reading: Reading, seq: int) -> str | None:
    """SHA-256 over the labelmap's bytes at `seq`; None where there is no such operation."""
    if reading.segmentation is None:
        return None
    head = Edit.objects.values_list("head", flat=True).get(pk=reading.segmentation_id)
    if not 0 <= seq <= head:
        return None
    return hashlib.sha256(labelmaps.at_seq(reading.segmentation, seq).tobytes()).hexdigest()


def _marks_of(reading: Reading) -> list[list[Any]]:
    rows = Annotation.objects.filter(audience=reading.pk, is_deleted=False).order_by("created_at", "id")
    return [[str(pk), version] for pk, version in rows.values_list("pk", "version")]


def _must_be(reading: Reading, states: tuple[str, ...]) -> None:
    if reading.state == ReadingState.WITHDRAWN:
        raise withdrawn()
    if reading.state not in states:
        raise LaminaError("reading_submitted", _("Your read is submitted and no longer changes."), 409)


def _same_again(reading: Reading, which: str, given: Mapping[str, Any], seq: int) -> Reading:
    """The same content a second time is a lost answer; other content is a conflict, shown with both."""
    kept = {"seq": getattr(reading, f"{which}_seq"), "answers": answers_of(reading, which) or {}}
    if kept == {"seq": seq, "answers": dict(given)}:
        return reading
    code = "reading_committed" if which == "first" else "reading_submitted"
    at = reading.committed_at if which == "first" else reading.submitted_at
    message = _("This read was committed before with other content. That one stands.")
    theirs = {**kept, "at": at.isoformat() if at else None}
    raise LaminaError(code, message, 409, theirs=theirs, yours={"seq": seq, "answers": dict(given)})


def _refuse_undecided(reading: Reading) -> None:
    """Places where the reader and the result differ are decided one by one; a comparison not ready never blocks."""
    from server.readings.verdicts.selectors import undecided_count

    if reading.kind == ReadingKind.FIRST and (count := undecided_count(reading)):
        message = _("%(count)d places where you differ are still undecided.")
        raise LaminaError("places_undecided", message % {"count": count}, 409, count=count)


def _after_submit(case: Case, by: Any) -> None:
    """Is every read in? A withdrawn one whose place nobody took keeps the case waiting."""
    if case.stage != "reading":
        return
    reads = case.readings.filter(kind=ReadingKind.FIRST)
    places = [one for one in reads if one.state in LIVE or not reads.filter(replaces=one).exists()]
    if any(one.state != ReadingState.SUBMITTED for one in places):
        return
    if len(places) == 1:
        [only] = places
        decided = {"final": only.segmentation, "final_seq": only.final_seq, "decided_at": timezone.now()}
        move_case(case=case, to=("approval", "new"), by=by, is_blind=False, **decided)
    else:
        tell_reads_complete(case, by)


# --- what an admin does -------------------------------------------------------------------------------------------


@transaction.atomic
def reassign_reading(*, reading: Reading, by: Any, reader: User | None = None) -> Reading:
    """Give an unfinished read, or one that was withdrawn, to somebody else (None: to whoever has least to do).

    What was drawn stays with the one who drew it. Raises LaminaError 409 reading_committed, already_reads,
    reading_replaced, not_enough_readers, no_read (a ruling: `agreement.assigning`); 422 not_a_reader.
    """
    old = hold_reading(reading.pk)
    case, protocol = old.case, protocol_of_case(old.case)
    if old.kind != ReadingKind.FIRST:
        raise LaminaError("no_read", _("This is a ruling, not a read. Choose another adjudicator instead."), 409)
    if old.state not in (*UNFINISHED, ReadingState.WITHDRAWN):
        message = _("This read is committed; a committed read is kept.")
        raise LaminaError("reading_committed", message, 409, theirs={"state": str(old.state)})
    if Reading.objects.filter(replaces=old).exists():
        raise LaminaError("reading_replaced", _("Somebody has this read already."), 409)
    taken = set(case.readings.filter(state__in=LIVE).values_list("reader_id", flat=True)) | {old.reader_id}
    new_id = reader.pk if reader is not None else Dealer(protocol).deal(1, without=taken)[0]
    if new_id in taken:
        raise LaminaError("already_reads", _("This person reads the case already."), 409)
    if not Membership.objects.filter(project_id=case.project_id, user_id=new_id, role=Role.READER).exists():
        raise LaminaError("not_a_reader", _("Only readers of the project can be given a case."), 422)
    if str(new_id) in protocol.excluded:
        raise LaminaError("not_a_reader", _("The protocol gives this person no cases."), 422)
    if old.state != ReadingState.WITHDRAWN:
        withdraw_reading(old, by)
    new = Reading.objects.create(
        case=case, reader_id=new_id, kind=old.kind, letter=old.letter, replaces=old,
        due_on=due_on(case.project, protocol.due_days),
    )  # fmt: skip
    audit.record(by, "reading.assigned", new, project_id=case.project_id, case_id=case.pk, reader_id=new_id)
    tell_reader(new)
    tell_people(case, also=[old.reader_id])
    return new


def withdraw_reading(reading: Reading, by: Any) -> None:
    """Take an unfinished reading from its reader, under its case's lock; what was drawn stays with it."""
    reading.state = ReadingState.WITHDRAWN
    reading.save(update_fields=["state", "modified_at"])
    case = reading.case
    facts = {"case_id": case.pk, "reader_id": reading.reader_id}
    audit.record(by, "reading.withdrawn", reading, project_id=case.project_id, **facts)
    publish(ReadingWithdrawn(reading_id=reading.pk), stream=reading.stream)
    recheck_user(reading.reader_id)


@transaction.atomic
def withdraw_readings(*, user_id: UUID, project_id: UUID, by: Any) -> int:
    """The person left the project or reads no longer: unfinished reads wait for somebody else, and nothing is lost.

    A committed first read is kept and counts as submitted as it was committed. Returns how many.
    """
    rows = Reading.objects.filter(reader_id=user_id, case__project_id=project_id, state__in=OPEN)
    ids = list(rows.order_by("case__study_id").values_list("pk", flat=True))
    for pk in ids:
        reading = hold_reading(pk)
        if reading.state in UNFINISHED:
            withdraw_reading(reading, by)
        elif reading.state == ReadingState.COMMITTED:
            _close_as_committed(reading, by)
        tell_people(reading.case)
    return len(ids)


def _close_as_committed(reading: Reading, by: Any) -> None:
    for name in ("seq", "digest", "answers", "words", "annotations"):
        setattr(reading, f"final_{name}", getattr(reading, f"first_{name}"))
    reading.state, reading.submitted_at = ReadingState.SUBMITTED, timezone.now()
    reading.save()
    case = reading.case
    facts = {"case_id": case.pk, "seq": reading.final_seq, "digest": reading.final_digest, "as_committed": True}
    audit.record(by, "reading.submitted", reading, project_id=case.project_id, **facts)
    publish(ReadingSubmitted(reading_id=reading.pk, seq=reading.final_seq), stream=reading.stream)
    _after_submit(case, by)
