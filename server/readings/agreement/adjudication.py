"""The adjudicator's work: begin from a read, pick at each place, redraw, submit with a reason.

An adjudication is a Reading of its own kind: its outlines are a working copy with ordered operations like everybody's,
so a pick is one operation that can be taken back, and what was submitted is a number and a hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from server.core import audit
from server.core.errors import LaminaError
from server.core.secrets import seal_text
from server.readings.agreement.settling import submitted_reads
from server.readings.cases.holding import hold_case, hold_reading, move_case
from server.readings.cases.sealing import withdrawn
from server.readings.cases.services import begin_reading, commit_reading, submit_reading
from server.readings.cases.states import CaseStage, CaseState
from server.readings.models.agreement import Agreement, Pick, Ruling
from server.readings.models.cases import Case, Reading, ReadingKind, ReadingState
from server.readings.verdicts.selectors import result_for
from server.reconstructions.comparing import selectors as comparisons
from server.reconstructions.comparing import states
from server.reconstructions.editing import labelmaps
from server.reconstructions.editing import services as editing
from server.reconstructions.editing.runs import Spans, spans_of
from server.reconstructions.editing.steps import Layer, Step
from server.reconstructions.models import Segmentation

OWN, NOTHING, ALGORITHM = "own", "nothing", "algorithm"
LONGEST_REASON = 2000


@transaction.atomic
def begin_adjudication(*, reading: Reading, by: Any, base: str) -> Reading:
    """Start, or start over, from a read (its letter), the algorithm's result, or nothing.

    Starting over is one operation on the same working copy: what was drawn before stays in its history. Raises
    LaminaError where the reading is not the person's to adjudicate or the base is none.
    """
    reading = held(reading)
    case = reading.case
    source = _source(reading, base)
    if reading.state == ReadingState.ASSIGNED:
        reading = begin_reading(reading=reading, by=by)
    ruling, is_new = Ruling.objects.get_or_create(reading=reading)
    if not is_new and ruling.base == base:
        return reading
    if source is not None or not is_new:
        _copy(reading, by, source, base)
    Pick.objects.filter(reading=reading).delete()
    ruling.base = base
    ruling.save(update_fields=["base", "modified_at"])
    audit.record(by, "adjudication.begun", reading, project_id=case.project_id, base=base)
    return reading


@transaction.atomic
def pick_place(*, reading: Reading, by: Any, agreement: Agreement, n: int, choice: str) -> Pick:
    """At place `n` of two reads' comparison take the outline of one of them, or keep the adjudicator's own.

    Picking again replaces the pick; what it drew is taken back first. Raises LaminaError.
    """
    reading = held(reading, begun=True)
    letters = (agreement.left.letter, agreement.right.letter)
    if agreement.case_id != reading.case_id or choice not in (*letters, OWN):
        raise LaminaError("no_such_choice", _("Choose one of the two reads, or your own outline."), 422)
    region = comparisons.region(agreement.comparison, n) if agreement.comparison else None
    if region is None:
        raise LaminaError("no_such_place", _("There is no such place in this comparison."), 422)
    pick = Pick.objects.filter(reading=reading, agreement=agreement, n=n).first()
    pick = pick or Pick(reading=reading, agreement=agreement, n=n)
    if pick.operation_seq is not None:
        editing.take_back(segmentation=reading.segmentation, by=by, client_id=uuid4(), seq=pick.operation_seq)
        pick.operation_seq = None
    if choice != OWN:
        source = agreement.left if choice == letters[0] else agreement.right
        pick.operation_seq = _take(reading, by, agreement, region, source)
    pick.choice, pick.region = choice, region
    pick.save()
    facts = {"case_id": reading.case_id, "place": n, "choice": choice}
    audit.record(by, "adjudication.picked", pick, project_id=reading.case.project_id, **facts)
    return pick


@transaction.atomic
def submit_adjudication(*, reading: Reading, by: Any, seq: int, answers: Any, reason: str) -> Reading:
    """Keep the ruling for ever; the case goes on to approval with the adjudicator's outlines.

    Raises LaminaError without a reason, with places left open, or where the outlines moved on (`reading_changed`).
    """
    reading = held(reading, begun=True)
    case = reading.case
    reason = reason.strip()
    if not reason:
        raise LaminaError("reason_needed", _("Say in a few words why you decide so."), 422)
    if len(reason) > LONGEST_REASON:
        raise LaminaError("reason_too_long", _("A reason has at most 2,000 characters."), 422)
    if left := open_places(reading):
        message = _("%(n)d places are not decided yet.") % {"n": left}
        raise LaminaError("places_undecided", message, 409, places=left)
    reading = commit_reading(reading=reading, by=by, answers=answers, seq=seq)
    reading = submit_reading(reading=reading, by=by, answers=answers, seq=seq)
    ruling, _made = Ruling.objects.get_or_create(reading=reading)
    ruling.reason_sealed = seal_text(case.study_id, case.project_id, reason)
    ruling.save(update_fields=["reason_sealed", "modified_at"])
    audit.record(by, "adjudication.submitted", reading, project_id=case.project_id, seq=seq)
    decided = {"final": reading.segmentation, "final_seq": reading.final_seq, "decided_at": timezone.now()}
    move_case(case=hold_case(case.pk), to=(CaseStage.APPROVAL, CaseState.NEW), by=by, **decided)
    return reading


# --- inside -------------------------------------------------------------------------------------------------------


def held(reading: Reading, *, begun: bool = False) -> Reading:
    """The reading under its case's lock, while its adjudicator may work on it."""
    reading = hold_reading(reading.pk)
    if reading.kind != ReadingKind.ADJUDICATION:
        raise LaminaError("no_adjudication", _("This is a read, not an adjudication."), 409)
    if reading.state == ReadingState.WITHDRAWN:
        raise withdrawn()
    if reading.state == ReadingState.SUBMITTED:
        raise LaminaError("reading_submitted", _("Your ruling is submitted and no longer changes."), 409)
    if begun and reading.state == ReadingState.ASSIGNED:
        raise LaminaError("not_begun", _("Choose first what your outlines begin from."), 409)
    return reading


