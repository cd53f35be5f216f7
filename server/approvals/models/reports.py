"""Key images that readers keep of a study, and reports made of it. Their bytes lie in storage under the study's key."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from server.core.models import BaseModel
from server.studies.sealing import stream_of


class KeyImage(BaseModel):
    """A viewport as somebody kept it, with pseudonym, scale, letters and "Not for clinical use" burnt in."""

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="key_images")
    series = models.ForeignKey("studies.Series", on_delete=models.CASCADE, related_name="+")
    audience = models.UUIDField(null=True, db_index=True)  # a reading, or null: shared (studies.sealing)
    viewport = models.CharField(max_length=12)  # axial, coronal, sagittal, surfaces
    view = models.TextField(blank=True)  # the address of what was seen
    picture_ref = models.CharField(max_length=101)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["study", "created_at"], name="key_images_of_a_study")]

    @property
    def project_id(self) -> object:
        return self.study.project_id

    @property
    def stream(self) -> str:
        return stream_of(self.study_id, self.audience)


class Report(BaseModel):
    """What is known of one study at one moment, in one language: `content` is JSON, `pdf` a PDF, both sealed."""

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="reports")
    job = models.OneToOneField("jobs.Job", on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=10)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    content_ref = models.CharField(max_length=101, blank=True)
    pdf_ref = models.CharField(max_length=101, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)
    pages = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["study", "created_at"], name="reports_of_a_study")]

    @property
    def project_id(self) -> object:
        return self.study.project_id

    @property
    def is_ready(self) -> bool:
        return bool(self.pdf_ref)
