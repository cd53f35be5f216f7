"""Editing over HTTP: views parse, call, answer."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as fields
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.selectors import may
from server.algorithms.api import CodeSerializer
from server.core import storage
from server.core.errors import LaminaError
from server.core.forms import checked
from server.core.secrets import Box
from server.jobs.api import JobSerializer
from server.jobs.selectors import job_json, jobs_visible_to
from server.reconstructions.editing import history, refining, services, types, writing
from server.reconstructions.editing.labelmaps import context_of
from server.reconstructions.editing.serializers import (
    EditAnswerSerializer,
    EditOperationsSerializer,
    PreviewSerializer,
    RefineSerializer,
    RestoreSerializer,
    SaveSerializer,
    Seen,
    SentSerializer,
    StepSerializer,
    StepsSerializer,
    VersionComparisonSerializer,
    VersionSerializer,
    VersionsSerializer,
    operation_json,
)
from server.reconstructions.models import Edit, Operation, Segmentation, SegmentationKind, Surface
from server.reconstructions.selectors import bare_segmentations_visible_to, segmentations_visible_to
from server.reconstructions.serializers import SegmentationSerializer, segmentation_json
from server.studies import sealing
from server.studies.files import stored_file
from server.studies.selectors import series_visible_to

MOST_OPERATIONS = 500


def to_read(request: Request, segmentation_id: UUID) -> Segmentation:
    """404 for a stranger, 409 for a result: it has no operations."""
    return _edited(_visible(request, segmentation_id))


def _visible(request: Request, segmentation_id: UUID) -> Segmentation:
    rows = bare_segmentations_visible_to(request.user)
    return get_object_or_404(rows.select_related("series", "study", "author"), pk=segmentation_id)


def _edited(segmentation: Segmentation) -> Segmentation:
    if segmentation.kind != SegmentationKind.EDITED:
        raise LaminaError("not_editable", _("A result does not change. Begin to edit it first."), 409)
    return segmentation


def to_edit(request: Request, segmentation_id: UUID) -> Segmentation:
    """404 for a stranger, 403 for a member who may only look, 409 for a result."""
    segmentation = _visible(request, segmentation_id)
    if segmentation.audience and not may(request.user, segmentation.study.project_id, "annotate"):
        # Whoever lost the role while painting is told what became of the read.
        sealing.check_write(request.user, segmentation.study_id, segmentation.audience)
    _allow(request, segmentation.study.project_id)
    return _edited(segmentation)


def _allow(request: Request, project_id: UUID) -> None:
    if not may(request.user, project_id, "annotate"):
        raise PermissionDenied


def answer(segmentation: Segmentation, edited: writing.Edited, user: Any) -> Response:
    """201 for a new operation, 200 for one that was sent before."""
    operation = edited.operation
    body = {
        "operation": operation_json(operation, _effects(segmentation, [operation]), Seen(segmentation, user)),
        "segments": edited.rows,
        "removed": edited.removed,
        "steps": services.steps_json(segmentation, user),
    }
    return Response(body, status=status.HTTP_200_OK if edited.repeated else status.HTTP_201_CREATED)


def _effects(segmentation: Segmentation, operations: list[Operation]) -> dict[int, str]:
    box = Box(segmentation.study_id)
    return {
        one.seq: base64.b64encode(box.open(bytes(one.effect), context_of(segmentation.pk, one.seq, "effect"))).decode()
        for one in operations
        if one.effect
    }


class BeginView(APIView):
    @extend_schema(
        request=None,
        responses={201: SegmentationSerializer, 200: SegmentationSerializer},
        operation_id="segmentations_edit",
    )
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Begin to edit a result: answers its one working copy, made on first use."""
        segmentation = get_object_or_404(segmentations_visible_to(request.user), pk=segmentation_id)
        _allow(request, segmentation.study.project_id)
        made, is_new = services.begin_edit(segmentation=segmentation, by=request.user)
        return Response(segmentation_json(made, request.user), status=201 if is_new else 200)


class BeginEmptyView(APIView):
    @extend_schema(
        request=None,
        responses={201: SegmentationSerializer, 200: SegmentationSerializer},
        operation_id="series_segmentations_create",
    )
    def post(self, request: Request, series_id: UUID) -> Response:
        """Begin to draw on a series: answers its one working segmentation that began from nothing."""
        series = get_object_or_404(series_visible_to(request.user), pk=series_id)
        _allow(request, series.study.project_id)
        made, is_new = services.begin_empty(series=series, by=request.user)
        return Response(segmentation_json(made, request.user), status=201 if is_new else 200)


