"""Writing a stored series back as the folder the engine's `read_volume` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from server.core import storage
from server.core.errors import LaminaError
from server.studies.models import Series

DESCRIPTION, VOXELS = "prepared.json", "voxels.i16"


def materialise_series(series: Series, folder: Path) -> Path:
    """Write prepared.json and the raw voxels into `folder`. Raises IntegrityError, StorageFull."""
    if not series.is_volume or series.volume is None:
        raise LaminaError("not_a_volume", "The series is kept as pictures; no algorithm takes it.", 422)
    storage.materialise({VOXELS: series.voxels_ref}, folder)
    text = json.dumps(prepared_json(series)).encode()
    with storage.new_plain_file(folder / DESCRIPTION) as file:
        file.write(text)
    return folder


def prepared_json(series: Series) -> dict[str, Any]:
    """contract.PreparedSeries without instances, pictures and changes."""
    study = series.study
    # An algorithm sees the first volume of a 4D series.
    volume = {**series.volume, "voxels": VOXELS, "preview": "", "thumbnail": "", "phases": []}
    finding = {
        "key": series.series_instance_uid,
        "series_instance_uid": series.series_instance_uid,
        "study_instance_uid": study.study_instance_uid,
        "modality": series.modality,
        "description": series.description,
        "files": [],
        "shape": series.shape,
        "spacing_mm": series.spacing_mm,
        **series.finding,
    }
    return {
        "finding": finding,
        "series_instance_uid": series.series_instance_uid,
        "study_instance_uid": study.study_instance_uid,
        "frame_of_reference_uid": series.frame_of_reference_uid,
        "modality": series.modality,
        "description": series.description,
        "series_number": series.number,
        "study_date": study.study_date.isoformat() if study.study_date else None,
        "study_description": study.description,
        "patient_age": None,
        "patient_sex": None,
        "instances": [],
        "changes": [],
        "volume": volume,
        "pictures": [],
    }
