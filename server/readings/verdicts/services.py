"""Asking for the differences, deciding at a place, taking a decision back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from server.core import audit
from server.core.errors import LaminaError
from server.core.secrets import seal_text
from server.readings.models.cases import Reading, ReadingState
from server.readings.models.verdicts import Verdict, VerdictAct
from server.readings.verdicts.selectors import (
    COMMITTED,
    Place,
    comparison_of,
    left_labels,
    places_of,
    result_for,
    state_of,
)
from server.realtime.services import lock_stream
from server.reconstructions.comparing import selectors as comparing
from server.reconstructions.comparing import services as comparisons
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.editing import services as editing
from server.reconstructions.editing.runs import Spans
from server.reconstructions.editing.steps import Layer, Step

MOST_SECONDS = 3600  # longer at one place is a page left open


def ask_for_differences(*, reading: Reading, by: Any) -> Comparison | None:
    """Let the first read and the result be compared, once; None where there is nothing to compare with."""
    if reading.state not in COMMITTED:
        raise LaminaError("not_committed", _("Commit the first read first."), 409)
    known = comparison_of(reading)
    if known is not None and state_of(known)[0] != "failed":
        return known
    result = result_for(reading)
    if result is None or reading.segmentation is None:
        return None
    return comparisons.ask(left=reading.segmentation, left_seq=reading.first_seq, right=result, right_seq=None, by=by)


@transaction.atomic
def decide(*, reading: Reading, by: Any, key: str, act: str, reason: str, seconds: int) -> Verdict:
    """Keep the own outline at a place, take the other's, or say that it is drawn anew by hand.

    Raises LaminaError where the read is not open for it, the place is unknown, or a rejection has no reason.
    """
    reading = _held(reading)
    comparison = comparison_of(reading)
    place = next((one for one in places_of(comparison, reading) if one.key == key), None)
    if comparison is None or place is None:
        raise LaminaError("no_such_place", _("There is no such place in this comparison."), 422)
    reason = reason.strip()
    if act == VerdictAct.KEEP and not reason:
        raise LaminaError("reason_needed", _("Say in a few words why you keep yours."), 422)
    verdict = Verdict.objects.filter(reading=reading, key=key).first() or Verdict(reading=reading, key=key)
    if act == VerdictAct.TAKE:
        if verdict.operation_seq is None:
            verdict.operation_seq = _take(reading, by, comparison, place)
    else:
        _give_back(reading, by, verdict)
    case = reading.case
    verdict.comparison, verdict.region, verdict.act = comparison, place.region, act
    verdict.reason_sealed = seal_text(case.study_id, case.project_id, reason) if reason else None
    verdict.seconds = min(max(0, seconds), MOST_SECONDS)
    verdict.save()
    audit.record(by, "verdict.given", verdict, project_id=case.project_id, case_id=case.pk, verdict=act, place=key)
    return verdict


@transaction.atomic
def withdraw(*, reading: Reading, by: Any, key: str) -> None:
    """The place is open again; what was taken over is taken back. Doing it twice is harmless."""
    reading = _held(reading)
    verdict = Verdict.objects.filter(reading=reading, key=key).first()
    if verdict is None:
        return
    _give_back(reading, by, verdict)
    facts = {"case_id": reading.case_id, "verdict": verdict.act, "place": key}  # the row goes, the case stays
    audit.record(by, "verdict.withdrawn", verdict, project_id=reading.case.project_id, **facts)
    verdict.delete()


# --- inside -------------------------------------------------------------------------------------------------------


def _held(reading: Reading) -> Reading:
    """The reading, its study's streams and itself held, while decisions are open to it."""
    lock_stream(f"study:{reading.case.study_id}")
    held = Reading.objects.select_for_update(of=("self",)).select_related(
        "case__project", "case__series", "segmentation__series"
    )
    reading = held.get(pk=reading.pk)
    if reading.state == ReadingState.SUBMITTED:
        raise LaminaError("reading_submitted", _("The read is submitted; it no longer changes."), 409)
    if reading.state != ReadingState.COMMITTED:
        raise LaminaError("not_committed", _("Commit the first read first."), 409)
    return reading


def _take(reading: Reading, by: Any, comparison: Comparison, place: Place) -> int:
    """Write the other's outline at the place into the working copy, as one step of the reader. Its number."""
    starts, lengths = comparing.region_spans(comparison, place.region["n"])
    spans = Spans(np.asarray(starts, np.int64), np.asarray(lengths, np.int64))
    own = left_labels(comparison, place.region["number"]) or (place.region["number"],)
    layer = Layer(own[0], spans) if place.region["side"] == "b_only" else Layer(0, spans, own)
    name = _("Place %(n)s, take theirs") % {"n": place.region["n"]}
    done = editing.settle(
        segmentation=reading.segmentation, by=by, client_id=uuid4(), name=name, step=Step((layer,)), number=own[0],
        params={"place": place.key, "side": place.region["side"]},
    )  # fmt: skip
    return done.operation.seq


def _give_back(reading: Reading, by: Any, verdict: Verdict) -> None:
    if verdict.operation_seq is None:
        return
    editing.take_back(segmentation=reading.segmentation, by=by, client_id=uuid4(), seq=verdict.operation_seq)
    verdict.operation_seq = None
