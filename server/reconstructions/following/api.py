"""The change between two studies of one patient, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.reconstructions.following.change import Changed, FollowUp, Side, follow_up
from server.reconstructions.selectors import bare_segmentations_visible_to
from server.reconstructions.serializers import title_of


class FollowUpSideSerializer(serializers.Serializer):
    """One side. `study_date` is shifted as all dates are; the days between two of one patient are true."""

    segmentation_id = serializers.UUIDField()
    seq = serializers.IntegerField()
    study_id = serializers.UUIDField()
    series_id = serializers.UUIDField()
    study_date = serializers.DateField(allow_null=True)
    title = serializers.CharField()


class ChangedSerializer(serializers.Serializer):
    """mL of each one's own voxels. `doubling_days` below 0: it halves in that time."""

    number = serializers.IntegerField()
    label = serializers.CharField()
    colour = serializers.CharField()
    is_lesion = serializers.BooleanField()
    earlier_ml = serializers.FloatField(allow_null=True)
    later_ml = serializers.FloatField(allow_null=True)
    change_ml = serializers.FloatField(allow_null=True)
    change_percent = serializers.FloatField(allow_null=True)
    doubling_days = serializers.FloatField(allow_null=True)


class AloneSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    label = serializers.CharField()
    is_earlier = serializers.BooleanField()
    volume_ml = serializers.FloatField(allow_null=True)


class RelationSerializer(serializers.Serializer):
    """How the two lie to each other; without `allowed` there are volumes and no distances."""

    allowed = serializers.BooleanField()
    how = serializers.ChoiceField(choices=["same_frame", "transform", "refused"])
    reason = serializers.CharField(allow_null=True)
    sentence = serializers.CharField()


class FollowUpSerializer(serializers.Serializer):
    """`opened` is the segmentation asked of: "earlier" or "later"."""

    opened = serializers.ChoiceField(choices=["earlier", "later"])
    earlier = FollowUpSideSerializer()
    later = FollowUpSideSerializer()
    days = serializers.IntegerField(allow_null=True)
    relation = RelationSerializer()
    segments = ChangedSerializer(many=True)
    unpaired = AloneSerializer(many=True)
    comparison_id = serializers.UUIDField(allow_null=True)


def change_json(found: FollowUp) -> dict[str, Any]:
    fusion = found.fusion
    body = {
        "opened": "later" if found.later is found.opened else "earlier",
        "earlier": _dated(found.earlier),
        "later": _dated(found.later),
        "days": found.days,
        "relation": {
            "allowed": fusion.allowed,
            "how": fusion.how,
            "reason": fusion.reason,
            "sentence": fusion.sentence,
        },
        "segments": [_changed(one) for one in found.segments],
        "unpaired": found.unpaired,
        "comparison_id": found.comparison and found.comparison.pk,
    }
    return dict(FollowUpSerializer(body).data)


def _dated(side: Side) -> dict[str, Any]:
    one = side.segmentation
    return {
        "segmentation_id": one.pk,
        "seq": side.seq,
        "study_id": one.study_id,
        "series_id": one.series_id,
        "study_date": one.study.study_date,
        "title": title_of(one) or (title_of(one.based_on) if one.based_on else ""),
    }


def _changed(one: Changed) -> dict[str, Any]:
    return {
        "number": one.number,
        "label": one.label,
        "colour": one.colour,
        "is_lesion": one.is_lesion,
        "earlier_ml": one.earlier_ml,
        "later_ml": one.later_ml,
        "change_ml": one.growth.change_ml,
        "change_percent": one.growth.percent,
        "doubling_days": one.growth.doubling_days if one.is_lesion else None,
    }


class ChangeView(APIView):
    @extend_schema(responses=FollowUpSerializer, operation_id="segmentations_change")
    def get(self, request: Request, segmentation_id: UUID, other_id: UUID) -> Response:
        """What became of the segments between two studies of one patient; the earlier date is the earlier side."""
        rows = bare_segmentations_visible_to(request.user).select_related(
            "series__study", "study", "algorithm_version__algorithm", "based_on__algorithm_version__algorithm"
        )
        opened = get_object_or_404(rows, pk=segmentation_id)
        other = get_object_or_404(rows, pk=other_id)
        return Response(change_json(follow_up(opened, other)))


urlpatterns = [
    path("segmentations/<uuid:segmentation_id>/change/<uuid:other_id>/", ChangeView.as_view(), name="api-change"),
]
