"""Algorithms and their versions, as the engine describes them."""

from __future__ import annotations

from django.db import models

from server.core.models import BaseModel


class Algorithm(BaseModel):
    """A named way to make segments out of images; its versions differ in weights or code."""

    name = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=120)
    summary = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class AlgorithmVersion(BaseModel):
    """One version. `description` is contract.AlgorithmDescription; `in_service` decides who is offered it.

    `disabled_reason` holds a code (weights_hash_mismatch, gone) where the system itself took it out of service.
    """

    algorithm = models.ForeignKey(Algorithm, on_delete=models.CASCADE, related_name="versions")
    version = models.CharField(max_length=20)
    position = models.PositiveIntegerField(default=0)  # the engine's order: what fits best is named first
    description = models.JSONField()
    weights_sha256 = models.CharField(max_length=64, blank=True)
    in_service = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["algorithm", "version"], name="one_row_per_version")]
