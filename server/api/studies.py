"""The worklist and one whole study: rows of `studies` together with their jobs and results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.selectors import acts_in, project_ids_with
from server.api.paging import Order, page_of
from server.core.errors import LaminaError
from server.jobs.api import JobSerializer
from server.jobs.selectors import jobs_json, jobs_visible_to, latest_by_owner, worth_listing
from server.jobs.states import JobState
from server.readings.cases.api import CaseSerializer
from server.readings.cases.selectors import case_of, streams_of
from server.readings.cases.serializers import case_json
from server.readings.selectors import annotations_of
from server.readings.serializers import AnnotationSerializer, annotations_json
from server.realtime.services import last_numbers
from server.reconstructions.models import SegmentationKind
from server.reconstructions.selectors import bare_segmentations_visible_to, segment_counts, segmentations_visible_to
from server.reconstructions.serializers import SegmentationSerializer, segmentations_json
from server.studies import services
from server.studies.api import visible_study
from server.studies.fusion import transforms_between
from server.studies.models import Study, StudyState
from server.studies.search import matching
from server.studies.selectors import active_studies_visible_to, binned_studies_visible_to, priors_of, summaries_of
from server.studies.serializers import (
    PriorSerializer,
    SeriesSerializer,
    StudySerializer,
    TransformSerializer,
    transform_json,
)

ORDERS = {
    "-created": Order("created_at", datetime, descending=True),
    "created": Order("created_at", datetime),
    "pseudonym": Order("patient_number", int),
    "-pseudonym": Order("patient_number", int, descending=True),
    "study_date": Order("study_date", date, nullable=True),
    "-study_date": Order("study_date", date, descending=True, nullable=True),
}
MOST_JOBS = 50


class StudyRowSerializer(StudySerializer):
    """A row of the worklist. `job` is the newest one; `may` is what the person may do."""

    job = serializers.SerializerMethodField()
    segments_count = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    @extend_schema_field(JobSerializer(allow_null=True))
    def get_job(self, study: Study) -> dict[str, Any] | None:
        return self.context["jobs"].get(study.pk)

    def get_segments_count(self, study: Study) -> int:
        return self.context["segments"].get(study.pk, 0)

    def get_may(self, study: Study) -> list[str]:
        return self.context["acts"][study.project_id]


class StudyPageSerializer(serializers.Serializer):
    results = StudyRowSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    streams = serializers.DictField(child=serializers.IntegerField())


class StudyStateSerializer(StudyRowSerializer):
    """Everything the study page starts from; events after `streams` complete it."""

    series = SeriesSerializer(many=True, read_only=True)
    priors = PriorSerializer(many=True, read_only=True)
    transforms = TransformSerializer(many=True, read_only=True)
    segmentations = SegmentationSerializer(many=True, read_only=True)
    annotations = AnnotationSerializer(many=True)
    case = CaseSerializer(allow_null=True)
    jobs = JobSerializer(many=True)
    streams = serializers.DictField(child=serializers.IntegerField())


class FactsSerializer(serializers.Serializer):
    studies = serializers.IntegerField()
    reconstructions_week = serializers.IntegerField()
    running_jobs = serializers.IntegerField()
    binned = serializers.IntegerField()


def rows_json(studies: Sequence[Study], user: Any) -> list[dict[str, Any]]:
    """Rows of the worklist with a constant number of queries."""
    ids = [study.pk for study in studies]
    jobs = latest_by_owner("study", ids, user)
    context = {
        "summaries": summaries_of(ids),
        "segments": segment_counts(ids, user),
        "jobs": dict(zip(jobs, jobs_json(jobs.values(), user=user), strict=True)),
        "acts": {key: sorted(acts_in(user, key)) for key in {study.project_id for study in studies}},
    }
    return list(StudyRowSerializer(studies, many=True, context=context).data)


def study_state(study: Study, user: Any) -> dict[str, Any]:
    """One study with its series, jobs, the results and marks not closed to the person, and the last numbers.

    The numbers are read first: what happens while the rest is read arrives again as an event, never not at all.
    """
    streams = last_numbers(streams_of(study, user))
    [row] = rows_json([study], user)
    jobs = worth_listing(jobs_visible_to(user).filter(owner_kind="study", owner_id=study.pk))
    results = segmentations_visible_to(user).filter(study=study)
    series = list(study.series.select_related("study").order_by("number", "created_at", "id"))
    return {
        **row,
        "series": SeriesSerializer(series, many=True).data,
        "priors": PriorSerializer(priors_of(study, user), many=True).data,
        "transforms": [transform_json(one) for one in transforms_between(series)],
        "segmentations": segmentations_json(results, study.pk, user),
        "annotations": annotations_json(annotations_of(study, user), study.pk, user),
        "case": case_json(case, user) if (case := case_of(study)) else None,
        "jobs": jobs_json(jobs.order_by("-created_at", "-id")[:MOST_JOBS], user=user),
        "streams": streams,
    }


def filtered(request: Request) -> QuerySet[Study]:
    """The worklist's filters: project, q, modality, state. Raises LaminaError for a value that is none."""
    given = request.query_params
    state = given.get("state", "") or StudyState.ACTIVE
    if state not in StudyState.values:
        raise LaminaError("unknown_state", _("state is active or binned."), 400)
    visible = active_studies_visible_to if state == StudyState.ACTIVE else binned_studies_visible_to
    rows = visible(request.user).select_related("project")
    if project := given.get("project", ""):
        try:
            rows = rows.filter(project_id=UUID(project))
        except ValueError:
            raise LaminaError("bad_id", _("project is the id of a project."), 400) from None
    if modality := given.get("modality", ""):
        rows = rows.filter(modalities__contains=[modality.upper()[:16]])
    return matching(rows, given.get("q", "")[:200])


