"""Asking for comparisons, reading them and their painted surfaces."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.core.forms import checked
from server.jobs.selectors import error_json
from server.jobs.states import JobState
from server.reconstructions.comparing import services, states
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.comparing.selectors import comparisons_visible_to
from server.reconstructions.models import Segmentation
from server.reconstructions.selectors import bare_segmentations_visible_to
from server.reconstructions.serializers import title_of
from server.studies import sealing
from server.studies.files import stored_file


class AskSerializer(serializers.Serializer):
    left = serializers.UUIDField()
    left_seq = serializers.IntegerField(min_value=0, required=False, allow_null=True, default=None)
    right = serializers.UUIDField()
    right_seq = serializers.IntegerField(min_value=0, required=False, allow_null=True, default=None)


class ComparedSerializer(serializers.Serializer):
    """One of the two. `author` is masked where the case is blind."""

    segmentation_id = serializers.UUIDField()
    seq = serializers.IntegerField()
    newest_seq = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    author = serializers.DictField(allow_null=True)
    series_id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    study_date = serializers.DateField(allow_null=True)


class ComparisonSerializer(serializers.Serializer):
    """`left` is A, `right` is B. In `result` a region's `max_mm` is positive where B goes further than A.

    `segments` and `regions` are the engine's SegmentAgreement and PlaceOfDifference (mm, mL; LPS); `unpaired` are
    segments that only one of both knows. `state` is that of its job.
    """

    id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    left = ComparedSerializer()
    right = ComparedSerializer()
    state = serializers.ChoiceField(choices=["queued", "running", "succeeded", "failed", "cancelled"])
    job_id = serializers.UUIDField(allow_null=True)
    error = serializers.DictField(allow_null=True)
    pairs = serializers.ListField(child=serializers.DictField())
    unpaired = serializers.ListField(child=serializers.DictField())
    result = serializers.DictField(allow_null=True)
    urls = serializers.DictField(child=serializers.CharField(allow_null=True))


def comparison_json(comparison: Comparison, user: Any) -> dict[str, Any]:
    """As the person may see it; both segmentations are open to them."""
    done = comparison.result is not None
    state = JobState.SUCCEEDED if done else comparison.job.state if comparison.job else JobState.FAILED
    base = f"/api/comparisons/{comparison.pk}/surfaces/?side="
    body = {
        "id": comparison.pk,
        "study_id": comparison.study_id,
        "left": _compared(comparison.left, comparison.left_seq, user),
        "right": _compared(comparison.right, comparison.right_seq, user),
        "state": str(state),
        "job_id": comparison.job_id,
        "error": error_json(comparison.job) if comparison.job and not done else None,
        "pairs": comparison.pairs,
        "unpaired": comparison.unpaired,
        "result": comparison.result,
        "urls": {
            "surfaces_a": f"{base}a" if comparison.surfaces_a_ref else None,
            "surfaces_b": f"{base}b" if comparison.surfaces_b_ref else None,
            "labels_a": f"/api/comparisons/{comparison.pk}/labels/?side=a" if comparison.labels_a_ref else None,
            "labels_b": f"/api/comparisons/{comparison.pk}/labels/?side=b" if comparison.labels_b_ref else None,
        },
    }
    return dict(ComparisonSerializer(body).data)


def _compared(segmentation: Segmentation, seq: int, user: Any) -> dict[str, Any]:
    study_id, audience = segmentation.study_id, segmentation.audience
    return {
        "segmentation_id": segmentation.pk,
        "seq": seq,
        "newest_seq": states.newest_seq(segmentation),
        "kind": str(segmentation.kind),
        "title": title_of(segmentation) or (title_of(segmentation.based_on) if segmentation.based_on else ""),
        "author": sealing.author_as_seen_by(user, segmentation.author, study_id, audience),
        "series_id": segmentation.series_id,
        "study_id": study_id,
        "study_date": segmentation.study.study_date,
    }


class ComparisonsView(APIView):
    @extend_schema(
        request=AskSerializer,
        responses={201: ComparisonSerializer, 200: ComparisonSerializer},
        operation_id="comparisons_create",
    )
    def post(self, request: Request) -> Response:
        """Compare two segmentations, each as it is now or after an operation. 200 where it is ready."""
        wanted = checked(AskSerializer, request)
        rows = bare_segmentations_visible_to(request.user).select_related("series__study", "study")
        comparison = services.ask(
            left=get_object_or_404(rows, pk=wanted["left"]),
            left_seq=wanted["left_seq"],
            right=get_object_or_404(rows, pk=wanted["right"]),
            right_seq=wanted["right_seq"],
            by=request.user,
        )
        return Response(comparison_json(comparison, request.user), status=200 if comparison.result else 201)


class ComparisonView(APIView):
    @extend_schema(responses=ComparisonSerializer, operation_id="comparisons_retrieve")
    def get(self, request: Request, comparison_id: UUID) -> Response:
        found = get_object_or_404(comparisons_visible_to(request.user), pk=comparison_id)
        return Response(comparison_json(found, request.user))


class SurfacesView(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("side", str, enum=["a", "b"])],
        responses={(200, "model/gltf-binary"): OpenApiTypes.BINARY},
        operation_id="comparisons_surfaces",
    )
    def get(self, request: Request, comparison_id: UUID) -> HttpResponseBase:
        """One side's surfaces, GLB. Vertex attribute _DISTANCE_MM: mm to the other side, positive outside it."""
        found = get_object_or_404(comparisons_visible_to(request.user), pk=comparison_id)
        ref = found.surfaces_a_ref if request.query_params.get("side") == "a" else found.surfaces_b_ref
        return stored_file(request, ref, "model/gltf-binary")


class LabelsView(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("side", str, enum=["a", "b"])],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        operation_id="comparisons_labels",
    )
    def get(self, request: Request, comparison_id: UUID) -> HttpResponseBase:
        """One side's labels as they were compared: uint8 numbers of `pairs`, C order (k, j, i) of A's series, gzip."""
        found = get_object_or_404(comparisons_visible_to(request.user), pk=comparison_id)
        ref = found.labels_a_ref if request.query_params.get("side") == "a" else found.labels_b_ref
        return stored_file(request, ref, "application/octet-stream", encoding="gzip")


urlpatterns = [
    path("comparisons/", ComparisonsView.as_view(), name="api-comparisons"),
    path("comparisons/<uuid:comparison_id>/", ComparisonView.as_view(), name="api-comparison"),
    path("comparisons/<uuid:comparison_id>/labels/", LabelsView.as_view(), name="api-comparison-labels"),
    path("comparisons/<uuid:comparison_id>/surfaces/", SurfacesView.as_view(), name="api-comparison-surfaces"),
]
