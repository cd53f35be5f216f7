"""Algorithms over HTTP: what there is, with the measured numbers of each card."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.algorithms.selectors import versions


class CodeSerializer(serializers.Serializer):
    value = serializers.CharField()
    scheme = serializers.CharField()
    meaning = serializers.CharField()


class SegmentDescriptionSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    label = serializers.CharField()
    colour = serializers.CharField()
    category = CodeSerializer()
    type = CodeSerializer()


class ParameterSerializer(serializers.Serializer):
    """One field of the form a reconstruction is started from."""

    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=["integer", "number", "boolean", "choice"])
    default = serializers.JSONField()
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())
    unit = serializers.CharField()
    help = serializers.CharField()


class AlgorithmVersionSerializer(serializers.Serializer):
    """One version as the algorithms page shows it."""

    id = serializers.UUIDField()
    name = serializers.CharField(source="algorithm.name")
    version = serializers.CharField()
    title = serializers.CharField(source="description.title")
    summary = serializers.CharField(source="description.summary")
    status = serializers.CharField(source="description.status")
    inputs = serializers.ListField(child=serializers.CharField(), source="description.inputs")
    intended_for = serializers.CharField(source="description.intended_for")
    body_part = serializers.CharField(source="description.body_part")
    in_service = serializers.BooleanField()
    disabled_reason = serializers.CharField()
    weights_sha256 = serializers.CharField()
    parameters = ParameterSerializer(many=True, source="description.parameters")
    segments = SegmentDescriptionSerializer(many=True, source="description.segments")
    licence = serializers.CharField(source="description.licence")
    attribution = serializers.CharField(source="description.attribution")
    card = serializers.DictField(source="description.card")


class AlgorithmsView(APIView):
    @extend_schema(responses=AlgorithmVersionSerializer(many=True), operation_id="algorithms_list")
    def get(self, request: Request) -> Response:
        """Every version the installation knows, in service or not."""
        return Response(AlgorithmVersionSerializer(versions(), many=True).data)


urlpatterns = [path("algorithms/", AlgorithmsView.as_view(), name="api-algorithms")]
