"""How a result looks in JSON: the same in answers and in events."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from server.algorithms.api import CodeSerializer, ParameterSerializer, SegmentDescriptionSerializer
from server.reconstructions.models import Segment, Segmentation, Surface


class SegmentSerializer(serializers.Serializer):
    """A segment with its surface. `volume_ml` is counted from voxels; null where the spacing is unknown."""

    number = serializers.IntegerField()
    label = serializers.CharField()
    colour = serializers.CharField()
    category = CodeSerializer()
    type = CodeSerializer()
    voxels = serializers.IntegerField()
    volume_ml = serializers.FloatField(allow_null=True)
    triangles = serializers.SerializerMethodField()
    node = serializers.SerializerMethodField()
    centroid_mm = serializers.SerializerMethodField()
    bounds_mm = serializers.SerializerMethodField()

    def _surface(self, segment: Segment) -> Surface | None:
        return getattr(segment, "surface", None)

    def get_triangles(self, segment: Segment) -> int:
        surface = self._surface(segment)
        return surface.triangles if surface else 0

    def get_node(self, segment: Segment) -> str | None:
        surface = self._surface(segment)
        return surface.node if surface else None

    @extend_schema_field(serializers.ListField(child=serializers.FloatField(), allow_null=True))
    def get_centroid_mm(self, segment: Segment) -> Any:
        surface = self._surface(segment)
        return surface.centroid_mm if surface else None

    @extend_schema_field(serializers.ListField(child=serializers.FloatField(), allow_null=True))
    def get_bounds_mm(self, segment: Segment) -> Any:
        surface = self._surface(segment)
        return surface.bounds_mm if surface else None


class UsedAlgorithmSerializer(serializers.Serializer):
    name = serializers.CharField(source="algorithm.name")
    version = serializers.CharField()
    title = serializers.CharField(source="description.title")
    licence = serializers.CharField(source="description.licence")
    attribution = serializers.CharField(source="description.attribution")
    status = serializers.CharField(source="description.status")


class SegmentationUrlsSerializer(serializers.Serializer):
    labelmap = serializers.CharField()
    labelmap_nii = serializers.CharField()
    surfaces = serializers.CharField(allow_null=True)
    surfaces_plain = serializers.CharField(allow_null=True)
    manifest = serializers.CharField()


class SegmentationSerializer(serializers.Serializer):
    """The result of one job. `seconds` is per stage; `damaged` names files that were set aside."""

    id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    series_id = serializers.UUIDField()
    job_id = serializers.UUIDField()
    algorithm = UsedAlgorithmSerializer(source="algorithm_version")
    created_at = serializers.DateTimeField()
    warnings = serializers.ListField(child=serializers.CharField())
    damaged = serializers.ListField(child=serializers.CharField())
    device = serializers.CharField(source="manifest.device")
    seconds = serializers.DictField(child=serializers.FloatField(), source="manifest.seconds")
    segments = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    @extend_schema_field(SegmentSerializer(many=True))
    def get_segments(self, segmentation: Segmentation) -> Any:
        ordered = sorted(segmentation.segments.all(), key=lambda segment: segment.number)
        return SegmentSerializer(ordered, many=True).data

    @extend_schema_field(SegmentationUrlsSerializer)
    def get_urls(self, segmentation: Segmentation) -> dict[str, str | None]:
        base = f"/api/segmentations/{segmentation.pk}"
        return {
            "labelmap": f"{base}/labelmap/",
            "labelmap_nii": f"{base}/labelmap.nii.gz",
            "surfaces": f"{base}/surfaces/" if segmentation.surfaces_ref else None,
            "surfaces_plain": f"{base}/surfaces.glb" if segmentation.surfaces_plain_ref else None,
            "manifest": f"{base}/manifest/",
        }


class OfferSerializer(serializers.Serializer):
    """An algorithm beside one series: whether it fits, else why not, and the form to start it."""

    name = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    status = serializers.CharField()
    fits = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    parameters = ParameterSerializer(many=True)
    segments = SegmentDescriptionSerializer(many=True)
    licence = serializers.CharField()
    attribution = serializers.CharField()


def segmentation_json(segmentation: Segmentation) -> dict[str, Any]:
    """One result as events carry it."""
    return dict(SegmentationSerializer(segmentation).data)
