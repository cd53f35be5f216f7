"""Who sees which results, and which algorithms fit a series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from server import engine
from server.algorithms.models import AlgorithmVersion
from server.algorithms.selectors import versions_in_service
from server.reconstructions.models import Segment, Segmentation, SegmentationKind
from server.studies.models import Series
from server.studies.sealing import unsealed
from server.studies.selectors import studies_visible_to


def segmentations_visible_to(user: Any) -> QuerySet[Segmentation]:
    """Those of the studies the person may see and not closed to them, with everything their JSON needs."""
    return complete(bare_segmentations_visible_to(user))


def bare_segmentations_visible_to(user: Any) -> QuerySet[Segmentation]:
    """The same without the list of segments: a stroke needs none of it."""
    return unsealed(Segmentation.objects.filter(study__in=studies_visible_to(user)), user)


def complete(rows: QuerySet[Segmentation]) -> QuerySet[Segmentation]:
    joined = rows.select_related(
        "algorithm_version__algorithm",
        "based_on__algorithm_version__algorithm",
        "author",
        "edit",
        "job",
        "series",
        "study",
    )
    return joined.prefetch_related("segments__surface").order_by("created_at", "id")


def segment_counts(study_ids: Iterable[UUID], user: Any) -> dict[UUID, int]:
    """Segments per study of a page as far as they are not closed to the person, in one query.

    One without a voxel is in the list of its study, but no find.

    A working copy has the segments of its result once more and is not counted.
    """
    copies = Q(segmentation__kind=SegmentationKind.EDITED, segmentation__based_on__isnull=False)
    open_rows = unsealed(Segment.objects.all(), user, "segmentation__")
    rows = (
        open_rows.filter(~copies, segmentation__study_id__in=list(study_ids), voxels__gt=0)
        .order_by()
        .values("segmentation__study_id")
        .annotate(n=Count("id"))
    )
    return {row["segmentation__study_id"]: row["n"] for row in rows}


def facts_of(series: Series) -> dict[str, Any]:
    """What the engine's fit needs to know."""
    return {
        "modality": series.modality,
        "shape": tuple(series.shape) if series.shape else None,
        "spacing_mm": tuple(series.spacing_mm) if series.spacing_mm else None,
        "phantom": bool(series.finding.get("facts", {}).get("phantom")),
        "verdict": series.finding["verdict"],
        "is_volume": series.is_volume,
        "reasons": tuple(series.finding["reasons"]),
    }


def why_not(version: AlgorithmVersion, series: Series) -> tuple[str, ...]:
    """Sentences why this version cannot take this series; empty when it fits."""
    return engine.fit(version.description, facts_of(series))


def algorithms_for(series: Series) -> list[tuple[AlgorithmVersion, tuple[str, ...]]]:
    """Every algorithm in service with the reasons why it does not fit, those that fit first."""
    offered = [(version, why_not(version, series)) for version in versions_in_service()]
    return sorted(offered, key=lambda pair: bool(pair[1]))
