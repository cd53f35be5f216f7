"""How studies, series and intakes look in JSON: the same in answers and in events."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from server.studies import selectors
from server.studies.models import Series, Study, Transform


class NamedSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class FindingSerializer(serializers.Serializer):
    """What inspection said: `verdict` accept, warn or refuse, the codes, and a sentence with file, rule and cure."""

    verdict = serializers.ChoiceField(choices=["accept", "warn", "refuse"])
    reasons = serializers.ListField(child=serializers.CharField())
    message = serializers.CharField()


class VolumeSerializer(serializers.Serializer):
    """value = stored * slope + intercept; voxel (k, j, i) lies at affine @ (k, j, i, 1), LPS mm."""

    shape = serializers.ListField(child=serializers.IntegerField())
    spacing_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    affine = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    slope = serializers.FloatField()
    intercept = serializers.FloatField()
    unit = serializers.CharField()
    value_range = serializers.ListField(child=serializers.FloatField())
    window = serializers.ListField(child=serializers.FloatField())
    automatic_window = serializers.ListField(child=serializers.FloatField())
    preview_shape = serializers.ListField(child=serializers.IntegerField())
    preview_affine = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    preview_range = serializers.ListField(child=serializers.FloatField())
    phases = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_phases(self, volume: dict[str, Any]) -> list[dict[str, Any]]:
        """All volumes of a 4D series, the first included; none where there is one (PhaseSerializer)."""
        return [dict(PhaseSerializer(phase).data) for phase in volume.get("phases", ())]


class PhaseSerializer(serializers.Serializer):
    """One volume of a 4D series; `value` in ms, s/mm2 or counted from 1, as `kind` says."""

    kind = serializers.ChoiceField(choices=["time", "b", "echo", "number"])
    value = serializers.FloatField()
    slope = serializers.FloatField()
    intercept = serializers.FloatField()


class PhaseUrlsSerializer(serializers.Serializer):
    voxels = serializers.CharField()
    packed = serializers.CharField()


class SeriesUrlsSerializer(serializers.Serializer):
    voxels = serializers.CharField(allow_null=True)
    packed = serializers.CharField(allow_null=True)  # ?first=&count=: the same slices, smaller
    slices = serializers.CharField(allow_null=True)  # + k, j or i / number /: one slice at a time
    preview = serializers.CharField(allow_null=True)
    thumbnail = serializers.CharField(allow_null=True)
    pictures = serializers.ListField(child=serializers.CharField())
    phases = PhaseUrlsSerializer(many=True)  # as volume.phases


class SeriesSerializer(serializers.Serializer):
    """One series, with the addresses of its bytes."""

    id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    series_instance_uid = serializers.CharField()
    frame_of_reference_uid = serializers.CharField(allow_null=True)
    modality = serializers.CharField()
    number = serializers.IntegerField(allow_null=True)
    description = serializers.CharField()
    is_volume = serializers.BooleanField()
    slices = serializers.IntegerField()
    shape = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    spacing_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    finding = FindingSerializer()
    volume = VolumeSerializer(allow_null=True)
    urls = serializers.SerializerMethodField()

    @extend_schema_field(SeriesUrlsSerializer)
    def get_urls(self, series: Series) -> dict[str, Any]:
        base = f"/api/series/{series.pk}"
        return {
            "voxels": f"{base}/voxels/" if series.voxels_ref else None,
            "packed": f"{base}/packed/" if series.voxels_ref else None,
            "slices": f"{base}/slices/" if series.voxels_ref else None,
            "preview": f"{base}/preview/" if series.preview_ref else None,
            "thumbnail": f"{base}/thumbnail/" if series.thumbnail_ref or series.picture_refs else None,
            "pictures": [f"{base}/pictures/{number}/" for number in range(len(series.picture_refs))],
            "phases": [_phase_urls(base, number) for number in range(len((series.volume or {}).get("phases", ())))],
        }


def _phase_urls(base: str, number: int) -> dict[str, str]:
    """Of a volume of a 4D series; the first is the series' own."""
    start = f"{base}/phases/{number}" if number else base
    return {"voxels": f"{start}/voxels/", "packed": f"{start}/packed/"}


class MatrixField(serializers.ListField):
    """4 rows of 4 numbers, LPS mm."""

    def __init__(self, **options: Any) -> None:
        row = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
        super().__init__(child=row, min_length=4, max_length=4, **options)


class TransformSerializer(serializers.Serializer):
    """p_fixed = matrix @ p_moving, LPS mm. A frame is null where the series names none and stands for itself."""

    id = serializers.UUIDField()
    study_id = serializers.UUIDField(source="moving_series.study_id")
    moving_series_id = serializers.UUIDField()
    fixed_series_id = serializers.UUIDField()
    moving_frame_of_reference_uid = serializers.SerializerMethodField()
    fixed_frame_of_reference_uid = serializers.SerializerMethodField()
    matrix = MatrixField()
    method = serializers.CharField()
    landmark_error_mm = serializers.FloatField(allow_null=True)
    note = serializers.CharField()
    facts = serializers.DictField()
    author = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    inverted = serializers.BooleanField(default=False)

    def get_moving_frame_of_reference_uid(self, transform: Transform) -> str | None:
        return None if transform.moving_frame.startswith("series:") else transform.moving_frame

    def get_fixed_frame_of_reference_uid(self, transform: Transform) -> str | None:
        return None if transform.fixed_frame.startswith("series:") else transform.fixed_frame

    @extend_schema_field(NamedSerializer(allow_null=True))
    def get_author(self, transform: Transform) -> dict[str, str] | None:
        author = transform.author
        return {"id": str(author.pk), "name": author.display_name} if author else None


class PriorSerializer(serializers.Serializer):
    """Another study of the same patient, with all it takes to show its series beside this one's."""

    id = serializers.UUIDField()
    description = serializers.CharField()
    study_date = serializers.DateField(allow_null=True)
    modalities = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    series = SeriesSerializer(many=True)


class StudySerializer(serializers.Serializer):
    """The part of a study's row that is the same for everybody. Context: summaries of the page's studies."""

    id = serializers.UUIDField()
    project = NamedSerializer()
    pseudonym = serializers.CharField()
    description = serializers.CharField()
    study_date = serializers.DateField(allow_null=True)
    modalities = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()
    binned_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    is_demo = serializers.BooleanField()
    notice = serializers.CharField()
    series_count = serializers.SerializerMethodField()
    slices = serializers.SerializerMethodField()
    thumbnail = serializers.SerializerMethodField()

    def _summary(self, study: Study) -> selectors.SeriesSummary:
        return self.context["summaries"][study.pk]

    def get_series_count(self, study: Study) -> int:
        return self._summary(study).series_count

    def get_slices(self, study: Study) -> int:
        return self._summary(study).slices

    def get_thumbnail(self, study: Study) -> str | None:
        series_id = self._summary(study).thumbnail_series_id
        return f"/api/series/{series_id}/thumbnail/" if series_id else None


def study_json(study: Study) -> dict[str, Any]:
    """One study as events carry it."""
    return dict(StudySerializer(study, context={"summaries": selectors.summaries_of([study.pk])}).data)


def series_json(series: Series) -> dict[str, Any]:
    """One series as events carry it."""
    return dict(SeriesSerializer(series).data)


def transform_json(transform: Transform) -> dict[str, Any]:
    """One stored transform as answers and events carry it."""
    return dict(TransformSerializer(transform).data)
