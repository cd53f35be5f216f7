"""From a prepared folder to rows: first the bytes go into storage, then one transaction writes what names them.

The folder is what the engine's verb `prepare` wrote: direct identifiers are replaced before anything here runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from server.accounts.models import Project
from server.core import audit, secrets, storage
from server.core.errors import LaminaError
from server.realtime.services import lock_stream, publish
from server.studies.events import SeriesImported, StudyChanged, StudyCreated
from server.studies.models import Instance, Patient, Series, Study, StudyState
from server.studies.search import search_column
from server.studies.serializers import series_json, study_json

NEVER_KEPT = ("patient_key", "changes", "thumbnail", "thumbnail_png")  # facts that belong to the intake alone
PATHS_OF_VOLUME = ("voxels", "preview", "thumbnail")


@dataclass(frozen=True)
class Target:
    """Where prepared series go. `study_id` is known before the study exists (identity.study_id_for)."""

    project: Project
    patient: Patient
    study_id: UUID
    by: Any
    description: str = ""  # for a study whose files have none
    is_demo: bool = False
    notice: str = ""


@dataclass(frozen=True)
class StoredSeries:
    """One prepared series with its bytes in storage. `refs` maps relative paths to references."""

    prepared: Mapping[str, Any]
    content_digest: str
    refs: Mapping[str, str]


@dataclass
class Imported:
    """What one import did. `already` are series that were there before."""

    study_ids: list[UUID] = field(default_factory=list)
    series_ids: list[UUID] = field(default_factory=list)
    already: list[UUID] = field(default_factory=list)


def content_digest(project_id: UUID, folder: Path, prepared: Mapping[str, Any]) -> str:
    """Keyed digest of the images themselves: equal however they were packed and whatever the pseudonym is."""
    digest = hashlib.sha256()
    volume = prepared["volume"]
    if volume is not None:
        digest.update(repr((prepared["modality"], volume["shape"], volume["affine"], volume["slope"])).encode())
        names = [volume["voxels"], *_later(volume)]
    else:
        digest.update(repr((prepared["modality"], len(prepared["instances"]))).encode())
        names = list(prepared["pictures"]) or [instance["path"] for instance in prepared["instances"]]
    for name in names:
        with open(folder / name, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return secrets.keyed_digest(project_id, digest.digest())


def store_prepared(target: Target, folder: Path, prepared: Sequence[Mapping[str, Any]]) -> list[StoredSeries]:
    """Put every file of the series into storage under the study's key. Series already there are not stored again.

    Safe to repeat: nothing names the bytes until `write_prepared` commits.
    """
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    storage.check_reserve(total)
    stored = []
    for series in prepared:
        digest = content_digest(target.project.pk, folder, series)
        refs: dict[str, str] = {}
        if not _already(target.project.pk, digest):
            for name in _paths(series):
                refs[name] = storage.put_file(target.study_id, target.project.pk, folder / name)
        stored.append(StoredSeries(series, digest, refs))
    return stored


def _paths(series: Mapping[str, Any]) -> list[str]:
    volume = series["volume"] or {}
    names = [volume[name] for name in PATHS_OF_VOLUME if volume.get(name)]
    return [*names, *_later(volume), *series["pictures"], *(instance["path"] for instance in series["instances"])]


def _later(volume: Mapping[str, Any]) -> list[str]:
    """Voxel files of the volumes after the first, where the series holds several."""
    return [phase["voxels"] for phase in volume.get("phases", ())[1:]]


def _without_paths(volume: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in volume.items() if name not in PATHS_OF_VOLUME}
    phases = [{k: v for k, v in phase.items() if k != "voxels"} for phase in volume.get("phases", ())]
    return {**kept, "phases": phases}


def _already(project_id: UUID, digest: str) -> Series | None:
    found = Series.objects.filter(study__project_id=project_id, content_digest=digest).select_related("study")
    return found.first()


@transaction.atomic
def write_prepared(target: Target, stored: Sequence[StoredSeries]) -> Imported:
    """Rows, audit and events of one import. Raises LaminaError where a series contradicts one that is there."""
    # Two imports of one study take turns, also while the study has no row that could be locked.
    lock_stream(f"study:{target.study_id}")
    done = Imported()
    study = Study.objects.select_for_update().filter(pk=target.study_id).first()
    is_new = study is None
    for item in stored:
        earlier = _already(target.project.pk, item.content_digest)
        if earlier is not None:
            _check_not_binned(earlier.study)
            done.already.append(earlier.pk)
            done.study_ids.append(earlier.study_id)
            continue
        if study is None:
            study = _create_study(target, item.prepared)
        _check_not_binned(study)
        series = _create_series(study, item)
        done.series_ids.append(series.pk)
        done.study_ids.append(study.pk)
        audit.record(target.by, "series.imported", series, project_id=study.project_id, study_id=study.pk)
    if study is not None and done.series_ids:
        _refresh(study)
        for series in Series.objects.filter(pk__in=done.series_ids).order_by("created_at", "id"):
            publish(SeriesImported(series=series_json(series)), stream=study.stream)
        publish(StudyChanged(study=study_json(study)), stream=study.stream)
        if is_new:
            publish(StudyCreated(study_id=study.pk), stream=f"project:{study.project_id}")
    done.study_ids = list(dict.fromkeys(done.study_ids))
    return done


def _check_not_binned(study: Study) -> None:
    if study.state == StudyState.BINNED:
        message = _("%(name)s holds this study and lies in the bin. Restore or erase it, then import again.")
        raise LaminaError("study_in_bin", message % {"name": study.pseudonym}, 409, study_id=str(study.pk))


def _create_study(target: Target, prepared: Mapping[str, Any]) -> Study:
    uid = prepared["study_instance_uid"]
    if Study.objects.filter(project=target.project, study_instance_uid=uid).exists():
        message = _("This study is already in the project with other files. Erase that study first.")
        raise LaminaError("conflicting_study", message, 409)
    study = Study.objects.create(
        pk=target.study_id,
        project=target.project,
        patient=target.patient,
        patient_number=target.patient.number,
        study_instance_uid=uid,
        description=(prepared["study_description"] or target.description)[:200],
        study_date=date.fromisoformat(prepared["study_date"]) if prepared["study_date"] else None,
        created_by=target.by,
        is_demo=target.is_demo,
        notice=target.notice,
    )
    audit.record(target.by, "study.created", study)
    return study


def _create_series(study: Study, item: StoredSeries) -> Series:
    prepared, refs = item.prepared, item.refs
    if study.series.filter(series_instance_uid=prepared["series_instance_uid"]).exists():
        message = _("%(name)s already holds this series with other images. Erase that study first, then import again.")
        raise LaminaError("conflicting_series", message % {"name": study.pseudonym}, 409, study_id=str(study.pk))
    finding, volume = prepared["finding"], prepared["volume"]
    series = Series.objects.create(
        study=study,
        series_instance_uid=prepared["series_instance_uid"],
        frame_of_reference_uid=prepared["frame_of_reference_uid"],
        modality=prepared["modality"],
        number=prepared["series_number"],
        description=(prepared["description"] or "")[:200],
        finding={
            **{name: finding[name] for name in ("verdict", "reasons", "message")},
            "facts": {name: value for name, value in finding["facts"].items() if name not in NEVER_KEPT},
        },
        is_volume=volume is not None and finding["verdict"] != "refuse",
        slices=volume["shape"][0] if volume else len(prepared["pictures"]) or len(prepared["instances"]),
        shape=volume["shape"] if volume else finding["shape"],
        spacing_mm=volume["spacing_mm"] if volume else None,
        volume=_without_paths(volume) if volume else None,
        voxels_ref=refs[volume["voxels"]] if volume else "",
        preview_ref=refs[volume["preview"]] if volume and volume["preview"] else "",
        thumbnail_ref=refs[volume["thumbnail"]] if volume and volume["thumbnail"] else "",
        picture_refs=[refs[name] for name in prepared["pictures"]],
        phase_refs=[refs[name] for name in _later(volume)] if volume else [],
        content_digest=item.content_digest,
    )
    Instance.objects.bulk_create(
        Instance(
            series=series,
            sop_instance_uid=instance["sop_instance_uid"],
            sop_class_uid=instance["sop_class_uid"],
            transfer_syntax_uid=instance["transfer_syntax_uid"],
            number=instance["number"],
            ref=refs[instance["path"]],
        )
        for instance in prepared["instances"]
    )
    return series


def _refresh(study: Study) -> None:
    """What the study says of its series, and the words it is found by."""
    series = list(study.series.all())
    study.modalities = sorted({item.modality for item in series if item.modality})
    study.save(update_fields=["modalities", "modified_at"])
    texts = [study.pseudonym, study.description, *study.modalities, *(item.description for item in series)]
    if study.study_date:
        texts.append(study.study_date.strftime("%Y %Y%m%d %m %d"))
    Study.objects.filter(pk=study.pk).update(words=search_column(*texts, f"LAM{study.patient_number:04d}"))
