"""Marks on images as versioned operations: what was done stays, the annotation is what all of it amounts to.

The words are those of DICOM SR TID 1500: a measurement group with a tracking identifier, a finding, a finding site
and its laterality, and measured values with UCUM units. What a person typed lies sealed under the study's key.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from server.core.models import BaseModel
from server.studies.sealing import stream_of


class Kind(models.TextChoices):
    POINT = "point"
    PROBE = "probe"
    ARROW = "arrow"
    TEXT = "text"
    LENGTH = "length"
    ANGLE = "angle"
    COBB = "cobb"
    ELLIPSE = "ellipse"
    RECTANGLE = "rectangle"
    POLYGON = "polygon"
    FREEHAND = "freehand"
    SURFACE_DISTANCE = "surface_distance"


class LesionRole(models.TextChoices):
    """What a mark says of a lesion that is followed over dates (RECIST 1.1); its name is the lesion's."""

    TARGET = "target"  # a length: the longest diameter
    NODE = "node"  # a length: the short axis of a lymph node
    NEW = "new"  # was not there before
    GONE = "gone"  # a target that is not there any more: 0 mm
    SMALL = "small"  # a target that is there and too small to measure: 5 mm


class Act(models.TextChoices):
    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"
    RESTORE = "restore"


class Annotation(BaseModel):
    """One mark as it stands now. `id` is made by the browser, so that sending it twice makes one."""

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="annotations")
    series = models.ForeignKey("studies.Series", on_delete=models.CASCADE, related_name="annotations")
    audience = models.UUIDField(null=True, db_index=True)  # a reading, or null: shared (studies.sealing)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    number = models.PositiveIntegerField()  # what it is called until somebody names it: "Length 3"
    version = models.PositiveIntegerField(default=1)
    is_deleted = models.BooleanField(default=False)
    points = models.JSONField()  # [[x, y, z], ...] LPS mm; geometry.py says what each kind's points are
    plane_normal = models.JSONField(null=True)  # unit vector; null for marks that lie in no plane
    value = models.FloatField(null=True)  # null where the spacing is unknown
    unit = models.CharField(max_length=8, blank=True)  # UCUM: mm, mm2, deg
    statistics = models.JSONField(null=True)  # of the voxels inside: mean, sd, min, max, count, unit
    colour = models.CharField(max_length=7)
    name_sealed = models.BinaryField(null=True)
    name_version = models.PositiveIntegerField(default=0)  # the version that last changed the name
    finding = models.JSONField(null=True)
    finding_site = models.JSONField(null=True)
    laterality = models.JSONField(null=True)
    lesion_role = models.CharField(max_length=8, choices=LesionRole.choices, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["study", "created_at"], name="annotations_of_a_study")]

    @property
    def project_id(self) -> object:
        """So that audit rows about an annotation land in its project's chain."""
        return self.study.project_id

    @property
    def stream(self) -> str:
        return stream_of(self.study_id, self.audience)

    @property
    def tracking_uid(self) -> str:
        """Tracking Unique Identifier (112040, DCM): a UUID as a UID, PS3.5 B.2."""
        return f"2.25.{self.pk.int}"


class AnnotationOperation(BaseModel):
    """One act of one person on one annotation. Never changed, never removed while the study lives."""

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="operations")
    act = models.CharField(max_length=8, choices=Act.choices)
    base_version = models.PositiveIntegerField()  # what the person saw; 0 for the first
    version = models.PositiveIntegerField()  # what it became
    values = models.JSONField(default=dict)  # the fields it set, without the name
    name_sealed = models.BinaryField(null=True)
    digest = models.CharField(max_length=64)  # keyed, of the request: the same id with other content is refused
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["annotation", "version"], name="one_operation_per_version")]
