"""Annotations over HTTP: read them, and do one thing to one of them. There is one way to write: an operation."""

from __future__ import annotations

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.core.forms import checked
from server.readings.codes import lists_json
from server.readings.selectors import annotations_of, annotations_visible_to, operations_of
from server.readings.serializers import (
    AnnotationSerializer,
    HistorySerializer,
    OperationSerializer,
    annotation_json,
    annotations_json,
    history_json,
)
from server.readings.services import Operation, apply_operation
from server.studies.api import visible_study


class CodeChoiceSerializer(serializers.Serializer):
    """`meaning` is the standard's word, `label` the same in the reader's language."""

    value = serializers.CharField()
    scheme = serializers.CharField()
    meaning = serializers.CharField()
    label = serializers.CharField()


class CodeListsSerializer(serializers.Serializer):
    finding = CodeChoiceSerializer(many=True)
    finding_site = CodeChoiceSerializer(many=True)
    laterality = CodeChoiceSerializer(many=True)


class AnnotationsView(APIView):
    @extend_schema(responses=AnnotationSerializer(many=True), operation_id="annotations_list")
    def get(self, request: Request, study_id: UUID) -> Response:
        """What is marked on the study's images, oldest first."""
        study = visible_study(request.user, study_id)
        return Response(annotations_json(annotations_of(study, request.user), study.pk, request.user))

    @extend_schema(
        request=OperationSerializer,
        responses={
            201: AnnotationSerializer,
            200: OpenApiResponse(AnnotationSerializer, description="The same operation again: nothing was changed."),
            409: OpenApiResponse(description="Changed in between: `theirs` is what stands, `yours` what was asked."),
        },
        operation_id="annotations_operate",
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        """One operation: add, change, delete or restore. Sending it again with the same id is harmless."""
        study = visible_study(request.user, study_id, "annotate")
        form = checked(OperationSerializer, request)
        done = apply_operation(study=study, by=request.user, operation=Operation(**form))
        answer = status.HTTP_200_OK if done.is_repeat else status.HTTP_201_CREATED
        return Response(annotation_json(done.annotation, request.user), status=answer)


class AnnotationView(APIView):
    @extend_schema(responses=AnnotationSerializer, operation_id="annotations_retrieve")
    def get(self, request: Request, annotation_id: UUID) -> Response:
        annotation = get_object_or_404(annotations_visible_to(request.user), pk=annotation_id)
        return Response(annotation_json(annotation, request.user))


class AnnotationHistoryView(APIView):
    @extend_schema(responses=HistorySerializer(many=True), operation_id="annotations_operations")
    def get(self, request: Request, annotation_id: UUID) -> Response:
        """Everything that was done to it and by whom, oldest first."""
        annotation = get_object_or_404(annotations_visible_to(request.user), pk=annotation_id)
        return Response(history_json(annotation, operations_of(annotation), request.user))


class CodesView(APIView):
    @extend_schema(responses=CodeListsSerializer, operation_id="annotation_codes")
    def get(self, request: Request) -> Response:
        """The coded lists of findings, sites and lateralities."""
        return Response(lists_json())


urlpatterns = [
    path("studies/<uuid:study_id>/annotations/", AnnotationsView.as_view(), name="api-annotations"),
    path("annotations/<uuid:annotation_id>/", AnnotationView.as_view(), name="api-annotation"),
    path(
        "annotations/<uuid:annotation_id>/operations/",
        AnnotationHistoryView.as_view(),
        name="api-annotation-history",
    ),
    path("annotation-codes/", CodesView.as_view(), name="api-annotation-codes"),
]