class OperationsView(APIView):
    @extend_schema(
        responses=EditOperationsSerializer,
        parameters=[
            OpenApiParameter("after", int, description="operations behind this number"),
            OpenApiParameter("limit", int, description=f"at most {MOST_OPERATIONS}"),
            OpenApiParameter("effects", bool, description="with what they changed"),
        ],
        operation_id="segmentations_operations",
    )
    def get(self, request: Request, segmentation_id: UUID) -> Response:
        """Operations in order. The labelmap at `after` and their effects one after another is the labelmap now."""
        segmentation = to_read(request, segmentation_id)
        after, limit = _whole(request, "after", 0), min(max(_whole(request, "limit", 200), 1), MOST_OPERATIONS)
        head = Edit.objects.values_list("head", flat=True).get(pk=segmentation.pk)
        rows = Operation.objects.filter(segmentation=segmentation, seq__gt=after, seq__lte=head).order_by("seq")
        found = list(rows.select_related("author").defer("step", "before")[: limit + 1])
        shown = found[:limit]
        seen = Seen(segmentation, request.user)
        effects = {} if request.query_params.get("effects") == "0" else _effects(segmentation, shown)
        body = {
            "operations": [operation_json(one, effects, seen) for one in shown],
            "seq": head,
            "more": len(found) > limit,
        }
        return Response(body)

    @extend_schema(
        request=SentSerializer,
        responses={201: EditAnswerSerializer, 200: EditAnswerSerializer},
        operation_id="segmentations_operations_create",
    )
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Add one operation. Sending the same again answers 200 and changes nothing."""
        segmentation = to_edit(request, segmentation_id)
        wanted = checked(SentSerializer, request)
        sent = writing.Sent(wanted["id"], wanted["kind"], wanted["name"], wanted["base_seq"], wanted["payload"])
        edited = services.apply_operation(segmentation=segmentation, by=request.user, sent=sent)
        return answer(segmentation, edited, request.user)


class UndoView(APIView):
    @extend_schema(request=StepSerializer, responses={201: EditAnswerSerializer}, operation_id="segmentations_undo")
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Take back the person's own last step; others' work stays."""
        segmentation = to_edit(request, segmentation_id)
        wanted = checked(StepSerializer, request)
        edited = services.undo(segmentation=segmentation, by=request.user, client_id=wanted["id"])
        return answer(segmentation, edited, request.user)


class RedoView(APIView):
    @extend_schema(request=StepSerializer, responses={201: EditAnswerSerializer}, operation_id="segmentations_redo")
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Do the person's own last taken-back step again."""
        segmentation = to_edit(request, segmentation_id)
        wanted = checked(StepSerializer, request)
        edited = services.redo(segmentation=segmentation, by=request.user, client_id=wanted["id"])
        return answer(segmentation, edited, request.user)


class StepsView(APIView):
    @extend_schema(responses=StepsSerializer, operation_id="segmentations_steps")
    def get(self, request: Request, segmentation_id: UUID) -> Response:
        """What undo and redo would bring, by name."""
        return Response(services.steps_json(to_read(request, segmentation_id), request.user))


class RefineView(APIView):
    @extend_schema(
        request=RefineSerializer, responses={201: JobSerializer, 200: JobSerializer},
        operation_id="segmentations_refine",
    )  # fmt: skip
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Let the engine work a change out: it becomes an operation about a second later. Answers the job."""
        segmentation = to_edit(request, segmentation_id)
        wanted = checked(RefineSerializer, request)
        job = refining.ask_to_refine(
            segmentation=segmentation,
            by=request.user,
            client_id=wanted["id"],
            name=wanted["name"],
            base_seq=wanted["base_seq"],
            prompt=wanted["prompt"],
            preview=wanted["preview"],
        )
        return Response(job_json(job, user=request.user), status=200 if getattr(job, "is_repeat", False) else 201)


class PreviewView(APIView):
    @extend_schema(responses=PreviewSerializer, operation_id="segmentations_preview")
    def get(self, request: Request, segmentation_id: UUID, job_id: UUID) -> Response:
        """What a prompt asked for as a preview would change."""
        segmentation = to_read(request, segmentation_id)
        return Response(refining.preview_of(segmentation, get_object_or_404(jobs_visible_to(request.user), pk=job_id)))


class VersionsView(APIView):
    @extend_schema(responses=VersionsSerializer, operation_id="segmentations_versions")
    def get(self, request: Request, segmentation_id: UUID) -> Response:
        """Where one can go back to, newest first."""
        return Response({"versions": history.versions_of(to_read(request, segmentation_id), request.user)})

    @extend_schema(
        request=SaveSerializer, responses={201: VersionSerializer}, operation_id="segmentations_versions_create"
    )
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Give the state as it is now a name."""
        segmentation = to_edit(request, segmentation_id)
        name = checked(SaveSerializer, request)["name"]
        point = services.save_version(segmentation=segmentation, by=request.user, name=name)
        return Response(history.save_point_json(point, request.user), status=201)


