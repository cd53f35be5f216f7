"""Job, the one truth about queued work, and Worker, who is alive."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from server.core.models import BaseModel
from server.jobs import conf
from server.jobs.states import JobState, Queue

MAX_ATTEMPTS = 3


class Job(BaseModel):
    """A piece of work. While it runs, every write carries its fence in the WHERE (services.py).

    `parameters` and `result` hold ids, numbers and names of algorithms, never a patient's words. `beat` is a
    counter: the sweeper judges by its own clock whether it stands still, so no two clocks are ever compared.
    """

    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=12, choices=Queue.choices)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    priority = models.SmallIntegerField(default=0)  # higher goes first

    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="+")
    owner_kind = models.CharField(max_length=20)  # "study", "intake": whose rows it makes
    owner_id = models.UUIDField()
    stream = models.CharField(max_length=64)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    idempotency_key = models.CharField(max_length=220, unique=True, null=True)
    parameters = models.JSONField(default=dict)
    retry_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="retries")

    fence = models.BigIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=MAX_ATTEMPTS)
    beat = models.BigIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    device = models.CharField(max_length=40, blank=True)

    phase = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=120, blank=True)
    fraction = models.FloatField(default=0.0)
    seconds_left = models.FloatField(null=True)

    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    error_facts = models.JSONField(default=dict)
    exit_signal = models.PositiveSmallIntegerField(null=True)
    peak_memory_mib = models.FloatField(null=True)
    result = models.JSONField(null=True)

    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="a_job_has_a_known_state"),
            models.CheckConstraint(condition=Q(attempt__lte=F("max_attempts")), name="attempts_are_bounded"),
        ]
        indexes = [
            # The order of the line, and only what waits: claiming costs the same however many jobs there were.
            models.Index(
                F("queue"), F("priority").desc(), F("created_at"), F("id"),
                condition=Q(state=JobState.QUEUED), name="jobs_waiting",
            ),
            models.Index(fields=["modified_at"], condition=Q(state=JobState.RUNNING), name="jobs_running"),
            models.Index(fields=["owner_kind", "owner_id", "created_at"], name="jobs_by_owner"),
            models.Index(fields=["project", "created_at", "id"], name="jobs_by_project"),
            models.Index(fields=["kind", "finished_at"], condition=Q(state=JobState.SUCCEEDED), name="jobs_past_runs"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} {self.state}"


class Worker(models.Model):
    """One slot of one worker process. `beat` counts up while it lives; the row goes when it stood still for long."""

    name = models.CharField(primary_key=True, max_length=120)
    host = models.CharField(max_length=80)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    device = models.CharField(max_length=40, blank=True)
    beat = models.BigIntegerField(default=0)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    memory_mib = models.FloatField(default=0.0)
    started_at = models.DateTimeField()
    last_beat_at = models.DateTimeField()  # for people to read; nothing is decided by it

    def __str__(self) -> str:
        return self.name

    @property
    def is_silent(self) -> bool:
        """For the operations page: longer without a beat than a lease. The sweeper has its own, clock-free way."""
        return (timezone.now() - self.last_beat_at).total_seconds() > conf.lease()
