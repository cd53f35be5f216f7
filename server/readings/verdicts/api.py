"""Differences and verdicts over HTTP. Only the reader's own read, and only once it is committed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.core.errors import LaminaError
from server.core.forms import checked
from server.readings.cases.selectors import own_readings
from server.readings.models.cases import Reading
from server.readings.models.verdicts import Verdict, VerdictAct
from server.readings.verdicts import services
from server.readings.verdicts.selectors import (
    COMMITTED,
    comparison_of,
    places_of,
    reasons_of,
    result_for,
    state_of,
    verdicts_of,
)
from server.reconstructions.comparing.models import Comparison

CANNOT_COMPARE = frozenset({"nothing_in_common", "not_registered", "other_patient"})


class VerdictSerializer(serializers.Serializer):
    key = serializers.CharField()
    act = serializers.ChoiceField(choices=VerdictAct.choices)
    reason = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField()


class PlaceSerializer(serializers.Serializer):
    """Where the two differ; points and bounds are LPS mm, `max_mm` is positive where the algorithm goes further."""

    n = serializers.IntegerField()
    key = serializers.CharField()
    number = serializers.IntegerField()
    label = serializers.CharField()
    side = serializers.ChoiceField(choices=["a_only", "b_only"])
    voxels = serializers.IntegerField()
    volume_ml = serializers.FloatField(allow_null=True)
    max_mm = serializers.FloatField(allow_null=True)
    centroid_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    point_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    middle_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    bounds_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    verdict = VerdictSerializer(allow_null=True)


class SideSerializer(serializers.Serializer):
    """One of the two that were compared: when it was made and the SHA-256 it was stored with."""

    segmentation = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)
    version = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    digest = serializers.CharField(allow_blank=True)


class DifferencesSerializer(serializers.Serializer):
    """`none`: there is no result to compare with; `waiting`: nobody has asked yet. `left_out`: less than a voxel."""

    state = serializers.ChoiceField(choices=["none", "waiting", "working", "ready", "failed"])
    comparison = serializers.UUIDField(allow_null=True)
    segments = serializers.ListField(child=serializers.DictField())
    places = PlaceSerializer(many=True)
    left_out = serializers.IntegerField()
    first = SideSerializer()
    other = SideSerializer(allow_null=True)
    problem = serializers.CharField(allow_blank=True)


class DecisionSerializer(serializers.Serializer):
    key = serializers.CharField(max_length=40)
    act = serializers.ChoiceField(choices=VerdictAct.choices)
    reason = serializers.CharField(max_length=300, allow_blank=True, default="")
    seconds = serializers.IntegerField(min_value=0, max_value=10**6, default=0)


def verdict_json(verdict: Verdict, reason: str) -> dict[str, Any]:
    at = verdict.modified_at.isoformat()
    return {"key": verdict.key, "act": str(verdict.act), "reason": reason, "decided_at": at}


def differences_json(reading: Reading, comparison: Comparison | None, refused: str = "") -> dict[str, Any]:
    """`refused`: why the two cannot be compared."""
    verdicts = verdicts_of(reading)
    given = {
        one.key: verdict_json(one, text) for one, text in zip(verdicts, reasons_of(verdicts, reading), strict=True)
    }
    result = comparison.right if comparison else result_for(reading)
    places = places_of(comparison, reading)
    content = (comparison.result if comparison else None) or {}
    asked = {one["number"] for one in getattr(getattr(reading.case.project, "protocol", None), "segments", [])}
    state, problem = state_of(comparison) if comparison else ("none" if result is None else "waiting", "")
    if refused:
        state, problem = "failed", refused
    first = {
        "segmentation": str(reading.segmentation_id),
        "title": "",
        "version": "",
        "at": reading.committed_at.isoformat() if reading.committed_at else None,
        "digest": reading.first_digest,
    }
    other = None
    if result is not None:
        version = result.algorithm_version
        other = {
            "segmentation": str(result.pk),
            "title": version.algorithm.title if version else "",
            "version": version.version if version else "",
            "at": result.created_at.isoformat(),
            "digest": (result.manifest.get("files") or {}).get("labelmap.u8.gz", ""),
        }
    return {
        "state": state,
        "comparison": str(comparison.pk) if comparison else None,
        "segments": [one for one in content.get("segments", []) if not asked or one["number"] in asked],
        "places": [{**place.region, "key": place.key, "verdict": given.get(place.key)} for place in places],
        "left_out": content.get("regions_left_out", 0) + len(content.get("regions", [])) - len(places),
        "first": first,
        "other": other,
        "problem": problem,
    }


def _own(request: Request, reading_id: UUID) -> Reading:
    """404 for everybody else's, and for one that is not committed: a sealed result has no address."""
    rows = own_readings(request.user).select_related("case__project__protocol", "case__series", "segmentation__series")
    reading = get_object_or_404(rows, pk=reading_id)
    if reading.state not in COMMITTED:
        raise Http404
    return reading


class DifferencesView(APIView):
    @extend_schema(responses=DifferencesSerializer, operation_id="readings_differences")
    def get(self, request: Request, reading_id: UUID) -> Response:
        """Where the own first read and the algorithm's result differ, largest first, with what was decided."""
        reading = _own(request, reading_id)
        return Response(differences_json(reading, comparison_of(reading)))

    @extend_schema(request=None, responses=DifferencesSerializer, operation_id="readings_ask_for_differences")
    def post(self, request: Request, reading_id: UUID) -> Response:
        """Have them worked out, where nobody has asked; asking again is harmless."""
        reading = _own(request, reading_id)
        try:
            comparison = services.ask_for_differences(reading=reading, by=request.user)
        except LaminaError as error:
            if error.code not in CANNOT_COMPARE:
                raise
            return Response(differences_json(reading, None, error.message))
        return Response(differences_json(reading, comparison))


class VerdictsView(APIView):
    @extend_schema(
        request=DecisionSerializer,
        responses={
            200: VerdictSerializer,
            409: OpenApiResponse(description="The read is submitted, or not committed."),
            422: OpenApiResponse(description="No such place, or a rejection without a reason."),
        },
        operation_id="readings_decide",
    )
    def post(self, request: Request, reading_id: UUID) -> Response:
        """Decide at one place; deciding again replaces it."""
        reading = _own(request, reading_id)
        form = checked(DecisionSerializer, request)
        verdict = services.decide(reading=reading, by=request.user, **form)
        return Response(verdict_json(verdict, form["reason"].strip()))


class VerdictView(APIView):
    @extend_schema(responses={204: None}, operation_id="readings_withdraw_verdict")
    def delete(self, request: Request, reading_id: UUID, key: str) -> Response:
        """The place is open again; what was taken over is taken back."""
        services.withdraw(reading=_own(request, reading_id), by=request.user, key=key)
        return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns = [
    path("readings/<uuid:reading_id>/differences/", DifferencesView.as_view(), name="api-differences"),
    path("readings/<uuid:reading_id>/verdicts/", VerdictsView.as_view(), name="api-verdicts"),
    path("readings/<uuid:reading_id>/verdicts/<str:key>/", VerdictView.as_view(), name="api-verdict"),
]
