"""Giving a case to an adjudicator, over HTTP: admins of its project only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.models import User
from server.accounts.selectors import may
from server.core.errors import LaminaError
from server.core.forms import checked
from server.readings.agreement.assigning import adjudicators_for, assign_adjudicator, reads_it
from server.readings.cases.selectors import cases_visible_to
from server.readings.cases.serializers import CaseSerializer, case_json
from server.readings.models.cases import Case


class CandidateSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    is_adjudicator = serializers.BooleanField()


class CandidatesSerializer(serializers.Serializer):
    results = CandidateSerializer(many=True)


class AssignSerializer(serializers.Serializer):
    """`person` null: whoever of those on duty has least to do."""

    person = serializers.UUIDField(allow_null=True, default=None)


def led_case(request: Request, case_id: UUID) -> Case:
    case = get_object_or_404(cases_visible_to(request.user), pk=case_id)
    if not may(request.user, case.project_id, "manage"):
        raise PermissionDenied
    return case


class AdjudicatorView(APIView):
    @extend_schema(responses=CandidatesSerializer, operation_id="cases_adjudicators")
    def get(self, request: Request, case_id: UUID) -> Response:
        """Who could settle the case: readers of the project who had no read of it."""
        case = led_case(request, case_id)
        people: list[dict[str, Any]] = [] if reads_it(case, request.user.pk) else [
            {"id": str(one.user_id), "name": one.user.display_name, "is_adjudicator": one.is_adjudicator}
            for one in adjudicators_for(case)
        ]  # fmt: skip
        return Response({"results": people})

    @extend_schema(
        request=AssignSerializer,
        responses={200: CaseSerializer, 409: OpenApiResponse(description="Another stage, or nobody to give it to.")},
        operation_id="cases_assign_adjudicator",
    )
    def post(self, request: Request, case_id: UUID) -> Response:
        """Give the case to an adjudicator; whoever had not finished it hands it over."""
        case = led_case(request, case_id)
        form = checked(AssignSerializer, request)
        wanted = form["person"]
        person = User.objects.filter(pk=wanted, is_active=True).first() if wanted else None
        if wanted and person is None:
            raise LaminaError("not_a_reader", _("Only readers of the project can be given a case."), 422)
        assign_adjudicator(case=case, by=request.user, person=person)
        return Response(case_json(cases_visible_to(request.user).get(pk=case_id), request.user))


urlpatterns = [
    path("cases/<uuid:case_id>/adjudicator/", AdjudicatorView.as_view(), name="api-case-adjudicator"),
]
