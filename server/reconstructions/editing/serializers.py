"""How operations and versions look in JSON: the same in answers and in events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from server.reconstructions.editing.checks import KINDS
from server.reconstructions.models import Operation, Segment, Segmentation
from server.reconstructions.serializers import EditorSerializer, SegmentSerializer, editor_json
from server.studies.sealing import Masks, masks


class SentSerializer(serializers.Serializer):
    """An operation to send. `id` is made by the browser: sending it again is harmless."""

    id = serializers.UUIDField()
    base_seq = serializers.IntegerField(min_value=0, default=0)
    kind = serializers.ChoiceField(choices=KINDS)
    name = serializers.CharField(max_length=80)
    payload = serializers.DictField()


class StepSerializer(serializers.Serializer):
    """`undo`, `redo`."""

    id = serializers.UUIDField()


class RestoreSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    seq = serializers.IntegerField(min_value=0)
    name = serializers.CharField(max_length=80)


class RefineSerializer(serializers.Serializer):
    """`prompt` is an object with `kind` and what that kind takes (refining.py). A preview changes nothing."""

    id = serializers.UUIDField()
    base_seq = serializers.IntegerField(min_value=0, default=0)
    name = serializers.CharField(max_length=80)
    prompt = serializers.DictField()
    preview = serializers.BooleanField(default=False)


class PreviewSerializer(serializers.Serializer):
    """What the prompt of a job would change: `effect` as that of an operation."""

    changed = serializers.IntegerField()
    effect = serializers.CharField()
    seq = serializers.IntegerField()


class SaveSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=80)


class EditOperationSerializer(serializers.Serializer):
    """One operation. `effect` (base64 of runs: gap, length, label) is empty unless effects are asked for."""

    seq = serializers.IntegerField()
    id = serializers.UUIDField(source="client_id")
    kind = serializers.CharField()
    name = serializers.CharField()
    author = serializers.SerializerMethodField()
    created_at = serializers.SerializerMethodField()
    base_seq = serializers.IntegerField()
    payload = serializers.SerializerMethodField()
    number = serializers.IntegerField(allow_null=True)
    target = serializers.IntegerField(allow_null=True)
    undone = serializers.SerializerMethodField()
    changed = serializers.IntegerField()
    contested = serializers.IntegerField()
    box = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    effect = serializers.SerializerMethodField()

    @extend_schema_field(EditorSerializer(allow_null=True))
    def get_author(self, operation: Operation) -> dict[str, Any] | None:
        return self.context["seen"].author(operation.author)

    @extend_schema_field(serializers.DateTimeField())
    def get_created_at(self, operation: Operation) -> str:
        return self.context["seen"].time(operation.created_at)

    @extend_schema_field(serializers.DictField())
    def get_payload(self, operation: Operation) -> dict[str, Any]:
        return {name: value for name, value in operation.params.items() if name != "table"}

    def get_undone(self, operation: Operation) -> bool:
        return operation.undone_by is not None

    def get_effect(self, operation: Operation) -> str:
        return self.context.get("effects", {}).get(operation.seq, "")


class EditOperationsSerializer(serializers.Serializer):
    """`seq` is the newest operation; with `more` ask again after the last one here."""

    operations = EditOperationSerializer(many=True)
    seq = serializers.IntegerField()
    more = serializers.BooleanField()


class NamedStepSerializer(serializers.Serializer):
    seq = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()


class StepsSerializer(serializers.Serializer):
    """What the person's own undo and redo would bring."""

    undo = NamedStepSerializer(allow_null=True)
    redo = NamedStepSerializer(allow_null=True)


class EditAnswerSerializer(serializers.Serializer):
    """`segments` are the rows that are new or changed, `removed` the numbers that are gone."""

    operation = EditOperationSerializer()
    segments = SegmentSerializer(many=True)
    removed = serializers.ListField(child=serializers.IntegerField())
    steps = StepsSerializer()


class VersionSerializer(serializers.Serializer):
    """A state one can go back to. `operations` counts those since the version before it."""

    seq = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["begin", "automatic", "named", "now"])
    author = EditorSerializer(allow_null=True)
    authors = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    operations = serializers.IntegerField()


class VersionsSerializer(serializers.Serializer):
    versions = VersionSerializer(many=True)


class ComparedSegmentSerializer(serializers.Serializer):
    """`dice` counts voxels; null where neither side has any. `ml_*` is null where the spacing is unknown."""

    number = serializers.IntegerField()
    label = serializers.CharField()
    colour = serializers.CharField()
    voxels_a = serializers.IntegerField()
    voxels_b = serializers.IntegerField()
    ml_a = serializers.FloatField(allow_null=True)
    ml_b = serializers.FloatField(allow_null=True)
    dice = serializers.FloatField(allow_null=True)


class VersionComparisonSerializer(serializers.Serializer):
    a = serializers.IntegerField()
    b = serializers.IntegerField()
    segments = ComparedSegmentSerializer(many=True)


class Seen:
    """Who did what and when in one segmentation, as a person may see it; without a person as events carry it."""

    def __init__(self, segmentation: Segmentation, user: Any = None) -> None:
        self.audience = segmentation.audience
        self.masks = masks(user, segmentation.study_id) if user is not None else Masks()

    def author(self, person: Any) -> dict[str, Any] | None:
        return editor_json(person, self.audience, self.masks)

    def time(self, at: datetime) -> str:
        return serializers.DateTimeField().to_representation(self.masks.time(at, self.audience) or at)


def operation_json(operation: Operation, effects: dict[int, str] | None = None, seen: Seen | None = None) -> Any:
    """One operation; `effects` maps its number to base64."""
    context = {"effects": effects or {}, "seen": seen or Seen(operation.segmentation)}
    return dict(EditOperationSerializer(operation, context=context).data)


def segment_rows_json(segmentation: Segmentation, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """The named rows of the list as they are now, in its order."""
    rows = Segment.objects.filter(segmentation=segmentation, number__in=list(numbers))
    ordered = rows.select_related("surface").order_by("place", "number")
    return [dict(row) for row in SegmentSerializer(ordered, many=True).data]
