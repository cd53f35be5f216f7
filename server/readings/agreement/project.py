"""A project's agreement in numbers: over all readers, and by pair of people, each number with its interval and its n.

A case counts once it is open to everybody: all its reads are in, it is no longer blind, it is no practice and does not
lie in the bin. What both readers found nothing of agrees, but says nothing of how well they outline: such a case is
left out of that segment's numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean
from typing import Any
from uuid import UUID

from server.readings.agreement.decision import CODED, symmetric_volume_percent
from server.readings.agreement.selectors import limits_json
from server.readings.agreement.statistics import (
    Statistic,
    bland_altman,
    cohen_kappa,
    fleiss_kappa,
    icc_1_1,
    icc_2_1,
    mean_of,
    statistic_json,
    wilson,
)
from server.readings.cases.selectors import protocol_of
from server.readings.cases.states import CaseStage, ReadingKind, ReadingState
from server.readings.models.agreement import Agreement
from server.readings.models.cases import Case, Reading
from server.studies import sealing
from server.studies.selectors import active_studies_visible_to

MOST_POINTS = 500  # of a plot
MEASURES = {"dice": 1.0, "hd95_mm": inf, "assd_mm": inf, "volume_percent": 200.0}  # name -> the most there can be
TWO_WAY, ONE_WAY = "two_way", "one_way"  # kinds of ICC: the same readers everywhere, or others in each case
COHEN, FLEISS = "cohen", "fleiss"

Answers = Mapping[UUID, Any]
"""Who answered what to one question in one case."""


@dataclass(frozen=True, slots=True)
class Outlined:
    """One segment in one case as two people outlined it. `volumes_ml` by person; no surface, no distance (None)."""

    case: Case
    number: int
    label: str
    colour: str
    values: dict[str, float | None]
    volumes_ml: dict[UUID, float]
    is_lonely: bool


def cases_visible_in(project_id: UUID, user: Any) -> Any:
    """Cases that may count for this person; practice left out."""
    seen = active_studies_visible_to(user).filter(project_id=project_id)
    rows = Case.objects.filter(project_id=project_id, study__in=seen, is_practice=False)
    return rows.exclude(study_id__in=sealing.sealed_study_ids(user))


def counted_pairs(project_id: UUID, user: Any) -> list[Agreement]:
    """Settled pairs of reads of open cases, oldest case first."""
    cases = cases_visible_in(project_id, user).filter(is_blind=False).exclude(stage=CaseStage.READING)
    rows = Agreement.objects.filter(case__in=cases, is_within__isnull=False)
    return list(
        rows.select_related("case__study", "left__reader", "right__reader").order_by("case__number", "left__letter")
    )


def project_agreement(project_id: UUID, user: Any) -> dict[str, Any]:
    """What the agreement page shows to who may see it."""
    protocol = protocol_of(project_id)
    pairs = counted_pairs(project_id, user)
    by_people: dict[tuple[UUID, UUID], list[Agreement]] = defaultdict(list)
    within: dict[UUID, bool] = {}
    for pair in pairs:
        by_people[_people_of(pair)].append(pair)
        within[pair.case_id] = within.get(pair.case_id, True) and bool(pair.is_within)
    names = {read.reader_id: read.reader.display_name for pair in pairs for read in (pair.left, pair.right)}
    reads = _reads_of(within)
    questions = [question for question in protocol.form if question["kind"] in CODED]
    told = [_pair(people, names, rows, questions, reads) for people, rows in by_people.items()]
    return {
        "cases": len(within),
        "all_cases": cases_visible_in(project_id, user).count(),
        "within": statistic_json(wilson(sum(within.values()), len(within))),
        "readers_per_case": protocol.readers_per_case,
        "limits": limits_json(protocol),
        "people": _named(sorted(names, key=lambda one: (names[one], str(one))), names),
        "segments": _segments(pairs, names),
        "questions": [_question(question, _answers(question["key"], reads.values())) for question in questions],
        "pairs": sorted(told, key=lambda row: [one["name"] for one in row["people"]]),
    }


def _named(people: Iterable[UUID], names: Mapping[UUID, str]) -> list[dict[str, str]]:
    return [{"id": str(one), "name": names[one]} for one in people]


def _people_of(pair: Agreement) -> tuple[UUID, UUID]:
    """Always in the same order, whatever letters they had: a difference is the first person's less the second's."""
    both = sorted((pair.left.reader, pair.right.reader), key=lambda one: (one.display_name, str(one.pk)))
    return both[0].pk, both[1].pk


def _reads_of(cases: Iterable[UUID]) -> dict[UUID, list[Reading]]:
    """Submitted reads by case, without the adjudicator's."""
    found: dict[UUID, list[Reading]] = {case: [] for case in cases}
    rows = Reading.objects.filter(case_id__in=list(found), kind=ReadingKind.FIRST, state=ReadingState.SUBMITTED)
    for read in rows.order_by("case__number", "letter"):
        found[read.case_id].append(read)
    return found


# --- outlines -----------------------------------------------------------------------------------------------------


