"""Series and their bytes over HTTP; the bin. Lists of studies stand in server/api, which also knows results."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.reauthentication import require_recent_authentication
from server.accounts.selectors import may
from server.studies import services
from server.studies.files import stored_file
from server.studies.models import Series, Study
from server.studies.selectors import series_visible_to, studies_visible_to
from server.studies.serializers import SeriesSerializer, StudySerializer, study_json
from server.studies.slices_api import PackedView, PhasePackedView, SliceView

BYTES = {(200, "application/octet-stream"): OpenApiTypes.BINARY, (206, "application/octet-stream"): OpenApiTypes.BINARY}
DIGEST_UP_TO = 8 << 20
PICTURE = {(200, "image/png"): OpenApiTypes.BINARY}


def visible_study(user: Any, study_id: UUID, act: str = "view") -> Study:
    """404 for a stranger; 403 for a member whose role does not allow the act."""
    study = get_object_or_404(studies_visible_to(user).select_related("project", "patient"), pk=study_id)
    if not may(user, study.project_id, act):
        from rest_framework.exceptions import PermissionDenied

        raise PermissionDenied
    return study


class SeriesView(APIView):
    @extend_schema(responses=SeriesSerializer, operation_id="series_retrieve")
    def get(self, request: Request, series_id: UUID) -> Response:
        series = get_object_or_404(series_visible_to(request.user), pk=series_id)
        return Response(SeriesSerializer(series).data)


class SeriesFileView(APIView):
    """Base of the byte addresses of a series."""

    def series(self, request: Request, series_id: UUID) -> Series:
        return get_object_or_404(series_visible_to(request.user), pk=series_id)


def _import_again(series: Series) -> dict[str, Any]:
    return {"cure": "import_again", "series_id": str(series.pk), "study_id": str(series.study_id)}


class VoxelsView(SeriesFileView):
    @extend_schema(responses=BYTES, operation_id="series_voxels")
    def get(self, request: Request, series_id: UUID, number: int = 0) -> HttpResponseBase:
        """Raw little-endian int16, C order (k, j, i). Byte ranges answer 206: slice k starts at k*j*i*2.

        Ranges of up to 8 MiB carry their SHA-256 as Content-Digest.
        """
        series = self.series(request, series_id)
        if number > len(series.phase_refs):
            raise NotFound
        return stored_file(
            request,
            series.phase_refs[number - 1] if number else series.voxels_ref,
            "application/octet-stream",
            on_damage=lambda: _import_again(series),
            digest_up_to=DIGEST_UP_TO,
        )


class PhaseVoxelsView(VoxelsView):
    @extend_schema(responses=BYTES, operation_id="series_phase_voxels")
    def get(self, request: Request, series_id: UUID, number: int = 0) -> HttpResponseBase:
        """The same of one volume of a 4D series; 0 is the series' own."""
        return super().get(request, series_id, number)


class PreviewView(SeriesFileView):
    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="series_preview")
    def get(self, request: Request, series_id: UUID) -> HttpResponseBase:
        """uint8 at about a quarter of the resolution, gzip."""
        series = self.series(request, series_id)
        return stored_file(
            request,
            series.preview_ref,
            "application/octet-stream",
            encoding="gzip",
            on_damage=lambda: _import_again(series),
        )


class ThumbnailView(SeriesFileView):
    @extend_schema(responses=PICTURE, operation_id="series_thumbnail")
    def get(self, request: Request, series_id: UUID) -> HttpResponseBase:
        """The middle slice, small; for what is no volume its middle picture."""
        series = self.series(request, series_id)
        pictures = series.picture_refs
        ref = series.thumbnail_ref or (pictures[len(pictures) // 2] if pictures else "")
        return stored_file(request, ref, "image/png", on_damage=lambda: _import_again(series))


class PictureView(SeriesFileView):
    @extend_schema(responses=PICTURE, operation_id="series_picture")
    def get(self, request: Request, series_id: UUID, number: int) -> HttpResponseBase:
        """One picture of a series that is kept without being a volume."""
        series = self.series(request, series_id)
        if number >= len(series.picture_refs):
            raise NotFound
        return stored_file(request, series.picture_refs[number], "image/png", on_damage=lambda: _import_again(series))


class RestoreView(APIView):
    @extend_schema(request=None, responses=StudySerializer, operation_id="studies_restore")
    def post(self, request: Request, study_id: UUID) -> Response:
        """Out of the bin, as it was."""
        study = visible_study(request.user, study_id, "delete")
        return Response(study_json(services.restore_study(study=study, by=request.user)))


class EraseView(APIView):
    @extend_schema(
        request=None, responses={204: OpenApiResponse(description="Erased for good")}, operation_id="studies_erase"
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        """Erase a study in the bin now instead of after its 30 days. Asks for the password again."""
        study = visible_study(request.user, study_id, "delete")
        require_recent_authentication(request._request)
        services.erase_study(study=study, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


urlpatterns = [
    path("series/<uuid:series_id>/", SeriesView.as_view(), name="api-series"),
    path("series/<uuid:series_id>/voxels/", VoxelsView.as_view(), name="api-series-voxels"),
    path("series/<uuid:series_id>/packed/", PackedView.as_view(), name="api-series-packed"),
    path("series/<uuid:series_id>/phases/<int:number>/voxels/", PhaseVoxelsView.as_view(), name="api-phase-voxels"),
    path("series/<uuid:series_id>/phases/<int:number>/packed/", PhasePackedView.as_view(), name="api-phase-packed"),
    path("series/<uuid:series_id>/slices/<slug:plane>/<int:number>/", SliceView.as_view(), name="api-series-slice"),
    path("series/<uuid:series_id>/preview/", PreviewView.as_view(), name="api-series-preview"),
    path("series/<uuid:series_id>/thumbnail/", ThumbnailView.as_view(), name="api-series-thumbnail"),
    path("series/<uuid:series_id>/pictures/<int:number>/", PictureView.as_view(), name="api-series-picture"),
    path("studies/<uuid:study_id>/restore/", RestoreView.as_view(), name="api-study-restore"),
    path("studies/<uuid:study_id>/erase/", EraseView.as_view(), name="api-study-erase"),
]
