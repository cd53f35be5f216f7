"""What a reader decided at one place where the first read and an algorithm's result differ."""

from __future__ import annotations

from django.db import models

from server.core.models import BaseModel
from server.readings.models.cases import Reading


class VerdictAct(models.TextChoices):
    KEEP = "keep"
    TAKE = "take"
    EDIT = "edit"


class Verdict(BaseModel):
    """One decision; deciding again replaces it, and the audit chain keeps both.

    `key` names the place for ever: "<segment number>:<lowest voxel of the region>", C order (k, j, i). `region` is what
    the comparison said of it. `operation_seq` is the step of the reader's working copy that took the other's outline.
    What the reader typed lies sealed under the study's key.
    """

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="verdicts")
    comparison = models.ForeignKey("reconstructions.Comparison", null=True, on_delete=models.SET_NULL, related_name="+")
    key = models.CharField(max_length=40)
    act = models.CharField(max_length=4, choices=VerdictAct.choices)
    reason_sealed = models.BinaryField(null=True)
    seconds = models.PositiveIntegerField(default=0)  # the place was looked at until it was decided
    region = models.JSONField()
    operation_seq = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reading", "key"], name="one_verdict_per_place")]

    @property
    def project_id(self) -> object:
        """So that audit rows about a verdict land in its project's chain."""
        return self.reading.case.project_id
