"""Who sees which annotations, and what they say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from server.core.secrets import open_texts
from server.readings.models import Annotation, AnnotationOperation
from server.studies.models import Study
from server.studies.sealing import unsealed
from server.studies.selectors import studies_visible_to


def annotations_visible_to(user: Any) -> QuerySet[Annotation]:
    """Those of the studies the person may see and not closed to them, deleted ones included: they can come back."""
    return complete(unsealed(Annotation.objects.filter(study__in=studies_visible_to(user)), user))


def annotations_of(study: Study, user: Any) -> QuerySet[Annotation]:
    """What is on the images now as far as it is not closed to the person, oldest first."""
    return complete(unsealed(Annotation.objects.filter(study=study, is_deleted=False), user))


def operations_of(annotation: Annotation) -> QuerySet[AnnotationOperation]:
    return annotation.operations.select_related("author").order_by("version")


def complete(rows: QuerySet[Annotation]) -> QuerySet[Annotation]:
    return rows.select_related("author", "changed_by", "study").order_by("created_at", "id")


def names_of(rows: Iterable[Annotation | AnnotationOperation], study_id: Any) -> list[str]:
    """What people typed, opened with the study's key in two queries, however many rows."""
    return open_texts(study_id, [row.name_sealed for row in rows])
