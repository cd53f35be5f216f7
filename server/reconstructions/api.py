"""Starting reconstructions, reading their results and the bytes of them."""

from __future__ import annotations

import gzip
from typing import Any
from uuid import UUID

import numpy as np
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.selectors import may
from server.core.forms import checked
from server.jobs.api import JobSerializer
from server.jobs.selectors import job_json
from server.reconstructions import services
from server.reconstructions.editing import api as editing_api
from server.reconstructions.editing import downloads, labelmaps
from server.reconstructions.models import Segmentation, SegmentationKind
from server.reconstructions.selectors import algorithms_for, segmentations_visible_to
from server.reconstructions.serializers import OfferSerializer, SegmentationSerializer, segmentation_json
from server.studies.files import stored_file
from server.studies.models import Series
from server.studies.selectors import series_visible_to
from server.studies.slices import AXES
from server.studies.slices_api import PRIVATE

KEY_HEADER = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key acts once.")
KEY_LENGTH = 128


class RequestSerializer(serializers.Serializer):
    series = serializers.UUIDField()
    algorithm = serializers.CharField(max_length=60)
    version = serializers.CharField(max_length=20, default="", allow_blank=True)
    parameters = serializers.DictField(default=dict)


def series_to_work_on(user: Any, series_id: UUID) -> Series:
    """404 for a stranger; 403 for a member who may only look."""
    series = get_object_or_404(series_visible_to(user), pk=series_id)
    if not may(user, series.study.project_id, "reconstruct"):
        raise PermissionDenied
    return series


def idempotency_key(request: Request) -> str | None:
    return request.headers.get("Idempotency-Key", "")[:KEY_LENGTH] or None


def job_answer(job: Any, user: Any) -> Response:
    """201 for a new job, 200 for one the same key started before."""
    repeated = getattr(job, "is_repeat", False)
    return Response(job_json(job, user=user), status=status.HTTP_200_OK if repeated else status.HTTP_201_CREATED)


class ReconstructionsView(APIView):
    @extend_schema(
        request=RequestSerializer,
        responses={201: JobSerializer, 200: JobSerializer},
        parameters=[KEY_HEADER],
        operation_id="reconstructions_create",
    )
    def post(self, request: Request) -> Response:
        """Put a reconstruction in line. Answers the job."""
        wanted = checked(RequestSerializer, request)
        job = services.request_reconstruction(
            series=series_to_work_on(request.user, wanted["series"]),
            by=request.user,
            algorithm=wanted["algorithm"],
            version=wanted["version"],
            parameters=wanted["parameters"],
            idempotency_key=idempotency_key(request),
        )
        return job_answer(job, request.user)


class OffersView(APIView):
    @extend_schema(responses=OfferSerializer(many=True), operation_id="series_algorithms")
    def get(self, request: Request, series_id: UUID) -> Response:
        """Every algorithm in service: those that fit first, the others with the sentence why not."""
        series = get_object_or_404(series_visible_to(request.user), pk=series_id)
        offers = [
            {**version.description, "fits": not reasons, "reasons": reasons}
            for version, reasons in algorithms_for(series)
        ]
        return Response(OfferSerializer(offers, many=True).data)


def visible_segmentation(request: Request, segmentation_id: UUID) -> Segmentation:
    return get_object_or_404(segmentations_visible_to(request.user), pk=segmentation_id)


class SegmentationView(APIView):
    @extend_schema(responses=SegmentationSerializer, operation_id="segmentations_retrieve")
    def get(self, request: Request, segmentation_id: UUID) -> Response:
        return Response(segmentation_json(visible_segmentation(request, segmentation_id), request.user))


class RepeatView(APIView):
    @extend_schema(
        request=None, responses={201: JobSerializer}, parameters=[KEY_HEADER], operation_id="segmentations_repeat"
    )
    def post(self, request: Request, segmentation_id: UUID) -> Response:
        """Run it again on the same series with the same parameters, for instance after a file was damaged."""
        segmentation = visible_segmentation(request, segmentation_id)
        series_to_work_on(request.user, segmentation.series_id)
        job = services.repeat_reconstruction(
            segmentation=segmentation, by=request.user, idempotency_key=idempotency_key(request)
        )
        return job_answer(job, request.user)


class ManifestView(APIView):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="segmentations_manifest")
    def get(self, request: Request, segmentation_id: UUID) -> Response:
        """Engine, recipe, weights and input hashes, device, seconds per stage, metrics, files and their hashes."""
        return Response(visible_segmentation(request, segmentation_id).manifest)


class _ArtefactView(APIView):
    """One file of a result. A damaged one is set aside, everybody is told, and the answer offers the re-run."""

    artefact = ""
    content_type = "application/octet-stream"
    encoding: str | None = None
    download = ""

    def answer(self, request: Request, segmentation_id: UUID) -> HttpResponseBase:
        segmentation = visible_segmentation(request, segmentation_id)
        if self.download and segmentation.kind == SegmentationKind.EDITED:
            segmentation = downloads.with_current_files(segmentation, request.user)

        def on_damage() -> dict[str, Any]:
            services.note_damage(segmentation_id=segmentation.pk, artefact=self.artefact)
            may_repeat = may(request.user, segmentation.study.project_id, "reconstruct")
            url = f"/api/segmentations/{segmentation.pk}/repeat/"
            return {"cure": "run_again", "artefact": self.artefact, "repeat_url": url if may_repeat else None}

        filename = f"{segmentation.study.pseudonym}-{self.download}" if self.download else None
        ref = getattr(segmentation, f"{self.artefact}_ref")
        return stored_file(
            request, ref, self.content_type, filename=filename, encoding=self.encoding, on_damage=on_damage
        )


