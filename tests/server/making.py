"""Prepared folders as the engine's `prepare` and `reconstruct` leave them, small and without the engine."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63600000000200015e2d1f0b0000000049454e44ae426082"
)
AFFINE = [[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
SHAPE = (10, 6, 5)


def uid_of(text: str) -> str:
    return f"2.25.{int(hashlib.sha256(text.encode()).hexdigest()[:30], 16)}"


def prepared_series(
    folder: Path,
    name: str = "series-000",
    *,
    study: str = "study",
    content: int = 1,
    modality: str = "CT",
    verdict: str = "accept",
    description: str = "Thorax",
    study_description: str = "",
    study_date: str | None = "2020-02-03",
    **facts: Any,
) -> dict[str, Any]:
    """Write one prepared series below `folder`; returns contract.PreparedSeries as a dictionary."""
    place = folder / name
    (place / "instances").mkdir(parents=True)
    (place / "pictures").mkdir()
    voxels = np.full(SHAPE, content, "<i2")
    refused = verdict == "refuse"
    if not refused:
        (place / "voxels.i16").write_bytes(voxels.tobytes())
        (place / "preview.u8.gz").write_bytes(gzip.compress(bytes(SHAPE[0] * 4), mtime=0))
        (place / "thumbnail.png").write_bytes(PNG)
    instances, pictures = [], []
    for number in range(3):
        path = place / "instances" / f"{number}.dcm"
        path.write_bytes(f"{study} {name} {content} {number}".encode())
        uid = uid_of(f"{study}{name}{number}")
        instances.append(
            {
                "sop_instance_uid": uid,
                "path": f"{name}/instances/{number}.dcm",
                "number": number,
                "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
                "transfer_syntax_uid": "1.2.840.10008.1.2.1",
            }
        )
        if refused:
            (place / "pictures" / f"{number}.png").write_bytes(PNG + bytes([number]))
            pictures.append(f"{name}/pictures/{number}.png")
    volume = {
        "voxels": f"{name}/voxels.i16",
        "shape": list(SHAPE),
        "spacing_mm": [2.0, 1.0, 1.0],
        "affine": AFFINE,
        "slope": 1.0,
        "intercept": 0.0,
        "unit": "HU",
        "value_range": [0.0, 1.0],
        "window": [400.0, 40.0],
        "automatic_window": [1.0, 0.5],
        "preview": f"{name}/preview.u8.gz",
        "preview_shape": [SHAPE[0], 2, 2],
        "preview_affine": AFFINE,
        "preview_range": [0.0, 1.0],
        "thumbnail": f"{name}/thumbnail.png",
    }
    return {
        "finding": {
            "key": uid_of(study + name),
            "series_instance_uid": uid_of(study + name),
            "study_instance_uid": uid_of(study),
            "modality": modality,
            "description": description,
            "files": [],
            "shape": list(SHAPE),
            "spacing_mm": [2.0, 1.0, 1.0],
            "verdict": verdict,
            "reasons": ["mixed_orientations"] if refused else [],
            "message": "ready",
            "facts": facts,
        },
        "series_instance_uid": uid_of(study + name),
        "study_instance_uid": uid_of(study),
        "frame_of_reference_uid": uid_of(study + "frame"),
        "modality": modality,
        "description": description,
        "series_number": 1,
        "study_date": study_date,
        "study_description": study_description,
        "patient_age": None,
        "patient_sex": None,
        "instances": instances,
        "changes": [],
        "volume": None if refused else volume,
        "pictures": pictures,
    }


def result_folder(
    folder: Path, algorithm: str = "bone-ct", version: str = "1.0.0", segments: int = 2
) -> dict[str, Any]:
    """Write a result folder; returns contract.ReconstructionResult as a dictionary."""
    folder.mkdir(parents=True)
    names = ("labelmap.u8.gz", "labelmap.nii.gz", "surfaces.browser.glb", "surfaces.glb")
    for name in names:
        (folder / name).write_bytes(gzip.compress(name.encode() * 50, mtime=0))
    code = {"value": "272673000", "scheme": "SCT", "meaning": "Bone"}
    made = [
        {
            "number": number,
            "label": f"Bone {number}",
            "colour": "#FB9202",
            "category": code,
            "type": code,
            "voxels": 10 * number,
            "volume_ml": 1.5 * number,
            "triangles": 12,
            "node": f"segment-{number}",
            "centroid_mm": [1.0, 2.0, 3.0],
            "bounds_mm": [0.0, 2.0, 0.0, 4.0, 0.0, 6.0],
        }
        for number in range(1, segments + 1)
    ]
    return {
        "algorithm": algorithm,
        "version": version,
        "engine_version": "0.1.0",
        "weights_sha256": "",
        "preprocessing_sha256": "",
        "device": "cpu",
        "source_uids": [],
        "source_sha256": [],
        "shape": list(SHAPE),
        "affine": AFFINE,
        "frame_of_reference_uid": None,
        "segments": made,
        "warnings": ["unlike training data: spacing 5 mm, trained on 1 mm"],
        "seconds": {"read": 0.1, "surface": 0.2},
        "peak_memory_mib": 100.0,
        "metrics": {},
        "files": dict.fromkeys(names, "0" * 64),
        "licence": "Apache-2.0",
        "attribution": "",
    }
