"""Who is who without names: pseudonyms, the date shift, and ids that the same images always lead to.

An origin is what an import came from: the original StudyInstanceUID, or the content of a file that has none. It
is never stored; its keyed digest is, so that the same study again finds the same patient and the same study.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext as _

from server.accounts.models import Project
from server.core import secrets
from server.core.errors import LaminaError
from server.core.models import DataKey
from server.studies.models import Patient, PatientCounter, PatientOrigin

LONGEST_SHIFT_DAYS = 3650
PSEUDONYM = re.compile(r"LAM-0*(\d{1,9})\Z")


def origin_of(finding: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    """The origin of one finding. `hashes` maps each received file to its SHA-256.

    A NIfTI file names no study and nothing says that two of them belong together, so each is its own.
    """
    if finding.get("study_instance_uid"):
        return f"study:{finding['study_instance_uid']}"
    known = sorted(hashes[name] for name in finding["files"] if name in hashes)
    # Inside an archive only the archive's hash is known: the key tells its members apart.
    content = "".join(known) or "".join(sorted(hashes.values())) + finding["key"]
    return f"file:{hashlib.sha256(content.encode()).hexdigest()}"


def study_id_for(project_id: UUID, origin: str) -> UUID:
    """The id a study of this origin has or will have, the same for two imports at once.

    After an erase the old id's key is destroyed for good, so the next generation of the id is taken.
    """
    key = secrets.derive("study-id", project_id)
    generation = 0
    while True:
        digest = hmac.new(key, f"{origin}|{generation}".encode(), hashlib.sha256).digest()
        candidate = UUID(bytes=digest[:16], version=4)
        if not DataKey.objects.filter(owner_id=candidate, destroyed_at__isnull=False).exists():
            return candidate
        generation += 1


@transaction.atomic
def patient_for(project: Project, origin: str, patient_key: str | None = None) -> Patient:
    """The patient of this origin, else a new one with the project's next number."""
    texts = [f"patient:{patient_key}"] if patient_key else []
    digests = [secrets.keyed_digest(project.pk, text.encode()) for text in [*texts, origin]]
    counter = _counter(project)  # locked until commit: two imports of one new patient make one
    rows = {row.digest: row for row in PatientOrigin.objects.filter(project=project, digest__in=digests)}
    patient = next((rows[digest].patient for digest in digests if digest in rows), None)
    if patient is None:
        counter.last += 1
        counter.save()
        patient = Patient.objects.create(project=project, number=counter.last)
    for digest in digests:
        if digest not in rows:
            PatientOrigin.objects.create(project=project, digest=digest, patient=patient)
    return patient


def patient_named(project: Project, pseudonym: str) -> Patient:
    """The patient with this pseudonym. Raises LaminaError where the project has none."""
    match = PSEUDONYM.match(pseudonym.strip().upper())
    patient = Patient.objects.filter(project=project, number=int(match[1])).first() if match else None
    if patient is None:
        message = _("This project has no patient %(name)s. Leave the field empty for a new one.")
        raise LaminaError("unknown_pseudonym", message % {"name": pseudonym[:20]}, 422)
    return patient


def date_shift_days(patient: Patient) -> int:
    """How far this patient's dates move: always back, 1 to 3,650 days, the same for every import."""
    key = secrets.derive("date-shift", patient.project_id)
    digest = hmac.new(key, patient.pk.bytes, hashlib.sha256).digest()
    return -(int.from_bytes(digest[:4], "big") % LONGEST_SHIFT_DAYS + 1)


def uid_key(project_id: UUID) -> str:
    """Hex of the 32 bytes that key the replacement of UIDs inside a project."""
    return secrets.derive("uid", project_id).hex()


def _counter(project: Project) -> PatientCounter:
    PatientCounter.objects.get_or_create(project=project, defaults={"last": _highest(project)})
    return PatientCounter.objects.select_for_update().get(project=project)


def _highest(project: Project) -> int:
    return Patient.objects.filter(project=project).aggregate(highest=models.Max("number"))["highest"] or 0
