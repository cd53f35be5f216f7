"""What became of submitted reads: pairs compared, a consensus offered, an adjudicator's ruling, how readers relied."""

from __future__ import annotations

from django.db import models

from server.core.models import BaseModel
from server.readings.models.cases import Case, Reading


class Agreement(BaseModel):
    """One pair of submitted reads of a case. `is_within` is null until the comparison is there; then it stays."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="agreements")
    left = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="+")
    right = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="+")
    comparison = models.ForeignKey("reconstructions.Comparison", null=True, on_delete=models.SET_NULL, related_name="+")
    segments = models.JSONField(null=True)  # rows of the comparison, kept: they decided
    excesses = models.JSONField(null=True)  # agreement.decision.Excess
    is_within = models.BooleanField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["left", "right"], name="one_agreement_per_pair"),
            models.CheckConstraint(
                condition=models.Q(is_within=None) | models.Q(segments__isnull=False, excesses__isnull=False),
                name="an_agreement_has_its_numbers",
            ),
        ]

    @property
    def project_id(self) -> object:
        return self.case.project_id


class Method(models.TextChoices):
    UNION = "union"
    MAJORITY = "majority"
    STAPLE = "staple"


class Consensus(BaseModel):
    """A proposal made of all submitted reads of a case by one method. Nothing is changed by it until it is taken."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="proposals")
    method = models.CharField(max_length=8, choices=Method.choices)
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    labelmap_ref = models.CharField(max_length=101, blank=True)
    voxels = models.JSONField(null=True)  # segment number -> voxels
    performances = models.JSONField(default=list)  # of STAPLE: contract.ReaderPerformance, `reader` counts letters

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "method"], name="one_proposal_per_method")]

    @property
    def project_id(self) -> object:
        return self.case.project_id


class Ruling(BaseModel):
    """What an adjudicator's outlines began from and, once submitted, why they are as they are."""

    reading = models.OneToOneField(Reading, on_delete=models.CASCADE, related_name="ruling")
    base = models.CharField(max_length=12, blank=True)  # a letter, "algorithm" or "nothing"
    reason_sealed = models.BinaryField(null=True)

    @property
    def project_id(self) -> object:
        return self.reading.case.project_id


class Pick(BaseModel):
    """At one place where two reads differ: whose outline it shall be, or the adjudicator's own."""

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="picks")
    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="picks")
    n = models.PositiveIntegerField()  # of the comparison's region
    region = models.JSONField()
    choice = models.CharField(max_length=4)  # a letter, or "own"
    operation_seq = models.BigIntegerField(null=True)  # null: nothing had to change

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reading", "agreement", "n"], name="one_pick_per_place")]

    @property
    def project_id(self) -> object:
        return self.reading.case.project_id


class Reliance(BaseModel):
    """What one reader did where the own first read and an algorithm differed, judged by what was signed."""

    reading = models.OneToOneField(Reading, on_delete=models.CASCADE, related_name="reliance")
    algorithm_version = models.ForeignKey("algorithms.AlgorithmVersion", on_delete=models.PROTECT, related_name="+")
    case_version = models.PositiveIntegerField()
    changed_right = models.PositiveIntegerField()
    changed_wrong = models.PositiveIntegerField()
    kept_right = models.PositiveIntegerField()
    kept_wrong = models.PositiveIntegerField()
    seconds = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["algorithm_version"], name="reliance_by_version")]


__all__ = ["Agreement", "Consensus", "Method", "Pick", "Reliance", "Ruling"]
