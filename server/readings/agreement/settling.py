"""From submitted reads to what follows: compared in pairs, judged by the limits, then open or to an adjudicator.

The comparisons are made by workers. A case waits for them in stage reading; nothing a person does waits.
"""

from __future__ import annotations

import itertools
from typing import Any

from django.db import transaction
from django.utils import timezone

from server.accounts.models import Membership, Role
from server.core import audit
from server.readings.agreement.decision import Excess, Limits, differing_answers, over_limits
from server.readings.cases.events import ReadingAssigned
from server.readings.cases.holding import hold_case, move_case
from server.readings.cases.states import LIVE, OPEN, CaseStage, CaseState
from server.readings.models.agreement import Agreement
from server.readings.models.cases import Case, Protocol, Reading, ReadingKind, ReadingState
from server.realtime.services import publish, recheck_user
from server.reconstructions.comparing import services as comparing
from server.reconstructions.comparing import states
from server.reconstructions.comparing.models import Comparison


def submitted_reads(case: Case) -> list[Reading]:
    """The reads that count, by letter."""
    rows = case.readings.filter(kind=ReadingKind.FIRST, state=ReadingState.SUBMITTED)
    return list(rows.select_related("segmentation__series", "segmentation__study", "reader").order_by("letter"))


def limits_of(protocol: Protocol | None) -> Limits:
    if protocol is None:
        return Limits()
    return Limits(
        dice=protocol.dice_limit,
        hd95_mm=protocol.hd95_limit_mm,
        volume_percent=protocol.volume_limit_percent,
        categories=protocol.categories_must_agree,
    )


@transaction.atomic
def reads_complete(case: Case, *, by: Any) -> None:
    """The last read of several is in: have each pair compared."""
    for left, right in itertools.combinations(submitted_reads(case), 2):
        pair, _ = Agreement.objects.get_or_create(case=case, left=left, right=right)
        if pair.is_within is None:
            _ask(pair)
    decide(case, by)


def _ask(pair: Agreement) -> None:
    """Have the two final reads compared; a comparison that was made before is judged at once.

    Without an outline on either side there is nothing to compare: only the answers decide.
    """
    left, right = pair.left, pair.right
    if left.segmentation is None or right.segmentation is None:
        _judge(pair, [])
        return
    pair.comparison = comparing.ask(
        left=left.segmentation, left_seq=left.final_seq, right=right.segmentation, right_seq=right.final_seq, by=None
    )
    pair.save(update_fields=["comparison", "modified_at"])
    if pair.comparison.result is not None:
        _judge(pair, pair.comparison.result["segments"])


def note_comparison(comparison: Comparison) -> None:
    """A worker has made a comparison (inside its transaction). Judge the pairs that waited for it."""
    waiting = Agreement.objects.filter(comparison=comparison, is_within=None)
    for pair in waiting.select_related("case", "left", "right"):
        _judge(pair, comparison.result["segments"])
        decide(pair.case, None)


def _judge(pair: Agreement, segments: list[dict[str, Any]]) -> None:
    protocol = getattr(pair.case.project, "protocol", None)
    limits = limits_of(protocol)
    asked = {segment["number"]: segment for segment in protocol.segments} if protocol is not None else {}
    rows = [row for row in segments if not asked or row["number"] in asked]
    rows += _not_compared(pair, [asked[number] for number in sorted(asked.keys() - {row["number"] for row in rows})])
    found: list[Excess] = over_limits(rows, limits)
    if limits.categories and protocol is not None:
        found += differing_answers(protocol.form, pair.left.final_answers or {}, pair.right.final_answers or {})
    pair.segments = rows
    pair.excesses = [one.as_json() for one in found]
    pair.is_within = not found
    pair.settled_at = timezone.now()
    pair.save()


