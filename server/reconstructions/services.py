"""Asking for a reconstruction, keeping its result, and what happens when a stored file turns out damaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from server.algorithms.models import AlgorithmVersion
from server.algorithms.selectors import version_named
from server.algorithms.services import disable_version
from server.core import audit, storage
from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.services import submit_job
from server.realtime.services import lock_stream, publish
from server.reconstructions.events import SegmentationDamaged, SegmentationReady
from server.reconstructions.models import Segment, Segmentation, Surface
from server.reconstructions.parameters import checked_parameters
from server.reconstructions.selectors import complete, why_not
from server.reconstructions.serializers import segmentation_json
from server.studies.models import Series, StudyState

# The file of the result folder that each reference of a segmentation keeps.
FILES = {
    "labelmap": "labelmap.u8.gz",
    "labelmap_nii": "labelmap.nii.gz",
    "surfaces": "surfaces.browser.glb",
    "surfaces_plain": "surfaces.glb",
}
NEEDED = ("labelmap", "labelmap_nii")
BROKEN_WEIGHTS = frozenset({"weights_hash_mismatch", "weights_corrupt", "weights_unsafe", "weights_incompatible"})


@transaction.atomic
def request_reconstruction(
    *,
    series: Series,
    by: Any,
    algorithm: str,
    version: str = "",
    parameters: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> Job:
    """Put a reconstruction in line.

    Raises LaminaError when the study is in the bin, the algorithm is unknown or out of service, does not fit the
    series (`reasons` says why), or a parameter is wrong.
    """
    study = series.study
    if study.state != StudyState.ACTIVE:
        raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    chosen = version_named(algorithm, version)
    if reasons := why_not(chosen, series):
        raise LaminaError("does_not_fit", " ".join(reasons), 422, reasons=list(reasons))
    values = checked_parameters(chosen, parameters or {})
    return submit_job(
        "reconstruction",
        owner_kind="study",
        owner_id=study.pk,
        project_id=study.project_id,
        stream=study.stream,
        requested_by=by,
        idempotency_key=idempotency_key,
        parameters={
            "series_id": str(series.pk),
            "algorithm": chosen.algorithm.name,
            "version": chosen.version,
            "title": chosen.description["title"],
            "version_id": str(chosen.pk),
            "values": values,
        },
    )


@dataclass(frozen=True)
class StoredResult:
    """References of the result's files, and the segmentation's fields that come from its manifest."""

    refs: Mapping[str, str]


def store_result(*, series: Series, folder: Path, result: Mapping[str, Any]) -> StoredResult:
    """Put the files of a result folder into storage. Nothing names them until `finish_reconstruction` commits.

    Raises LaminaError when a file the manifest names is missing: then there is no result.
    """
    refs: dict[str, str] = {}
    storage.check_reserve(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
    for name, file_name in FILES.items():
        path = folder / file_name
        if path.is_file():
            refs[name] = storage.put_file(series.study_id, series.study.project_id, path)
        elif name in NEEDED or (result["segments"] and _has_surfaces(result)):
            message = f"The engine's result lacks {file_name}. Start the reconstruction again."
            raise LaminaError("incomplete_result", message, 500)
    return StoredResult(refs)


def _has_surfaces(result: Mapping[str, Any]) -> bool:
    return any(segment["triangles"] for segment in result["segments"])


@transaction.atomic
def finish_reconstruction(*, job: Job, result: Mapping[str, Any], stored: StoredResult) -> Segmentation:
    """Rows, audit and event of one result, inside the fenced transaction of its job.

    A job has at most one segmentation: the database refuses a second.
    """
    series = Series.objects.select_related("study").get(pk=job.parameters["series_id"])
    segmentation = Segmentation.objects.create(
        study=series.study,
        series=series,
        algorithm_version=AlgorithmVersion.objects.get(pk=job.parameters["version_id"]),
        job=job,
        labelmap_ref=stored.refs["labelmap"],
        labelmap_nii_ref=stored.refs["labelmap_nii"],
        surfaces_ref=stored.refs.get("surfaces", ""),
        surfaces_plain_ref=stored.refs.get("surfaces_plain", ""),
        manifest=dict(result),
        warnings=list(result["warnings"]),
    )
    for made in result["segments"]:
        segment = Segment.objects.create(
            segmentation=segmentation,
            number=made["number"],
            label=made["label"],
            colour=made["colour"],
            category=made["category"],
            type=made["type"],
            voxels=made["voxels"],
            volume_ml=made["volume_ml"],
        )
        if made["triangles"]:
            Surface.objects.create(
                segment=segment,
                node=made["node"],
                triangles=made["triangles"],
                centroid_mm=made["centroid_mm"],
                bounds_mm=made["bounds_mm"],
            )
    audit.record(job.requested_by, "segmentation.created", segmentation, project_id=job.project_id, job_id=job.pk)
    segmentation = complete(Segmentation.objects.filter(pk=segmentation.pk)).get()
    publish(SegmentationReady(segmentation=segmentation_json(segmentation)), stream=segmentation.stream)
    return segmentation


def note_failed_reconstruction(*, job: Job) -> None:
    """Weights that do not verify take their version out of service; the others go on."""
    if job.error_code in BROKEN_WEIGHTS:
        version = AlgorithmVersion.objects.filter(pk=job.parameters["version_id"]).first()
        if version is not None:
            disable_version(version=version, reason=job.error_code, by=None)


@transaction.atomic
def note_damage(*, segmentation_id: UUID, artefact: str) -> bool:
    """A file of this result failed its integrity check. Returns whether that was news."""
    study_id = Segmentation.objects.filter(pk=segmentation_id).values_list("study_id", flat=True).first()
    if study_id is None:
        return False
    lock_stream(f"study:{study_id}")
    segmentation = Segmentation.objects.select_for_update().filter(pk=segmentation_id).first()
    if segmentation is None or artefact in segmentation.damaged:
        return False
    segmentation.damaged = [*segmentation.damaged, artefact]
    segmentation.save(update_fields=["damaged", "modified_at"])
    project_id = segmentation.study.project_id
    audit.record(None, "segmentation.damaged", segmentation, project_id=project_id, artefact=artefact)
    event = SegmentationDamaged(segmentation_id=segmentation.pk, artefact=artefact)
    publish(event, stream=segmentation.stream)
    return True


def repeat_reconstruction(*, segmentation: Segmentation, by: Any, idempotency_key: str | None = None) -> Job:
    """Run the same algorithm with the same parameters on the same series again, as a new job."""
    if segmentation.job is None:
        raise LaminaError("not_a_result", _("This was edited by people; there is nothing to run again."), 409)
    parameters = segmentation.job.parameters
    return request_reconstruction(
        series=segmentation.series,
        by=by,
        algorithm=parameters["algorithm"],
        parameters=parameters["values"],
        idempotency_key=idempotency_key,
    )
