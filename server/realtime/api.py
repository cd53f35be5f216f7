"""GET /api/events/: the same events for a page whose socket is away."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.core.errors import LaminaError
from server.realtime import registry
from server.realtime.selectors import events_after


class EventSerializer(serializers.Serializer):
    stream = serializers.CharField()
    seq = serializers.IntegerField()
    type = serializers.CharField()
    at = serializers.DateTimeField()
    payload = serializers.JSONField()


class EventsAnswerSerializer(serializers.Serializer):
    events = EventSerializer(many=True, required=False)
    last = serializers.IntegerField()
    reload = serializers.BooleanField(required=False)


class EventsView(APIView):
    """What followed a number in one stream, at most 200 events: ask again from the last one until `last` is reached."""

    @extend_schema(
        parameters=[
            OpenApiParameter("stream", str, required=True, description="study:<id>"),
            OpenApiParameter("after", int, description="the last number this page has"),
        ],
        responses=EventsAnswerSerializer,
    )
    def get(self, request: Request) -> Response:
        stream = request.query_params.get("stream", "")
        number = request.query_params.get("after", "0")
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise LaminaError("invalid", "`after` is the number of the last event this page has, 0 or more.", 422)
        if not registry.may_see(request.user, stream):
            raise Http404
        replay = events_after(stream, int(number))
        if replay.reload:
            return Response({"reload": True, "last": replay.last})
        return Response({"events": list(replay.events), "last": replay.last})
