"""Approval over HTTP: views parse, call, answer."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.reauthentication import prove_again
from server.accounts.selectors import may
from server.approvals.models.signatures import Meaning, Signature
from server.approvals.signing import manifest as manifests
from server.approvals.signing import services
from server.approvals.signing.selectors import approval_json
from server.core.errors import LaminaError
from server.core.forms import checked
from server.readings.cases.selectors import cases_visible_to
from server.readings.models import Case
from server.reconstructions.selectors import segmentations_visible_to
from server.studies import sealing


class SignSerializer(serializers.Serializer):
    """`digest` as GET answered it: what the person saw is what is signed. One of password and code proves them."""

    meaning = serializers.ChoiceField(choices=Meaning.choices)
    digest = serializers.RegexField(r"^[0-9a-f]{64}\Z")
    password = serializers.CharField(trim_whitespace=False, max_length=256, default="", allow_blank=True)
    code = serializers.CharField(max_length=20, default="", allow_blank=True)


class FinalSerializer(serializers.Serializer):
    segmentation = serializers.UUIDField()
    seq = serializers.IntegerField(min_value=0, allow_null=True, default=None)


class ReopenSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=2000, allow_blank=True)


def visible_case(request: Request, case_id: UUID, act: str = "view") -> Case:
    """404 for a stranger, 403 for who may only look and wants more, 409 for whom it is sealed."""
    case = get_object_or_404(cases_visible_to(request.user), pk=case_id)
    if not may(request.user, case.project_id, act):
        raise PermissionDenied
    if sealing.is_sealed(request.user, case.study_id):
        raise LaminaError("case_sealed", _("This case is sealed for you."), 409)
    return case


class ApprovalView(APIView):
    @extend_schema(
        responses=OpenApiTypes.OBJECT,
        operation_id="cases_approval",
        parameters=[OpenApiParameter("whole", bool, description="1: also what would be signed, and its digest.")],
    )
    def get(self, request: Request, case_id: UUID) -> Response:
        """What holds a signature back, who has signed, and on request what would be signed."""
        whole = request.query_params.get("whole") == "1"
        return Response(approval_json(visible_case(request, case_id), request.user, whole=whole))

    @extend_schema(request=SignSerializer, responses=OpenApiTypes.OBJECT, operation_id="cases_sign")
    def post(self, request: Request, case_id: UUID) -> Response:
        """Sign it with a password or a code. With meaning "approved" the case is completed and read-only."""
        case = visible_case(request, case_id, "annotate")
        wanted = checked(SignSerializer, request)
        prove_again(request._request, password=wanted["password"], code=wanted["code"])
        services.sign(case=case, by=request.user, meaning=wanted["meaning"], digest=wanted["digest"])
        return Response(approval_json(visible_case(request, case_id), request.user), status=201)


class FinalView(APIView):
    @extend_schema(request=FinalSerializer, responses=OpenApiTypes.OBJECT, operation_id="cases_final")
    def put(self, request: Request, case_id: UUID) -> Response:
        """Choose which outlines are signed: a read's, or the shared working copy."""
        case = visible_case(request, case_id, "annotate")
        wanted = checked(FinalSerializer, request)
        segmentation = get_object_or_404(
            segmentations_visible_to(request.user).filter(study_id=case.study_id), pk=wanted["segmentation"]
        )
        services.choose_final(case=case, by=request.user, segmentation=segmentation, seq=wanted["seq"])
        return Response(approval_json(visible_case(request, case_id), request.user))


class ReopenView(APIView):
    @extend_schema(request=ReopenSerializer, responses=OpenApiTypes.OBJECT, operation_id="cases_reopen")
    def post(self, request: Request, case_id: UUID) -> Response:
        """Open a signed case again, as its next version, with a reason."""
        case = visible_case(request, case_id, "delete")
        services.reopen(case=case, by=request.user, reason=checked(ReopenSerializer, request)["reason"])
        return Response(approval_json(visible_case(request, case_id), request.user))


class SignedView(APIView):
    @extend_schema(responses={(200, "application/json"): OpenApiTypes.BINARY}, operation_id="cases_signed_manifest")
    def get(self, request: Request, case_id: UUID, signature_id: UUID) -> HttpResponse:
        """Exactly the bytes that were signed: their SHA-256 is the signature's digest."""
        case = visible_case(request, case_id)
        signature = get_object_or_404(Signature, pk=signature_id, case=case)
        return HttpResponse(
            manifests.canonical(signature.manifest),
            content_type="application/json; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="case-{case.number}-v{signature.version}.json"',
                "Cache-Control": "private, no-store",
            },
        )


_CASE = "cases/<uuid:case_id>"
urlpatterns = [
    path(f"{_CASE}/approval/", ApprovalView.as_view(), name="api-case-approval"),
    path(f"{_CASE}/final/", FinalView.as_view(), name="api-case-final"),
    path(f"{_CASE}/reopen/", ReopenView.as_view(), name="api-case-reopen"),
    path(f"{_CASE}/signatures/<uuid:signature_id>/", SignedView.as_view(), name="api-case-signature"),
]