class StudiesView(APIView):
    @extend_schema(
        responses=StudyPageSerializer,
        operation_id="studies_list",
        parameters=[
            OpenApiParameter("project", OpenApiTypes.UUID),
            OpenApiParameter("q", str, description="Words of pseudonym, description, modality and date."),
            OpenApiParameter("modality", str),
            OpenApiParameter("state", str, enum=list(StudyState.values)),
            OpenApiParameter("order", str, enum=list(ORDERS)),
            OpenApiParameter("after", str, description="The mark `next` of the page before."),
            OpenApiParameter("limit", int),
        ],
    )
    def get(self, request: Request) -> Response:
        """A page of studies of the projects the person belongs to."""
        studies, following = page_of(request, filtered(request), ORDERS, "-created")
        streams = last_numbers([study.stream for study in studies])
        return Response({"results": rows_json(studies, request.user), "next": following, "streams": streams})


class StudyFactsView(APIView):
    @extend_schema(responses=FactsSerializer, operation_id="studies_facts")
    def get(self, request: Request) -> Response:
        """The three facts at the foot of the worklist, over all projects of the person."""
        projects = project_ids_with(request.user, "view")
        since = timezone.now() - timedelta(days=7)
        finished = bare_segmentations_visible_to(request.user).filter(
            study__project_id__in=projects, created_at__gt=since, kind=SegmentationKind.ALGORITHM
        )
        running = jobs_visible_to(request.user).filter(state__in=[JobState.QUEUED, JobState.RUNNING])
        return Response(
            {
                "studies": active_studies_visible_to(request.user).count(),
                "reconstructions_week": finished.filter(study__state=StudyState.ACTIVE).count(),
                "running_jobs": running.count(),
                "binned": binned_studies_visible_to(request.user).count(),
            }
        )


class StudyView(APIView):
    @extend_schema(responses=StudyStateSerializer, operation_id="studies_retrieve")
    def get(self, request: Request, study_id: UUID) -> Response:
        return Response(study_state(visible_study(request.user, study_id), request.user))

    @extend_schema(responses=StudySerializer, operation_id="studies_bin")
    def delete(self, request: Request, study_id: UUID) -> Response:
        """To the bin, for 30 days."""
        study = services.bin_study(study=visible_study(request.user, study_id, "delete"), by=request.user)
        return Response(rows_json([study], request.user)[0])


urlpatterns = [
    path("studies/", StudiesView.as_view(), name="api-studies"),
    path("studies/facts/", StudyFactsView.as_view(), name="api-studies-facts"),
    path("studies/<uuid:study_id>/", StudyView.as_view(), name="api-study"),
]
