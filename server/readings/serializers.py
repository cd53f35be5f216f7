"""How an annotation looks in JSON: the same in answers, in a study's state and, without its name, in events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers

from server.algorithms.api import CodeSerializer
from server.readings.codes import CONCEPTS
from server.readings.models import Act, Annotation, AnnotationOperation, Kind, LesionRole
from server.readings.selectors import names_of
from server.studies.sealing import Masks
from server.studies.sealing import masks as masks_of


class AuthorSerializer(serializers.Serializer):
    """`id` is null where the case is blind: then the name is "Reader A"."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    colour = serializers.CharField()


class StatisticsSerializer(serializers.Serializer):
    """Of the voxels whose middle lies inside, in `unit` (HU, SUV ...)."""

    mean = serializers.FloatField()
    sd = serializers.FloatField()
    min = serializers.FloatField()
    max = serializers.FloatField()
    count = serializers.IntegerField()
    unit = serializers.CharField()


class AnnotationSerializer(serializers.Serializer):
    """A mark as it stands. Points are LPS mm; `unit` is UCUM; `tracking_uid` is DICOM (112040, DCM)."""

    id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    series_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    number = serializers.IntegerField()
    version = serializers.IntegerField()
    is_deleted = serializers.BooleanField()
    points = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    plane_normal = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    value = serializers.FloatField(allow_null=True)
    unit = serializers.CharField()
    statistics = StatisticsSerializer(allow_null=True)
    colour = serializers.CharField()
    name = serializers.CharField()
    name_version = serializers.IntegerField()
    finding = CodeSerializer(allow_null=True)
    finding_site = CodeSerializer(allow_null=True)
    laterality = CodeSerializer(allow_null=True)
    lesion_role = serializers.ChoiceField(choices=LesionRole.choices, allow_blank=True)
    concept = CodeSerializer(allow_null=True)
    tracking_uid = serializers.CharField()
    audience = serializers.UUIDField(allow_null=True)
    author = AuthorSerializer(allow_null=True)
    changed_by = AuthorSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    modified_at = serializers.DateTimeField()


class OperationSerializer(serializers.Serializer):
    """One act. `id` and, for add, `annotation` are made by the browser; `base_version` is what the person saw."""

    id = serializers.UUIDField()
    annotation = serializers.UUIDField()
    act = serializers.ChoiceField(choices=Act.choices)
    base_version = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    series = serializers.UUIDField(required=False)
    kind = serializers.CharField(required=False, max_length=20)
    number = serializers.IntegerField(required=False, min_value=1, max_value=100_000)
    name = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    values = serializers.DictField(default=dict)


class HistorySerializer(serializers.Serializer):
    id = serializers.UUIDField()
    act = serializers.ChoiceField(choices=Act.choices)
    base_version = serializers.IntegerField()
    version = serializers.IntegerField()
    values = serializers.DictField()
    name = serializers.CharField(allow_null=True)
    author = AuthorSerializer(allow_null=True)
    at = serializers.DateTimeField()


def person_json(person: Any) -> dict[str, Any] | None:
    """As events carry a person: they go to a stream nobody blind hears."""
    return Masks().author(person)


def fields_json(annotation: Annotation, masks: Masks | None = None) -> dict[str, Any]:
    """Everything but the name; without `masks` as events carry it."""
    masks, audience = masks or Masks(), annotation.audience
    created, modified = masks.time(annotation.created_at, audience), masks.time(annotation.modified_at, audience)
    return {
        "id": str(annotation.pk),
        "study_id": str(annotation.study_id),
        "series_id": str(annotation.series_id),
        "kind": str(annotation.kind),
        "number": annotation.number,
        "version": annotation.version,
        "is_deleted": annotation.is_deleted,
        "points": annotation.points,
        "plane_normal": annotation.plane_normal,
        "value": annotation.value,
        "unit": annotation.unit,
        "statistics": annotation.statistics,
        "colour": annotation.colour,
        "name_version": annotation.name_version,
        "finding": annotation.finding,
        "finding_site": annotation.finding_site,
        "laterality": annotation.laterality,
        "lesion_role": annotation.lesion_role,
        "concept": CONCEPTS.get(annotation.kind),
        "tracking_uid": annotation.tracking_uid,
        "audience": str(audience) if audience else None,
        "author": masks.author(annotation.author, audience),
        "changed_by": masks.author(annotation.changed_by, audience),
        "created_at": created and created.isoformat(),
        "modified_at": modified and modified.isoformat(),
    }


def annotations_json(rows: Iterable[Annotation], study_id: UUID, user: Any) -> list[dict[str, Any]]:
    """Annotations of one study with their names, as the person may see them."""
    annotations = list(rows)
    names, seen = names_of(annotations, study_id), masks_of(user, study_id)
    return [{**fields_json(one, seen), "name": name} for one, name in zip(annotations, names, strict=True)]


def annotation_json(annotation: Annotation, user: Any) -> dict[str, Any]:
    return annotations_json([annotation], annotation.study_id, user)[0]


def history_json(annotation: Annotation, rows: Iterable[AnnotationOperation], user: Any) -> list[dict[str, Any]]:
    """What was done, oldest first; `name` is null where the act left it alone."""
    operations, audience = list(rows), annotation.audience
    names, seen = names_of(operations, annotation.study_id), masks_of(user, annotation.study_id)
    return [
        {
            "id": str(one.pk),
            "act": str(one.act),
            "base_version": one.base_version,
            "version": one.version,
            "values": one.values,
            "name": None if one.name_sealed is None else name,
            "author": seen.author(one.author, audience),
            "at": (seen.time(one.created_at, audience) or one.created_at).isoformat(),
        }
        for one, name in zip(operations, names, strict=True)
    ]
