"""The operations page's numbers. Site admins only: it shows every project's jobs, but nothing inside a study."""

from __future__ import annotations

from dataclasses import asdict

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.jobs.selectors import jobs_json
from server.operations import health, selectors


class FactSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField()
    detail = serializers.CharField()
    history = serializers.ListField(child=serializers.FloatField())


class HealthSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["good", "caution", "bad"])
    value = serializers.CharField()
    cure = serializers.CharField()


class WorkerSerializer(serializers.Serializer):
    name = serializers.CharField()
    queues = serializers.ListField(child=serializers.CharField())
    device = serializers.CharField()
    state = serializers.ChoiceField(choices=["idle", "working", "silent"])
    job = serializers.DictField(allow_null=True)
    beat_age_s = serializers.FloatField()
    memory_mib = serializers.FloatField()
    jobs_today = serializers.IntegerField()


class OperationsSerializer(serializers.Serializer):
    facts = FactSerializer(many=True)
    jobs = serializers.ListField(child=serializers.DictField())
    workers = WorkerSerializer(many=True)
    health = HealthSerializer(many=True)
    checked_at = serializers.DateTimeField()


class OperationsView(APIView):
    @extend_schema(responses=OperationsSerializer)
    def get(self, request: Request) -> Response:
        if not request.user.is_site_admin:
            raise PermissionDenied("Only a site admin sees operations.")
        jobs = selectors.jobs_shown()
        projects = {str(job.pk): job.project.name for job in jobs}
        body = {
            "facts": [asdict(fact) for fact in selectors.facts()],
            # A result names what was found; the queue is shown without it.
            "jobs": [
                {**row, "result": None, "project": projects[row["id"]]} for row in jobs_json(jobs, user=request.user)
            ],
            "workers": selectors.workers_shown(),
            "health": [asdict(check) for check in health.all_checks()],
            "checked_at": timezone.now(),
        }
        return Response(OperationsSerializer(body).data)
