"""What a reconstruction made: a segmentation of one series, its segments and their surfaces."""

from __future__ import annotations

from django.db import models

from server.core.models import BaseModel
from server.jobs.models import Job


class ReconstructionJobManager(models.Manager["ReconstructionJob"]):
    def get_queryset(self) -> models.QuerySet[ReconstructionJob]:
        return super().get_queryset().filter(kind="reconstruction")


class ReconstructionJob(Job):
    """A job of kind "reconstruction". Its parameters name the series and the algorithm version."""

    objects = ReconstructionJobManager()

    class Meta:
        proxy = True


class Segmentation(BaseModel):
    """The result of one job; the one-to-one to the job is what makes "exactly one result" a rule of the database."""

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="segmentations")
    series = models.ForeignKey("studies.Series", on_delete=models.CASCADE, related_name="segmentations")
    algorithm_version = models.ForeignKey("algorithms.AlgorithmVersion", on_delete=models.PROTECT, related_name="+")
    job = models.OneToOneField("jobs.Job", on_delete=models.PROTECT, related_name="segmentation")
    labelmap_ref = models.CharField(max_length=101)
    labelmap_nii_ref = models.CharField(max_length=101)
    surfaces_ref = models.CharField(max_length=101, blank=True)  # for the browser: meshopt, quantised
    surfaces_plain_ref = models.CharField(max_length=101, blank=True)  # for download: plain GLB
    manifest = models.JSONField()
    warnings = models.JSONField(default=list)
    damaged = models.JSONField(default=list)  # names of artefacts that failed their integrity check

    class Meta:
        indexes = [models.Index(fields=["study", "created_at"], name="segmentations_of_a_study")]


class Segment(BaseModel):
    """One outlined thing. The terms are those of DICOM PS3.3 C.8.20.4."""

    segmentation = models.ForeignKey(Segmentation, on_delete=models.CASCADE, related_name="segments")
    number = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=64)
    colour = models.CharField(max_length=7)
    category = models.JSONField()
    type = models.JSONField()
    voxels = models.BigIntegerField()
    volume_ml = models.FloatField(null=True)  # null where spacing is unknown

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segmentation", "number"], name="one_segment_per_number")]


class Surface(BaseModel):
    """The closed surface of one segment: a node of the segmentation's GLB, LPS millimetres."""

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, related_name="surface")
    node = models.CharField(max_length=80)
    triangles = models.PositiveIntegerField()
    centroid_mm = models.JSONField(null=True)
    bounds_mm = models.JSONField(null=True)
