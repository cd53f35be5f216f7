"""Agreement, adjudication, consensus and reliance over HTTP: views parse, call, answer."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.models import Project
from server.accounts.selectors import may, project_ids_with
from server.core.errors import LaminaError
from server.core.forms import checked
from server.readings.agreement import adjudication, consensus, relying
from server.readings.agreement.project import project_agreement
from server.readings.agreement.selectors import (
    adjudication_json,
    agreement_json,
    is_party,
    proposal_json,
)
from server.readings.cases.selectors import cases_visible_to
from server.readings.cases.states import LIVE
from server.readings.models.agreement import Agreement, Consensus
from server.readings.models.cases import Case, Reading, ReadingKind
from server.studies import sealing


class BeginSerializer(serializers.Serializer):
    base = serializers.CharField(max_length=12)


class PickSerializer(serializers.Serializer):
    agreement = serializers.UUIDField()
    n = serializers.IntegerField(min_value=1)
    choice = serializers.CharField(max_length=4)


class RulingSerializer(serializers.Serializer):
    seq = serializers.IntegerField(min_value=0)
    reason = serializers.CharField(max_length=2000, allow_blank=True)
    answers = serializers.DictField(default=dict)


class ProposeSerializer(serializers.Serializer):
    method = serializers.ChoiceField(choices=["union", "majority", "staple"])


def visible_case(request: Request, case_id: UUID) -> Case:
    return get_object_or_404(cases_visible_to(request.user), pk=case_id)


def own_adjudication(request: Request, case_id: UUID) -> tuple[Case, Reading]:
    """404 for a stranger, 403 for who does not adjudicate this case, whatever else they may do."""
    case = visible_case(request, case_id)
    own = case.readings.filter(reader_id=request.user.pk, kind=ReadingKind.ADJUDICATION, state__in=LIVE).first()
    if own is None:
        raise PermissionDenied
    own.case = case
    return case, own


class AgreementView(APIView):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="cases_agreement")
    def get(self, request: Request, case_id: UUID) -> Response:
        """Dice, distances and volumes of every pair of reads against the limits; 409 until the own read is in."""
        case = visible_case(request, case_id)
        if not is_party(case, request.user):
            raise LaminaError("case_sealed", _("Agreement is shown when your own read is submitted."), 409)
        return Response(agreement_json(case, request.user))


class AdjudicationView(APIView):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="cases_adjudication")
    def get(self, request: Request, case_id: UUID) -> Response:
        """The reads without names, where they differ, and what has been decided."""
        case, own = own_adjudication(request, case_id)
        return Response(adjudication_json(case, own, request.user))

    @extend_schema(request=BeginSerializer, responses=OpenApiTypes.OBJECT, operation_id="cases_adjudication_begin")
    def post(self, request: Request, case_id: UUID) -> Response:
        """Begin, or begin again, from one of `bases`."""
        _case_here, own = own_adjudication(request, case_id)
        base = checked(BeginSerializer, request)["base"]
        adjudication.begin_adjudication(reading=own, by=request.user, base=base)
        return Response(adjudication_json(*own_adjudication(request, case_id), request.user))


class PicksView(APIView):
    @extend_schema(request=PickSerializer, responses=OpenApiTypes.OBJECT, operation_id="cases_adjudication_pick")
    def post(self, request: Request, case_id: UUID) -> Response:
        """At one place: a read's letter, or "own". Picking again replaces."""
        case, own = own_adjudication(request, case_id)
        wanted = checked(PickSerializer, request)
        pairs = Agreement.objects.filter(case=case).select_related("left__segmentation", "right__segmentation")
        pair = get_object_or_404(pairs.select_related("comparison", "left", "right"), pk=wanted["agreement"])
        adjudication.pick_place(reading=own, by=request.user, agreement=pair, n=wanted["n"], choice=wanted["choice"])
        return Response(adjudication_json(*own_adjudication(request, case_id), request.user))


class RulingView(APIView):
    @extend_schema(request=RulingSerializer, responses=OpenApiTypes.OBJECT, operation_id="cases_adjudication_submit")
    def post(self, request: Request, case_id: UUID) -> Response:
        """Submit the ruling with its reason. The case goes on to approval."""
        _case_here, own = own_adjudication(request, case_id)
        wanted = checked(RulingSerializer, request)
        adjudication.submit_adjudication(
            reading=own, by=request.user, seq=wanted["seq"], answers=wanted["answers"], reason=wanted["reason"]
        )
        return Response(adjudication_json(*own_adjudication(request, case_id), request.user))


def open_case(request: Request, case_id: UUID, *, to_write: bool = False) -> Case:
    """409 while the case is blind or sealed to the person."""
    case = visible_case(request, case_id)
    if to_write and not may(request.user, case.project_id, "annotate"):
        raise PermissionDenied
    if case.is_blind or sealing.is_sealed(request.user, case.study_id):
        raise LaminaError("case_sealed", _("A consensus is offered when all reads are in and agree."), 409)
    return case


