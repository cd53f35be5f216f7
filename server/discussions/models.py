"""Questions pinned to a place in the body, and who has to hear of them.

A thread keeps where it was pinned: the point, the surface it was asked about and the version of that surface, so that
it can be found again after a new reconstruction. What people type lies sealed under the study's key.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from server.core.models import BaseModel
from server.studies.sealing import stream_of


class ThreadState(models.TextChoices):
    OPEN = "open"
    RESOLVED = "resolved"


class Thread(BaseModel):
    """A question at a place. `id` is made by the browser, so that sending it twice makes one.

    `audience` is null for what everybody who sees the study's results may read, else the id of a reading: then it is
    private to that reading until it is opened.
    """

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="threads")
    series = models.ForeignKey("studies.Series", on_delete=models.CASCADE, related_name="threads")
    audience = models.UUIDField(null=True, db_index=True)
    point_mm = models.JSONField()  # [x, y, z] LPS
    segmentation = models.ForeignKey(
        "reconstructions.Segmentation", null=True, on_delete=models.SET_NULL, related_name="threads"
    )
    segmentation_seq = models.BigIntegerField(default=0)  # the newest operation when it was pinned
    segment_number = models.PositiveSmallIntegerField(null=True)
    segment_label = models.CharField(max_length=64, blank=True)  # said when the segment is gone
    surface_mm = models.JSONField(null=True)  # the point of that segment's surface nearest to `point_mm`, LPS
    view = models.TextField(blank=True)  # the address of what was seen, as the page writes it after "#"
    state = models.CharField(max_length=8, choices=ThreadState.choices, default=ThreadState.OPEN)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)  # rises with everything that happens in it
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["study", "audience", "state"], name="threads_of_a_study")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True) | Q(state="resolved", resolved_at__isnull=False),
                name="a_resolved_thread_says_when",
            )
        ]

    @property
    def project_id(self) -> object:
        """So that audit rows about a thread land in its project's chain."""
        return self.study.project_id

    @property
    def stream(self) -> str:
        """Where it is told: to all who see the results, or inside one reading."""
        return stream_of(self.study_id, self.audience)


class Comment(BaseModel):
    """What one person wrote, as it reads now. `id` is made by the browser."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    text_sealed = models.BinaryField()
    version = models.PositiveIntegerField(default=1)
    edited_at = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64)  # keyed, of what was first sent: the same id for something else is refused
    mentioned = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["thread", "created_at"], name="comments_of_a_thread")]


class CommentVersion(BaseModel):
    """What a comment said before it was edited. Never changed, never removed while the study lives."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    text_sealed = models.BinaryField()
    written_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "version"], name="one_text_per_version")]


class NoticeKind(models.TextChoices):
    MENTION = "mention"
    REPLY = "reply"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Notice(BaseModel):
    """Something one person should look at. What it speaks of is shown only while that person may see the thread."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=8, choices=NoticeKind.choices)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="notices")
    comment = models.ForeignKey(Comment, null=True, on_delete=models.CASCADE, related_name="notices")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(F("person"), F("created_at").desc(), name="notices_of_a_person"),
            models.Index(fields=["person"], condition=Q(read_at__isnull=True), name="unread_notices"),
        ]
