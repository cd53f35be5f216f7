"""What may be known of a case's agreement, and a project's agreement in numbers."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any
from uuid import UUID

from server.core.secrets import open_text
from server.readings.agreement.decision import CODED
from server.readings.agreement.statistics import (
    bland_altman,
    cohen_kappa,
    fleiss_kappa,
    icc_2_1,
    mean_of,
    statistic_json,
)
from server.readings.cases.states import CaseStage, CaseState, ReadingKind, ReadingState
from server.readings.models.agreement import Agreement, Consensus, Pick
from server.readings.models.cases import Case, Protocol, Reading
from server.studies import sealing

MOST_POINTS = 500  # of a plot


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
        "limits": {
            "dice": protocol.dice_limit,
            "hd95_mm": protocol.hd95_limit_mm,
            "volume_percent": protocol.volume_limit_percent,
            "categories": protocol.categories_must_agree,
        },
        "pairs": pairs,
        "proposals": [] if case.is_blind else [proposal_json(one) for one in case.proposals.select_related("job")],
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


# --- a whole project ----------------------------------------------------------------------------------------------


def counted_cases(project_id: UUID) -> list[Case]:
    """Cases whose reads are all in and no longer blind, practice left out."""
    rows = Case.objects.filter(project_id=project_id, is_practice=False, is_blind=False)
    return list(rows.exclude(stage=CaseStage.READING).prefetch_related("readings__reader").order_by("number"))


def project_agreement(project_id: UUID) -> dict[str, Any]:
    """Agreement of a project's readers over its settled cases, every number with its interval and its n."""
    protocol = Protocol.objects.filter(project_id=project_id).first() or Protocol()
    cases = counted_cases(project_id)
    reads = {case.pk: _reads(case) for case in cases}
    return {
        "cases": len(cases),
        "segments": _segments(project_id, cases),
        "questions": [_question(question, reads) for question in protocol.form if question["kind"] in CODED],
        "pairs": _pairs(cases),
    }


def _reads(case: Case) -> list[Reading]:
    own = [r for r in case.readings.all() if r.kind == ReadingKind.FIRST and r.state == ReadingState.SUBMITTED]
    return sorted(own, key=lambda read: read.letter)


def _rows(cases: list[Case]) -> list[Agreement]:
    rows = Agreement.objects.filter(case__in=cases, is_within__isnull=False)
    return list(rows.select_related("left__reader", "right__reader").order_by("case__number"))


def _segments(project_id: UUID, cases: list[Case]) -> list[dict[str, Any]]:
    """Per segment: means of Dice, HD95 and ASSD over pairs, ICC and Bland-Altman of the volumes."""
    pairs = _rows(cases)
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    volumes: dict[int, dict[UUID, dict[UUID, float]]] = defaultdict(lambda: defaultdict(dict))
    for pair in pairs:
        for row in pair.segments or []:
            rows[row["number"]].append(row)
            for side, read in (("volume_a_ml", pair.left), ("volume_b_ml", pair.right)):
                if row[side] is not None:
                    volumes[row["number"]][pair.case_id][read.pk] = row[side]
    return [_segment(number, rows[number], volumes[number]) for number in sorted(rows)]


def _segment(number: int, rows: list[dict[str, Any]], volumes: dict[UUID, dict[UUID, float]]) -> dict[str, Any]:
    def mean(name: str) -> dict[str, Any]:
        return statistic_json(mean_of([row[name] for row in rows if row[name] is not None]))

    most = max((len(reads) for reads in volumes.values()), default=0)
    table = [list(reads.values()) for reads in volumes.values() if len(reads) == most] if most > 1 else []
    plot = bland_altman(
        [row["volume_a_ml"] for row in _measured(rows)], [row["volume_b_ml"] for row in _measured(rows)]
    )
    return {
        "number": number,
        "label": rows[0]["label"],
        "pairs": len(rows),
        "dice": mean("dice"),
        "hd95_mm": mean("hd95_mm"),
        "assd_mm": mean("assd_mm"),
        "volume_icc": statistic_json(icc_2_1(table)),
        "bland_altman": {
            "bias": statistic_json(plot.bias),
            "lower": statistic_json(plot.lower),
            "upper": statistic_json(plot.upper),
            "points": [list(point) for point in plot.points[:MOST_POINTS]],
        },
    }


def _measured(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["volume_a_ml"] is not None and row["volume_b_ml"] is not None]


def _question(question: dict[str, Any], reads: dict[UUID, list[Reading]]) -> dict[str, Any]:
    """Cohen's kappa with two readers per case, Fleiss' with more; of final answers."""
    key = question["key"]
    answers = [[(read.final_answers or {}).get(key) for read in own] for own in reads.values() if len(own) > 1]
    readers = max((len(own) for own in answers), default=0)
    own = [row for row in answers if len(row) == readers and all(one is not None for one in row)]
    if readers > 2:
        names = sorted({str(one) for row in own for one in row})
        statistic = fleiss_kappa([[sum(str(one) == name for one in row) for name in names] for row in own])
    else:
        statistic = cohen_kappa([str(row[0]) for row in own], [str(row[1]) for row in own])
    return {
        "key": key,
        "text": question["text"],
        "kappa": statistic_json(statistic),
        "kind": "fleiss" if readers > 2 else "cohen",
    }


def _pairs(cases: list[Case]) -> list[dict[str, Any]]:
    """Agreement by pair of people: how often within the limits, mean Dice over all segments."""
    found: dict[tuple[UUID, UUID], list[Agreement]] = defaultdict(list)
    people: dict[UUID, str] = {}
    for pair in _rows(cases):
        ids = tuple(sorted((pair.left.reader_id, pair.right.reader_id), key=str))
        found[ids].append(pair)  # type: ignore[index]
        people |= {read.reader_id: read.reader.display_name for read in (pair.left, pair.right)}
    told = []
    for ids, pairs in found.items():
        dice = list(itertools.chain.from_iterable([row["dice"] for row in pair.segments or []] for pair in pairs))
        told.append(
            {
                "people": sorted(people[one] for one in ids),
                "cases": len(pairs),
                "within": sum(bool(pair.is_within) for pair in pairs),
                "dice": statistic_json(mean_of(dice)),
            }
        )
    return sorted(told, key=lambda row: row["people"])
