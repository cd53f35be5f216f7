"""Files on their way in: receiving parts, asking the engine what they are, choosing what becomes a study.

Names of files, findings and before-values are sealed under the intake's key from the moment they arrive. The key
is destroyed when everything is imported, when the person gives up, and after 24 hours in any case.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.accounts.models import Project
from server.core import audit, secrets, storage
from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.services import submit_job
from server.realtime.services import lock_stream, publish
from server.studies import identity
from server.studies.events import IntakeFailed, IntakeImported, IntakeInspected
from server.studies.models import Intake, IntakeState, UploadedFile

MOST_FILES = 20_000
LONGEST_FILE = 4 * 1024**3
LONGEST_NAME = 240
OPEN = (IntakeState.RECEIVING, IntakeState.INSPECTING, IntakeState.INSPECTED, IntakeState.FAILED)


@transaction.atomic
def create_intake(*, project: Project, by: Any) -> Intake:
    """Open a door for files into a project. The caller has checked that the person may import."""
    expires = timezone.now() + timedelta(hours=settings.LAMINA_UPLOAD_HOURS)
    intake = Intake.objects.create(project=project, created_by=by, expires_at=expires)
    audit.record(by, "intake.created", intake)
    return intake


def safe_name(name: str) -> str:
    """A relative path without tricks. Raises LaminaError for one that would leave its folder."""
    path = PurePosixPath(name.replace("\\", "/").lstrip("/"))
    parts = [part for part in path.parts if part not in {"", "."}]
    if not parts or ".." in parts or "\x00" in name or len(name) > LONGEST_NAME:
        message = _("A file name is empty, longer than 240 characters or leaves its folder. Rename the file.")
        raise LaminaError("unsafe_file_name", message, 400)
    return "/".join(parts)


@transaction.atomic
def create_upload(*, intake: Intake, name: str, length: int, sha256: str = "") -> UploadedFile:
    """Announce one file. The same name again answers the same upload, so a lost answer costs nothing."""
    intake = _locked(intake, IntakeState.RECEIVING, IntakeState.INSPECTED, IntakeState.FAILED)
    if length > LONGEST_FILE:
        message = _("A file may have 4 GiB. Split the archive, or import it on the server.")
        raise LaminaError("too_large", message, 413, limit_bytes=LONGEST_FILE)
    name = safe_name(name)
    digest = secrets.keyed_digest(intake.project_id, f"{intake.pk}:{name}".encode())
    earlier = intake.files.filter(name_digest=digest).first()
    if earlier is not None:
        if earlier.length != length:
            message = _("Another file of this upload has the same name and another length. Rename one of them.")
            raise LaminaError("same_name", message, 409)
        return earlier
    if intake.files.count() >= MOST_FILES:
        message = _("An upload may hold 20,000 files. Send one study at a time.")
        raise LaminaError("too_many_entries", message, 413, limit=MOST_FILES)
    storage.check_reserve(length)
    if intake.state != IntakeState.RECEIVING:
        # What was found no longer speaks of all files.
        intake.state, intake.findings_sealed, intake.changes_sealed = IntakeState.RECEIVING, None, None
        intake.save(update_fields=["state", "findings_sealed", "changes_sealed", "modified_at"])
    sealed = secrets.seal_text(intake.pk, intake.project_id, name)
    return UploadedFile.objects.create(
        intake=intake, name_sealed=sealed, name_digest=digest, length=length, sha256=sha256
    )


@transaction.atomic
def receive_part(*, upload: UploadedFile, offset: int, plain: bytes) -> UploadedFile:
    """Append bytes at the upload's offset; they are on disk, encrypted, when this returns.

    Raises LaminaError (409) when the offset is not the stored one: ask for it and go on from there.
    """
    upload = UploadedFile.objects.select_for_update(of=("self",)).select_related("intake").get(pk=upload.pk)
    intake = upload.intake
    if intake.state == IntakeState.ABANDONED or intake.expires_at <= timezone.now():
        raise _gone()
    if offset != upload.offset:
        message = _("This file goes on at byte %(offset)d.") % {"offset": upload.offset}
        raise LaminaError("wrong_offset", message, 409, offset=upload.offset)
    if upload.offset + len(plain) > upload.length:
        message = _("More bytes came than the file was announced with. Start this file again.")
        raise LaminaError("too_long", message, 413, length=upload.length)
    if plain:
        upload.stored_size = storage.append_part(
            intake.pk, intake.project_id, upload.pk, at=upload.stored_size, offset=offset, plain=plain
        )
        upload.offset = offset + len(plain)
        upload.save(update_fields=["stored_size", "offset", "modified_at"])
    return upload


@transaction.atomic
def remove_upload(*, upload: UploadedFile) -> None:
    """The person took one file back."""
    _locked(upload.intake, *OPEN)
    storage.remove_part(upload.intake_id, upload.pk)
    upload.delete()


@transaction.atomic
def request_inspection(*, intake: Intake, by: Any) -> Job:
    """Ask the engine what arrived. Raises LaminaError while a file is not whole."""
    lock_stream(intake.stream)
    intake = _locked(intake, *OPEN)
    if intake.state == IntakeState.INSPECTING:
        waiting = Job.objects.filter(owner_kind="intake", owner_id=intake.pk, kind="inspect").order_by("-created_at")
        if (job := waiting.first()) is not None:
            return job
    files = list(intake.files.all())
    if not files:
        raise LaminaError("no_files", _("No file has arrived yet. Add some, then go on."), 409)
    missing = sum(not upload.is_whole for upload in files)
    if missing:
        message = ngettext(
            "%(count)d file has not arrived whole. Continue the upload, or remove it.",
            "%(count)d files have not arrived whole. Continue the upload, or remove them.",
            missing,
        ) % {"count": missing}
        raise LaminaError("upload_incomplete", message, 409, files=missing)
    intake.state, intake.error_code, intake.error_message = IntakeState.INSPECTING, "", ""
    intake.save(update_fields=["state", "error_code", "error_message", "modified_at"])
    audit.record(by, "intake.inspection_requested", intake, files=len(files))
    return _submit("inspect", intake, by, {"intake_id": str(intake.pk)})


def source_files(intake: Intake, folder: Path) -> Path:
    """Write the received files below `folder` under their own names; returns the folder to inspect.

    Raises IntegrityError, StorageFull, and LaminaError checksum_mismatch where the sender's hash differs.
    """
    source = folder / "source"
    source.mkdir(mode=0o700)
    for upload in intake.files.order_by("created_at"):
        path = source / secrets.open_text(intake.pk, bytes(upload.name_sealed))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with storage.new_plain_file(path) as file:
            for piece in storage.read_part(intake.pk, upload.pk, upload.stored_size):
                file.write(piece)
                digest.update(piece)
        if upload.sha256 and upload.sha256 != digest.hexdigest():
            # Without the name: this message stays on the job's row.
            message = _("A file is not what was sent: its SHA-256 differs. Send the files again.")
            raise LaminaError("checksum_mismatch", message, 409)
    return source


def hashes_below(source: Path) -> dict[str, str]:
    """Relative name -> SHA-256 of every file below a folder, or of one file."""
    files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    base = source.parent if source.is_file() else source
    hashes = {}
    for path in files:
        with open(path, "rb") as file:
            hashes[path.relative_to(base).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


@dataclass(frozen=True)
class Inspected:
    """What an inspection leaves in its folder: name -> SHA-256 of the files, name -> base64 of the small pictures."""

    hashes: Mapping[str, str]
    pictures: Mapping[str, str]


def read_inspected(source: Path, thumbnails: Path, result: Mapping[str, Any]) -> Inspected:
    names = {finding["facts"].get("thumbnail") for finding in result["findings"]} - {None, ""}
    pictures = {name: base64.b64encode((thumbnails / name).read_bytes()).decode() for name in names}
    return Inspected(hashes_below(source), pictures)


@transaction.atomic
def note_findings(*, intake: Intake, result: Mapping[str, Any], inspected: Inspected) -> Intake:
    """Keep, sealed, what the engine found. Part of the inspect job's transaction."""
    intake = Intake.objects.select_for_update().get(pk=intake.pk)
    changes: dict[str, Any] = {}
    findings = []
    for finding in result["findings"]:
        finding = {**finding, "facts": dict(finding.get("facts") or {})}
        changes[finding["key"]] = finding["facts"].pop("changes", [])
        if picture := inspected.pictures.get(finding["facts"].pop("thumbnail", "")):
            finding["facts"]["thumbnail_png"] = picture
        finding["origin"] = identity.origin_of(finding, inspected.hashes)
        findings.append(finding)
    body = {"findings": findings, "ignored": [list(row) for row in result.get("ignored", [])]}
    intake.findings_sealed = _seal(intake, body)
    intake.changes_sealed = _seal(intake, changes)
    intake.state = IntakeState.INSPECTED
    intake.save(update_fields=["findings_sealed", "changes_sealed", "state", "modified_at"])
    publish(IntakeInspected(intake_id=intake.pk), stream=intake.stream)
    return intake


