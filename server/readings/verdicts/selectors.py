"""Which places there are for a reader, and which of them are decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from server.core.secrets import open_texts
from server.jobs.selectors import error_json
from server.jobs.states import JobState
from server.readings.models.cases import Reading, ReadingState
from server.readings.models.verdicts import Verdict
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.models import Segmentation, SegmentationKind

COMMITTED = (ReadingState.COMMITTED, ReadingState.SUBMITTED)


@dataclass(frozen=True)
class Place:
    """A region of the comparison and the key that names it."""

    key: str
    region: dict[str, Any]


def result_for(reading: Reading) -> Segmentation | None:
    """The result a first read is compared with: the newest of the case's series, of the protocol's algorithm if it
    names one."""
    case = reading.case
    rows = Segmentation.objects.filter(series_id=case.series_id, kind=SegmentationKind.ALGORITHM, audience=None)
    protocol = getattr(case.project, "protocol", None)
    if protocol is not None and protocol.algorithm:
        rows = rows.filter(algorithm_version__algorithm__name=protocol.algorithm)
    return rows.select_related("algorithm_version__algorithm").order_by("-created_at").first()


def comparison_of(reading: Reading) -> Comparison | None:
    """Of the first read with the result; the one verdicts were given on stays, whatever comes later."""
    decided = Verdict.objects.filter(reading=reading, comparison__isnull=False).values("comparison")
    rows = Comparison.objects.select_related("job", "right__algorithm_version__algorithm")
    if kept := rows.filter(pk__in=decided).order_by("created_at").first():
        return kept
    result = result_for(reading)
    if result is None or reading.segmentation_id is None or reading.first_seq is None:
        return None
    return rows.filter(left=reading.segmentation_id, left_seq=reading.first_seq, right=result).first()


def state_of(comparison: Comparison) -> tuple[str, str]:
    """(working, ready or failed; the sentence of what went wrong or "")."""
    if comparison.result is not None:
        return "ready", ""
    job = comparison.job
    if job is None or job.state in (JobState.FAILED, JobState.CANCELLED):
        return "failed", (error_json(job) or {}).get("message", "") if job is not None else ""
    return "working", ""


def left_labels(comparison: Comparison, number: int) -> tuple[int, ...]:
    """The labels that make up this segment in the first read, its own first."""
    return next((tuple(pair["left"]) for pair in comparison.pairs if pair["number"] == number), ())


def places_of(comparison: Comparison | None, reading: Reading) -> list[Place]:
    """Largest first; only segments that the protocol asks for, where it asks for any. Empty while not ready.

    Two careful outlines differ by part of a voxel nearly everywhere: a place is where they lie at least one apart.
    """
    if comparison is None or not comparison.result:
        return []
    protocol = getattr(reading.case.project, "protocol", None)
    asked = {segment["number"] for segment in protocol.segments} if protocol is not None else set()
    regions = [one for one in comparison.result["regions"] if not asked or one["number"] in asked]
    spacing = reading.case.series.spacing_mm
    least = math.prod(spacing) ** (1 / 3) if spacing else 0.0
    return [Place(one["key"], one) for one in regions if one["max_mm"] is None or abs(one["max_mm"]) >= least]


def verdicts_of(reading: Reading) -> list[Verdict]:
    return list(Verdict.objects.filter(reading=reading).order_by("created_at"))


def reasons_of(verdicts: list[Verdict], reading: Reading) -> list[str]:
    """What was typed, opened with the study's key in two queries."""
    return open_texts(reading.case.study_id, [one.reason_sealed for one in verdicts])


def undecided_count(reading: Reading) -> int:
    """Places without a verdict. A comparison that is not ready blocks nobody."""
    keys = {place.key for place in places_of(comparison_of(reading), reading)}
    return len(keys - set(Verdict.objects.filter(reading=reading).values_list("key", flat=True)))
