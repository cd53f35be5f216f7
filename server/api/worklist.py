"""A reader's own cases: readings together with their cases and the rows of their studies."""

from __future__ import annotations

from typing import Any

from django.db.models import Case as Choice
from django.db.models import F, QuerySet, Value, When
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.api.studies import StudyRowSerializer, rows_json
from server.jobs.states import JobState
from server.readings.cases.selectors import complete, own_readings
from server.readings.cases.serializers import CaseSerializer, MineSerializer, cases_json, mine_json
from server.readings.cases.states import OPEN
from server.readings.models.cases import Case, Reading

MOST_OPEN, MOST_DONE = 200, 100


class WaitingJobSerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=JobState.choices)
    fraction = serializers.FloatField()
    phase = serializers.CharField()
    place = serializers.IntegerField(allow_null=True)


class WorklistRowSerializer(serializers.Serializer):
    """`job`: a reconstruction of the study that waits or runs."""

    reading = MineSerializer()
    case = CaseSerializer()
    study = StudyRowSerializer()
    job = WaitingJobSerializer(allow_null=True)


class WorklistSerializer(serializers.Serializer):
    """`next`: the reading to take up next."""

    results = WorklistRowSerializer(many=True)
    next = serializers.UUIDField(allow_null=True)


def _own(user: Any) -> QuerySet[Reading]:
    begun_first = Choice(When(state="in_progress", then=Value(0)), default=Value(1))
    return own_readings(user).order_by(F("due_on").asc(nulls_last=True), begun_first, "created_at", "id")


def worklist_json(user: Any) -> dict[str, Any]:
    """Open readings by due date, then those that are done, newest first, with a constant number of queries."""
    waiting = list(_own(user).filter(state__in=OPEN)[:MOST_OPEN])
    done = list(own_readings(user).exclude(state__in=OPEN).order_by("-modified_at", "id")[:MOST_DONE])
    rows = waiting + done
    cases = list(complete(Case.objects.filter(pk__in={row.case_id for row in rows})))
    bodies = {case.pk: body for case, body in zip(cases, cases_json(cases, user), strict=True)}
    studies = {case.study_id: case.study for case in cases}
    listed = {row["id"]: row for row in rows_json(list(studies.values()), user)}
    return {
        "results": [
            {
                "reading": mine_json(row),
                "case": bodies[row.case_id],
                "study": (study := listed[str(row.case.study_id)]),
                "job": _waiting(study["job"]),
            }
            for row in rows
        ],
        "next": str(waiting[0].pk) if waiting else None,
    }


def _waiting(job: dict[str, Any] | None) -> dict[str, Any] | None:
    if job is None or job["kind"] != "reconstruction" or job["state"] not in (JobState.QUEUED, JobState.RUNNING):
        return None
    return {name: job[name] for name in ("state", "fraction", "phase", "place")}


class WorklistView(APIView):
    @extend_schema(responses=WorklistSerializer, operation_id="worklist")
    def get(self, request: Request) -> Response:
        """The person's own readings."""
        return Response(worklist_json(request.user))


urlpatterns = [path("worklist/", WorklistView.as_view(), name="api-worklist")]
