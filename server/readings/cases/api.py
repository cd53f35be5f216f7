"""Protocols, cases and readings over HTTP: views parse, call, answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.models import Project, User
from server.accounts.selectors import may, projects_visible_to
from server.core.errors import LaminaError
from server.core.forms import checked
from server.readings.cases import opening, services
from server.readings.cases.selectors import cases_visible_to, own_readings, protocol_of
from server.readings.cases.serializers import CaseSerializer, ProtocolPartSerializer, case_json, cases_json
from server.readings.models.cases import Case, Protocol, Reading
from server.studies.selectors import active_studies_visible_to

CHANGED = OpenApiResponse(description="The reading changed, was committed with other content, or was given away.")


class ProtocolSerializer(ProtocolPartSerializer):
    """`excluded`: people who are dealt nothing, told to those who manage the project. Limits: null is none."""

    is_sealed = serializers.BooleanField(required=False)
    readers_per_case = serializers.IntegerField(min_value=1, max_value=20, required=False)
    form = serializers.ListField(child=serializers.DictField(), required=False)
    segments = serializers.ListField(child=serializers.DictField(), required=False)
    dice_limit = serializers.FloatField(min_value=0, max_value=1, allow_null=True, required=False)
    hd95_limit_mm = serializers.FloatField(min_value=0, max_value=1000, allow_null=True, required=False)
    volume_limit_percent = serializers.FloatField(min_value=0, max_value=1000, allow_null=True, required=False)
    categories_must_agree = serializers.BooleanField(required=False)
    due_days = serializers.IntegerField(min_value=0, max_value=3650, allow_null=True, required=False)
    algorithm = serializers.CharField(max_length=60, allow_blank=True, required=False)
    excluded = serializers.ListField(child=serializers.UUIDField(), required=False)


class CaseRowSerializer(CaseSerializer):
    """A case in its project's list."""

    pseudonym = serializers.CharField()
    description = serializers.CharField()


class CaseListSerializer(serializers.Serializer):
    results = CaseRowSerializer(many=True)


class OpenCasesSerializer(serializers.Serializer):
    studies = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=opening.MOST_AT_ONCE)
    is_practice = serializers.BooleanField(default=False)


class ReassignSerializer(serializers.Serializer):
    """`reader` null: whoever has least to do."""

    reading = serializers.UUIDField()
    reader = serializers.UUIDField(allow_null=True, default=None)


class AnswersSerializer(serializers.Serializer):
    answers = serializers.DictField(default=dict)


class KeepSerializer(AnswersSerializer):
    """`seq`: the operation of the own outlines that the reader saw last. `seconds`: time really spent since."""

    seq = serializers.IntegerField(min_value=0)
    seconds = serializers.FloatField(min_value=0, default=0)


def visible_project(user: Any, project_id: UUID) -> Project:
    return get_object_or_404(projects_visible_to(user), pk=project_id)


def managed_project(user: Any, project_id: UUID) -> Project:
    project = visible_project(user, project_id)
    if not may(user, project_id, "manage"):
        raise PermissionDenied
    return project


def protocol_json(protocol: Protocol, user: Any) -> dict[str, Any]:
    body = dict(ProtocolSerializer(protocol).data)
    if not may(user, protocol.project_id, "manage"):
        body.pop("excluded")
    return body


class ProtocolView(APIView):
    @extend_schema(responses=ProtocolSerializer, operation_id="protocol_retrieve")
    def get(self, request: Request, project_id: UUID) -> Response:
        """How this project reads."""
        project = visible_project(request.user, project_id)
        return Response(protocol_json(protocol_of(project.pk), request.user))

    @extend_schema(request=ProtocolSerializer, responses=ProtocolSerializer, operation_id="protocol_set")
    def put(self, request: Request, project_id: UUID) -> Response:
        """Say how this project reads; what is left out stays as it is. Open cases keep their seal."""
        project = managed_project(request.user, project_id)
        form = checked(ProtocolSerializer, request)
        protocol = opening.set_protocol(project=project, by=request.user, values=form)
        return Response(protocol_json(protocol, request.user))


def _rows(cases: list[Case], user: Any) -> list[dict[str, Any]]:
    bodies = cases_json(cases, user)
    return [
        {**body, "pseudonym": case.study.pseudonym, "description": case.study.description}
        for case, body in zip(cases, bodies, strict=True)
    ]


class CasesView(APIView):
    @extend_schema(responses=CaseListSerializer, operation_id="cases_list")
    def get(self, request: Request, project_id: UUID) -> Response:
        """The project's cases, newest first, each as the asker may see it."""
        project = visible_project(request.user, project_id)
        cases = list(cases_visible_to(request.user).filter(project=project).order_by("-number")[:500])
        return Response({"results": _rows(cases, request.user)})

    @extend_schema(request=OpenCasesSerializer, responses={201: CaseListSerializer}, operation_id="cases_create")
    def post(self, request: Request, project_id: UUID) -> Response:
        """Make studies cases and deal them: all of them or none."""
        project = managed_project(request.user, project_id)
        form = checked(OpenCasesSerializer, request)
        wanted = list(dict.fromkeys(form["studies"]))
        found = active_studies_visible_to(request.user).filter(project=project, pk__in=wanted)
        studies = {study.pk: study for study in found.select_related("project")}
        if len(studies) < len(wanted):
            raise NotFound
        cases = opening.open_cases(
            project=project,
            studies=[studies[pk] for pk in wanted],
            by=request.user,
            is_practice=form["is_practice"],
        )
        opened = cases_visible_to(request.user).filter(pk__in=[case.pk for case in cases]).order_by("number")
        return Response({"results": _rows(list(opened), request.user)}, status=status.HTTP_201_CREATED)


