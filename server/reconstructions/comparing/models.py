"""One comparison of two states of two segmentations."""

from __future__ import annotations

from django.db import models

from server.core.models import BaseModel


class Comparison(BaseModel):
    """`left` (A) at operation `left_seq` against `right` (B) at `right_seq`; a result is always at 0.

    Both states never change, so it is made once and asked for by many. `result` is null until a worker has made it.
    """

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="comparisons")
    left = models.ForeignKey("reconstructions.Segmentation", on_delete=models.CASCADE, related_name="+")
    left_seq = models.BigIntegerField(default=0)
    right = models.ForeignKey("reconstructions.Segmentation", on_delete=models.CASCADE, related_name="+")
    right_seq = models.BigIntegerField(default=0)
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    asked_by = models.JSONField(default=list)  # ids of the people who are told when it is ready
    pairs = models.JSONField(default=list)  # as asked of the engine
    unpaired = models.JSONField(default=list)  # segments only one of both knows: side, number, label
    result = models.JSONField(null=True)
    surfaces_a_ref = models.CharField(max_length=101, blank=True)
    surfaces_b_ref = models.CharField(max_length=101, blank=True)
    labels_a_ref = models.CharField(max_length=101, blank=True)  # uint8 numbers of pairs on A's grid, gzip
    labels_b_ref = models.CharField(max_length=101, blank=True)
    places_ref = models.CharField(max_length=101, blank=True)  # gzip of the engine's places.i64

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["left", "left_seq", "right", "right_seq"], name="one_comparison_of_two_states"
            )
        ]

    @property
    def project_id(self) -> object:
        """So that audit rows land in the project's chain."""
        return self.study.project_id
