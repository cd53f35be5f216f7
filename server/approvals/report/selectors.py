"""Who sees which key images and reports. A report tells results: it is nobody's who is sealed, and made of no case
that is still read blind."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from server.approvals.models.reports import KeyImage, Report
from server.studies import sealing
from server.studies.models import Study
from server.studies.selectors import studies_visible_to


def key_images_visible_to(user: Any) -> QuerySet[KeyImage]:
    rows = KeyImage.objects.filter(study__in=studies_visible_to(user))
    return sealing.unsealed(rows, user).select_related("study", "author").order_by("created_at", "id")


def may_have_report(user: Any, study: Study) -> bool:
    """Nothing of it is closed to the person, and nobody's name."""
    return not sealing.is_sealed(user, study.pk) and sealing.together(user, study.pk)


def reports_visible_to(user: Any) -> QuerySet[Report]:
    """Reports of studies whose results are open to the person, newest first."""
    rows = Report.objects.filter(study__in=studies_visible_to(user))
    rows = rows.exclude(study__in=sealing.sealed_study_ids(user))
    return rows.select_related("study__project", "study__patient", "author", "job").order_by("-created_at", "id")