def bases_of(case: Case) -> list[str]:
    """What an adjudicator may begin from."""
    letters = [read.letter for read in submitted_reads(case) if read.segmentation_id]
    some = submitted_reads(case)[:1]
    return [*letters, *([ALGORITHM] if some and result_for(some[0]) else []), NOTHING]


def _source(reading: Reading, base: str) -> tuple[Segmentation, int] | None:
    if base not in bases_of(reading.case):
        raise LaminaError("no_such_base", _("The outlines cannot begin from that."), 422, bases=bases_of(reading.case))
    if base == NOTHING:
        return None
    if base == ALGORITHM:
        result = result_for(reading)
        return None if result is None else (result, 0)
    [read] = [one for one in submitted_reads(reading.case) if one.letter == base]
    return read.segmentation, read.final_seq or 0  # type: ignore[return-value]


def layers_of(flat: np.ndarray, numbers: Sequence[int]) -> tuple[Layer, ...]:
    """What makes a whole labelmap that of `flat`, as far as these labels go."""
    whole = Spans(np.zeros(1, np.int64), np.array([len(flat)]))
    drawn = ((number, np.flatnonzero(flat == number)) for number in numbers)
    return (Layer(0, whole), *(Layer(number, spans_of(indices)) for number, indices in drawn if len(indices)))


def _copy(reading: Reading, by: Any, source: tuple[Segmentation, int] | None, base: str) -> None:
    """Make the working copy's protocol segments those of the source, as one operation."""
    target = reading.segmentation
    assert target is not None  # begun readings have one
    numbers = sorted(segment.number for segment in target.segments.all())
    voxels = labelmaps.voxel_count(target)
    flat = np.zeros(voxels, np.uint8) if source is None else states.labels_at(*source).reshape(-1)
    name = _("Begin from nothing") if source is None else _("Begin from %(base)s") % {"base": base}
    editing.settle(
        segmentation=target, by=by, client_id=uuid4(), name=name, step=Step(layers_of(flat, numbers)),
        number=numbers[0] if numbers else None, params={"base": base},
    )  # fmt: skip


def _take(reading: Reading, by: Any, agreement: Agreement, region: dict[str, Any], source: Reading) -> int | None:
    """Write one read's outline at a place into the ruling. The operation's number."""
    comparison = agreement.comparison
    assert comparison is not None  # its region was found
    spans = Spans(*comparisons.region_spans(comparison, region["n"]))
    has_it = (region["side"] == "a_only") == (source.pk == agreement.left_id)
    number = region["number"]
    layer = Layer(number, spans) if has_it else Layer(0, spans, (number,))
    name = _("Place %(n)s, as Reader %(letter)s") % {"n": region["n"], "letter": source.letter}
    done = editing.settle(
        segmentation=reading.segmentation, by=by, client_id=uuid4(), name=name, step=Step((layer,)), number=number,
        params={"place": region["key"], "choice": source.letter},
    )  # fmt: skip
    return done.operation.seq


def open_places(reading: Reading) -> int:
    """Places of pairs over a limit that nobody has decided yet; with nothing as base the outline is the decision."""
    if getattr(reading, "ruling", None) is not None and reading.ruling.base == NOTHING:
        return 0
    total = 0
    for pair in Agreement.objects.filter(case=reading.case, is_within=False).select_related("comparison"):
        regions = (pair.comparison.result or {}).get("regions", []) if pair.comparison else []
        over = {one["number"] for one in pair.excesses or [] if one["number"] is not None}
        total += sum(region["number"] in over for region in regions)
        total -= Pick.objects.filter(reading=reading, agreement=pair, region__number__in=list(over)).count()
    return max(total, 0)
