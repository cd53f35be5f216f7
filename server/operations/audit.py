"""A project's audit chain to look through and to take away."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.models import Project, User
from server.accounts.selectors import may, projects_visible_to
from server.core import audit
from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.studies.models import Study
from server.studies.sealing import sealed_study_ids

PAGE, MOST = 100, 500


class EntrySerializer(serializers.Serializer):
    """One act. `position` is null until the sealer has given it its place, a few seconds after it happened."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    act = serializers.CharField()
    actor = serializers.CharField(allow_null=True)
    target_kind = serializers.CharField()
    target_id = serializers.CharField()
    facts = serializers.DictField()
    position = serializers.IntegerField(allow_null=True)
    hash = serializers.CharField()


class AuditPageSerializer(serializers.Serializer):
    entries = EntrySerializer(many=True)
    acts = serializers.ListField(child=serializers.CharField())
    more = serializers.BooleanField()
    problems = serializers.ListField(child=serializers.CharField(), allow_null=True)
    public_key = serializers.CharField()


def project_to_audit(request: Request, project_id: UUID) -> Project:
    """404 for a stranger, 403 without the right, 409 for an admin who still reads a sealed case here."""
    project = get_object_or_404(projects_visible_to(request.user), pk=project_id)
    if not may(request.user, project.pk, "manage"):
        raise PermissionDenied
    # The chain tells when others drew and how often. It is whole or nothing, so it waits for the own first read.
    if Study.objects.filter(project=project, pk__in=sealed_study_ids(request.user)).exists():
        message = _("You read sealed cases in this project. Its audit opens when your first reads are committed.")
        raise LaminaError("case_sealed", message, 409)
    return project


def rows_of(project: Project, act: str, before: str) -> list[AuditEntry]:
    rows = AuditEntry.objects.filter(project_id=project.pk)
    if act:
        rows = rows.filter(act=act)
    if before:
        try:
            last = rows.filter(pk=UUID(before)).first()
        except ValueError:
            last = None
        if last is None:
            raise LaminaError("bad_mark", _("The mark of the page is unknown. Load the list again."), 400)
        rows = rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    return list(rows.order_by("-at", "-id")[: PAGE + 1])


def entries_json(rows: list[AuditEntry]) -> list[dict[str, Any]]:
    names = dict(User.objects.filter(pk__in={row.actor_id for row in rows}).values_list("pk", "display_name"))
    return [
        {**audit.canonical(row), "actor": names.get(row.actor_id) if row.actor_id else None, "hash": row.hash}
        for row in rows
    ]


class AuditView(APIView):
    @extend_schema(
        responses=AuditPageSerializer,
        operation_id="projects_audit",
        parameters=[
            OpenApiParameter("act", str, description="Only this act, such as segmentation.created."),
            OpenApiParameter("before", str, description="The id of the last entry of the page before."),
            OpenApiParameter("verify", bool, description="1: verify the whole chain as well; `problems` is null else."),
        ],
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Newest acts first."""
        project = project_to_audit(request, project_id)
        audit.seal_pending()
        given = request.query_params
        rows = rows_of(project, given.get("act", "")[:80], given.get("before", "")[:36])
        acts = AuditEntry.objects.filter(project_id=project.pk).order_by("act").values_list("act", flat=True).distinct()
        body = {
            "entries": entries_json(rows[:PAGE]),
            "acts": list(acts[:MOST]),
            "more": len(rows) > PAGE,
            "problems": audit.verify_export(audit.export_chain(project.pk)) if given.get("verify") == "1" else None,
            "public_key": audit.public_key(),
        }
        return Response(AuditPageSerializer(body).data)


class AuditExportView(APIView):
    @extend_schema(responses={(200, "application/json"): OpenApiTypes.BINARY}, operation_id="projects_audit_export")
    def get(self, request: Request, project_id: UUID) -> HttpResponse:
        """The whole chain as a file that `manage.py verify_audit` verifies without this server."""
        project = project_to_audit(request, project_id)
        audit.seal_pending()
        text = json.dumps(audit.export_chain(project.pk), ensure_ascii=False, indent=1)
        response = HttpResponse(text, content_type="application/json; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="audit-{project.slug}.json"'
        response.headers["Cache-Control"] = "private, no-store"
        return response
