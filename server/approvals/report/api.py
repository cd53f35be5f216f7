"""Key images and reports over HTTP, and the report as a page."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.selectors import may
from server.approvals.models.reports import KeyImage, Report
from server.approvals.report import services
from server.approvals.report.selectors import key_images_visible_to, reports_visible_to
from server.core import storage
from server.core.forms import checked
from server.jobs.selectors import error_json
from server.studies import sealing
from server.studies.api import visible_study
from server.studies.files import stored_file

MOST_REPORTS = 50


class ReportPersonSerializer(serializers.Serializer):
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    colour = serializers.CharField(allow_null=True)


class KeyImageSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    series_id = serializers.UUIDField()
    viewport = serializers.CharField()
    view = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    author = ReportPersonSerializer(allow_null=True)
    created_at = serializers.CharField()
    url = serializers.CharField()
    may_remove = serializers.BooleanField()


class NewKeyImageSerializer(serializers.Serializer):
    """`png` is base64 of an 8-bit RGB(A) PNG; `id` is made by the browser, sending it again is harmless."""

    id = serializers.UUIDField()
    series = serializers.UUIDField()
    viewport = serializers.ChoiceField(choices=services.VIEWPORTS)
    view = serializers.CharField(required=False, allow_blank=True, default="", max_length=20_000)
    png = serializers.CharField(trim_whitespace=False, max_length=8_500_000)


class ReportSerializer(serializers.Serializer):
    """`state` is the job's; the two addresses answer once it has succeeded. `sha256` is that of the PDF."""

    id = serializers.UUIDField()
    language = serializers.CharField()
    state = serializers.CharField()
    error = serializers.DictField(allow_null=True)
    created_at = serializers.DateTimeField()
    author = ReportPersonSerializer(allow_null=True)
    pages = serializers.IntegerField()
    sha256 = serializers.CharField(allow_blank=True)
    job_id = serializers.UUIDField()
    page_url = serializers.CharField(allow_null=True)
    pdf_url = serializers.CharField(allow_null=True)


class WantedReportSerializer(serializers.Serializer):
    language = serializers.CharField(max_length=10)


def key_images_json(rows: list[KeyImage], user: Any) -> list[dict[str, Any]]:
    if not rows:
        return []
    masks = sealing.masks(user, rows[0].study_id)
    runs = may(user, rows[0].study.project_id, "delete")
    made = []
    for row in rows:
        at = masks.time(row.created_at, row.audience)
        made.append(
            {
                "id": str(row.pk),
                "series_id": str(row.series_id),
                "viewport": row.viewport,
                "view": row.view,
                "width": row.width,
                "height": row.height,
                "author": masks.author(row.author, row.audience),
                "created_at": at.isoformat() if at else None,
                "url": f"/api/key-images/{row.pk}/",
                "may_remove": runs or row.author_id == user.pk,
            }
        )
    return made


def report_json(report: Report, user: Any) -> dict[str, Any]:
    ready = report.is_ready
    return {
        "id": str(report.pk),
        "language": report.language,
        "state": str(report.job.state),
        "error": error_json(report.job),
        "created_at": report.created_at.isoformat(),
        "author": sealing.author_as_seen_by(user, report.author, report.study_id, None),
        "pages": report.pages,
        "sha256": report.pdf_sha256,
        "job_id": str(report.job_id),
        "page_url": f"/reports/{report.pk}/" if ready else None,
        "pdf_url": f"/api/reports/{report.pk}/pdf/" if ready else None,
    }


