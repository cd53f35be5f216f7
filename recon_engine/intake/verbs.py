"""The verbs of intake as they run inside the limited process: plain values in, plain values out.

What only one verb needs is imported inside it: a child lives for one call, and pydicom alone takes 0.2 s to load.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recon_engine.contract import EngineError, IntakeFinding, OnProgress, PrepareRequest
from recon_engine.intake import survey as surveying
from recon_engine.intake import tags, thumbnails
from recon_engine.intake.inspection import Examined, load
from recon_engine.intake.survey import Watch
from recon_engine.volume import Volume

SHOWN_PSEUDONYM = "Pseudonym"


def run_verb(
    verb: str, request: Mapping[str, Any], workspace: Path, watch: Watch, on_progress: OnProgress
) -> dict[str, Any]:
    """Do one verb. Raises EngineError."""
    if verb == "inspect":
        return inspect_here(request["path"], bool(request["changes"]), request["out"], workspace, watch)
    if verb == "prepare":
        from recon_engine.intake.prepare import prepare_here

        return prepare_here(PrepareRequest.from_dict(request), workspace, on_progress, watch).to_dict()
    if verb == "changes":
        return {"changes": [row.to_dict() for row in _changes(request, workspace, watch)]}
    if verb == "read_volume":
        return _read_to_folder(request, workspace, watch)
    raise EngineError("bad_request", f"There is no intake verb {verb!r}.")


def inspect_here(path: str, changes: bool, out: str, workspace: Path, watch: Watch) -> dict[str, Any]:
    """`inspect` in this process."""
    found = surveying.survey(path, workspace, watch=watch)
    for number, examined in enumerate(found.examined):
        more: dict[str, Any] = {}
        if examined.headers:
            more.update(_identity_facts(examined))
            if changes:
                more["changes"] = [row.to_dict() for row in _rows(examined, SHOWN_PSEUDONYM, secrets.token_hex(32), 0)]
        if out:
            name = thumbnails.write(examined, Path(out), f"thumbnail-{number:03d}.png")
            if name:
                more["thumbnail"] = name
        if more:
            examined.finding = replace(examined.finding, facts={**examined.finding.facts, **more})
    return found.result().to_dict()


def _identity_facts(examined: Examined) -> dict[str, Any]:
    """patient_key: SHA-256 of the patient id, so that a caller can tell two people apart without keeping the id."""
    first = examined.headers[0]
    patient = first.text(tags.PATIENT_ID)
    digest = hashlib.sha256(f"{patient}\n{first.text(tags.ISSUER_OF_PATIENT_ID)}".encode()).hexdigest()
    return {"patient_key": digest if patient else "", "series_number": first.integer(tags.SERIES_NUMBER)}


def _rows(examined: Examined, pseudonym: str, uid_key: str, shift: int) -> tuple[Any, ...]:
    from recon_engine.intake.identifiers import changes_of
    from recon_engine.intake.prepare import replacements_of
    from recon_engine.intake.rewriting import read_dataset

    try:
        return changes_of(read_dataset(examined.headers[0]), replacements_of(pseudonym, uid_key, shift))
    except EngineError:
        return ()  # the finding says what is wrong with the file


def _changes(request: Mapping[str, Any], workspace: Path, watch: Watch) -> tuple[Any, ...]:
    found = surveying.survey(request["path"], workspace, watch=watch)
    examined = next((e for e in found.examined if e.finding.key == request["key"]), None)
    if examined is None:
        raise EngineError("bad_request", "That series is not there. Inspect the files again.")
    if not examined.headers:
        return ()
    key = request["uid_key"] or secrets.token_hex(32)
    return _rows(examined, request["pseudonym"], key, int(request["date_shift_days"]))


def choose(examined: list[Examined], modality: str, key: str) -> Examined:
    """The series that is meant. Raises EngineError with a refusing code, or bad_request where several fit."""
    if key:
        named = [e for e in examined if e.finding.key == key]
        if not named:
            raise EngineError("bad_request", "That series is not there. Inspect the files again.")
        return named[0]
    volumes = [e for e in examined if e.is_volume]
    fitting = [e for e in volumes if not modality or e.finding.modality in (None, modality)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting and len(volumes) == 1:
        return volumes[0]
    if not volumes:
        return examined[0]
    kinds = ", ".join(f"{e.finding.modality or 'NIfTI'} {e.finding.shape}" for e in (fitting or volumes)[:6])
    raise EngineError(
        "bad_request", f"There are {len(fitting or volumes)} volumes here ({kinds}). Name one by its key."
    )


def read_here(
    path: str, modality: str, key: str, workspace: Path, watch: Watch | None = None
) -> tuple[Volume, IntakeFinding]:
    """`read_volume` in this process."""
    from recon_engine.nifti import with_modality

    found = surveying.survey(path, workspace, watch=watch)
    examined = choose(found.examined, modality, key)
    volume = load(examined, modality if examined.finding.modality else "")
    if examined.finding.modality is None and modality:
        volume = with_modality(volume, modality)
        examined.finding = replace(examined.finding, modality=modality)
    return volume, examined.finding


def _read_to_folder(request: Mapping[str, Any], workspace: Path, watch: Watch) -> dict[str, Any]:
    """Read a volume and write its voxels, raw, to the open file whose number the parent gave."""
    volume, finding = read_here(request["path"], request["modality"], request["key"], workspace, watch)
    voxels = np.ascontiguousarray(volume.voxels)
    with open(request["voxels"], "wb", closefd=False) as file:
        file.seek(0)  # a child that died before may have moved it
        voxels.tofile(file)
    return {
        "finding": finding.to_dict(),
        "dtype": voxels.dtype.str,
        "shape": list(voxels.shape),
        "affine": volume.affine.tolist(),
        "frame_of_reference_uid": volume.frame_of_reference_uid,
        "modality": volume.modality,
        "unit": volume.unit,
        "spacing_known": volume.spacing_known,
    }


def as_json(value: Mapping[str, Any]) -> str:
    """One line; NaN and infinity never leave."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
