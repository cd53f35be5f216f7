"""Counting reliance once a case is signed: a small job of the interactive queue that needs no engine."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from server.accounts.selectors import may
from server.core import storage
from server.jobs.kinds import EngineCall, JobKind, Limits, register_kind
from server.jobs.models import Job
from server.jobs.services import submit_job
from server.readings.agreement.reliance import Reliance as Counts
from server.readings.agreement.reliance import count, judge_places, reliance_json
from server.readings.agreement.settling import submitted_reads
from server.readings.agreement.statistics import median_of, statistic_json
from server.readings.models.agreement import Reliance
from server.readings.models.cases import Case, Reading
from server.readings.models.verdicts import Verdict, VerdictAct
from server.readings.verdicts.selectors import comparison_of
from server.reconstructions.comparing import states
from server.studies.sealing import sealed_study_ids
from server.studies.selectors import active_studies_visible_to

KIND = "reliance"


def ask_for_reliance(case: Case, by: Any) -> Job | None:
    """Put the counting in line; inside the transaction that signs the case."""
    if case.final_id is None:
        return None
    return submit_job(
        KIND,
        owner_kind="study",
        owner_id=case.study_id,
        project_id=case.project_id,
        stream=f"user:{by.pk}",
        requested_by=by,
        parameters={"case_id": str(case.pk)},
        idempotency_key=f"{case.pk}:{case.version}",
    )


def prepare(job: Job, folder: Path) -> EngineCall | None:
    return None  # labels are compared with labels; there is nothing to reconstruct


def store(job: Job, folder: Path, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The counts of every reader: slow, so before the transaction."""
    case = Case.objects.select_related("final__series", "study").get(pk=job.parameters["case_id"])
    return [counts for read in submitted_reads(case) if (counts := _count(case, read)) is not None]


def finish(job: Job, folder: Path, result: Mapping[str, Any], stored: list[dict[str, Any]]) -> dict[str, Any]:
    for counts in stored:
        Reliance.objects.update_or_create(reading_id=counts.pop("reading_id"), defaults=counts)
    return {"case_id": job.parameters["case_id"], "readings": len(stored)}


def _count(case: Case, read: Reading) -> dict[str, Any] | None:
    """One reader's counts against what was signed; None where the result had not been compared."""
    comparison = comparison_of(read)
    if comparison is None or not comparison.result or case.final is None or read.segmentation is None:
        return None
    runs = np.frombuffer(gzip.decompress(storage.read(comparison.places_ref)), "<i8").reshape(-1, 3)
    first = _flat(read, read.first_seq)
    algorithm = _as_read(states.labels_at(comparison.right, comparison.right_seq).reshape(-1), comparison.pairs)
    submitted = _flat(read, read.final_seq)
    settled = states.labels_at(case.final, case.final_seq or 0).reshape(-1)
    judged = judge_places(runs, first, algorithm, submitted, settled)
    seconds = Verdict.objects.filter(reading=read).order_by("created_at").values_list("seconds", flat=True)
    counts = count(judged, [float(one) for one in seconds if one])
    return {
        "reading_id": read.pk,
        "algorithm_version_id": comparison.right.algorithm_version_id,
        "case_version": case.version,
        "changed_right": counts.changed_right,
        "changed_wrong": counts.changed_wrong,
        "kept_right": counts.kept_right,
        "kept_wrong": counts.kept_wrong,
        "seconds": list(counts.seconds),
    }


def _flat(read: Reading, seq: int | None) -> NDArray:
    return states.labels_at(read.segmentation, seq or 0).reshape(-1)  # type: ignore[arg-type]


def _as_read(labels: NDArray, pairs: list[dict[str, Any]]) -> NDArray:
    """The algorithm's labels in the numbers of the read, as the comparison paired them; others are nothing."""
    table = np.zeros(256, np.uint8)
    for pair in pairs:
        for number in pair["right"]:
            table[number] = (pair["left"] or [pair["number"]])[0]
    return table[labels]


def reliance_of(project_id: UUID, user: Any) -> QuerySet[Reliance]:
    """Counts of a project's signed cases: everybody's for who manages it, else the person's own.

    Practice cases, cases in the bin and what is sealed for the person are left out.
    """
    seen = active_studies_visible_to(user).filter(project_id=project_id).exclude(pk__in=sealed_study_ids(user))
    rows = Reliance.objects.filter(
        reading__case__study__in=seen, reading__case__is_practice=False, reading__case__is_blind=False
    )
    if not may(user, project_id, "manage"):
        rows = rows.filter(reading__reader_id=user.pk)
    return rows.select_related("reading__reader", "algorithm_version__algorithm")


def summed(rows: QuerySet[Reliance]) -> list[dict[str, Any]]:
    """Per reader and version, with intervals."""
    found: dict[tuple[UUID, UUID], list[Reliance]] = defaultdict(list)
    for row in rows.order_by("reading__reader__display_name", "algorithm_version__algorithm__name", "created_at"):
        found[row.reading.reader_id, row.algorithm_version_id].append(row)
    changes: dict[UUID, list[float]] = defaultdict(list)
    taken = Verdict.objects.filter(reading__in=rows.values("reading"), act=VerdictAct.TAKE, seconds__gt=0)
    for reading_id, seconds in taken.values_list("reading_id", "seconds"):
        changes[reading_id].append(float(seconds))
    return [_row(own, [one for row in own for one in changes[row.reading_id]]) for own in found.values()]


def _row(rows: list[Reliance], seconds_to_change: list[float]) -> dict[str, Any]:
    first = rows[0]
    version = first.algorithm_version
    return {
        "reader": {"id": str(first.reading.reader_id), "name": first.reading.reader.display_name},
        "algorithm": version.algorithm.name,
        "title": version.description.get("title") or version.algorithm.name,
        "version": version.version,
        "cases": len(rows),
        **reliance_json(sum((_counts(row) for row in rows), Counts())),
        "seconds_to_change": statistic_json(median_of(seconds_to_change)),
    }


def _counts(row: Reliance) -> Counts:
    return Counts(
        changed_right=row.changed_right,
        changed_wrong=row.changed_wrong,
        kept_right=row.kept_right,
        kept_wrong=row.kept_wrong,
        seconds=tuple(row.seconds),
    )


register_kind(
    JobKind(
        name=KIND, queue="interactive", prepare=prepare, store=store, finish=finish, act="view", quiet=True,
        limits=Limits(seconds=600),
    )
)  # fmt: skip
