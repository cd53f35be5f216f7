"""How a worker does a derivation: surfaces that are behind, the files of a download, or a refinement.

The engine gets a box of the labelmap as plain files in the job's private folder (recon_engine.pieces) and never the
whole volume where a part of it will do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from server.core import storage
from server.jobs.cleaning import register_cleaning
from server.jobs.kinds import EngineCall, JobKind, Limits, register_kind
from server.jobs.models import Job
from server.realtime.services import publish
from server.reconstructions.editing import derivation, labelmaps, refining, writing
from server.reconstructions.editing.serializers import segment_rows_json
from server.reconstructions.events import SurfaceRemade
from server.reconstructions.jobs import held_streams, open_results
from server.reconstructions.models import Edit, Segment, Segmentation, Surface

Box = tuple[int, int, int, int, int, int]
NAME = "surface-{number}.browser.glb"


def _segmentation(job: Job) -> Segmentation:
    rows = Segmentation.objects.select_related("series__study", "study", "edit")
    return rows.get(pk=job.parameters["segmentation_id"])


# --- what each task needs -----------------------------------------------------------------------------------------


def prepare(job: Job, folder: Path) -> EngineCall:
    segmentation = _segmentation(job)
    task = job.parameters["task"]
    if task == derivation.REFINE:
        return refining.prepare(segmentation, job.parameters["prompt"], folder)
    with labelmaps.at_head(segmentation) as (flat, seq):
        labels = flat.reshape(segmentation.series.shape)
        edit = Edit.objects.get(pk=segmentation.pk)
        rows = writing.table_at(segmentation, edit)
        if task == derivation.SURFACES:
            numbers = set(derivation.behind(segmentation).values_list("number", flat=True))
            rows = [row for row in rows if row["number"] in numbers]
            box = box_of(labels, {n for row in rows for n in (row["number"], *row["encloses"])})
        else:
            box = (0, 0, 0, *labels.shape)
        write_piece(segmentation, labels, box, folder / "piece")
    (folder / "seq").write_text(str(seq))
    request = {
        "labelmap": str(folder / "piece"),
        "segments": [dict(row) for row in rows],
        "out": str(folder / "result"),
        "together": task == derivation.FILES,
    }
    return EngineCall("surfaces", request)


def box_of(labels: NDArray, numbers: set[int]) -> Box:
    """The smallest box round the voxels of some labels; one voxel where there are none."""
    member = np.zeros(256, bool)
    member[list(numbers)] = True
    present = np.zeros(labels.shape[0], bool)
    rows, columns = np.zeros(labels.shape[1], bool), np.zeros(labels.shape[2], bool)
    for k in range(labels.shape[0]):
        mask = member[labels[k]]
        if mask.any():
            present[k] = True
            rows |= mask.any(1)
            columns |= mask.any(0)
    if not present.any():
        return (0, 0, 0, 1, 1, 1)
    ends = [(int(np.argmax(line)), len(line) - int(np.argmax(line[::-1]))) for line in (present, rows, columns)]
    return (ends[0][0], ends[1][0], ends[2][0], ends[0][1], ends[1][1], ends[2][1])


def write_piece(
    segmentation: Segmentation, labels: NDArray, box: Box, folder: Path, *, image: NDArray | None = None
) -> None:
    """The box as the engine reads it: labels, affine of the box, and its image where one is needed."""
    folder.mkdir(mode=0o700)
    series = segmentation.series
    cut = labels[box[0] : box[3], box[1] : box[4], box[2] : box[5]]
    affine = np.array(series.volume["affine"])
    affine[:3, 3] += affine[:3, :3] @ np.array(box[:3])
    record = {
        "shape": list(cut.shape),
        "affine": affine.tolist(),
        "spacing_known": series.spacing_mm is not None,
        "frame_of_reference_uid": series.frame_of_reference_uid,
        "image": None
        if image is None
        else {"slope": series.volume["slope"], "intercept": series.volume["intercept"], "unit": series.volume["unit"]},
    }
    files: dict[str, bytes] = {"piece.json": json.dumps(record).encode(), "labelmap.u8": cut.tobytes()}
    if image is not None:
        files["image.i16"] = image.astype("<i2", copy=False).tobytes()
    for name, data in files.items():
        with storage.new_plain_file(folder / name) as file:
            file.write(data)


# --- what becomes of it -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    seq: int
    refs: Mapping[str, str]
    worked_out: Any = None


def store(job: Job, folder: Path, result: Mapping[str, Any]) -> Stored:
    segmentation = _segmentation(job)
    if job.parameters["task"] == derivation.REFINE:
        worked_out = refining.read_result(segmentation, job.parameters["prompt"], folder, result)
        is_preview = job.parameters.get("preview")
        return Stored(0, {}, refining.keep_preview(segmentation, worked_out) if is_preview else worked_out)
    study = segmentation.study
    refs = {
        name: storage.put_file(study.pk, study.project_id, folder / "result" / name) for name in sorted(result["files"])
    }
    return Stored(int((folder / "seq").read_text()), refs)


def finish(job: Job, folder: Path, result: Mapping[str, Any], stored: Stored) -> dict[str, Any]:
    tasks: Mapping[str, Callable[..., dict[str, Any]]] = {
        derivation.SURFACES: _keep_surfaces,
        derivation.FILES: _keep_files,
        derivation.REFINE: _keep_refinement,
    }
    return tasks[job.parameters["task"]](job, _segmentation(job), result, stored)


def _keep_surfaces(job: Job, segmentation: Segmentation, result: Mapping[str, Any], stored: Stored) -> dict[str, Any]:
    """New surfaces, told to everybody; what was touched meanwhile is asked for again."""
    Edit.objects.select_for_update().get(pk=segmentation.pk)
    there = {segment.number: segment for segment in Segment.objects.filter(segmentation=segmentation)}
    changed: list[int] = []
    obsolete: list[str] = []
    for made in result["segments"]:
        segment = there.get(made["number"])
        if segment is None:
            continue  # removed meanwhile
        before = Surface.objects.filter(segment=segment).first()
        if before is not None and before.seq > stored.seq:
            continue  # a newer one came first
        if before is not None and before.ref:
            obsolete.append(before.ref)
        Surface.objects.update_or_create(
            segment=segment,
            defaults={
                "node": made["node"],
                "triangles": made["triangles"],
                "centroid_mm": made["centroid_mm"],
                "bounds_mm": made["bounds_mm"],
                "ref": stored.refs.get(NAME.format(number=made["number"]), ""),
                "seq": stored.seq,
            },
        )
        changed.append(made["number"])
    rows = segment_rows_json(segmentation, changed)
    publish(SurfaceRemade(segmentation_id=segmentation.pk, segments=rows), stream=segmentation.stream)
    derivation.ask_for_surfaces(segmentation, segmentation.study, job.requested_by)
    transaction.on_commit(lambda: _remove(obsolete, set(stored.refs.values())), robust=True)
    return {"segmentation_id": str(segmentation.pk), "seq": stored.seq, "segments": changed}


def _remove(obsolete: Sequence[str], kept: set[str]) -> None:
    for ref in set(obsolete) - kept:
        if not Surface.objects.filter(ref=ref).exists():
            storage.remove(ref)


def _keep_files(job: Job, segmentation: Segmentation, result: Mapping[str, Any], stored: Stored) -> dict[str, Any]:
    """The downloads, as they were when the job began."""
    edit = Edit.objects.select_for_update().get(pk=segmentation.pk)
    if edit.files_seq is None or edit.files_seq <= stored.seq:
        base = segmentation.based_on
        shared = {base.labelmap_nii_ref, base.surfaces_plain_ref} if base else set()
        row = Segmentation.objects.get(pk=segmentation.pk)
        obsolete = {row.labelmap_nii_ref, row.surfaces_plain_ref, ""} - shared - set(stored.refs.values()) - {""}
        Segmentation.objects.filter(pk=segmentation.pk).update(
            labelmap_nii_ref=stored.refs["labelmap.nii.gz"], surfaces_plain_ref=stored.refs["surfaces.glb"]
        )
        edit.files_seq = stored.seq
        edit.save(update_fields=["files_seq"])
        transaction.on_commit(lambda: [storage.remove(ref) for ref in obsolete], robust=True)
    return {"segmentation_id": str(segmentation.pk), "seq": stored.seq}


def _keep_refinement(job: Job, segmentation: Segmentation, result: Mapping[str, Any], stored: Stored) -> dict[str, Any]:
    """One operation more, in the name of whoever asked; of a preview only where it lies."""
    if isinstance(kept := stored.worked_out, refining.Preview):
        return {"preview": kept.ref, "changed": kept.changed, "seq": kept.seq}
    edited = refining.add(segmentation, job, stored.worked_out)
    operation = edited.operation
    return {"segmentation_id": str(segmentation.pk), "seq": operation.seq, "changed": operation.changed}


register_kind(
    JobKind(
        name=derivation.KIND,
        queue="interactive",
        prepare=prepare,
        store=store,
        finish=finish,
        act="annotate",
        quiet=True,
        holds=held_streams,
        open_to=open_results,
        limits=Limits(memory_mib=8 * 1024, cpu_seconds=600, file_mib=2 * 1024, seconds=600),
    )
)
register_cleaning("refine previews", refining.remove_old_previews, every_seconds=600)
register_cleaning("finished derivations", derivation.remove_old_jobs, every_seconds=3600)
