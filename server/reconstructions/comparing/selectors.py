"""Who sees which comparison, and what other rooms ask of one."""

from __future__ import annotations

import gzip
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from server.core import storage
from server.jobs.states import FINAL
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.models import Segmentation
from server.reconstructions.selectors import bare_segmentations_visible_to


def comparisons_visible_to(user: Any) -> QuerySet[Comparison]:
    """Those of which the person may see both segmentations."""
    open_ids = bare_segmentations_visible_to(user).order_by().values("pk")
    rows = Comparison.objects.filter(left__in=open_ids, right__in=open_ids)
    return complete(rows)


def complete(rows: QuerySet[Comparison]) -> QuerySet[Comparison]:
    return rows.select_related(
        "study", "job", "left__study", "left__author", "left__algorithm_version__algorithm",
        "left__based_on__algorithm_version", "right__study", "right__author", "right__algorithm_version__algorithm",
        "right__based_on__algorithm_version",
    )  # fmt: skip


def ready(left: Segmentation, left_seq: int, right: Segmentation, right_seq: int) -> Comparison | None:
    """The comparison of these two states where it has been made."""
    rows = Comparison.objects.filter(left=left, left_seq=left_seq, right=right, right_seq=right_seq)
    return complete(rows.filter(result__isnull=False)).first()


def of(*, left_id: UUID, left_seq: int, right_id: UUID) -> Comparison | None:
    """The newest comparison of one state with any state of another segmentation, made or not."""
    rows = Comparison.objects.filter(left_id=left_id, left_seq=left_seq, right_id=right_id)
    return complete(rows).order_by("-right_seq", "-created_at").first()


def state_of(comparison: Comparison) -> tuple[str, str]:
    """("working" | "ready" | "failed", the sentence why it failed)."""
    if comparison.result is not None:
        return "ready", ""
    job = comparison.job
    if job is None:
        return "failed", ""
    return ("failed", job.error_message) if job.state in FINAL else ("working", "")


def has_failed(comparison: Comparison) -> bool:
    return state_of(comparison)[0] == "failed"


def left_labels(comparison: Comparison, number: int) -> tuple[int, ...]:
    """Labels that make up the segment `number` of the regions on the left, its own first; () where it has none."""
    return next((tuple(pair["left"]) for pair in comparison.pairs if pair["number"] == number), ())


def right_labels(comparison: Comparison, number: int) -> tuple[int, ...]:
    return next((tuple(pair["right"]) for pair in comparison.pairs if pair["number"] == number), ())


def first_voxels(comparison: Comparison) -> dict[int, int]:
    """Region -> its lowest voxel, flat in (k, j, i) of the left one's series."""
    regions = (comparison.result or {}).get("regions", [])
    return {one["n"]: int(one["key"].partition(":")[2]) for one in regions}


def region(comparison: Comparison, n: int) -> dict[str, Any] | None:
    """What the result says of region `n`."""
    regions = (comparison.result or {}).get("regions", [])
    return next((one for one in regions if one["n"] == n), None)


def region_spans(comparison: Comparison, n: int) -> tuple[NDArray, NDArray]:
    """(starts, lengths) int64 of the runs of voxels of region `n`, flat in (k, j, i) of the left one's series."""
    runs = np.frombuffer(gzip.decompress(storage.read(comparison.places_ref)), "<i8").reshape(-1, 3)
    own = runs[runs[:, 2] == n]
    return own[:, 0].copy(), own[:, 1].copy()
