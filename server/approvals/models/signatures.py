"""Who signed what of a case, when, and what it was; why a signed case was opened again."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from server.core.models import BaseModel


class Meaning(models.TextChoices):
    """What a signature says, as in 21 CFR 11.50: authorship, review or approval."""

    AUTHORED = "authored"
    REVIEWED = "reviewed"
    APPROVED = "approved"


class Signature(BaseModel):
    """One signature. `manifest` is what was signed, `digest` the SHA-256 of its canonical JSON. Never changed."""

    case = models.ForeignKey("readings.Case", on_delete=models.CASCADE, related_name="signatures")
    version = models.PositiveIntegerField()  # of the case
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)  # as it was then
    meaning = models.CharField(max_length=8, choices=Meaning.choices)
    signed_at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    manifest = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "version", "person", "meaning"], name="one_signature_per_person_and_meaning"
            ),
            models.UniqueConstraint(
                fields=["case", "version"], condition=models.Q(meaning="approved"), name="one_approval_per_version"
            ),
        ]

    @property
    def project_id(self) -> object:
        return self.case.project_id


class Reopening(BaseModel):
    """Why a signed case became its next version."""

    case = models.ForeignKey("readings.Case", on_delete=models.CASCADE, related_name="reopenings")
    version = models.PositiveIntegerField()  # the new one
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason_sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "version"], name="one_reopening_per_version")]

    @property
    def project_id(self) -> object:
        return self.case.project_id
