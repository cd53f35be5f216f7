"""The two kinds of work that bring files in: `inspect` says what they are, `intake` makes studies of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from server.jobs.cleaning import register_cleaning
from server.jobs.kinds import EngineCall, JobKind, Limits, register_kind
from server.jobs.models import Job
from server.studies import identity, importing, intakes, services
from server.studies.models import Intake, Patient
from server.studies.reasons import reason_text

# Real files kill real parsers: see PROMISES section 2. A volume of 2^31 voxels needs 4 GiB as int16.
PARSER_LIMITS = Limits(memory_mib=8 * 1024, cpu_seconds=1800, file_mib=8 * 1024, seconds=3600)
CLEANING_SECONDS = 300


def _intake(job: Job) -> Intake:
    return Intake.objects.select_related("project", "created_by").get(pk=job.parameters["intake_id"])


def prepare_inspection(job: Job, folder: Path) -> EngineCall:
    source = intakes.source_files(_intake(job), folder)
    (folder / "thumbnails").mkdir(mode=0o700)
    return EngineCall("inspect", {"path": str(source), "changes": True, "out": str(folder / "thumbnails")})


def store_inspection(job: Job, folder: Path, result: Mapping[str, Any]) -> intakes.Inspected:
    """Hashes of the received files and the small pictures, read outside the transaction."""
    return intakes.read_inspected(folder / "source", folder / "thumbnails", result)


def finish_inspection(job: Job, folder: Path, result: Mapping[str, Any], stored: intakes.Inspected) -> dict[str, Any]:
    intakes.note_findings(intake=_intake(job), result=result, inspected=stored)
    return {"series": len(result["findings"]), "ignored": len(result.get("ignored", []))}


def prepare_import(job: Job, folder: Path) -> EngineCall:
    intake = _intake(job)
    source = intakes.source_files(intake, folder)
    patient = Patient.objects.get(pk=job.parameters["patient_id"])
    chosen = intakes.plan_of(intake, job.parameters["plan"])
    return EngineCall("prepare", prepare_request(source, folder / "prepared", patient, chosen))


def prepare_request(source: Path, out: Path, patient: Patient, chosen: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """contract.PrepareRequest as a dictionary."""
    return {
        "source": str(source),
        "out": str(out),
        "pseudonym": patient.pseudonym,
        "uid_key": identity.uid_key(patient.project_id),
        "date_shift_days": identity.date_shift_days(patient),
        "keys": [choice["key"] for choice in chosen],
        "confirmed_keys": [choice["key"] for choice in chosen if choice.get("confirmed")],
        "modality_by_key": {choice["key"]: choice["modality"] for choice in chosen if choice.get("modality")},
    }


def _target(job: Job) -> importing.Target:
    intake = _intake(job)
    patient = Patient.objects.get(pk=job.parameters["patient_id"])
    return importing.Target(intake.project, patient, UUID(job.parameters["study_id"]), intake.created_by)


def store_import(job: Job, folder: Path, result: Mapping[str, Any]) -> list[importing.StoredSeries]:
    return importing.store_prepared(_target(job), folder / "prepared", result["series"])


def finish_import(
    job: Job, folder: Path, result: Mapping[str, Any], stored: list[importing.StoredSeries]
) -> dict[str, Any]:
    done = importing.write_prepared(_target(job), stored)
    intakes.note_import(intake=_intake(job), study_ids=done.study_ids, duplicates=len(done.already))
    return {
        "study_ids": [str(study_id) for study_id in done.study_ids],
        "series_ids": [str(series_id) for series_id in done.series_ids],
        "already": len(done.already),
    }


def note_retried(job: Job) -> None:
    """A person pressed retry: the intake is at work again."""
    intakes.note_retry(intake=_intake(job), inspecting=job.kind == "inspect")


def note_failed(job: Job) -> None:
    code = job.error_code or str(job.state)  # a cancelled job has no error
    intakes.note_failure(intake=_intake(job), code=code, message=job.error_message or reason_text(code))


for _kind in (
    JobKind(
        name="inspect",
        queue="io",
        prepare=prepare_inspection,
        store=store_inspection,
        finish=finish_inspection,
        failed=note_failed,
        retried=note_retried,
        act="import",
        limits=PARSER_LIMITS,
        fresh=True,
        neutral_message=reason_text,
    ),
    JobKind(
        name="intake",
        queue="io",
        prepare=prepare_import,
        store=store_import,
        finish=finish_import,
        failed=note_failed,
        retried=note_retried,
        act="import",
        limits=PARSER_LIMITS,
        fresh=True,
        neutral_message=reason_text,
    ),
):
    register_kind(_kind)

register_cleaning("abandoned uploads", intakes.abandon_expired, every_seconds=CLEANING_SECONDS)
register_cleaning("the bin", services.erase_expired, every_seconds=CLEANING_SECONDS)
register_cleaning("unfinished imports", services.erase_unfinished_imports, every_seconds=CLEANING_SECONDS)
