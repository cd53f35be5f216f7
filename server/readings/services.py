"""Doing something to an annotation. Row, operation, audit entry and event happen together or not at all.

An operation has an id its browser made and the version its person saw. The same id again changes nothing and answers
what is; another version in between is a conflict: both sides go back to the browser and nothing is overwritten.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied

from server.accounts.selectors import may
from server.core import audit
from server.core.errors import LaminaError
from server.core.secrets import derive, seal_text
from server.readings import content
from server.readings.events import AnnotationAdded, AnnotationChanged, AnnotationDeleted, AnnotationRestored
from server.readings.models import Act, Annotation, AnnotationOperation
from server.readings.selectors import annotations_visible_to, complete
from server.readings.serializers import annotation_json, fields_json, person_json
from server.realtime.services import lock_stream, publish
from server.studies import sealing
from server.studies.models import Series, Study, StudyState

MOST = 5000  # of one study, deleted ones included


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """What a browser asks for. `values` are the fields it sets, `name` is None where it leaves the name alone."""

    id: UUID
    annotation: UUID
    act: str
    base_version: int
    values: Mapping[str, Any]
    name: str | None = None
    series: UUID | None = None
    kind: str = ""
    number: int = 1

    def digest(self, study: Study) -> str:
        """Keyed, because a bare hash of a short name could be guessed."""
        body = [str(self.annotation), self.act, self.base_version, self.values, self.name]
        text = json.dumps([*body, str(self.series), self.kind, self.number], sort_keys=True, default=str)
        return hmac.new(derive("operation", study.project_id), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Done:
    annotation: Annotation
    is_repeat: bool


@transaction.atomic
def apply_operation(*, study: Study, by: Any, operation: Operation) -> Done:
    """Carry out one operation of one person.

    Raises LaminaError: study_in_bin and annotation_conflict (409, with `theirs` and `yours`), operation_id_reused and
    invalid_annotation (422), not_found (404). Raises PermissionDenied for deleting somebody else's without the right.
    """
    lock_stream(study.stream)
    state = Study.objects.filter(pk=study.pk).values_list("state", flat=True).get()
    if state != StudyState.ACTIVE:
        raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    digest = operation.digest(study)
    earlier = AnnotationOperation.objects.select_related("annotation").filter(pk=operation.id).first()
    if earlier is not None:
        if earlier.annotation.study_id != study.pk or earlier.digest != digest or earlier.author_id != by.pk:
            raise LaminaError("operation_id_reused", _("This operation's id was used for another one."), 422)
        return Done(_whole(earlier.annotation_id), is_repeat=True)
    annotation = _add(study, by, operation) if operation.act == Act.ADD else _act_on(study, by, operation)
    values = dict(operation.values) if operation.act in (Act.ADD, Act.CHANGE) else {}
    AnnotationOperation.objects.create(
        id=operation.id,
        annotation=annotation,
        act=operation.act,
        base_version=operation.base_version,
        version=annotation.version,
        values=values,
        name_sealed=None if operation.name is None else _sealed(study, operation.name),
        digest=digest,
        author=by,
    )
    audit.record(
        by, f"annotation.{_PAST[operation.act]}", annotation, project_id=study.project_id,
        study_id=study.pk, kind=annotation.kind, version=annotation.version, fields=sorted(values),
    )  # fmt: skip
    annotation = _whole(annotation.pk)
    publish(_event(operation, annotation), stream=annotation.stream)
    return Done(annotation, is_repeat=False)


_PAST = {Act.ADD: "added", Act.CHANGE: "changed", Act.DELETE: "deleted", Act.RESTORE: "restored"}


def _add(study: Study, by: Any, operation: Operation) -> Annotation:
    if Annotation.objects.filter(pk=operation.annotation).exists():
        known = annotations_visible_to(by).filter(pk=operation.annotation, study=study).first()
        # Another study's annotation, or a sealed one, is none of this person's business: say only that the id is taken.
        if known is None:
            raise LaminaError("annotation_id_taken", _("This annotation's id is taken. Make a new one."), 422)
        raise _conflict(known, operation, by)
    audience = sealing.audience_for(by, study.pk)
    sealing.check_write(by, study.pk, audience)
    if Annotation.objects.filter(study=study).count() >= MOST:
        raise LaminaError("too_many_annotations", _("This study has as many annotations as it can hold."), 409)
    series = Series.objects.filter(pk=operation.series, study=study).first()
    if series is None:
        message = _("The series of this annotation does not belong to the study.")
        raise LaminaError("invalid_annotation", message, 422, field="series")
    values = {"plane_normal": None, "value": None, "unit": "", "statistics": None, "colour": "#FEEE3E"}
    values |= content.checked_values(operation.values)
    if "points" not in values:
        raise LaminaError("invalid_annotation", _("points must be a list of places."), 422, field="points")
    content.check_whole(operation.kind, values, series)
    content.check_role(operation.kind, values.get("lesion_role", ""))
    name = content.checked_name(operation.name or "")
    return Annotation.objects.create(
        id=operation.annotation,
        study=study,
        series=series,
        audience=audience,
        kind=operation.kind,
        number=operation.number,
        name_sealed=_sealed(study, name),
        name_version=1 if name else 0,
        author=by,
        changed_by=by,
        **values,
    )


def _act_on(study: Study, by: Any, operation: Operation) -> Annotation:
    rows = annotations_visible_to(by).select_for_update(of=("self",)).filter(pk=operation.annotation, study=study)
    annotation = rows.select_related("author", "changed_by", "study", "series").first()
    if annotation is None:
        raise LaminaError("not_found", _("There is no such annotation in this study."), 404)
    sealing.check_write(by, study.pk, annotation.audience)
    if annotation.version != operation.base_version:
        raise _conflict(annotation, operation, by)
    gone = operation.act == Act.RESTORE
    if annotation.is_deleted != gone:
        raise _conflict(annotation, operation, by)
    if operation.act == Act.CHANGE:
        _change(annotation, operation, study)
    else:
        own = annotation.author_id == by.pk
        if not own and not may(by, study.project_id, "delete"):
            raise PermissionDenied(_("Only its author or a project admin may delete or restore this annotation."))
        annotation.is_deleted = operation.act == Act.DELETE
    annotation.version += 1
    if operation.name is not None and operation.act == Act.CHANGE:
        annotation.name_sealed = _sealed(study, content.checked_name(operation.name))
        annotation.name_version = annotation.version
    annotation.changed_by = by
    annotation.save()
    return annotation


def _change(annotation: Annotation, operation: Operation, study: Study) -> None:
    values = content.checked_values(operation.values)
    if not values and operation.name is None:
        raise LaminaError("invalid_annotation", _("A change names at least one field."), 422)
    for field, value in values.items():
        setattr(annotation, field, value)
    content.check_role(annotation.kind, annotation.lesion_role)
    if content.GEOMETRY & values.keys():
        whole = {field: getattr(annotation, field) for field in content.GEOMETRY}
        content.check_whole(annotation.kind, whole, annotation.series)


def _sealed(study: Study, name: str) -> bytes | None:
    """An empty name is no secret and needs no key."""
    return seal_text(study.pk, study.project_id, name) if name else None


def _whole(annotation_id: UUID) -> Annotation:
    return complete(Annotation.objects.filter(pk=annotation_id)).get()


def _conflict(annotation: Annotation, operation: Operation, by: Any) -> LaminaError:
    """Both sides: what is there now, and what the person wanted. Nothing was written."""
    if annotation.is_deleted:
        message = _("This annotation was deleted in the meantime.")
    else:
        message = _("This annotation was changed in the meantime. Nothing was overwritten.")
    yours: dict[str, Any] = {"act": operation.act, "base_version": operation.base_version, "values": operation.values}
    if operation.name is not None:
        yours["name"] = operation.name
    return LaminaError("annotation_conflict", message, 409, theirs=annotation_json(annotation, by), yours=yours)


def _event(operation: Operation, annotation: Annotation) -> Any:
    match operation.act:
        case Act.ADD:
            return AnnotationAdded(operation_id=operation.id, annotation=fields_json(annotation))
        case Act.CHANGE:
            return AnnotationChanged(operation_id=operation.id, annotation=fields_json(annotation))
        case Act.RESTORE:
            return AnnotationRestored(operation_id=operation.id, annotation=fields_json(annotation))
    return AnnotationDeleted(
        operation_id=operation.id,
        annotation_id=annotation.pk,
        version=annotation.version,
        changed_by=person_json(annotation.changed_by),
    )