class CompareView(APIView):
    @extend_schema(
        responses=VersionComparisonSerializer,
        parameters=[OpenApiParameter("a", int), OpenApiParameter("b", int, description="the newest when left out")],
        operation_id="segmentations_compare",
    )
    def get(self, request: Request, segmentation_id: UUID) -> Response:
        """Voxels, millilitres and Dice of each segment in two versions."""
        segmentation = to_read(request, segmentation_id)
        b = _whole(request, "b", -1)
        return Response(history.compare(segmentation, _whole(request, "a", 0), None if b < 0 else b))


class RestoreView(APIView):
    @extend_schema(
        request=RestoreSerializer, responses={201: EditAnswerSerializer}, operation_id="segmentations_restore"
    )
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Make everything as it was, as a new operation."""
        segmentation = to_edit(request, segmentation_id)
        wanted = checked(RestoreSerializer, request)
        edited = services.restore(
            segmentation=segmentation, by=request.user, client_id=wanted["id"], seq=wanted["seq"], name=wanted["name"]
        )
        return answer(segmentation, edited, request.user)


class SegmentSurfaceView(APIView):
    @extend_schema(
        responses={(200, "model/gltf-binary"): OpenApiTypes.BINARY}, operation_id="segmentations_segment_surface"
    )
    def get(self, request: Request, segmentation_id: UUID, number: int) -> HttpResponseBase:
        """GLB of one edited segment for the browser: EXT_meshopt_compression, KHR_mesh_quantization."""
        segmentation = get_object_or_404(segmentations_visible_to(request.user), pk=segmentation_id)
        rows = Surface.objects.filter(segment__segmentation=segmentation, segment__number=number).exclude(ref="")
        tried = ""
        while (ref := rows.values_list("ref", flat=True).first()) and ref != tried:
            try:
                return stored_file(request, ref, "model/gltf-binary")
            except storage.IntegrityError:
                tried = ref  # a newer one may just have taken its place
        raise LaminaError("no_surface", _("This segment has no surface of its own."), 404)


class SegmentTypeSerializer(fields.Serializer):
    category = CodeSerializer()
    type = CodeSerializer()
    colour = fields.CharField()


class SegmentTypesView(APIView):
    @extend_schema(
        responses=SegmentTypeSerializer(many=True), parameters=[OpenApiParameter("q", str)],
        operation_id="segment_types",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Coded things a segment can be, as DICOM segmentations name them."""
        return Response(types.matching(request.query_params.get("q", "")))


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isdigit() or len(text) > 15:
        raise LaminaError("invalid", _("%(name)s is a whole number from 0.") % {"name": name}, 422)
    return int(text)


_one = "segmentations/<uuid:segmentation_id>"
urlpatterns = [
    path("series/<uuid:series_id>/segmentations/", BeginEmptyView.as_view(), name="api-series-segmentations"),
    path("segment-types/", SegmentTypesView.as_view(), name="api-segment-types"),
    path(f"{_one}/edit/", BeginView.as_view(), name="api-segmentation-edit"),
    path(f"{_one}/operations/", OperationsView.as_view(), name="api-segmentation-operations"),
    path(f"{_one}/undo/", UndoView.as_view(), name="api-segmentation-undo"),
    path(f"{_one}/redo/", RedoView.as_view(), name="api-segmentation-redo"),
    path(f"{_one}/steps/", StepsView.as_view(), name="api-segmentation-steps"),
    path(f"{_one}/refine/", RefineView.as_view(), name="api-segmentation-refine"),
    path(f"{_one}/previews/<uuid:job_id>/", PreviewView.as_view(), name="api-segmentation-preview"),
    path(f"{_one}/versions/", VersionsView.as_view(), name="api-segmentation-versions"),
    path(f"{_one}/compare/", CompareView.as_view(), name="api-segmentation-compare"),
    path(f"{_one}/restore/", RestoreView.as_view(), name="api-segmentation-restore"),
    path(f"{_one}/segments/<int:number>/surface/", SegmentSurfaceView.as_view(), name="api-segmentation-surface"),
]
