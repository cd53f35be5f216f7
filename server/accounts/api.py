"""People, projects and roles over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts import services
from server.accounts.models import Invitation, Membership, Project, Role, User
from server.accounts.selectors import acts_in, members_of, people_visible_to, projects_visible_to, role_in
from server.core.forms import checked
from server.core.idempotency import idempotent


def zone(value: str) -> str:
    if value not in available_timezones():
        raise serializers.ValidationError(f"{value!r} is no time zone. Use a name such as Europe/Berlin.")
    return value


class ProjectSerializer(serializers.Serializer):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=80)
    slug = serializers.SlugField(read_only=True)
    time_zone = serializers.CharField(max_length=64, default="UTC", validators=[zone])
    is_archived = serializers.BooleanField(default=False)
    role = serializers.SerializerMethodField()
    is_adjudicator = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    def get_role(self, project: Project) -> str | None:
        return role_in(self.context["user"], project.pk)

    def get_is_adjudicator(self, project: Project) -> bool:
        return Membership.objects.filter(user=self.context["user"], project=project, is_adjudicator=True).exists()

    def get_may(self, project: Project) -> list[str]:
        return sorted(acts_in(self.context["user"], project.pk))


class MeSerializer(serializers.Serializer):
    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    name = serializers.CharField(source="display_name", max_length=80)
    language = serializers.ChoiceField(choices=[code for code, _ in settings.LANGUAGES])
    time_zone = serializers.CharField(max_length=64, validators=[zone])
    theme = serializers.ChoiceField(choices=["dark", "light"])
    is_site_admin = serializers.BooleanField(read_only=True)
    colour = serializers.CharField(read_only=True)
    projects = serializers.SerializerMethodField()

    def get_projects(self, user: User) -> list[dict[str, Any]]:
        return ProjectSerializer(projects_visible_to(user), many=True, context={"user": user}).data  # type: ignore[return-value]


class MemberSerializer(serializers.Serializer):
    user = serializers.SerializerMethodField()
    role = serializers.ChoiceField(choices=Role.choices)
    is_adjudicator = serializers.BooleanField(default=False)

    def get_user(self, membership: Membership) -> dict[str, str]:
        person = membership.user
        return {
            "id": str(person.pk),
            "name": person.display_name,
            "email": person.email,
            "colour": person.colour,
        }


class NewMemberSerializer(serializers.Serializer):
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)
    is_adjudicator = serializers.BooleanField(default=False)


class InvitationSerializer(serializers.Serializer):
    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)
    is_adjudicator = serializers.BooleanField(default=False)
    expires_at = serializers.DateTimeField(read_only=True)
    used_at = serializers.DateTimeField(read_only=True)
    link = serializers.CharField(read_only=True, required=False)


class PersonSerializer(serializers.Serializer):
    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(read_only=True)
    name = serializers.CharField(source="display_name", read_only=True)
    is_site_admin = serializers.BooleanField(read_only=True)
    is_active = serializers.BooleanField()
    is_demo = serializers.BooleanField(read_only=True)
    last_login = serializers.DateTimeField(read_only=True)


class LinkSerializer(serializers.Serializer):
    link = serializers.CharField()


class CountSerializer(serializers.Serializer):
    count = serializers.IntegerField()


def managed_project(request: Request, project_id: UUID) -> Project:
    """A project the person may manage; 404 when they may not even see it."""
    project = get_object_or_404(projects_visible_to(request.user), pk=project_id)
    if "manage" not in acts_in(request.user, project.pk):
        raise PermissionDenied("Only this project's admin may do this.")
    return project


class MeView(APIView):
    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(request.user).data)

    @extend_schema(request=MeSerializer, responses=MeSerializer)
    def patch(self, request: Request) -> Response:
        form = MeSerializer(request.user, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        user = services.update_profile(user=request.user, by=request.user, **form.validated_data)
        return Response(MeSerializer(user).data)


class ProjectsView(APIView):
    @extend_schema(responses=ProjectSerializer(many=True))
    def get(self, request: Request) -> Response:
        projects = projects_visible_to(request.user)
        return Response({"results": ProjectSerializer(projects, many=True, context={"user": request.user}).data})

    @extend_schema(request=ProjectSerializer, responses={201: ProjectSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        if not request.user.is_site_admin:
            raise PermissionDenied("Only a site admin makes projects.")
        form = ProjectSerializer(data=request.data, context={"user": request.user})
        form.is_valid(raise_exception=True)
        values = form.validated_data
        project = services.create_project(name=values["name"], time_zone=values["time_zone"], by=request.user)
        return Response(ProjectSerializer(project, context={"user": request.user}).data, status.HTTP_201_CREATED)


class ProjectView(APIView):
    @extend_schema(responses=ProjectSerializer)
    def get(self, request: Request, project_id: UUID) -> Response:
        project = get_object_or_404(projects_visible_to(request.user), pk=project_id)
        return Response(ProjectSerializer(project, context={"user": request.user}).data)

    @extend_schema(request=ProjectSerializer, responses=ProjectSerializer)
    def patch(self, request: Request, project_id: UUID) -> Response:
        project = managed_project(request, project_id)
        form = ProjectSerializer(project, data=request.data, partial=True, context={"user": request.user})
        form.is_valid(raise_exception=True)
        project = services.update_project(project=project, by=request.user, **form.validated_data)
        return Response(ProjectSerializer(project, context={"user": request.user}).data)


class MembersView(APIView):
    @extend_schema(responses=MemberSerializer(many=True))
    def get(self, request: Request, project_id: UUID) -> Response:
        project = get_object_or_404(projects_visible_to(request.user), pk=project_id)
        return Response({"results": MemberSerializer(members_of(project), many=True).data})

    @extend_schema(request=NewMemberSerializer, responses={201: MemberSerializer})
    @idempotent
    def post(self, request: Request, project_id: UUID) -> Response:
        project = managed_project(request, project_id)
        # Only a site admin may look a person up by address; a project admin invites by link, which reveals nothing.
        if not request.user.is_site_admin:
            raise PermissionDenied("Invite people by link.")
        values = checked(NewMemberSerializer, request)
        user = get_object_or_404(User, email=values["email"].lower())
        membership = services.add_member(
            project=project, user=user, role=values["role"], is_adjudicator=values["is_adjudicator"], by=request.user
        )
        return Response(MemberSerializer(membership).data, status.HTTP_201_CREATED)


class MemberView(APIView):
    @extend_schema(request=MemberSerializer, responses=MemberSerializer)
    def patch(self, request: Request, project_id: UUID, user_id: UUID) -> Response:
        project = managed_project(request, project_id)
        membership = get_object_or_404(members_of(project), user_id=user_id)
        form = MemberSerializer(membership, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        membership = services.change_member(
            membership=membership,
            role=form.validated_data.get("role", membership.role),
            is_adjudicator=form.validated_data.get("is_adjudicator", membership.is_adjudicator),
            by=request.user,
        )
        return Response(MemberSerializer(membership).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: UUID, user_id: UUID) -> Response:
        project = managed_project(request, project_id)
        services.remove_member(membership=get_object_or_404(members_of(project), user_id=user_id), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class InvitationsView(APIView):
    @extend_schema(responses=InvitationSerializer(many=True))
    def get(self, request: Request, project_id: UUID) -> Response:
        project = managed_project(request, project_id)
        waiting = project.invitations.filter(used_at=None).order_by("-created_at")
        return Response({"results": InvitationSerializer(waiting, many=True).data})

    @extend_schema(request=InvitationSerializer, responses={201: InvitationSerializer})
    def post(self, request: Request, project_id: UUID) -> Response:
        # Not idempotent by key: the answer holds a secret that must not be kept for a second reading.
        project = managed_project(request, project_id)
        form = checked(InvitationSerializer, request)
        invitation, link = services.invite(project=project, by=request.user, **form)
        body = InvitationSerializer(invitation).data | {"link": request.build_absolute_uri(link)}
        return Response(body, status.HTTP_201_CREATED)


class InvitationView(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, project_id: UUID, invitation_id: UUID) -> Response:
        project = managed_project(request, project_id)
        invitation = get_object_or_404(Invitation, project=project, pk=invitation_id)
        services.withdraw_invitation(invitation=invitation, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PeopleView(APIView):
    @extend_schema(responses=PersonSerializer(many=True))
    def get(self, request: Request) -> Response:
        if not request.user.is_site_admin:
            raise PermissionDenied("Only a site admin sees all people.")
        return Response({"results": PersonSerializer(people_visible_to(request.user), many=True).data})


class PersonView(APIView):
    @extend_schema(request=PersonSerializer, responses=PersonSerializer)
    def patch(self, request: Request, user_id: UUID) -> Response:
        user = get_object_or_404(people_visible_to(request.user), pk=user_id)
        form = PersonSerializer(user, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        if "is_active" in form.validated_data:
            services.set_active(user=user, is_active=form.validated_data["is_active"], by=request.user)
        return Response(PersonSerializer(user).data)


class ResetPasswordView(APIView):
    @extend_schema(request=None, responses=LinkSerializer)
    def post(self, request: Request, user_id: UUID) -> Response:
        user = get_object_or_404(people_visible_to(request.user), pk=user_id)
        link = services.reset_password(user=user, by=request.user)
        return Response({"link": request.build_absolute_uri(link)})


class EndSessionsView(APIView):
    @extend_schema(request=None, responses=CountSerializer)
    def post(self, request: Request, user_id: UUID) -> Response:
        user = get_object_or_404(people_visible_to(request.user), pk=user_id)
        return Response({"count": services.end_sessions(user=user, by=request.user)})
