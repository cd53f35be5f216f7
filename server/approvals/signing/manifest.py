"""What a signature covers, as one JSON object whose hash is the same wherever it is computed.

Canonical JSON: keys sorted, no blanks, UTF-8; so `sha256` of the exported manifest is the digest, without this server.
It holds ids, numbers, coded terms and hashes. Words that people typed stand in it as their SHA-256 only.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

from server.core import storage
from server.core.secrets import open_texts
from server.readings.models import Annotation, Case, ReadingKind, ReadingState, Ruling
from server.readings.models.agreement import Agreement
from server.readings.verdicts.selectors import result_for
from server.reconstructions.comparing import states
from server.reconstructions.models import Edit, Segmentation, SegmentationKind
from server.studies.models import Series

FORMAT = "lamina-approval-1"


def canonical(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(manifest)).hexdigest()


def final_seq_of(case: Case) -> int:
    """Which operation of the final outlines is signed: the newest of a shared copy, the submitted one of a read."""
    assert case.final is not None
    if case.final.audience is None and case.final.kind == SegmentationKind.EDITED:
        return Edit.objects.values_list("head", flat=True).get(pk=case.final_id)
    return case.final_seq or 0


def build(case: Case) -> dict[str, Any]:
    """The manifest of the case as it is now. The case needs its final outlines."""
    assert case.final is not None
    seq = final_seq_of(case)
    return {
        "format": FORMAT,
        "case": {"id": str(case.pk), "number": case.number, "version": case.version, "project": str(case.project_id)},
        "study_instance_uid": case.study.study_instance_uid,
        "sources": [_source(one) for one in case.study.series.order_by("series_instance_uid")],
        "segmentation": _segmentation(case.final, seq),
        "algorithm": _algorithm(case),
        "annotations": _annotations(case),
        "readings": _readings(case),
        "agreement": _agreements(case),
    }


def _source(series: Series) -> dict[str, Any]:
    """The voxels people looked at, and every stored file of the series by its address."""
    files = hashlib.sha256("\n".join(sorted(series.instances.values_list("ref", flat=True))).encode()).hexdigest()
    return {
        "series_instance_uid": series.series_instance_uid,
        "voxels_sha256": plain_sha256(series.voxels_ref) if series.voxels_ref else None,
        "files_sha256": files,
    }


@lru_cache(maxsize=512)
def plain_sha256(ref: str) -> str:
    """SHA-256 of a stored object's plain bytes. A reference names its content, so it is computed once."""
    digest = hashlib.sha256()
    for piece in storage.open_range(ref):
        digest.update(piece)
    return digest.hexdigest()


def _segmentation(final: Segmentation, seq: int) -> dict[str, Any]:
    labels = states.labels_at(final, seq)
    rows = states.rows_at(final, seq)
    return {
        "id": str(final.pk),
        "seq": seq,
        "shape": list(labels.shape),
        "labelmap_sha256": hashlib.sha256(labels.tobytes()).hexdigest(),
        "segments": [
            {name: row[name] for name in ("number", "label", "category", "type")}  # type: ignore[literal-required]
            for row in sorted(rows, key=lambda row: row["number"])
        ],
    }


def _algorithm(case: Case) -> dict[str, Any] | None:
    some = case.readings.filter(kind=ReadingKind.FIRST).first()
    result = result_for(some) if some is not None else None
    if result is None or result.algorithm_version is None:
        return None
    version = result.algorithm_version
    return {
        "name": version.algorithm.name,
        "version": version.version,
        "result": str(result.pk),
        "weights_sha256": result.manifest.get("weights_hash"),
        "labelmap_ref_sha256": hashlib.sha256(result.labelmap_ref.encode()).hexdigest(),
    }


def _annotations(case: Case) -> list[dict[str, Any]]:
    """Shared marks and those of submitted reads."""
    reads = case.readings.filter(state=ReadingState.SUBMITTED).values_list("pk", flat=True)
    audiences = [None, *reads]
    rows = [
        row
        for row in Annotation.objects.filter(study_id=case.study_id, is_deleted=False).order_by("id")
        if row.audience in audiences
    ]
    names = open_texts(case.study_id, [row.name_sealed for row in rows])
    return [
        {
            "id": str(row.pk),
            "version": row.version,
            "kind": row.kind,
            "points": row.points,
            "value": row.value,
            "unit": row.unit,
            "statistics": row.statistics,
            "finding": row.finding,
            "finding_site": row.finding_site,
            "laterality": row.laterality,
            # Only where there is one: what was signed before roles were known keeps its hash.
            **({"lesion_role": row.lesion_role} if row.lesion_role else {}),
            "name_sha256": hashlib.sha256(name.encode()).hexdigest() if name else None,
        }
        for row, name in zip(rows, names, strict=True)
    ]


def _readings(case: Case) -> list[dict[str, Any]]:
    rows = case.readings.filter(state=ReadingState.SUBMITTED).order_by("kind", "letter")
    return [
        {
            "id": str(row.pk),
            "kind": row.kind,
            "letter": row.letter,
            "first": {"seq": row.first_seq, "sha256": row.first_digest},
            "final": {"seq": row.final_seq, "sha256": row.final_digest},
        }
        for row in rows
    ]


def _agreements(case: Case) -> dict[str, Any]:
    pairs = Agreement.objects.filter(case=case, is_within__isnull=False).select_related("left", "right")
    ruled = Ruling.objects.filter(reading__case=case, reading__state=ReadingState.SUBMITTED).first()
    ordered = pairs.order_by("left__letter", "right__letter")
    return {
        "pairs": [
            {"left": one.left.letter, "right": one.right.letter, "is_within": one.is_within, "excesses": one.excesses}
            for one in ordered
        ],
        "adjudicated": ruled is not None,
    }
