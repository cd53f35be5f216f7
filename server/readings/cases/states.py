"""Stages and states of cases and readings, and every move there is. Triggers in the database hold the same tables."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CaseStage(models.TextChoices):
    READING = "reading", _("Reading")
    ADJUDICATION = "adjudication", _("Adjudication")
    APPROVAL = "approval", _("Approval")


class CaseState(models.TextChoices):
    NEW = "new", _("New")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")


class ReadingKind(models.TextChoices):
    FIRST = "first", _("Read")
    ADJUDICATION = "adjudication", _("Adjudication")


class ReadingState(models.TextChoices):
    ASSIGNED = "assigned", _("Assigned")
    IN_PROGRESS = "in_progress", _("In progress")
    COMMITTED = "committed", _("Committed")
    SUBMITTED = "submitted", _("Submitted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


Where = tuple[str, str]  # stage, state

# The last one opens a signed case again, as its next version.
CASE_MOVES: dict[Where, frozenset[Where]] = {
    ("reading", "new"): frozenset({("reading", "in_progress")}),
    ("reading", "in_progress"): frozenset({("adjudication", "new"), ("approval", "new")}),
    ("adjudication", "new"): frozenset({("adjudication", "in_progress")}),
    ("adjudication", "in_progress"): frozenset({("approval", "new")}),
    ("approval", "new"): frozenset({("approval", "in_progress")}),
    ("approval", "in_progress"): frozenset({("approval", "completed")}),
    ("approval", "completed"): frozenset({("approval", "new")}),
}

READING_MOVES: dict[str, frozenset[str]] = {
    "assigned": frozenset({"in_progress", "withdrawn"}),
    "in_progress": frozenset({"committed", "withdrawn"}),
    "committed": frozenset({"submitted"}),
    "submitted": frozenset(),
    "withdrawn": frozenset(),
}

UNFINISHED = ("assigned", "in_progress")  # sealed: the first read is not in yet
OPEN = ("assigned", "in_progress", "committed")  # work of its reader goes here
FINISHED = ("committed", "submitted")
LIVE = ("assigned", "in_progress", "committed", "submitted")
