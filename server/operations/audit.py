"""A project's audit chain to look through, to verify and to take away."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.models import Project, User
from server.accounts.selectors import may, projects_visible_to
from server.core import audit
from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.operations import trail
from server.readings.cases.selectors import is_blind_in
from server.studies.selectors import may_see_study

PAGE, MOST = 100, 500


class EntrySerializer(serializers.Serializer):
    """One act. `position` is null until the sealer has given it its place, a few seconds after it happened."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    act = serializers.CharField()
    actor = serializers.CharField(allow_null=True)
    target_kind = serializers.CharField()
    target_id = serializers.CharField()
    study = serializers.DictField(allow_null=True)
    facts = serializers.DictField()
    position = serializers.IntegerField(allow_null=True)
    hash = serializers.CharField()


class AuditPageSerializer(serializers.Serializer):
    """`acts` and `people`: what there is in the whole chain to ask for, told with the first page."""

    entries = EntrySerializer(many=True)
    acts = serializers.ListField(child=serializers.CharField())
    people = serializers.ListField(child=serializers.DictField())
    more = serializers.BooleanField()


class VerifiedSerializer(serializers.Serializer):
    """`position` of the first entry that is not as it was sealed; null where the chain is whole or its head is wrong.

    `waiting`: acts that have no place in the chain yet.
    """

    problems = serializers.ListField(child=serializers.CharField())
    position = serializers.IntegerField(allow_null=True)
    entries = serializers.IntegerField()
    waiting = serializers.IntegerField()
    head = serializers.CharField()
    public_key = serializers.CharField()
    verified_at = serializers.DateTimeField()


class WantedSerializer(serializers.Serializer):
    act = serializers.CharField(max_length=80, required=False, allow_blank=True)
    person = serializers.UUIDField(required=False)
    study = serializers.UUIDField(required=False)
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)


def project_to_audit(request: Request, project_id: UUID) -> Project:
    """404 for a stranger, 403 without the right, 409 for an admin with a part in a case here that is still blind."""
    project = get_object_or_404(projects_visible_to(request.user), pk=project_id)
    if not may(request.user, project.pk, "manage"):
        raise PermissionDenied
    # The chain tells who the other readers are, when they drew and how often: to a reader who has committed and to an
    # adjudicator as little as to one who still reads. It is whole or nothing, so it waits until their cases open.
    if is_blind_in(request.user, project.pk):
        message = _("You have a part in sealed cases of this project. Its audit opens to you when they do.")
        raise LaminaError("case_sealed", message, 409)
    return project


def wanted_in(request: Request) -> trail.Wanted:
    """The filters of the address. 404 for a study that the person cannot see."""
    form = WantedSerializer(data={name: value for name, value in request.query_params.items() if value})
    form.is_valid(raise_exception=True)
    wanted = trail.Wanted(**form.validated_data)
    if wanted.study and not may_see_study(request.user, wanted.study):
        raise NotFound
    return wanted


def rows_of(project: Project, wanted: trail.Wanted, before: str) -> list[AuditEntry]:
    """A page and one row more."""
    rows = trail.entries_of(project, wanted)
    if before:
        try:
            last = AuditEntry.objects.filter(project_id=project.pk, pk=UUID(before)).first()
        except ValueError:
            last = None
        if last is None:
            raise LaminaError("bad_mark", _("The mark of the page is unknown. Load the list again."), 400)
        rows = trail.after(rows, last)
    return list(rows[: PAGE + 1])


def entries_json(rows: list[AuditEntry], user: Any) -> list[dict[str, Any]]:
    names = dict(User.objects.filter(pk__in={row.actor_id for row in rows}).values_list("pk", "display_name"))
    studies = trail.studies_of(rows, user)
    return [
        {
            **audit.canonical(row),
            "actor": names.get(row.actor_id) if row.actor_id else None,
            "study": {"id": str(study.pk), "pseudonym": study.pseudonym} if (study := studies.get(row.pk)) else None,
            "hash": row.hash,
        }
        for row in rows
    ]


def acts_in(project: Project) -> list[str]:
    rows = AuditEntry.objects.filter(project_id=project.pk).order_by("act")
    return list(rows.values_list("act", flat=True).distinct()[:MOST])


def people_in(project: Project) -> list[dict[str, str]]:
    acted = AuditEntry.objects.filter(project_id=project.pk).order_by().values("actor_id").distinct()
    people = User.objects.filter(pk__in=acted).order_by("display_name", "email")
    return [{"id": str(pk), "name": name} for pk, name in people.values_list("pk", "display_name")[:MOST]]


class AuditView(APIView):
    @extend_schema(
        responses=AuditPageSerializer,
        operation_id="projects_audit",
        parameters=[
            WantedSerializer,
            OpenApiParameter("before", str, description="The id of the last entry of the page before."),
        ],
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Newest acts first. Days are calendar days of the project."""
        project = project_to_audit(request, project_id)
        wanted = wanted_in(request)
        audit.seal_pending()
        before = request.query_params.get("before", "")[:36]
        rows = rows_of(project, wanted, before)
        body = {
            "entries": entries_json(rows[:PAGE], request.user),
            "acts": [] if before else acts_in(project),
            "people": [] if before else people_in(project),
            "more": len(rows) > PAGE,
        }
        return Response(AuditPageSerializer(body).data)


class AuditVerifyView(APIView):
    @extend_schema(responses=VerifiedSerializer, operation_id="projects_audit_verify")
    def get(self, request: Request, project_id: UUID) -> Response:
        """Read the whole chain from its first entry to its signed head; problems in words."""
        project = project_to_audit(request, project_id)
        audit.seal_pending()
        head, problems = audit.verify_chain(project.pk)
        body = {
            "problems": [str(one) for one in problems],
            "position": next((one.position for one in problems if one.position), None),
            "entries": head["position"] if head else 0,
            "waiting": AuditEntry.objects.filter(project_id=project.pk, position=None).count(),
            "head": head["hash"] if head else audit.GENESIS,
            "public_key": audit.public_key(),
            "verified_at": timezone.now(),
        }
        return Response(VerifiedSerializer(body).data)


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