def findings_of(intake: Intake) -> dict[str, Any]:
    """{"findings": [...], "ignored": [[file, code], ...]} as the engine gave them; empty before inspection."""
    if intake.findings_sealed is None or intake.key_destroyed_at:
        return {"findings": [], "ignored": []}
    return json.loads(secrets.open_text(intake.pk, bytes(intake.findings_sealed)))


def changes_of(intake: Intake, key: str) -> list[dict[str, Any]]:
    """The before / after table of one series, for the person who brought it, until the import or 24 hours."""
    if intake.changes_sealed is None or intake.key_destroyed_at:
        raise _gone()
    table = json.loads(secrets.open_text(intake.pk, bytes(intake.changes_sealed)))
    if key not in table:
        raise LaminaError("not_found", _("There is no such series in this upload."), 404)
    return table[key]


@transaction.atomic
def request_import(
    *, intake: Intake, by: Any, choices: Sequence[Mapping[str, Any]], pseudonym: str | None = None
) -> list[Job]:
    """Turn chosen series into studies: one job per study, since each has its own pseudonym.

    `choices` hold `key` and, where the file does not say it, `modality`. Raises LaminaError for an unknown key, a
    series that may not be kept, a missing modality or an unknown pseudonym.
    """
    lock_stream(intake.stream)
    intake = _locked(intake, IntakeState.INSPECTED, IntakeState.FAILED)
    body = findings_of(intake)
    known = {finding["key"]: finding for finding in body["findings"]}
    groups: dict[str, list[dict[str, Any]]] = {}
    for choice in choices:
        finding = known.get(choice["key"])
        if finding is None:
            raise LaminaError("unknown_series", _("One of the chosen series is not in this upload."), 422)
        groups.setdefault(finding["origin"], []).append(_checked_choice(finding, choice))
    if not groups:
        raise LaminaError("nothing_chosen", _("Choose at least one series."), 422)
    named = identity.patient_named(intake.project, pseudonym) if pseudonym else None
    plans, parameters = [], []
    for number, (origin, chosen) in enumerate(groups.items()):
        patient_key = next((known[c["key"]]["facts"].get("patient_key") for c in chosen), None)
        patient = named or identity.patient_for(intake.project, origin, patient_key)
        study_id = identity.study_id_for(intake.project_id, origin)
        plans.append({"series": chosen})
        parameters.append(
            {"intake_id": str(intake.pk), "plan": number, "patient_id": str(patient.pk), "study_id": str(study_id)}
        )
    body["plans"] = plans
    intake.findings_sealed = _seal(intake, body)
    intake.state, intake.jobs_waiting, intake.error_code, intake.error_message = "importing", len(plans), "", ""
    intake.save()
    audit.record(by, "intake.import_requested", intake, series=len(choices), studies=len(plans))
    return [_submit("intake", intake, by, values) for values in parameters]


