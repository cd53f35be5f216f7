"""Asking for a comparison, and keeping what the engine made of it."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from server.core import storage
from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.services import submit_job
from server.jobs.states import FINAL, JobState
from server.realtime.services import publish
from server.reconstructions.comparing import pairs, states
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.comparing.selectors import complete
from server.reconstructions.events import ComparisonReady
from server.reconstructions.models import Segmentation
from server.studies.fusion import fusion_of, transforms_between
from server.studies.models import StudyState
from server.studies.sealing import stream_of

KIND = "comparison"
NOBODY = "00000000-0000-0000-0000-000000000000"  # whose stream a comparison goes to that nobody asked for
FILES = {
    "surfaces_a": "left.browser.glb",
    "surfaces_b": "right.browser.glb",
    "labels_a": "left.u8.gz",
    "labels_b": "right.u8.gz",
}
PLACES = "places.i64"
_listeners: list[Callable[[Comparison], None]] = []


def on_ready(callback: Callable[[Comparison], None]) -> None:
    """`callback(comparison)` inside the transaction that keeps a result. Register it in AppConfig.ready."""
    if callback not in _listeners:
        _listeners.append(callback)


@transaction.atomic
def ask(
    *,
    left: Segmentation,
    right: Segmentation,
    by: Any,
    left_seq: int | None = None,
    right_seq: int | None = None,
) -> Comparison:
    """The comparison of two states, put in line unless it was before. `left_seq` None: the newest.

    A job that failed or was cancelled is asked for again. `by` is told when it is ready; None: nobody is. Whether `by`
    may see both is asked by who calls. Raises LaminaError where the two cannot be compared.
    """
    for one in (left, right):
        if one.study.state != StudyState.ACTIVE:
            raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    seqs = states.checked_seq(left, left_seq), states.checked_seq(right, right_seq)
    if (left.pk, seqs[0]) == (right.pk, seqs[1]):
        raise LaminaError("same_version", _("Choose two different ones to compare."), 422)
    matrix = transform_of(left, right)
    known = Comparison.objects.filter(left=left, left_seq=seqs[0], right=right, right_seq=seqs[1])
    found = known.select_for_update().first()
    if found is None:
        rows, unpaired = pairs.paired(
            states.rows_at(left, seqs[0]), states.rows_at(right, seqs[1]), related=_root(left) == _root(right)
        )
        if not rows:
            message = _("The two have no segment in common, by number, name or type.")
            raise LaminaError("nothing_in_common", message, 422)
        # Two who ask at once: the second waits here for the first, and finds its row.
        Comparison.objects.bulk_create(
            [
                Comparison(
                    study=left.study,
                    left=left,
                    left_seq=seqs[0],
                    right=right,
                    right_seq=seqs[1],
                    pairs=rows,
                    unpaired=unpaired,
                )
            ],
            ignore_conflicts=True,
        )
        found = known.select_for_update().get()
    if found.result is not None and not is_of(found, matrix):
        # Another transform counts by now: what was measured through the old one is not true any more.
        found.result, found.job = None, None
        found.save(update_fields=["result", "job", "modified_at"])
    if found.result is None:
        _put_in_line(found, by, matrix)
    return complete(known).get()


def is_of(comparison: Comparison, matrix: list[list[float]] | None) -> bool:
    """Was it made with the right one brought over by this matrix?"""
    used = comparison.job.parameters.get("right_to_left") if comparison.job else None
    if used is None or matrix is None:
        return used is None and matrix is None
    return bool(np.allclose(used, matrix, rtol=0, atol=1e-9))


def transform_of(left: Segmentation, right: Segmentation) -> list[list[float]] | None:
    """4 x 4 that brings the right one's LPS mm over the left one's; None where both lie in one frame.

    Raises LaminaError with the sentence why not.
    """
    if left.series_id == right.series_id:
        return None
    fusion = fusion_of(left.series, right.series, transforms_between([left.series, right.series]))
    if not fusion.allowed:
        raise LaminaError(fusion.reason or "refused", fusion.sentence, 422)
    return None if fusion.how == "same_frame" else fusion.matrix


def _root(segmentation: Segmentation) -> Any:
    return segmentation.based_on_id or segmentation.pk


def _put_in_line(comparison: Comparison, by: Any, matrix: list[list[float]] | None) -> None:
    asker = str(by.pk) if by is not None else None
    if asker and asker not in comparison.asked_by:
        comparison.asked_by = [*comparison.asked_by, asker]
        comparison.save(update_fields=["asked_by", "modified_at"])
    if comparison.job is not None and (comparison.job.state not in FINAL or comparison.job.state == JobState.SUCCEEDED):
        return
    study = comparison.study
    comparison.job = submit_job(
        KIND,
        owner_kind="study",
        owner_id=study.pk,
        project_id=study.project_id,
        # Only who asks hears of it: that a comparison is made says that both are there.
        stream=f"user:{asker or NOBODY}",
        requested_by=by,
        parameters={"comparison_id": str(comparison.pk), **({"right_to_left": matrix} if matrix else {})},
        priority=1,
    )
    comparison.save(update_fields=["job", "modified_at"])


# --- what a worker made -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    refs: Mapping[str, str]


def store(comparison: Comparison, folder: Path, result: Mapping[str, Any]) -> Stored:
    """Files of the result folder into storage; nothing names them yet."""
    study = comparison.study
    refs = {
        name: storage.put_file(study.pk, study.project_id, folder / file)
        for name, file in FILES.items()
        if file in result["files"]
    }
    packed = gzip.compress((folder / PLACES).read_bytes(), 1)
    refs["places"] = storage.put(study.pk, study.project_id, io.BytesIO(packed))
    return Stored(refs)


def keep(comparison_id: str, result: Mapping[str, Any], stored: Stored) -> dict[str, Any]:
    """The result, told to who asked and to who listens. Inside the transaction of the job."""
    comparison = Comparison.objects.select_for_update(of=("self",)).select_related("study").get(pk=comparison_id)
    comparison.result = {
        name: result[name] for name in ("segments", "regions", "regions_left_out", "voxels_left_out", "definitions")
    }
    for name in (*FILES, "places"):
        setattr(comparison, f"{name}_ref", stored.refs.get(name, ""))
    comparison.save()
    for person in sorted(comparison.asked_by):
        publish(ComparisonReady(comparison_id=comparison.pk, study_id=comparison.study_id), stream=f"user:{person}")
    for callback in _listeners:
        callback(complete(Comparison.objects.filter(pk=comparison.pk)).get())
    return {"comparison_id": str(comparison.pk), "regions": len(result["regions"])}


def streams_told(job: Job) -> list[str]:
    """In the order in which they are locked; who listens may publish on those of the study."""
    comparison = Comparison.objects.select_related("study", "left", "right").get(pk=job.parameters["comparison_id"])
    others = {job.stream, *(f"user:{person}" for person in comparison.asked_by)}
    results = {stream_of(comparison.study_id, one.audience) for one in (comparison.left, comparison.right)}
    results.add(stream_of(comparison.study_id, None))
    return [comparison.study.stream, *sorted(results), *sorted(others)]
