"""What may be known of a case's agreement and adjudication."""

from __future__ import annotations

from typing import Any

from server.core.secrets import open_text
from server.readings.cases.states import CaseStage, CaseState, ReadingKind, ReadingState
from server.readings.models.agreement import Agreement, Consensus, Pick
from server.readings.models.cases import Case, Protocol, Reading
from server.studies import sealing


def is_party(case: Case, user: Any) -> bool:
    """May the person know the numbers? Not before the own read is submitted, and never while sealed."""
    if sealing.is_sealed(user, case.study_id):
        return False
    own = case.readings.filter(reader_id=user.pk, kind=ReadingKind.FIRST).exclude(state=ReadingState.WITHDRAWN)
    mine = own.values_list("state", flat=True).first()
    return mine in (None, ReadingState.SUBMITTED)


def agreements_of(case: Case) -> list[Agreement]:
    rows = Agreement.objects.filter(case=case).select_related("left__reader", "right__reader", "comparison")
    return list(rows.order_by("left__letter", "right__letter"))


def agreement_json(case: Case, user: Any) -> dict[str, Any]:
    """Numbers against limits for who may know them. The comparison's id only where both reads are open to them."""
    opened = set(Reading.objects.filter(case=case, pk__in=sealing.open_audience_ids(user)).values_list("pk", flat=True))
    protocol = getattr(case.project, "protocol", None) or Protocol()
    pairs = [
        {
            "id": str(pair.pk),
            "left": pair.left.letter,
            "right": pair.right.letter,
            "comparison": str(pair.comparison_id) if pair.comparison_id and {pair.left_id, pair.right_id} <= opened
            else None,
            "is_within": pair.is_within,
            "segments": pair.segments,
            "excesses": pair.excesses,
        }
        for pair in agreements_of(case)
    ]  # fmt: skip
    return {
        "state": _state(case, pairs),
        "limits": limits_json(protocol),
        "pairs": pairs,
        "proposals": [] if case.is_blind else [proposal_json(one) for one in case.proposals.select_related("job")],
    }


def limits_json(protocol: Protocol) -> dict[str, Any]:
    return {
        "dice": protocol.dice_limit,
        "hd95_mm": protocol.hd95_limit_mm,
        "volume_percent": protocol.volume_limit_percent,
        "categories": protocol.categories_must_agree,
    }


def _state(case: Case, pairs: list[dict[str, Any]]) -> str:
    if case.stage == CaseStage.ADJUDICATION:
        return "adjudication"
    if case.stage == CaseStage.APPROVAL:
        return "signed" if case.state == CaseState.COMPLETED else "settled"
    return "working" if pairs else "reading"


def proposal_json(proposal: Consensus) -> dict[str, Any]:
    from server.readings.agreement.consensus import is_failed

    return {
        "id": str(proposal.pk),
        "method": proposal.method,
        "state": "ready" if proposal.voxels is not None else "failed" if is_failed(proposal) else "working",
        "voxels": proposal.voxels,
        "performances": proposal.performances,
    }


def adjudication_json(case: Case, reading: Reading, user: Any) -> dict[str, Any]:
    """All an adjudicator works with: reads by letter, pairs, picks, what the outlines began from."""
    from server.readings.agreement.adjudication import bases_of, open_places
    from server.readings.agreement.settling import submitted_reads
    from server.readings.cases.words import answers_of

    masks = sealing.masks(user, case.study_id)
    ruling = getattr(reading, "ruling", None)
    reason = open_text(case.study_id, bytes(ruling.reason_sealed)) if ruling and ruling.reason_sealed else ""
    picks = Pick.objects.filter(reading=reading).order_by("created_at")
    reads = []
    for read in submitted_reads(case):
        read.case = case
        author = masks.author(read.reader, read.pk) or {}
        reads.append(
            {
                "letter": read.letter,
                "name": author.get("name", ""),
                "segmentation": str(read.segmentation_id) if read.segmentation_id else None,
                "seq": read.final_seq,
                "answers": answers_of(read, "final"),
                "submitted_at": masks.time(read.submitted_at, read.pk),
            }
        )
    return {
        "reading": str(reading.pk),
        "state": str(reading.state),
        "segmentation": str(reading.segmentation_id) if reading.segmentation_id else None,
        "bases": bases_of(case),
        "base": ruling.base if ruling else "",
        "reason": reason,
        "reads": reads,
        "picks": [{"agreement": str(one.agreement_id), "n": one.n, "choice": one.choice} for one in picks],
        "open_places": open_places(reading),
        "agreement": agreement_json(case, user),
    }