def _checked_choice(finding: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    modality = finding["modality"] or choice.get("modality") or ""
    if not may_be_kept(finding):
        raise LaminaError("refused_series", finding["message"], 422, reasons=list(finding["reasons"]))
    if not modality:
        message = _("A file does not say what made it. Choose CT, MR or PET for it.")
        raise LaminaError("modality_needed", message, 422)
    confirmed = bool(choice.get("confirmed"))
    if finding["facts"].get("withheld") and not confirmed:
        message = _("The pictures may show a name: look at them, then confirm that they do not.")
        raise LaminaError("confirmation_needed", message, 422, key=finding["key"])
    return {"key": finding["key"], "modality": modality, "confirmed": confirmed}


def may_be_kept(finding: Mapping[str, Any]) -> bool:
    """A series refused as a volume may still be kept as pictures, where the engine says so."""
    return finding["verdict"] != "refuse" or bool(finding.get("facts", {}).get("kept"))


def plan_of(intake: Intake, number: int) -> list[dict[str, Any]]:
    """What one import job takes: a list of {key, modality, confirmed}."""
    return findings_of(intake)["plans"][number]["series"]


@transaction.atomic
def note_import(*, intake: Intake, study_ids: Iterable[UUID], duplicates: int) -> Intake:
    """One import job is done; after the last one the upload's key is destroyed. Part of the job's transaction."""
    intake = Intake.objects.select_for_update().get(pk=intake.pk)
    found = [*intake.study_ids, *(str(study_id) for study_id in study_ids)]
    intake.study_ids = list(dict.fromkeys(found))
    intake.duplicates += duplicates
    intake.jobs_waiting = max(0, intake.jobs_waiting - 1)
    if intake.jobs_waiting == 0 and intake.state == IntakeState.IMPORTING:
        intake.state = IntakeState.IMPORTED
        _destroy(intake)
        publish(IntakeImported(intake_id=intake.pk, study_ids=intake.study_ids), stream=intake.stream)
    intake.save()
    return intake


@transaction.atomic
def note_failure(*, intake: Intake, code: str, message: str) -> Intake:
    """A job of this intake failed. The files stay until they expire, so that the person can try again."""
    intake = Intake.objects.select_for_update().get(pk=intake.pk)
    intake.jobs_waiting = max(0, intake.jobs_waiting - 1)
    intake.state, intake.error_code, intake.error_message = IntakeState.FAILED, code, message
    intake.save()
    publish(IntakeFailed(intake_id=intake.pk, error={"code": code, "message": message}), stream=intake.stream)
    return intake


@transaction.atomic
def note_retry(*, intake: Intake, inspecting: bool) -> Intake:
    """A failed job of this intake was put in line again. Raises LaminaError once the upload is over."""
    intake = _locked(intake, IntakeState.FAILED, IntakeState.IMPORTING)
    if inspecting:
        intake.state = IntakeState.INSPECTING
    else:
        intake.state, intake.jobs_waiting = IntakeState.IMPORTING, intake.jobs_waiting + 1
    intake.error_code = intake.error_message = ""
    intake.save()
    return intake


@transaction.atomic
def abandon_intake(*, intake: Intake, by: Any) -> Intake:
    """Give up: the key is destroyed and the parts go. What was imported stays."""
    intake = Intake.objects.select_for_update().get(pk=intake.pk)
    if intake.state in {IntakeState.IMPORTED, IntakeState.ABANDONED}:
        return intake
    if intake.state == IntakeState.IMPORTING:
        raise LaminaError("importing", _("The import is running. Cancel its job first."), 409)
    intake.state = IntakeState.ABANDONED
    _destroy(intake)
    intake.save()
    audit.record(by, "intake.abandoned", intake)
    return intake


def abandon_expired() -> int:
    """A cleaning pass: uploads older than 24 hours lose their key, their parts and their rows of files."""
    expired = Intake.objects.filter(expires_at__lt=timezone.now(), key_destroyed_at=None)
    count = 0
    for intake in expired.exclude(state=IntakeState.IMPORTING)[:50]:
        abandon_intake(intake=intake, by=None)
        count += 1
    return count


def _destroy(intake: Intake) -> None:
    """Forget everything that identifies. The bytes go after the commit; without the key they are noise."""
    intake.findings_sealed = intake.changes_sealed = None
    intake.key_destroyed_at = timezone.now()
    intake.files.all().delete()
    secrets.destroy_owner_key(intake.pk)
    transaction.on_commit(lambda: storage.erase_owner(intake.pk), robust=True)


def _locked(intake: Intake, *states: Any) -> Intake:
    intake = Intake.objects.select_for_update().get(pk=intake.pk)
    if intake.key_destroyed_at or intake.expires_at <= timezone.now():
        raise _gone()
    if intake.state not in states:
        message = _("This upload is at another step (%(state)s).") % {"state": intake.get_state_display()}
        raise LaminaError("wrong_step", message, 409, state=intake.state)
    return intake


def _gone() -> LaminaError:
    message = _("This upload is over: it was imported, given up or older than 24 hours. Send the files again.")
    return LaminaError("upload_gone", message, 410)


def _seal(intake: Intake, body: Any) -> bytes:
    return secrets.seal_text(intake.pk, intake.project_id, json.dumps(body))


def _submit(kind: str, intake: Intake, by: Any, parameters: Mapping[str, Any]) -> Job:
    return submit_job(
        kind,
        owner_kind="intake",
        owner_id=intake.pk,
        project_id=intake.project_id,
        stream=intake.stream,
        requested_by=by,
        parameters=dict(parameters),
    )


def decode_sha256(text: str) -> str:
    """The sender's SHA-256 as lowercase hex, from hex or base64. Raises LaminaError for anything else."""
    if len(text) == 64 and all(c in "0123456789abcdefABCDEF" for c in text):
        return text.lower()
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise LaminaError("invalid", _("sha256 is 32 bytes in hex or base64."), 400)
    return raw.hex()


def thumbnail_of(intake: Intake, number: int) -> bytes | None:
    """PNG of the middle slice of one finding, where the engine made one."""
    findings = findings_of(intake)["findings"]
    encoded = findings[number]["facts"].get("thumbnail_png") if number < len(findings) else None
    return base64.b64decode(encoded) if encoded else None
