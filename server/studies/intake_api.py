"""An upload as the import page sees it: files, findings, the before / after table, the choice."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.models import Project
from server.accounts.selectors import may
from server.core.errors import LaminaError
from server.core.forms import checked
from server.core.idempotency import idempotent
from server.jobs.api import JobSerializer
from server.jobs.models import Job
from server.jobs.selectors import job_json
from server.studies import intakes
from server.studies.models import Intake, UploadedFile
from server.studies.reasons import reason_text
from server.studies.selectors import intakes_visible_to
from server.studies.serializers import NamedSerializer


class ReasonSerializer(serializers.Serializer):
    code = serializers.CharField()
    text = serializers.CharField()


class IntakeFindingSerializer(serializers.Serializer):
    """What inspection says of one series.

    `may_import` is False where it cannot even be kept as pictures; what is `withheld` may show a name in its pixels
    and needs `confirmed` in the choice.
    """

    key = serializers.CharField()
    modality = serializers.CharField(allow_null=True)
    description = serializers.CharField()
    files_count = serializers.IntegerField()
    shape = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    spacing_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    verdict = serializers.CharField()
    reasons = ReasonSerializer(many=True)
    message = serializers.CharField()
    needs_modality = serializers.BooleanField()
    may_import = serializers.BooleanField()
    withheld = serializers.BooleanField()
    thumbnail = serializers.CharField(allow_null=True)


class IgnoredSerializer(serializers.Serializer):
    file = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()


class UploadedFileSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    length = serializers.IntegerField()
    offset = serializers.IntegerField()
    state = serializers.SerializerMethodField()

    def get_state(self, upload: UploadedFile) -> str:
        return "whole" if upload.is_whole else "receiving"


class ProblemSerializer(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class IntakeSerializer(serializers.Serializer):
    """One upload with what was found in it. Findings are gone after the import: they may name a patient."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    project = NamedSerializer()
    upload_url = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    job = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()
    files_count = serializers.SerializerMethodField()
    received_bytes = serializers.SerializerMethodField()
    total_bytes = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField()
    ignored = serializers.SerializerMethodField()
    studies = serializers.ListField(child=serializers.CharField(), source="study_ids")
    duplicates = serializers.IntegerField()

    def get_upload_url(self, intake: Intake) -> str:
        return "/api/uploads/"

    @extend_schema_field(JobSerializer(allow_null=True))
    def get_job(self, intake: Intake) -> dict[str, Any] | None:
        jobs = Job.objects.filter(owner_kind="intake", owner_id=intake.pk).select_related("requested_by")
        newest = jobs.order_by("-created_at", "-id").first()
        return job_json(newest, user=self.context["user"]) if newest else None

    @extend_schema_field(ProblemSerializer(allow_null=True))
    def get_error(self, intake: Intake) -> dict[str, str] | None:
        return {"code": intake.error_code, "message": intake.error_message} if intake.error_code else None

    @extend_schema_field(UploadedFileSerializer(many=True))
    def get_files(self, intake: Intake) -> Any:
        return UploadedFileSerializer(intake.files.order_by("created_at"), many=True).data

    def get_files_count(self, intake: Intake) -> int:
        return intake.files.count()

    def get_received_bytes(self, intake: Intake) -> int:
        return intake.files.aggregate(total=Sum("offset"))["total"] or 0

    def get_total_bytes(self, intake: Intake) -> int:
        return intake.files.aggregate(total=Sum("length"))["total"] or 0

    @extend_schema_field(IntakeFindingSerializer(many=True))
    def get_findings(self, intake: Intake) -> list[dict[str, Any]]:
        return [finding_json(intake, number, found) for number, found in enumerate(self._body(intake)["findings"])]

    @extend_schema_field(IgnoredSerializer(many=True))
    def get_ignored(self, intake: Intake) -> list[dict[str, str]]:
        return [{"file": file, "code": code, "text": reason_text(code)} for file, code in self._body(intake)["ignored"]]

    def _body(self, intake: Intake) -> dict[str, Any]:
        if "body" not in self.context:
            self.context["body"] = intakes.findings_of(intake)
        return self.context["body"]


def finding_json(intake: Intake, number: int, found: dict[str, Any]) -> dict[str, Any]:
    pictured = bool(found["facts"].get("thumbnail_png"))
    return {
        "key": found["key"],
        "modality": found["modality"],
        "description": found["description"],
        "files_count": len(found["files"]),
        "shape": found["shape"],
        "spacing_mm": found["spacing_mm"],
        "verdict": found["verdict"],
        "reasons": [{"code": code, "text": reason_text(code)} for code in found["reasons"]],
        "message": found["message"],
        "needs_modality": not found["modality"],
        "may_import": intakes.may_be_kept(found),
        "withheld": bool(found["facts"].get("withheld")),
        "thumbnail": f"/api/intakes/{intake.pk}/thumbnails/{number}/" if pictured else None,
    }


class NewIntakeSerializer(serializers.Serializer):
    project = serializers.UUIDField()


