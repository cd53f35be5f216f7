"""Threads, comments and notices over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.accounts.selectors import may
from server.core.forms import checked
from server.discussions import notices, services
from server.discussions.models import Thread, ThreadState
from server.discussions.selectors import (
    comments_visible_to,
    notices_of,
    people_for,
    texts_of,
    threads_of,
    threads_visible_to,
    unread_count,
    versions_of,
)
from server.discussions.serializers import (
    CommentVersionSerializer,
    EditSerializer,
    NewCommentSerializer,
    NewThreadSerializer,
    NoticesSerializer,
    ReadSerializer,
    ThreadSerializer,
    ThreadsSerializer,
    notice_json,
    thread_json,
    threads_json,
    time_json,
)
from server.studies import sealing
from server.studies.api import visible_study

MOST_NOTICES = 100
REPEATED = OpenApiResponse(ThreadSerializer, description="The same id again: nothing was changed.")


def _thread(request: Request, thread_id: UUID, act: str = "view") -> Thread:
    thread = get_object_or_404(threads_visible_to(request.user), pk=thread_id)
    if not may(request.user, thread.study.project_id, act):
        raise PermissionDenied
    return thread


def _base(request: Request) -> str:
    """The address of this site for links in mail; "" where no mail is sent. Its host was checked by Django."""
    return request.build_absolute_uri("/") if settings.EMAIL_URL else ""


def _answer(request: Request, thread_id: UUID, code: int = status.HTTP_200_OK) -> Response:
    thread = threads_visible_to(request.user).get(pk=thread_id)
    return Response(thread_json(thread, request.user), status=code)


class ThreadsView(APIView):
    @extend_schema(responses=ThreadsSerializer, operation_id="threads_list")
    def get(self, request: Request, study_id: UUID) -> Response:
        """The study's threads as the person may see them, oldest first, and whom they may mention."""
        study = visible_study(request.user, study_id)
        threads = list(threads_of(study, request.user))
        audience = sealing.audience_for(request.user, study.pk)
        masks = sealing.masks(request.user, study.pk)
        people = people_for(study, request.user, audience) if may(request.user, study.project_id, "annotate") else []
        return Response(
            {
                "threads": threads_json(threads, request.user),
                "open": sum(one.state == ThreadState.OPEN for one in threads),
                "people": [masks.author(one, audience) for one in people],
            }
        )

    @extend_schema(
        request=NewThreadSerializer, responses={201: ThreadSerializer, 200: REPEATED}, operation_id="threads_open"
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        """Pin a question at a place. Sending it again with the same id is harmless."""
        study = visible_study(request.user, study_id, "annotate")
        values = checked(NewThreadSerializer, request)
        said = services.Said(**values.pop("comment"))
        pin = services.Pin(comment=said, **values)
        thread, repeated = services.open_thread(study=study, by=request.user, pin=pin, base=_base(request))
        return _answer(request, thread.pk, status.HTTP_200_OK if repeated else status.HTTP_201_CREATED)


class ThreadView(APIView):
    @extend_schema(responses=ThreadSerializer, operation_id="threads_retrieve")
    def get(self, request: Request, thread_id: UUID) -> Response:
        return Response(thread_json(_thread(request, thread_id), request.user))


class CommentsView(APIView):
    @extend_schema(
        request=NewCommentSerializer, responses={201: ThreadSerializer, 200: REPEATED}, operation_id="comments_add"
    )
    def post(self, request: Request, thread_id: UUID) -> Response:
        """Answer in a thread; the whole thread comes back."""
        thread = _thread(request, thread_id, "annotate")
        form = checked(NewCommentSerializer, request)
        said = services.Said(**form)
        _comment, repeated = services.add_comment(thread=thread, by=request.user, said=said, base=_base(request))
        return _answer(request, thread.pk, status.HTTP_200_OK if repeated else status.HTTP_201_CREATED)


class CommentView(APIView):
    @extend_schema(request=EditSerializer, responses=ThreadSerializer, operation_id="comments_edit")
    def patch(self, request: Request, comment_id: UUID) -> Response:
        """Say it better; what it said before is kept. Only its author may."""
        comment = get_object_or_404(comments_visible_to(request.user), pk=comment_id)
        if not may(request.user, comment.thread.study.project_id, "annotate"):
            raise PermissionDenied
        form = checked(EditSerializer, request)
        services.edit_comment(comment=comment, by=request.user, base=_base(request), **form)
        return _answer(request, comment.thread_id)


class CommentVersionsView(APIView):
    @extend_schema(responses=CommentVersionSerializer(many=True), operation_id="comments_versions")
    def get(self, request: Request, comment_id: UUID) -> Response:
        """What the comment said before it was edited, oldest first."""
        comment = get_object_or_404(comments_visible_to(request.user), pk=comment_id)
        thread = comment.thread
        rows = list(versions_of(comment))
        texts = texts_of(rows, thread.study_id)
        masks = sealing.masks(request.user, thread.study_id)
        return Response(
            [
                {"version": row.version, "text": text, "written_at": time_json(masks, row.written_at, thread)}
                for row, text in zip(rows, texts, strict=True)
            ]
        )


class ResolveView(APIView):
    @extend_schema(request=None, responses=ThreadSerializer, operation_id="threads_resolve")
    def post(self, request: Request, thread_id: UUID) -> Response:
        thread = _thread(request, thread_id, "annotate")
        services.resolve_thread(thread=thread, by=request.user, base=_base(request))
        return _answer(request, thread.pk)


class ReopenView(APIView):
    @extend_schema(request=None, responses=ThreadSerializer, operation_id="threads_reopen")
    def post(self, request: Request, thread_id: UUID) -> Response:
        thread = _thread(request, thread_id, "annotate")
        services.reopen_thread(thread=thread, by=request.user, base=_base(request))
        return _answer(request, thread.pk)


class NoticesView(APIView):
    @extend_schema(responses=NoticesSerializer, operation_id="notices_list")
    def get(self, request: Request) -> Response:
        """The newest notices of the person, and how many are unread."""
        rows = notices_of(request.user)[:MOST_NOTICES]
        results = [notice_json(one, request.user) for one in rows]
        return Response({"results": results, "unread": unread_count(request.user)})


class NoticesReadView(APIView):
    @extend_schema(request=ReadSerializer, responses=NoticesSerializer, operation_id="notices_read")
    def post(self, request: Request) -> Response:
        form = checked(ReadSerializer, request)
        notices.mark_read(person=request.user, ids=form.get("ids"))
        return NoticesView().get(request)


urlpatterns = [
    path("studies/<uuid:study_id>/threads/", ThreadsView.as_view(), name="api-threads"),
    path("threads/<uuid:thread_id>/", ThreadView.as_view(), name="api-thread"),
    path("threads/<uuid:thread_id>/comments/", CommentsView.as_view(), name="api-comments"),
    path("threads/<uuid:thread_id>/resolve/", ResolveView.as_view(), name="api-thread-resolve"),
    path("threads/<uuid:thread_id>/reopen/", ReopenView.as_view(), name="api-thread-reopen"),
    path("comments/<uuid:comment_id>/", CommentView.as_view(), name="api-comment"),
    path("comments/<uuid:comment_id>/versions/", CommentVersionsView.as_view(), name="api-comment-versions"),
    path("notices/", NoticesView.as_view(), name="api-notices"),
    path("notices/read/", NoticesReadView.as_view(), name="api-notices-read"),
]