def _outlined(pairs: Iterable[Agreement]) -> dict[int, list[Outlined]]:
    """Segment number -> what the pairs drew of it, where at least one of the two drew something."""
    found: dict[int, list[Outlined]] = defaultdict(list)
    for pair in pairs:
        for row in pair.segments or []:
            a, b = row["voxels_a"], row["voxels_b"]
            if not a and not b:
                continue
            values = {name: row[name] for name in MEASURES if name != "volume_percent"}
            sides = ((pair.left, row["volume_a_ml"]), (pair.right, row["volume_b_ml"]))
            found[row["number"]].append(
                Outlined(
                    case=pair.case, number=row["number"], label=row["label"], colour=row["colour"],
                    values={**values, "volume_percent": symmetric_volume_percent(a, b)},
                    volumes_ml={read.reader_id: volume for read, volume in sides if volume is not None},
                    is_lonely=not a or not b,
                )
            )  # fmt: skip
    return dict(sorted(found.items()))


def _measured(rows: Sequence[Outlined]) -> dict[str, Any]:
    """Means over cases. Pairs of one case are averaged first: three readers do not make three independent cases."""

    def mean(name: str) -> dict[str, Any]:
        by_case: dict[UUID, list[float]] = defaultdict(list)
        for row in rows:
            if (value := row.values[name]) is not None:
                by_case[row.case.pk].append(value)
        means = [fmean(values) for values in by_case.values()]
        return statistic_json(mean_of(means, least=0.0, most=MEASURES[name]))

    first = rows[0]
    return {
        "number": first.number,
        "label": first.label,
        "colour": first.colour,
        "cases": len({row.case.pk for row in rows}),
        "lonely": len({row.case.pk for row in rows if row.is_lonely}),
        **{name: mean(name) for name in MEASURES},
    }


def _segments(pairs: Sequence[Agreement], names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    told = []
    for rows in _outlined(pairs).values():
        volumes: dict[UUID, dict[UUID, float]] = defaultdict(dict)
        for row in rows:
            volumes[row.case.pk].update(row.volumes_ml)
        kind, statistic = _icc(list(volumes.values()), names)
        told.append({**_measured(rows), "volume_icc": statistic_json(statistic), "icc": kind})
    return told


def _icc(volumes: Sequence[Mapping[UUID, float]], names: Mapping[UUID, str]) -> tuple[str, Statistic]:
    """Which ICC the design allows. Cases with fewer reads than the others are left out."""
    most = max((len(case) for case in volumes), default=0)
    full = [case for case in volumes if len(case) == most]
    if len({frozenset(case) for case in full}) == 1:
        order = sorted(full[0], key=lambda one: (names[one], str(one)))
        return TWO_WAY, icc_2_1([[case[one] for one in order] for case in full])
    return ONE_WAY, icc_1_1([list(case.values()) for case in full])


def _pair(
    people: tuple[UUID, UUID],
    names: Mapping[UUID, str],
    pairs: Sequence[Agreement],
    questions: Sequence[Mapping[str, Any]],
    reads: Mapping[UUID, Sequence[Reading]],
) -> dict[str, Any]:
    """Two people: outlines, volumes against each other, answers."""
    own = [[read for read in reads[pair.case_id] if read.reader_id in people] for pair in pairs]
    return {
        "people": _named(people, names),
        "cases": len(pairs),
        "within": statistic_json(wilson(sum(bool(pair.is_within) for pair in pairs), len(pairs))),
        "segments": [{**_measured(rows), "volume": _plot(people, rows)} for rows in _outlined(pairs).values()],
        "questions": [_question(question, _answers(question["key"], own)) for question in questions],
    }


def _plot(people: tuple[UUID, UUID], rows: Sequence[Outlined]) -> dict[str, Any]:
    """Bland-Altman of the volumes, first person less second; every point names its case."""
    known = [row for row in rows if len(row.volumes_ml) == 2]
    first, second = ([row.volumes_ml[one] for row in known] for one in people)
    plot = bland_altman(first, second)
    points = [
        {
            "mean_ml": mean,
            "difference_ml": difference,
            "study": str(row.case.study_id),
            "pseudonym": row.case.study.pseudonym,
        }
        for row, (mean, difference) in zip(known, plot.points, strict=True)
    ]
    return {
        "bias": statistic_json(plot.bias),
        "lower": statistic_json(plot.lower),
        "upper": statistic_json(plot.upper),
        "points": points[-MOST_POINTS:],
    }


# --- answers ------------------------------------------------------------------------------------------------------


def _answers(key: str, cases: Iterable[Sequence[Reading]]) -> list[dict[UUID, Any]]:
    """By case and person, where everybody of the case answered and more than one did."""
    found = [{read.reader_id: (read.final_answers or {}).get(key) for read in reads} for reads in cases]
    return [answers for answers in found if len(answers) > 1 and None not in answers.values()]


def _question(question: Mapping[str, Any], cases: Sequence[Answers]) -> dict[str, Any]:
    """Cohen's kappa where the same two people answered every case, Fleiss' where it were more, or others each time."""
    most = max((len(answers) for answers in cases), default=0)
    full = [answers for answers in cases if len(answers) == most]
    people = sorted({one for answers in full for one in answers}, key=str)
    if len(people) <= 2:
        kind, statistic = COHEN, cohen_kappa(*([str(answers[one]) for answers in full] for one in people or [None] * 2))
    else:
        names = sorted({str(answer) for answers in full for answer in answers.values()})
        counts = [[sum(str(answer) == name for answer in answers.values()) for name in names] for answers in full]
        kind, statistic = FLEISS, fleiss_kappa(counts)
    return {"key": question["key"], "text": question["text"], "kind": kind, "kappa": statistic_json(statistic)}
