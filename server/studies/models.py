"""The DICOM levels as rows, and the intakes through which files become them.

A study keeps no identifier of a person: what stands here is the pseudonym, replaced UIDs and de-identified text.
Bytes lie in `core.storage` under the study's key; rows hold references to them.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from server.core.models import BaseModel


class Patient(BaseModel):
    """A person of a project under a pseudonym, numbered from 1 within the project."""

    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="patients")
    number = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_patient_per_number")]

    @property
    def pseudonym(self) -> str:
        return f"LAM-{self.number:04d}"


class PatientOrigin(models.Model):
    """A keyed digest (of a patient id, or of a study that named none) that leads to one patient."""

    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="origins")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="one_patient_per_origin")]


class PatientCounter(models.Model):
    """The last number given out in a project. Numbers of erased patients are not used again."""

    project = models.OneToOneField("accounts.Project", on_delete=models.CASCADE, primary_key=True, related_name="+")
    last = models.PositiveIntegerField(default=0)


class StudyState(models.TextChoices):
    ACTIVE = "active", _("Active")
    BINNED = "binned", _("In the bin")


class Study(BaseModel):
    """One study of one patient. An erased study has no row: one audit entry is all that is left of it.

    `words` is the search column: words and two-character runs of Chinese text, made in Python (search.py).
    """

    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="studies")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    patient_number = models.PositiveIntegerField()  # copied, so that a page sorted by pseudonym needs one index
    study_instance_uid = models.CharField(max_length=64)
    description = models.CharField(max_length=200, blank=True)
    study_date = models.DateField(null=True)
    modalities = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=StudyState.choices, default=StudyState.ACTIVE)
    binned_at = models.DateTimeField(null=True)
    binned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    is_demo = models.BooleanField(default=False)
    notice = models.TextField(blank=True)  # what the makers of the data ask to be shown
    words = SearchVectorField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "study_instance_uid"], name="one_study_per_uid_and_project")
        ]
        indexes = [
            # Each order twice: for who works in one project, and across projects.
            models.Index(fields=["project", "state", "created_at", "id"], name="studies_by_project_age"),
            models.Index(fields=["project", "state", "patient_number", "id"], name="studies_by_project_pseudonym"),
            models.Index(fields=["project", "state", "study_date", "id"], name="studies_by_project_date"),
            models.Index(fields=["state", "created_at", "id"], name="studies_by_age"),
            models.Index(fields=["state", "patient_number", "id"], name="studies_by_pseudonym"),
            models.Index(fields=["state", "study_date", "id"], name="studies_by_date"),
            # Newest first with undated last is no index read backwards.
            models.Index(
                F("project"),
                F("state"),
                F("study_date").desc(nulls_last=True),
                F("id").desc(),
                name="studies_by_project_newest",
            ),
            models.Index(F("state"), F("study_date").desc(nulls_last=True), F("id").desc(), name="studies_by_newest"),
            # Without the pending list: imports are rare, and a search must not read what vacuum has not merged.
            GinIndex(fields=["words"], name="studies_by_words", fastupdate=False),
        ]

    @property
    def pseudonym(self) -> str:
        return f"LAM-{self.patient_number:04d}"

    @property
    def stream(self) -> str:
        return f"study:{self.pk}"


class Series(BaseModel):
    """One series. `is_volume` is False for what is kept and shown but may not be reconstructed."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    series_instance_uid = models.CharField(max_length=64)
    frame_of_reference_uid = models.CharField(max_length=64, null=True)
    modality = models.CharField(max_length=16, blank=True)
    number = models.IntegerField(null=True)
    description = models.CharField(max_length=200, blank=True)
    finding = models.JSONField(default=dict)  # verdict, reasons, message, facts
    is_volume = models.BooleanField(default=False)
    slices = models.PositiveIntegerField(default=0)
    shape = models.JSONField(null=True)  # (k, j, i)
    spacing_mm = models.JSONField(null=True)  # (k, j, i); null: unknown, so no mm and no mL anywhere
    volume = models.JSONField(null=True)  # contract.VolumeFiles without its paths
    voxels_ref = models.CharField(max_length=101, blank=True)
    preview_ref = models.CharField(max_length=101, blank=True)
    thumbnail_ref = models.CharField(max_length=101, blank=True)
    picture_refs = models.JSONField(default=list)
    phase_refs = models.JSONField(default=list)  # voxels of the later volumes of a 4D series, as volume["phases"][1:]
    content_digest = models.CharField(max_length=64)  # keyed: the same images again are found inside the project

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(fields=["study", "series_instance_uid"], name="one_series_per_uid_and_study")
        ]
        indexes = [models.Index(fields=["content_digest"], name="series_by_content")]