class CaseView(APIView):
    @extend_schema(responses=CaseSerializer, operation_id="cases_retrieve")
    def get(self, request: Request, case_id: UUID) -> Response:
        return Response(case_json(get_object_or_404(cases_visible_to(request.user), pk=case_id), request.user))


class ReassignView(APIView):
    @extend_schema(request=ReassignSerializer, responses=CaseSerializer, operation_id="cases_reassign")
    def post(self, request: Request, case_id: UUID) -> Response:
        """Give an unfinished or withdrawn read to somebody else. What was drawn is kept."""
        case = get_object_or_404(cases_visible_to(request.user), pk=case_id)
        if not may(request.user, case.project_id, "manage"):
            raise PermissionDenied
        form = checked(ReassignSerializer, request)
        reading = case.readings.filter(pk=form["reading"]).first()
        if reading is None:
            raise LaminaError("no_such_reading", "This case has no such reading.", 422)
        wanted = form["reader"]
        reader = User.objects.filter(pk=wanted, is_active=True).first() if wanted else None
        if wanted and reader is None:
            raise LaminaError("not_a_reader", "Only readers of the project can be given a case.", 422)
        services.reassign_reading(reading=reading, by=request.user, reader=reader)
        return Response(case_json(cases_visible_to(request.user).get(pk=case_id), request.user))


class _ReadingView(APIView):
    """The reader's own acts. Somebody else's reading is none of theirs: 404."""

    def reading(self, request: Request, reading_id: UUID) -> Reading:
        return get_object_or_404(own_readings(request.user), pk=reading_id)

    def answer(self, request: Request, reading: Reading) -> Response:
        return Response(case_json(cases_visible_to(request.user).get(pk=reading.case_id), request.user))


class BeginReadingView(_ReadingView):
    @extend_schema(request=None, responses={200: CaseSerializer, 409: CHANGED}, operation_id="readings_begin")
    def post(self, request: Request, reading_id: UUID) -> Response:
        """Take the case up: the own working copy is made. Again changes nothing."""
        reading = self.reading(request, reading_id)
        return self.answer(request, services.begin_reading(reading=reading, by=request.user))


class AnswersView(_ReadingView):
    @extend_schema(
        request=AnswersSerializer,
        responses={204: OpenApiResponse(description="Kept"), 409: CHANGED},
        operation_id="readings_answers",
    )
    def put(self, request: Request, reading_id: UUID) -> Response:
        """Keep a draft of the answers."""
        form = checked(AnswersSerializer, request)
        reading = self.reading(request, reading_id)
        services.keep_draft(reading=reading, by=request.user, answers=form["answers"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class CommitView(_ReadingView):
    @extend_schema(
        request=KeepSerializer, responses={200: CaseSerializer, 409: CHANGED}, operation_id="readings_commit"
    )
    def post(self, request: Request, reading_id: UUID) -> Response:
        """Commit the first read: it is kept for ever, and the results open."""
        reading = self.reading(request, reading_id)
        form = checked(KeepSerializer, request)
        done = services.commit_reading(reading=reading, by=request.user, **form)
        return self.answer(request, done)


class SubmitView(_ReadingView):
    @extend_schema(
        request=KeepSerializer, responses={200: CaseSerializer, 409: CHANGED}, operation_id="readings_submit"
    )
    def post(self, request: Request, reading_id: UUID) -> Response:
        """Hand the read in as it is now."""
        reading = self.reading(request, reading_id)
        form = checked(KeepSerializer, request)
        done = services.submit_reading(reading=reading, by=request.user, **form)
        return self.answer(request, done)


_reading = "readings/<uuid:reading_id>"
urlpatterns = [
    path("projects/<uuid:project_id>/protocol/", ProtocolView.as_view(), name="api-protocol"),
    path("projects/<uuid:project_id>/cases/", CasesView.as_view(), name="api-cases"),
    path("cases/<uuid:case_id>/", CaseView.as_view(), name="api-case"),
    path("cases/<uuid:case_id>/reassign/", ReassignView.as_view(), name="api-case-reassign"),
    path(f"{_reading}/begin/", BeginReadingView.as_view(), name="api-reading-begin"),
    path(f"{_reading}/answers/", AnswersView.as_view(), name="api-reading-answers"),
    path(f"{_reading}/commit/", CommitView.as_view(), name="api-reading-commit"),
    path(f"{_reading}/submit/", SubmitView.as_view(), name="api-reading-submit"),
]