class ChoiceSerializer(serializers.Serializer):
    key = serializers.CharField()
    modality = serializers.ChoiceField(choices=["CT", "MR", "PT", "CR", "DX"], required=False, allow_null=True)
    confirmed = serializers.BooleanField(default=False)


class ImportSerializer(serializers.Serializer):
    """`consent` must be true: the person has seen what is replaced and what is kept."""

    series = ChoiceSerializer(many=True)
    consent = serializers.BooleanField()
    pseudonym = serializers.CharField(max_length=20, required=False, allow_null=True, allow_blank=True)


class ChangeSerializer(serializers.Serializer):
    tag = serializers.CharField()
    keyword = serializers.CharField(required=False)
    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    action = serializers.CharField()


def visible_intake(request: Request, intake_id: UUID) -> Intake:
    return get_object_or_404(intakes_visible_to(request.user), pk=intake_id)


def intake_json(intake: Intake, user: Any) -> dict[str, Any]:
    return dict(IntakeSerializer(intake, context={"user": user}).data)


class IntakesView(APIView):
    @extend_schema(request=NewIntakeSerializer, responses={201: IntakeSerializer}, operation_id="intakes_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Open an upload into a project. Files go to `upload_url` by tus 1.0, naming this intake."""
        form = checked(NewIntakeSerializer, request)
        project_id = form["project"]
        if not may(request.user, project_id, "view"):
            raise NotFound
        if not may(request.user, project_id, "import"):
            raise PermissionDenied
        intake = intakes.create_intake(project=Project.objects.get(pk=project_id), by=request.user)
        return Response(intake_json(intake, request.user), status=status.HTTP_201_CREATED)


class IntakeView(APIView):
    @extend_schema(responses=IntakeSerializer, operation_id="intakes_retrieve")
    def get(self, request: Request, intake_id: UUID) -> Response:
        return Response(intake_json(visible_intake(request, intake_id), request.user))

    @extend_schema(responses={204: OpenApiResponse(description="Given up")}, operation_id="intakes_abandon")
    def delete(self, request: Request, intake_id: UUID) -> Response:
        """Give up: received files are destroyed."""
        intakes.abandon_intake(intake=visible_intake(request, intake_id), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class InspectView(APIView):
    @extend_schema(request=None, responses={201: JobSerializer}, operation_id="intakes_inspect")
    def post(self, request: Request, intake_id: UUID) -> Response:
        """Ask the engine what arrived. Answers the job; `intake.inspected` on the person's stream says it is done."""
        job = intakes.request_inspection(intake=visible_intake(request, intake_id), by=request.user)
        return Response(job_json(job, user=request.user), status=status.HTTP_201_CREATED)


class ChangesView(APIView):
    @extend_schema(
        responses=ChangeSerializer(many=True),
        parameters=[OpenApiParameter("key", str, required=True)],
        operation_id="intakes_changes",
    )
    def get(self, request: Request, intake_id: UUID) -> Response:
        """Which identifiers of one series are replaced, and by what."""
        intake = visible_intake(request, intake_id)
        response = Response(intakes.changes_of(intake, request.query_params.get("key", "")))
        response["Cache-Control"] = "private, no-store"
        return response


class IntakeThumbnailView(APIView):
    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY}, operation_id="intakes_thumbnail")
    def get(self, request: Request, intake_id: UUID, number: int) -> HttpResponse:
        """The middle slice of one found series."""
        picture = intakes.thumbnail_of(visible_intake(request, intake_id), number)
        if picture is None:
            raise NotFound
        return HttpResponse(picture, content_type="image/png", headers={"Cache-Control": "private, no-store"})


class ImportView(APIView):
    @extend_schema(request=ImportSerializer, responses={201: JobSerializer}, operation_id="intakes_import")
    @idempotent
    def post(self, request: Request, intake_id: UUID) -> Response:
        """Make studies of the chosen series. Answers the first job; the intake's JSON follows all of them."""
        form = checked(ImportSerializer, request)
        if form["consent"] is not True:
            message = _("Confirm that you have looked at the replaced identifiers and may import these images.")
            raise LaminaError("consent_needed", message, 422)
        jobs = intakes.request_import(
            intake=visible_intake(request, intake_id),
            by=request.user,
            choices=form["series"],
            pseudonym=form.get("pseudonym") or None,
        )
        return Response(job_json(jobs[0], user=request.user), status=status.HTTP_201_CREATED)


_one = "intakes/<uuid:intake_id>"
urlpatterns = [
    path("intakes/", IntakesView.as_view(), name="api-intakes"),
    path(f"{_one}/", IntakeView.as_view(), name="api-intake"),
    path(f"{_one}/inspect/", InspectView.as_view(), name="api-intake-inspect"),
    path(f"{_one}/changes/", ChangesView.as_view(), name="api-intake-changes"),
    path(f"{_one}/thumbnails/<int:number>/", IntakeThumbnailView.as_view(), name="api-intake-thumbnail"),
    path(f"{_one}/import/", ImportView.as_view(), name="api-intake-import"),
]
