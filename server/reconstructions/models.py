"""What was outlined on a series, by an algorithm or by people: segmentations, segments, surfaces, operations."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from server.core.models import BaseModel
from server.jobs.models import Job
from server.reconstructions.comparing.models import Comparison  # noqa: F401  a model of this app
from server.studies.sealing import stream_of


class ReconstructionJobManager(models.Manager["ReconstructionJob"]):
    def get_queryset(self) -> models.QuerySet[ReconstructionJob]:
        return super().get_queryset().filter(kind="reconstruction")


class ReconstructionJob(Job):
    """A job of kind "reconstruction". Its parameters name the series and the algorithm version."""

    objects = ReconstructionJobManager()

    class Meta:
        proxy = True


class SegmentationKind(models.TextChoices):
    ALGORITHM = "algorithm", _("Made by an algorithm")
    EDITED = "edited", _("Edited by people")


class Segmentation(BaseModel):
    """What was outlined on one series: the result of one job, or the working copy people edit.

    A result never changes; the one-to-one to the job is what makes "exactly one result" a rule of the database.
    An edited one has an `Edit` beside it, names the result it began from (`based_on`; null: from nothing), and its
    files are the newest ones made, not the truth: that is the base and its operations.
    """

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="segmentations")
    series = models.ForeignKey("studies.Series", on_delete=models.CASCADE, related_name="segmentations")
    audience = models.UUIDField(null=True, db_index=True)  # a reading, or null: shared (studies.sealing)
    kind = models.CharField(max_length=10, choices=SegmentationKind.choices, default=SegmentationKind.ALGORITHM)
    algorithm_version = models.ForeignKey(
        "algorithms.AlgorithmVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    job = models.OneToOneField("jobs.Job", null=True, on_delete=models.PROTECT, related_name="segmentation")
    based_on = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="edits")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    labelmap_ref = models.CharField(max_length=101, blank=True)
    labelmap_nii_ref = models.CharField(max_length=101, blank=True)
    surfaces_ref = models.CharField(max_length=101, blank=True)  # for the browser: meshopt, quantised
    surfaces_plain_ref = models.CharField(max_length=101, blank=True)  # for download: plain GLB
    manifest = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    damaged = models.JSONField(default=list)  # names of artefacts that failed their integrity check

    class Meta:
        indexes = [models.Index(fields=["study", "created_at"], name="segmentations_of_a_study")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="edited") | Q(job__isnull=False, algorithm_version__isnull=False),
                name="a_result_has_its_job",
            ),
            # Two people who begin at once land in the same working copy; readers of a case each have their own.
            models.UniqueConstraint(
                fields=["series", "based_on", "audience"],
                condition=Q(kind="edited"),
                nulls_distinct=False,
                name="one_working_copy_per_base",
            ),
        ]

    @property
    def project_id(self) -> object:
        """So that audit rows land in the project's chain."""
        return self.study.project_id

    @property
    def stream(self) -> str:
        return stream_of(self.study_id, self.audience)


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
    place = models.PositiveSmallIntegerField(default=0)  # in the list; results are listed by number
    touched_seq = models.BigIntegerField(default=0)  # the operation that last changed its voxels

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segmentation", "number"], name="one_segment_per_number")]


class Surface(BaseModel):
    """The closed surface of one segment, LPS millimetres: a node of the segmentation's GLB, or a GLB of its own.

    It shows the voxels as they were at operation `seq`; below the segment's `touched_seq` it is behind.
    """

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, related_name="surface")
    node = models.CharField(max_length=80)
    triangles = models.PositiveIntegerField()
    centroid_mm = models.JSONField(null=True)
    bounds_mm = models.JSONField(null=True)
    ref = models.CharField(max_length=101, blank=True)
    seq = models.BigIntegerField(default=0)


class Edit(models.Model):
    """The state of an edited segmentation beside its base: what the operations up to `head` have made of it."""

    segmentation = models.OneToOneField(Segmentation, on_delete=models.CASCADE, primary_key=True, related_name="edit")
    base_ref = models.CharField(max_length=101, blank=True)  # the labelmap it began from; blank: nothing anywhere
    base_segments = models.JSONField(default=list)  # editing.table.Row
    head = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)  # label -> voxels at `head`
    last_number = models.PositiveSmallIntegerField(default=0)  # numbers of removed segments are not used again
    snapshot_seq = models.BigIntegerField(default=0)  # where segmentation.labelmap_ref stands
    snapshot_before_ref = models.CharField(max_length=101, blank=True)  # somebody may still be reading it
    files_seq = models.BigIntegerField(null=True)  # where the downloads stand


class Operation(models.Model):
    """One edit. `seq` runs 1, 2, 3 without a gap; rows are never changed but for `undone_by`.

    `step`, `effect` and `before` are sealed under the study's key (core.secrets.Box): what it does by itself, what it
    changed, and what was there.
    """

    segmentation = models.ForeignKey(Segmentation, on_delete=models.CASCADE, related_name="operations")
    seq = models.BigIntegerField()
    client_id = models.UUIDField()
    digest = models.CharField(max_length=64)  # keyed, of what was sent: the same id with other content is refused
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    base_seq = models.BigIntegerField()  # the newest operation the author had seen
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    params = models.JSONField(default=dict)  # without voxels
    number = models.PositiveSmallIntegerField(null=True)
    target = models.BigIntegerField(null=True)  # the operation taken back or done again, the version restored
    undone_by = models.BigIntegerField(null=True)  # the newest undo of it; null: it counts
    changed = models.BigIntegerField(default=0)  # voxels
    contested = models.BigIntegerField(default=0)  # of them, changed by others since base_seq
    box = models.JSONField(null=True)  # of the voxels it speaks of; null: all, or none
    step = models.BinaryField(default=bytes)
    effect = models.BinaryField(default=bytes)
    before = models.BinaryField(default=bytes)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segmentation", "seq"], name="one_operation_per_number"),
            models.UniqueConstraint(fields=["segmentation", "client_id"], name="one_operation_per_client_id"),
        ]


class SavePoint(BaseModel):
    """A version somebody gave a name."""

    segmentation = models.ForeignKey(Segmentation, on_delete=models.CASCADE, related_name="save_points")
    seq = models.BigIntegerField()
    name = models.CharField(max_length=80)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