class Instance(BaseModel):
    """One stored file of a series, without direct identifiers."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64, blank=True)
    transfer_syntax_uid = models.CharField(max_length=64, blank=True)
    number = models.PositiveIntegerField()  # position along the normal, from 0
    ref = models.CharField(max_length=101)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "sop_instance_uid"], name="one_instance_per_uid_and_series")
        ]


class TransformMethod(models.TextChoices):
    LANDMARKS = "landmarks", _("Landmarks")
    MANUAL = "manual", _("By hand")
    IMPORTED = "imported", _("Imported")
    REGISTRATION = "registration", _("Registration")


class Transform(BaseModel):
    """How points of one frame of reference come to lie in another one of the same patient.

    `matrix` is 4 x 4, row major, LPS mm: p_fixed = matrix @ p_moving. It joins the two frames, so it holds for every
    series of either; a series whose files name no frame stands for itself (`frame_key_of`). Rows are never changed:
    a better transform is a new row, and the newest one counts.
    """

    moving_series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="+")
    fixed_series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="+")
    moving_frame = models.CharField(max_length=64)
    fixed_frame = models.CharField(max_length=64)
    matrix = models.JSONField()
    method = models.CharField(max_length=12, choices=TransformMethod.choices)
    landmark_error_mm = models.FloatField(null=True)  # root mean square over the landmark pairs; null: not measured
    note = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    facts = models.JSONField(default=dict)  # of a registration: what found it and with which error (registration.FACTS)

    class Meta:
        indexes = [models.Index(fields=["moving_frame", "fixed_frame", "created_at"], name="transforms_by_frames")]

    @property
    def project_id(self) -> object:
        """So that audit rows land in the project's chain."""
        return self.moving_series.study.project_id


def frame_key_of(series: Series) -> str:
    """The DICOM frame of reference (PS3.3 C.7.4.1), or the series itself where the files name none."""
    return series.frame_of_reference_uid or f"series:{series.pk}"


class IntakeState(models.TextChoices):
    RECEIVING = "receiving", _("Receiving files")
    INSPECTING = "inspecting", _("Looking at the files")
    INSPECTED = "inspected", _("Waiting for your choice")
    IMPORTING = "importing", _("Importing")
    IMPORTED = "imported", _("Imported")
    FAILED = "failed", _("Failed")
    ABANDONED = "abandoned", _("Abandoned")


class Intake(BaseModel):
    """Files on their way in. Everything that identifies lies sealed under the intake's own key.

    The key is destroyed, and the parts with it, after the import or after 24 hours, whichever comes first.
    """

    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="intakes")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=IntakeState.choices, default=IntakeState.RECEIVING)
    findings_sealed = models.BinaryField(null=True)  # JSON of findings and of ignored files
    changes_sealed = models.BinaryField(null=True)  # JSON: finding key -> before / after rows
    jobs_waiting = models.PositiveIntegerField(default=0)
    study_ids = models.JSONField(default=list)
    duplicates = models.PositiveIntegerField(default=0)  # series that were already there
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    expires_at = models.DateTimeField(db_index=True)
    key_destroyed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_by", "created_at"], name="intakes_by_person")]

    @property
    def stream(self) -> str:
        return f"user:{self.created_by_id}"


class UploadedFile(BaseModel):
    """One file of an intake, arriving in pieces (tus 1.0). `stored_size` is the length of the encrypted part."""

    intake = models.ForeignKey(Intake, on_delete=models.CASCADE, related_name="files")
    name_sealed = models.BinaryField()
    name_digest = models.CharField(max_length=64)  # keyed: the same name again is the same upload
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    stored_size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)  # asked for by the sender; checked when it is whole

    class Meta:
        constraints = [models.UniqueConstraint(fields=["intake", "name_digest"], name="one_upload_per_name")]
        indexes = [models.Index(fields=["intake", "created_at"], name="files_of_an_intake")]

    @property
    def is_whole(self) -> bool:
        return self.offset == self.length
