"""/api/jobs/: what runs and waits, cancelling and trying again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.core.errors import LaminaError
from server.core.idempotency import idempotent
from server.jobs.models import Job
from server.jobs.selectors import job_json, jobs_json, jobs_open_to, jobs_visible_to, may_act_on
from server.jobs.services import cancel_job, retry_job
from server.jobs.states import JobState

PAGE, LARGEST_PAGE = 50, 200


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()
    facts = serializers.JSONField()


class RequestedBySerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class JobAlgorithmSerializer(serializers.Serializer):
    name = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()


class JobSerializer(serializers.Serializer):
    """The job as `selectors.job_json` writes it."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=JobState.choices)
    queue = serializers.CharField()
    place = serializers.IntegerField(allow_null=True)
    phase = serializers.CharField()
    detail = serializers.CharField()
    fraction = serializers.FloatField()
    seconds_left = serializers.FloatField(allow_null=True)
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    device = serializers.CharField()
    worker = serializers.CharField()
    error = ErrorSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    requested_by = RequestedBySerializer(allow_null=True)
    study_id = serializers.UUIDField(allow_null=True)
    algorithm = JobAlgorithmSerializer(allow_null=True)
    retry_of = serializers.UUIDField(allow_null=True)
    can_cancel = serializers.BooleanField()
    can_retry = serializers.BooleanField()
    result = serializers.JSONField(allow_null=True)


class JobPageSerializer(serializers.Serializer):
    results = JobSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class JobsView(APIView):
    """Newest first, in keyset pages."""

    @extend_schema(
        operation_id="jobs_list",
        parameters=[
            OpenApiParameter("project", UUID),
            OpenApiParameter("state", str, enum=JobState.values),
            OpenApiParameter("after", str, description="`next` of the page before"),
            OpenApiParameter("limit", int),
        ],
        responses=JobPageSerializer,
    )
    def get(self, request: Request) -> Response:
        jobs = jobs_visible_to(request.user).order_by("-created_at", "-id")
        if project := request.query_params.get("project"):
            jobs = jobs.filter(project_id=_uuid(project))
        if state := request.query_params.get("state"):
            if state not in JobState.values:
                raise LaminaError("invalid", f"A job's state is one of {', '.join(JobState.values)}.", 422)
            jobs = jobs.filter(state=state)
        if cursor := request.query_params.get("after"):
            at, last_id = _read_cursor(cursor)
            jobs = jobs.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=last_id))
        limit = _limit(request.query_params.get("limit", str(PAGE)))
        rows = list(jobs[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        return Response({"results": jobs_json(rows, user=request.user), "next": _cursor(rows[-1]) if more else None})


class JobView(APIView):
    @extend_schema(responses=JobSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        job = get_object_or_404(jobs_open_to(request.user), pk=job_id)
        return Response(job_json(job, user=request.user))


class CancelJobView(APIView):
    @extend_schema(request=None, responses=JobSerializer)
    def post(self, request: Request, job_id: UUID) -> Response:
        job = _actionable(request, job_id)
        return Response(job_json(cancel_job(job, request.user), user=request.user))


class RetryJobView(APIView):
    @extend_schema(request=None, responses={201: JobSerializer, 200: JobSerializer})
    @idempotent
    def post(self, request: Request, job_id: UUID) -> Response:
        new = retry_job(_actionable(request, job_id), request.user)
        repeated = getattr(new, "is_repeat", False)
        code = status.HTTP_200_OK if repeated else status.HTTP_201_CREATED
        return Response(job_json(new, user=request.user), status=code)


def _actionable(request: Request, job_id: UUID) -> Job:
    """404 for what the person may not see, 403 for what the role does not allow."""
    job = get_object_or_404(jobs_open_to(request.user), pk=job_id)
    if not may_act_on(request.user, job):
        raise PermissionDenied
    return job


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise LaminaError("invalid", "`project` is the id of a project.", 422) from None


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise LaminaError("invalid", f"`limit` is a number from 1 to {LARGEST_PAGE}.", 422)
    return int(text)


def _cursor(job: Job) -> str:
    return signing.dumps([job.created_at.isoformat(), str(job.pk)], salt="jobs")


def _read_cursor(text: str) -> tuple[Any, UUID]:
    try:
        at, job_id = signing.loads(text, salt="jobs")
        return parse_datetime(at), UUID(job_id)
    except (signing.BadSignature, ValueError):
        raise LaminaError("invalid", "`after` is the `next` of the page before; start again without it.", 422) from None
