"""Registering two series automatically, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.selectors import may
from server.core.errors import LaminaError
from server.jobs.api import JobSerializer
from server.jobs.selectors import job_json
from server.studies import registration
from server.studies.models import Series
from server.studies.selectors import series_visible_to
from server.studies.serializers import TransformSerializer, transform_json


class RegistrationSerializer(serializers.Serializer):
    """`job.result` holds the matrix and its stated error; `transform` is what a person made of it."""

    job = JobSerializer(allow_null=True)
    transform = TransformSerializer(allow_null=True)


def _pair(user: Any, fixed_id: UUID, moving_id: UUID, act: str = "view") -> tuple[Series, Series]:
    fixed = get_object_or_404(series_visible_to(user), pk=fixed_id)
    moving = get_object_or_404(series_visible_to(user), pk=moving_id)
    for one in (fixed, moving):
        if not may(user, one.study.project_id, act):
            raise PermissionDenied
    if fixed.study.project_id != moving.study.project_id:
        raise LaminaError("other_project", "The two series lie in different projects.", 422)
    return fixed, moving


def _json(fixed: Series, moving: Series, user: Any) -> dict[str, Any]:
    job = registration.latest(fixed, moving)
    made = registration.accepted(job) if job else None
    return {"job": job and job_json(job, user=user), "transform": made and transform_json(made)}


class RegistrationView(APIView):
    @extend_schema(responses=RegistrationSerializer, operation_id="registration_retrieve")
    def get(self, request: Request, series_id: UUID, moving_id: UUID) -> Response:
        """The newest registration of `moving_id` onto `series_id`, waiting, running, found or refused."""
        return Response(_json(*_pair(request.user, series_id, moving_id), request.user))

    @extend_schema(request=None, responses={201: RegistrationSerializer}, operation_id="registration_create")
    def post(self, request: Request, series_id: UUID, moving_id: UUID) -> Response:
        """Look where the body of `moving_id` lies in `series_id`. What is found is a proposal until it is accepted."""
        fixed, moving = _pair(request.user, series_id, moving_id, "annotate")
        registration.ask(fixed=fixed, moving=moving, by=request.user)
        return Response(_json(fixed, moving, request.user), status=status.HTTP_201_CREATED)


class RegistrationAcceptView(APIView):
    @extend_schema(request=None, responses={201: TransformSerializer}, operation_id="registration_accept")
    def post(self, request: Request, series_id: UUID, moving_id: UUID) -> Response:
        """Store the proposal as a transform. Its matrix comes from the job, never from who accepts it."""
        fixed, moving = _pair(request.user, series_id, moving_id, "annotate")
        job = registration.latest(fixed, moving)
        if job is None:
            raise LaminaError("not_registered", "There is no finished registration of the two to accept.", 409)
        made = registration.accept(job=job, fixed=fixed, moving=moving, by=request.user)
        return Response(transform_json(made), status=status.HTTP_201_CREATED)


_BASE = "series/<uuid:series_id>/registration/<uuid:moving_id>/"
urlpatterns = [
    path(_BASE, RegistrationView.as_view(), name="api-registration"),
    path(f"{_BASE}accept/", RegistrationAcceptView.as_view(), name="api-registration-accept"),
]