class LabelmapView(_ArtefactView):
    artefact, encoding = "labelmap", "gzip"

    def answer(self, request: Request, segmentation_id: UUID) -> HttpResponseBase:
        """As for other files; of an edited one as it is now. The header says after which operation that is."""
        segmentation = visible_segmentation(request, segmentation_id)
        seq = 0
        if segmentation.kind == SegmentationKind.EDITED:
            ref, seq = labelmaps.snapshot(segmentation)
            response = stored_file(request, ref, self.content_type, encoding=self.encoding)
        else:
            response = super().answer(request, segmentation_id)
        response.headers["Lamina-Seq"] = str(seq)
        return response

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="segmentations_labelmap"
    )
    def get(self, request: Request, segmentation_id: UUID) -> HttpResponseBase:
        """uint8 SegmentNumbers, C order (k, j, i), on the grid of the series, gzip."""
        return self.answer(request, segmentation_id)


class LabelSliceView(APIView):
    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="segmentations_label_slice"
    )
    def get(self, request: Request, segmentation_id: UUID, plane: str, number: int) -> HttpResponse:
        """SegmentNumbers of one slice across index axis k, j or i, uint8, gzip: for browsers that cannot hold them all.

        Rows and columns are the other two axes in their order, as those of the series' slices.
        """
        segmentation = visible_segmentation(request, segmentation_id)
        shape = tuple(segmentation.series.shape)
        if plane not in AXES or number >= shape[AXES[plane]]:
            raise NotFound
        with labelmaps.shown(segmentation) as (flat, seq):
            labels = np.take(flat.reshape(shape), number, AXES[plane]).tobytes()
        headers = PRIVATE | {"Content-Encoding": "gzip", "Lamina-Seq": str(seq)}
        return HttpResponse(gzip.compress(labels, 1), content_type="application/octet-stream", headers=headers)


class SurfacesView(_ArtefactView):
    artefact, content_type = "surfaces", "model/gltf-binary"

    @extend_schema(responses={(200, "model/gltf-binary"): OpenApiTypes.BINARY}, operation_id="segmentations_surfaces")
    def get(self, request: Request, segmentation_id: UUID) -> HttpResponseBase:
        """GLB for the browser: EXT_meshopt_compression, KHR_mesh_quantization, one node per segment."""
        return self.answer(request, segmentation_id)


class PlainSurfacesView(_ArtefactView):
    artefact, content_type, download = "surfaces_plain", "model/gltf-binary", "surfaces.glb"

    @extend_schema(
        responses={(200, "model/gltf-binary"): OpenApiTypes.BINARY}, operation_id="segmentations_surfaces_plain"
    )
    def get(self, request: Request, segmentation_id: UUID) -> HttpResponseBase:
        """Plain GLB to keep."""
        return self.answer(request, segmentation_id)


class LabelmapNiftiView(_ArtefactView):
    artefact, content_type, download = "labelmap_nii", "application/gzip", "labelmap.nii.gz"

    @extend_schema(
        responses={(200, "application/gzip"): OpenApiTypes.BINARY}, operation_id="segmentations_labelmap_nifti"
    )
    def get(self, request: Request, segmentation_id: UUID) -> HttpResponseBase:
        """The labelmap as NIfTI to keep."""
        return self.answer(request, segmentation_id)


_one = "segmentations/<uuid:segmentation_id>"
urlpatterns = [
    path("reconstructions/", ReconstructionsView.as_view(), name="api-reconstructions"),
    path("series/<uuid:series_id>/algorithms/", OffersView.as_view(), name="api-series-algorithms"),
    path(f"{_one}/", SegmentationView.as_view(), name="api-segmentation"),
    path(f"{_one}/repeat/", RepeatView.as_view(), name="api-segmentation-repeat"),
    path(f"{_one}/manifest/", ManifestView.as_view(), name="api-segmentation-manifest"),
    path(f"{_one}/labelmap/", LabelmapView.as_view(), name="api-segmentation-labelmap"),
    path(f"{_one}/slices/<slug:plane>/<int:number>/", LabelSliceView.as_view(), name="api-segmentation-label-slice"),
    path(f"{_one}/labelmap.nii.gz", LabelmapNiftiView.as_view(), name="api-segmentation-labelmap-nifti"),
    path(f"{_one}/surfaces/", SurfacesView.as_view(), name="api-segmentation-surfaces"),
    path(f"{_one}/surfaces.glb", PlainSurfacesView.as_view(), name="api-segmentation-surfaces-plain"),
    *editing_api.urlpatterns,
]
