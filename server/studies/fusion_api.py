"""What may be laid over what, and the stored transforms, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Case, Value, When
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.selectors import may
from server.core.errors import LaminaError
from server.core.forms import checked
from server.studies.api import visible_study
from server.studies.fusion import Fusion, fusion_of, transforms_between
from server.studies.models import Series, TransformMethod
from server.studies.selectors import series_visible_to, transforms_visible_to
from server.studies.serializers import MatrixField, TransformSerializer, transform_json
from server.studies.transforms import add_transform, remove_transform

MOST_SERIES = 200


class FusionSerializer(serializers.Serializer):
    """One answer. `sentence` is for the reader, `matrix` takes LPS mm of `series_id` to LPS mm of the fixed series."""

    series_id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    allowed = serializers.BooleanField()
    how = serializers.ChoiceField(choices=["same_frame", "transform", "refused"])
    sentence = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    matrix = MatrixField(allow_null=True)
    transform = TransformSerializer(allow_null=True)


class FusionListSerializer(serializers.Serializer):
    results = FusionSerializer(many=True)


class TransformListSerializer(serializers.Serializer):
    results = TransformSerializer(many=True)


class NewTransformSerializer(serializers.Serializer):
    moving_series = serializers.UUIDField()
    fixed_series = serializers.UUIDField()
    matrix = MatrixField()
    method = serializers.ChoiceField(choices=TransformMethod.choices)
    landmark_error_mm = serializers.FloatField(allow_null=True, default=None, min_value=0, max_value=1000)
    note = serializers.CharField(max_length=200, allow_blank=True, default="")


def fusion_json(answer: Fusion) -> dict[str, Any]:
    transform = answer.transform and {**transform_json(answer.transform), "inverted": answer.inverted}
    return {
        "series_id": str(answer.moving.pk),
        "study_id": str(answer.moving.study_id),
        "allowed": answer.allowed,
        "how": answer.how,
        "sentence": answer.sentence,
        "reason": answer.reason,
        "matrix": answer.matrix,
        "transform": transform,
    }


class SeriesFusionsView(APIView):
    @extend_schema(responses=FusionListSerializer, operation_id="series_fusions")
    def get(self, request: Request, series_id: UUID) -> Response:
        """Every other series of the patient, this study's first: may it be laid over this one, and why or why not."""
        fixed = get_object_or_404(series_visible_to(request.user), pk=series_id)
        own_first = Case(When(study_id=fixed.study_id, then=Value(0)), default=Value(1))
        rows = series_visible_to(request.user).filter(study__patient_id=fixed.study.patient_id).exclude(pk=fixed.pk)
        others = rows.order_by(own_first, "-study__study_date", "number", "created_at", "id")[:MOST_SERIES]
        transforms = transforms_between([fixed])
        return Response({"results": [fusion_json(fusion_of(fixed, moving, transforms)) for moving in others]})


class SeriesFusionView(APIView):
    @extend_schema(responses=FusionSerializer, operation_id="series_fusion")
    def get(self, request: Request, series_id: UUID, moving_id: UUID) -> Response:
        """May `moving_id` be laid over `series_id`? A refusal is an answer, not an error."""
        fixed = get_object_or_404(series_visible_to(request.user), pk=series_id)
        moving = get_object_or_404(series_visible_to(request.user), pk=moving_id)
        if fixed.study.project_id != moving.study.project_id:
            # Between projects nothing is compared, not even to say that they differ.
            raise LaminaError("other_project", "The two series lie in different projects.", 422)
        return Response(fusion_json(fusion_of(fixed, moving, transforms_between([fixed]))))


class StudyTransformsView(APIView):
    @extend_schema(responses=TransformListSerializer, operation_id="transforms_list")
    def get(self, request: Request, study_id: UUID) -> Response:
        """Transforms that touch a frame of reference of this study, newest first."""
        study = visible_study(request.user, study_id)
        series = list(study.series.select_related("study"))
        return Response({"results": [transform_json(one) for one in transforms_between(series)]})

    @extend_schema(
        request=NewTransformSerializer, responses={201: TransformSerializer}, operation_id="transforms_create"
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        """Store a transform between a series of this study and one of the same patient."""
        study = visible_study(request.user, study_id, "annotate")
        wanted = checked(NewTransformSerializer, request)
        patients = series_visible_to(request.user).filter(study__patient_id=study.patient_id)
        moving = self._series(patients, wanted["moving_series"])
        fixed = self._series(patients, wanted["fixed_series"])
        if study.pk not in {moving.study_id, fixed.study_id}:
            raise LaminaError("other_study", "One of the two series must belong to this study.", 422)
        transform = add_transform(
            moving=moving,
            fixed=fixed,
            matrix=wanted["matrix"],
            method=wanted["method"],
            landmark_error_mm=wanted["landmark_error_mm"],
            note=wanted["note"],
            by=request.user,
        )
        return Response(transform_json(transform), status=status.HTTP_201_CREATED)

    @staticmethod
    def _series(rows: Any, series_id: UUID) -> Series:
        return get_object_or_404(rows, pk=series_id)


class TransformView(APIView):
    @extend_schema(responses={204: OpenApiResponse(description="Removed")}, operation_id="transforms_remove")
    def delete(self, request: Request, transform_id: UUID) -> Response:
        """Its author or a project admin takes a transform away."""
        transform = get_object_or_404(transforms_visible_to(request.user), pk=transform_id)
        project_id = transform.moving_series.study.project_id
        own = transform.author_id == request.user.pk and may(request.user, project_id, "annotate")
        if not own and not may(request.user, project_id, "delete"):
            raise PermissionDenied
        remove_transform(transform=transform, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns = [
    path("series/<uuid:series_id>/fusion/", SeriesFusionsView.as_view(), name="api-series-fusions"),
    path("series/<uuid:series_id>/fusion/<uuid:moving_id>/", SeriesFusionView.as_view(), name="api-series-fusion"),
    path("studies/<uuid:study_id>/transforms/", StudyTransformsView.as_view(), name="api-study-transforms"),
    path("transforms/<uuid:transform_id>/", TransformView.as_view(), name="api-transform"),
]
