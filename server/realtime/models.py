"""Streams and their numbered events. A stream has one audience; its numbers have no gaps."""

from __future__ import annotations

from django.db import models


class Stream(models.Model):
    """The counter of one stream. Locked from the first number given in a transaction until its commit.

    That lock is what makes numbers gap-free and visible in order: nobody sees 8 before 7 is committed.
    """

    name = models.CharField(primary_key=True, max_length=64)
    last = models.BigIntegerField(default=0)
    # Events below this number were cleaned away or erased; a browser that is further behind reloads the page.
    kept_from = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class StreamEvent(models.Model):
    """One thing that happened, as every member of the stream's audience may know it."""

    stream = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    type = models.CharField(max_length=80)
    payload = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "seq"], name="one_event_per_number")]

    def __str__(self) -> str:
        return f"{self.stream} {self.seq} {self.type}"