class KeyImagesView(APIView):
    @extend_schema(responses=KeyImageSerializer(many=True), operation_id="key_images_list")
    def get(self, request: Request, study_id: UUID) -> Response:
        study = visible_study(request.user, study_id)
        rows = list(key_images_visible_to(request.user).filter(study=study))
        return Response(key_images_json(rows, request.user))

    @extend_schema(
        request=NewKeyImageSerializer,
        responses={201: KeyImageSerializer, 200: OpenApiResponse(KeyImageSerializer, description="Kept already")},
        operation_id="key_images_keep",
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        """Keep a viewport as it is seen, for the report."""
        study = visible_study(request.user, study_id, "annotate")
        form = checked(NewKeyImageSerializer, request)
        image, repeated = services.keep_key_image(study=study, by=request.user, **form)
        code = status.HTTP_200_OK if repeated else status.HTTP_201_CREATED
        return Response(key_images_json([image], request.user)[0], status=code)


class KeyImageView(APIView):
    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY}, operation_id="key_images_picture")
    def get(self, request: Request, key_image_id: UUID) -> HttpResponseBase:
        image = get_object_or_404(key_images_visible_to(request.user), pk=key_image_id)
        return stored_file(request, image.picture_ref, "image/png")

    @extend_schema(responses={204: None}, operation_id="key_images_remove")
    def delete(self, request: Request, key_image_id: UUID) -> Response:
        image = get_object_or_404(key_images_visible_to(request.user), pk=key_image_id)
        if not may(request.user, image.study.project_id, "annotate"):
            raise PermissionDenied
        services.remove_key_image(image=image, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReportsView(APIView):
    @extend_schema(responses=ReportSerializer(many=True), operation_id="reports_list")
    def get(self, request: Request, study_id: UUID) -> Response:
        """Reports of the study, newest first; none while its results are sealed for the person."""
        study = visible_study(request.user, study_id)
        rows = reports_visible_to(request.user).filter(study=study)[:MOST_REPORTS]
        return Response([report_json(row, request.user) for row in rows])

    @extend_schema(request=WantedReportSerializer, responses={202: ReportSerializer}, operation_id="reports_request")
    def post(self, request: Request, study_id: UUID) -> Response:
        """Have a report made in one language; it takes seconds, and `report.ready` says when."""
        study = visible_study(request.user, study_id)
        form = checked(WantedReportSerializer, request)
        report = services.request_report(study=study, by=request.user, language=form["language"])
        return Response(report_json(report, request.user), status=status.HTTP_202_ACCEPTED)


class ReportView(APIView):
    @extend_schema(responses=ReportSerializer, operation_id="reports_retrieve")
    def get(self, request: Request, report_id: UUID) -> Response:
        return Response(report_json(get_object_or_404(reports_visible_to(request.user), pk=report_id), request.user))


class ReportPdfView(APIView):
    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, operation_id="reports_pdf")
    def get(self, request: Request, report_id: UUID) -> HttpResponseBase:
        report = get_object_or_404(reports_visible_to(request.user), pk=report_id)
        if not report.is_ready:
            raise NotFound
        name = f"{report.study.pseudonym}-report-{report.language}.pdf"
        return stored_file(request, report.pdf_ref, "application/pdf", filename=name)


@require_GET
@login_required
@never_cache
def report_page(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """The report to read and to print, in its own language."""
    report = get_object_or_404(reports_visible_to(request.user).exclude(content_ref=""), pk=report_id)
    content = json.loads(storage.read(report.content_ref))
    seen = set(key_images_visible_to(request.user).filter(study=report.study).values_list("pk", flat=True))
    content["images"] = [one for one in content["images"] if UUID(one["id"]) in seen]
    with translation.override(report.language):
        return render(request, "report.html", {"report": report, "content": content})


urlpatterns = [
    path("studies/<uuid:study_id>/key-images/", KeyImagesView.as_view(), name="api-key-images"),
    path("key-images/<uuid:key_image_id>/", KeyImageView.as_view(), name="api-key-image"),
    path("studies/<uuid:study_id>/reports/", ReportsView.as_view(), name="api-reports"),
    path("reports/<uuid:report_id>/", ReportView.as_view(), name="api-report"),
    path("reports/<uuid:report_id>/pdf/", ReportPdfView.as_view(), name="api-report-pdf"),
]
