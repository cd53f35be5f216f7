"""How a result looks in JSON: the same in answers and in events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from server import engine
from server.algorithms.api import CodeSerializer, ParameterSerializer, SegmentDescriptionSerializer
from server.reconstructions.models import Segment, Segmentation, SegmentationKind, Surface
from server.studies.sealing import Masks, masks


class EditorSerializer(serializers.Serializer):
    """`id` is null where the case is blind: then the name is "Reader A"."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


def editor_json(person: Any, audience: UUID | None, seen: Masks | None) -> dict[str, Any] | None:
    """A person without the colour; `seen` None as events carry it."""
    known = (seen or Masks()).author(person, audience)
    return known and {"id": known["id"], "name": known["name"]}


class SegmentSerializer(serializers.Serializer):
    """A segment with its surface. `volume_ml` is counted from voxels; null where the spacing is unknown.

    An edited segment has a surface of its own behind `surface_url`; without one it is the node of `urls.surfaces`.
    The surface is behind the voxels while `surface_seq` < `touched_seq`.
    """

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
    place = serializers.IntegerField()
    touched_seq = serializers.IntegerField()
    surface_seq = serializers.SerializerMethodField()
    surface_url = serializers.SerializerMethodField()

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

    def get_surface_seq(self, segment: Segment) -> int:
        surface = self._surface(segment)
        return surface.seq if surface else 0

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_surface_url(self, segment: Segment) -> str | None:
        surface = self._surface(segment)
        if surface is None or not surface.ref:
            return None
        return f"/api/segmentations/{segment.segmentation_id}/segments/{segment.number}/surface/?seq={surface.seq}"


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
    slices = serializers.CharField()
    surfaces = serializers.CharField(allow_null=True)
    surfaces_plain = serializers.CharField(allow_null=True)
    manifest = serializers.CharField(allow_null=True)
    operations = serializers.CharField(allow_null=True)


class BasedOnSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    title = serializers.CharField()


class SegmentationSerializer(serializers.Serializer):
    """The result of one job, or a working copy people edit (`kind` "edited", then without job and algorithm).

    `seconds` is per stage; `damaged` names files that were set aside; `seq` is the newest operation;
    `encloses` says whose numbers include the voxels of others (a skin those of the bones it runs round).
    """

    id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    series_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["algorithm", "edited"])
    title = serializers.SerializerMethodField()
    based_on = serializers.SerializerMethodField()
    audience = serializers.UUIDField(allow_null=True)
    author = serializers.SerializerMethodField()
    seq = serializers.SerializerMethodField()
    job_id = serializers.UUIDField(allow_null=True)
    algorithm = UsedAlgorithmSerializer(source="algorithm_version", allow_null=True)
    created_at = serializers.SerializerMethodField()
    warnings = serializers.ListField(child=serializers.CharField())
    damaged = serializers.ListField(child=serializers.CharField())
    device = serializers.SerializerMethodField()
    seconds = serializers.SerializerMethodField()
    segments = serializers.SerializerMethodField()
    encloses = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    @extend_schema_field(EditorSerializer(allow_null=True))
    def get_author(self, segmentation: Segmentation) -> dict[str, Any] | None:
        return editor_json(segmentation.author, segmentation.audience, self.context.get("masks"))

    @extend_schema_field(serializers.DateTimeField())
    def get_created_at(self, segmentation: Segmentation) -> str:
        seen: Masks = self.context.get("masks") or Masks()
        at = seen.time(segmentation.created_at, segmentation.audience) or segmentation.created_at
        return serializers.DateTimeField().to_representation(at)

    def get_title(self, segmentation: Segmentation) -> str:
        return title_of(segmentation)

    @extend_schema_field(BasedOnSerializer(allow_null=True))
    def get_based_on(self, segmentation: Segmentation) -> dict[str, str] | None:
        base = segmentation.based_on
        return {"id": str(base.pk), "title": title_of(base)} if base else None

    def get_seq(self, segmentation: Segmentation) -> int:
        edit = getattr(segmentation, "edit", None)
        return edit.head if edit else 0

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_device(self, segmentation: Segmentation) -> str | None:
        return segmentation.manifest.get("device")

    @extend_schema_field(serializers.DictField(child=serializers.FloatField()))
    def get_seconds(self, segmentation: Segmentation) -> dict[str, float]:
        return segmentation.manifest.get("seconds", {})

    @extend_schema_field(SegmentSerializer(many=True))
    def get_segments(self, segmentation: Segmentation) -> Any:
        ordered = sorted(segmentation.segments.all(), key=lambda segment: (segment.place, segment.number))
        return SegmentSerializer(ordered, many=True).data

    @extend_schema_field(serializers.DictField(child=serializers.ListField(child=serializers.IntegerField())))
    def get_encloses(self, segmentation: Segmentation) -> dict[str, list[int]]:
        """Segment number -> labels inside it that its voxels, mL and surface include."""
        made_by = (segmentation.based_on or segmentation).algorithm_version
        inside = engine.encloses(made_by.algorithm.name) if made_by else {}
        return {str(outer): list(inner) for outer, inner in inside.items()}

    @extend_schema_field(SegmentationUrlsSerializer)
    def get_urls(self, segmentation: Segmentation) -> dict[str, str | None]:
        base = f"/api/segmentations/{segmentation.pk}"
        edited = segmentation.kind == SegmentationKind.EDITED
        return {
            "labelmap": f"{base}/labelmap/",
            "labelmap_nii": f"{base}/labelmap.nii.gz",
            "slices": f"{base}/slices/",
            "surfaces": f"{base}/surfaces/" if segmentation.surfaces_ref else None,
            "surfaces_plain": f"{base}/surfaces.glb" if segmentation.surfaces_plain_ref or edited else None,
            "manifest": None if edited else f"{base}/manifest/",
            "operations": f"{base}/operations/" if edited else None,
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


def title_of(segmentation: Segmentation) -> str:
    """The algorithm's title; "" for what people drew."""
    version = segmentation.algorithm_version
    return str(version.description.get("title", "")) if version else ""


def segmentation_json(segmentation: Segmentation, user: Any = None) -> dict[str, Any]:
    """One result as the person may see it; without `user` as events carry it."""
    seen = masks(user, segmentation.study_id) if user is not None else None
    return dict(SegmentationSerializer(segmentation, context={"masks": seen}).data)


def segmentations_json(rows: Iterable[Segmentation], study_id: UUID, user: Any) -> list[dict[str, Any]]:
    """Results of one study as the person may see them."""
    return list(SegmentationSerializer(rows, many=True, context={"masks": masks(user, study_id)}).data)