class ConsensusView(APIView):
    @extend_schema(request=ProposeSerializer, responses=OpenApiTypes.OBJECT, operation_id="cases_consensus")
    def post(self, request: Request, case_id: UUID) -> Response:
        """Ask for a proposal; it is ready in about a second and told to who asked."""
        case = open_case(request, case_id, to_write=True)
        method = checked(ProposeSerializer, request)["method"]
        return Response(proposal_json(consensus.propose(case=case, by=request.user, method=method)))


def visible_proposal(request: Request, case_id: UUID, consensus_id: UUID, *, to_write: bool = False) -> Consensus:
    case = open_case(request, case_id, to_write=to_write)
    proposal = get_object_or_404(Consensus.objects.select_related("job"), pk=consensus_id, case=case)
    proposal.case = case
    return proposal


class ProposalView(APIView):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="cases_consensus_retrieve")
    def get(self, request: Request, case_id: UUID, consensus_id: UUID) -> Response:
        return Response(proposal_json(visible_proposal(request, case_id, consensus_id)))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT, operation_id="cases_consensus_take")
    def post(self, request: Request, case_id: UUID, consensus_id: UUID) -> Response:
        """Take it: it becomes the shared working copy and what will be signed. Answers its segmentation's id."""
        proposal = visible_proposal(request, case_id, consensus_id, to_write=True)
        taken = consensus.take(proposal=proposal, by=request.user)
        return Response({**proposal_json(proposal), "segmentation": str(taken.pk)})


class ProposalLabelmapView(APIView):
    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="cases_consensus_labelmap"
    )
    def get(self, request: Request, case_id: UUID, consensus_id: UUID) -> HttpResponse:
        """uint8 SegmentNumbers, C order (k, j, i), on the grid of the case's series: to look at before taking it."""
        proposal = visible_proposal(request, case_id, consensus_id)
        if proposal.voxels is None:
            raise LaminaError("not_ready", _("The proposal is not ready yet."), 409)
        return HttpResponse(
            consensus.labels_of(proposal).tobytes(),
            content_type="application/octet-stream",
            headers={"Cache-Control": "private, no-store"},
        )


def member_project(request: Request, project_id: UUID) -> Project:
    """404 for who does not belong to it, site admins included: numbers by person are the project's own."""
    return get_object_or_404(Project.objects.filter(pk__in=project_ids_with(request.user, "view")), pk=project_id)


def must_have_committed(request: Request, project: Project) -> None:
    """409 while the person still reads a sealed case of the project: numbers of others would tell how they outline."""
    if project.studies.filter(pk__in=sealing.sealed_study_ids(request.user)).exists():
        raise LaminaError("case_sealed", _("You read sealed cases here. Commit your first reads before."), 409)


class ProjectAgreementView(APIView):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="projects_agreement")
    def get(self, request: Request, project_id: UUID) -> Response:
        """Kappa, ICC, Bland-Altman, Dice and distances over settled cases. Admins only: numbers by person."""
        project = member_project(request, project_id)
        if not may(request.user, project.pk, "manage"):
            raise PermissionDenied
        must_have_committed(request, project)
        return Response(project_agreement(project.pk, request.user))


class ProjectRelianceView(APIView):
    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="projects_reliance")
    def get(self, request: Request, project_id: UUID) -> Response:
        """The automation-bias meter over signed cases: every reader for admins, a reader's own for themselves."""
        project = member_project(request, project_id)
        if may(request.user, project.pk, "manage"):
            must_have_committed(request, project)
        elif not may(request.user, project.pk, "annotate"):
            raise PermissionDenied
        return Response({"rows": relying.summed(relying.reliance_of(project.pk, request.user))})


_CASE = "cases/<uuid:case_id>"
_ONE = f"{_CASE}/consensus/<uuid:consensus_id>"
urlpatterns = [
    path(f"{_CASE}/agreement/", AgreementView.as_view(), name="api-case-agreement"),
    path(f"{_CASE}/adjudication/", AdjudicationView.as_view(), name="api-case-adjudication"),
    path(f"{_CASE}/adjudication/picks/", PicksView.as_view(), name="api-case-adjudication-picks"),
    path(f"{_CASE}/adjudication/submit/", RulingView.as_view(), name="api-case-adjudication-submit"),
    path(f"{_CASE}/consensus/", ConsensusView.as_view(), name="api-case-consensus"),
    path(f"{_ONE}/", ProposalView.as_view(), name="api-case-proposal"),
    path(f"{_ONE}/labelmap/", ProposalLabelmapView.as_view(), name="api-case-proposal-labelmap"),
    path("projects/<uuid:project_id>/agreement/", ProjectAgreementView.as_view(), name="api-project-agreement"),
    path("projects/<uuid:project_id>/reliance/", ProjectRelianceView.as_view(), name="api-project-reliance"),
]
