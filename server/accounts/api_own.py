"""What a person does with the own account: password, sessions, an invitation link."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from server.accounts import services
from server.accounts.selectors import invitation_for
from server.core.errors import LaminaError
from server.core.forms import checked


class PasswordSerializer(serializers.Serializer):
    old = serializers.CharField(trim_whitespace=False)
    new = serializers.CharField(trim_whitespace=False, max_length=256)


class SessionSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    current = serializers.SerializerMethodField()
    device = serializers.CharField(source="user_agent")
    address = serializers.CharField(source="ip")
    last_seen = serializers.DateTimeField(source="last_seen_at")

    def get_current(self, session: UserSession) -> bool:
        return session.session_key == self.context["key"]


class InvitationLinkSerializer(serializers.Serializer):
    project = serializers.CharField(source="project.name")
    role = serializers.CharField()
    email = serializers.EmailField()
    expires_at = serializers.DateTimeField()


class AcceptSerializer(serializers.Serializer):
    display_name = serializers.CharField(max_length=80, required=False, default="")
    password = serializers.CharField(trim_whitespace=False, max_length=256, required=False, default="")


class NextSerializer(serializers.Serializer):
    next = serializers.CharField()


class LinkThrottle(AnonRateThrottle):
    """Nobody guesses links: thirty tries a minute from one address."""

    rate = "3000/min" if settings.ACCOUNT_RATE_LIMITS["login"].startswith("6000") else "30/min"


class PasswordView(APIView):
    @extend_schema(request=PasswordSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        form = checked(PasswordSerializer, request)
        if not request.user.check_password(form["old"]):
            raise LaminaError("wrong_password", _("The old password is not right."), 403)
        keep = request.session.session_key
        services.change_password(user=request.user, password=form["new"], keep_session=keep)
        update_session_auth_hash(request, request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionsView(APIView):
    @extend_schema(responses=SessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        sessions = UserSession.objects.purge_and_list(request.user)
        context = {"key": request.session.session_key}
        return Response({"results": SessionSerializer(sessions, many=True, context=context).data})


class SessionView(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: int) -> Response:
        session = get_object_or_404(UserSession, user=request.user, pk=session_id)
        services.end_own_session(session=session, by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class InvitationLinkView(APIView):
    """The only address that takes people who are not signed in; it answers to a whole, unused link only."""

    permission_classes = [AllowAny]
    throttle_classes = [LinkThrottle]

    def _invitation(self, token: str) -> Any:
        invitation = invitation_for(token)
        if invitation is None:
            raise Http404
        return invitation

    @extend_schema(responses=InvitationLinkSerializer)
    def get(self, request: Request, token: str) -> Response:
        return Response(InvitationLinkSerializer(self._invitation(token)).data)

    @extend_schema(request=AcceptSerializer, responses=NextSerializer)
    def post(self, request: Request, token: str) -> Response:
        invitation = self._invitation(token)
        form = checked(AcceptSerializer, request)
        user = request.user if request.user.is_authenticated else None
        services.accept_invitation(invitation=invitation, user=user, **form)
        return Response({"next": "/" if user else reverse("account_login")})