def _not_compared(pair: Agreement, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of segments the protocol asks for and the comparison could not pair: somebody removed or renamed one.

    Voxels of its number are what the two said of it; without a comparison there is no distance between surfaces.
    """
    left, right = pair.left.segmentation, pair.right.segmentation
    if not segments or left is None or right is None:
        return []
    a, b = states.labels_at(left, pair.left.final_seq or 0), states.labels_at(right, pair.right.final_seq or 0)
    rows = []
    for segment in segments:
        in_a, in_b = a == segment["number"], b == segment["number"]
        voxels_a, voxels_b = int(in_a.sum()), int(in_b.sum())
        both = voxels_a + voxels_b
        row = {
            "number": segment["number"],
            "label": segment["label"],
            "colour": segment["colour"],
            "voxels_a": voxels_a,
            "voxels_b": voxels_b,
            "dice": 2 * int((in_a & in_b).sum()) / both if both else 1.0,
        }
        unknown = ("hd95_mm", "assd_mm", "max_mm", "volume_a_ml", "volume_b_ml", "volume_difference_percent")
        rows.append({**row, **dict.fromkeys(unknown)})
    return rows


@transaction.atomic
def decide(case: Case, by: Any) -> None:
    """Once every pair is judged: open the case, or send it to an adjudicator. Doing it twice is harmless."""
    case = hold_case(case.pk)
    if (case.stage, case.state) != (CaseStage.READING, CaseState.IN_PROGRESS):
        return
    reads = submitted_reads(case)
    pairs = list(Agreement.objects.filter(case=case, left__in=reads, right__in=reads))
    if len(pairs) < len(reads) * (len(reads) - 1) // 2 or any(pair.is_within is None for pair in pairs):
        return
    over = [pair for pair in pairs if not pair.is_within]
    facts = {"pairs": len(pairs), "over": len(over)}
    audit.record(by, "agreement.settled", case, project_id=case.project_id, **facts)
    if not over:
        _open(case, by)
        return
    move_case(case=case, to=(CaseStage.ADJUDICATION, CaseState.NEW), by=by)
    deal_adjudicator(case, by)


def _open(case: Case, by: Any) -> None:
    """Within the limits: names, reads and presence are open to everybody in the project from here on."""
    move_case(case=case, to=(CaseStage.APPROVAL, CaseState.NEW), by=by, is_blind=False)


def deal_adjudicator(case: Case, by: Any) -> Reading | None:
    """Give the case to the adjudicator with the fewest open ones who has not read it; None where there is nobody.

    Who is excluded from reads adjudicates all the same: that is how somebody only adjudicates.
    """
    readers = set(case.readings.values_list("reader_id", flat=True))
    duty = Membership.objects.filter(
        project_id=case.project_id, role=Role.READER, is_adjudicator=True, user__is_active=True
    ).select_related("user")
    free = [one.user for one in duty if one.user_id not in readers]
    if not free:
        return None
    load = {
        user.pk: Reading.objects.filter(reader=user, kind=ReadingKind.ADJUDICATION, state__in=OPEN).count()
        for user in free
    }
    chosen = min(free, key=lambda user: (load[user.pk], str(user.pk)))
    return give_to_adjudicator(case, chosen, by)


def give_to_adjudicator(case: Case, adjudicator: Any, by: Any) -> Reading:
    """Row, audit and event of the adjudicator's reading. The reads it settles keep their letters."""
    reading = Reading.objects.create(
        case=case, reader=adjudicator, kind=ReadingKind.ADJUDICATION, letter=_free_letter(case), due_on=case.due_on
    )
    audit.record(by, "adjudication.assigned", reading, project_id=case.project_id, case_id=case.pk)
    publish(ReadingAssigned(reading_id=reading.pk, study_id=case.study_id), stream=f"user:{adjudicator.pk}")
    recheck_user(adjudicator.pk)
    return reading


def _free_letter(case: Case) -> str:
    """One that no read of the case has; nobody is shown an adjudicator's letter."""
    taken = set(case.readings.filter(state__in=LIVE).values_list("letter", flat=True))
    return next(letter for letter in "ZYXWVUTSRQ" if letter not in taken)
