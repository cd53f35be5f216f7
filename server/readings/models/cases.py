"""How a project reads (Protocol), one study being read (Case), one person's read of it (Reading)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from server.core.models import BaseModel
from server.readings.cases.states import CaseStage, CaseState, ReadingKind, ReadingState

__all__ = ["Case", "CaseStage", "CaseState", "Protocol", "Reading", "ReadingKind", "ReadingState"]


class Protocol(BaseModel):
    """What a project's cases are read by. Limits: null is no limit; outside one, an adjudicator decides."""

    project = models.OneToOneField("accounts.Project", on_delete=models.CASCADE, related_name="protocol")
    is_sealed = models.BooleanField(default=True)
    readers_per_case = models.PositiveSmallIntegerField(default=2)
    form = models.JSONField(default=list)  # [{key, text, kind, choices, required}] (cases.content)
    segments = models.JSONField(default=list)  # [{number, label, colour, category, type}]
    dice_limit = models.FloatField(null=True)
    hd95_limit_mm = models.FloatField(null=True)
    volume_limit_percent = models.FloatField(null=True)
    categories_must_agree = models.BooleanField(default=False)
    due_days = models.PositiveSmallIntegerField(null=True)  # calendar days in the project's zone
    algorithm = models.CharField(max_length=60, blank=True)
    excluded = models.JSONField(default=list)  # ids of people who are dealt nothing
    last_number = models.PositiveIntegerField(default=0)  # of cases; numbers are not used again


class Case(BaseModel):
    """One study on its way from reading to signature.

    `is_blind` never comes back once it is gone; `version` counts what was signed and opened again.
    """

    study = models.OneToOneField("studies.Study", on_delete=models.CASCADE, related_name="case")
    series = models.ForeignKey("studies.Series", on_delete=models.CASCADE, related_name="+")  # what is outlined
    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="cases")
    number = models.PositiveIntegerField()
    stage = models.CharField(max_length=12, choices=CaseStage.choices, default=CaseStage.READING)
    state = models.CharField(max_length=12, choices=CaseState.choices, default=CaseState.NEW)
    version = models.PositiveIntegerField(default=1)
    is_blind = models.BooleanField()
    is_practice = models.BooleanField(default=False)
    due_on = models.DateField(null=True)  # a calendar day in the project's zone
    final = models.ForeignKey("reconstructions.Segmentation", null=True, on_delete=models.SET_NULL, related_name="+")
    final_seq = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="one_case_per_number"),
            models.CheckConstraint(condition=Q(version__gte=1), name="versions_of_a_case_begin_at_one"),
            models.CheckConstraint(
                condition=~Q(state=CaseState.COMPLETED) | Q(stage=CaseStage.APPROVAL),
                name="a_case_is_completed_by_approval",
            ),
        ]
        indexes = [models.Index(fields=["project", "stage", "state", "due_on"], name="cases_of_a_project")]


class Reading(BaseModel):
    """One person's read of a case. What was first committed, and what was submitted, never changes afterwards.

    `*_answers` maps keys of the form to values; what a person typed stands in `*_words`, sealed under the study's
    key. `*_annotations` is [[id, version], ...]. The digest is SHA-256 over the labelmap's bytes at `*_seq`.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="readings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="readings")
    kind = models.CharField(max_length=12, choices=ReadingKind.choices, default=ReadingKind.FIRST)
    letter = models.CharField(max_length=2)
    state = models.CharField(max_length=12, choices=ReadingState.choices, default=ReadingState.ASSIGNED)
    due_on = models.DateField(null=True)
    replaces = models.OneToOneField("self", null=True, on_delete=models.SET_NULL, related_name="replaced_by")
    segmentation = models.ForeignKey(
        "reconstructions.Segmentation", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    begun_at = models.DateTimeField(null=True)
    first_seq = models.BigIntegerField(null=True)
    first_digest = models.CharField(max_length=64, blank=True)
    first_answers = models.JSONField(null=True)
    first_words = models.BinaryField(null=True)
    first_annotations = models.JSONField(null=True)
    committed_at = models.DateTimeField(null=True)
    final_seq = models.BigIntegerField(null=True)
    final_digest = models.CharField(max_length=64, blank=True)
    final_answers = models.JSONField(null=True)
    final_words = models.BinaryField(null=True)
    final_annotations = models.JSONField(null=True)
    submitted_at = models.DateTimeField(null=True)
    draft_answers = models.JSONField(null=True)  # not yet committed or submitted: nothing is lost by a reload
    draft_words = models.BinaryField(null=True)
    seconds_reading = models.FloatField(default=0.0)  # really spent, as the reader's page counted them

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "reader"],
                condition=~Q(state=ReadingState.WITHDRAWN),
                name="one_live_reading_per_reader",
            ),
            models.UniqueConstraint(
                fields=["case", "letter"],
                condition=~Q(state=ReadingState.WITHDRAWN),
                name="one_live_reading_per_letter",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["committed", "submitted"])
                | Q(first_seq__isnull=False, first_answers__isnull=False, committed_at__isnull=False),
                name="a_committed_read_is_kept",
            ),
            models.CheckConstraint(
                condition=~Q(state="submitted")
                | Q(final_seq__isnull=False, final_answers__isnull=False, submitted_at__isnull=False),
                name="a_submitted_read_is_kept",
            ),
        ]
        indexes = [models.Index(fields=["reader", "state", "due_on"], name="readings_of_a_person")]

    @property
    def stream(self) -> str:
        return f"reading:{self.pk}"
