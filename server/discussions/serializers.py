"""How threads and notices look to the one who asks: names and times go through the seal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from rest_framework import serializers

from server.discussions.models import Comment, Notice, NoticeKind, Thread, ThreadState
from server.discussions.selectors import texts_of
from server.studies import sealing


class SpeakerSerializer(serializers.Serializer):
    """`id` is null where the case is blind; then `name` is a letter ("Reader A")."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    colour = serializers.CharField(allow_null=True)


class CommentSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    author = SpeakerSerializer(allow_null=True)
    text = serializers.CharField()
    version = serializers.IntegerField()
    mentions = SpeakerSerializer(many=True)
    is_mine = serializers.BooleanField()
    created_at = serializers.CharField()
    edited_at = serializers.CharField(allow_null=True)


class ThreadSegmentSerializer(serializers.Serializer):
    """The outlined thing it was asked about; `is_gone` once that segment was removed."""

    segmentation_id = serializers.UUIDField(allow_null=True)
    seq = serializers.IntegerField()
    number = serializers.IntegerField()
    label = serializers.CharField()
    surface_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    is_gone = serializers.BooleanField()


class ThreadSerializer(serializers.Serializer):
    """Points are LPS mm; `view` is the fragment of the address it was pinned in; `may` is what the asker may do."""

    id = serializers.UUIDField()
    study_id = serializers.UUIDField()
    series_id = serializers.UUIDField()
    version = serializers.IntegerField()
    point_mm = serializers.ListField(child=serializers.FloatField())
    segment = ThreadSegmentSerializer(allow_null=True)
    view = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=ThreadState.choices)
    is_private = serializers.BooleanField()
    author = SpeakerSerializer(allow_null=True)
    created_at = serializers.CharField()
    resolved_by = SpeakerSerializer(allow_null=True)
    resolved_at = serializers.CharField(allow_null=True)
    comments = CommentSerializer(many=True)


class ThreadsSerializer(serializers.Serializer):
    threads = ThreadSerializer(many=True)
    open = serializers.IntegerField()
    people = SpeakerSerializer(many=True)


class NewCommentSerializer(serializers.Serializer):
    """`id` is made by the browser; sending it again is harmless."""

    id = serializers.UUIDField()
    text = serializers.CharField(trim_whitespace=False, max_length=20_000)
    mentions = serializers.ListField(child=serializers.UUIDField(), max_length=50, default=list)


class NewThreadSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    series = serializers.UUIDField()
    point_mm = serializers.ListField()
    segmentation = serializers.UUIDField(required=False, allow_null=True, default=None)
    segment = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=65_535)
    surface_mm = serializers.ListField(required=False, allow_null=True, default=None)
    view = serializers.CharField(required=False, allow_blank=True, default="", max_length=20_000)
    comment = NewCommentSerializer()


class EditSerializer(serializers.Serializer):
    """`base_version` is what the person saw; another one in between is a conflict."""

    text = serializers.CharField(trim_whitespace=False, max_length=20_000)
    base_version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    mentions = serializers.ListField(child=serializers.UUIDField(), max_length=50, default=list)


class CommentVersionSerializer(serializers.Serializer):
    version = serializers.IntegerField()
    text = serializers.CharField()
    written_at = serializers.CharField()


class NoticeSerializer(serializers.Serializer):
    """Says who, what kind and where; never what was written."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=NoticeKind.choices)
    actor = SpeakerSerializer(allow_null=True)
    study_id = serializers.UUIDField()
    thread_id = serializers.UUIDField()
    pseudonym = serializers.CharField()
    address = serializers.CharField()
    created_at = serializers.CharField()
    is_read = serializers.BooleanField()


class NoticesSerializer(serializers.Serializer):
    results = NoticeSerializer(many=True)
    unread = serializers.IntegerField()


class ReadSerializer(serializers.Serializer):
    """Which notices were looked at; without `ids` all of them."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=500, required=False, allow_null=True)


def comment_json(user: Any, masks: sealing.Masks, thread: Thread, comment: Comment, text: str) -> dict[str, Any]:
    mentioned = sorted(comment.mentioned.all(), key=lambda one: (one.display_name, str(one.pk)))
    return {
        "id": str(comment.pk),
        "author": masks.author(comment.author, thread.audience),
        "text": text,
        "version": comment.version,
        "mentions": [masks.author(one, thread.audience) for one in mentioned],
        "is_mine": comment.author_id == user.pk,
        "created_at": time_json(masks, comment.created_at, thread),
        "edited_at": time_json(masks, comment.edited_at, thread),
    }


def time_json(masks: sealing.Masks, moment: datetime | None, thread: Thread) -> str | None:
    """ISO 8601, the day alone where the hour would tell who it was."""
    seen = masks.time(moment, thread.audience)
    return seen.isoformat() if seen else None


def segment_json(thread: Thread) -> dict[str, Any] | None:
    if thread.segment_number is None:
        return None
    return {
        "segmentation_id": str(thread.segmentation_id) if thread.segmentation_id else None,
        "seq": thread.segmentation_seq,
        "number": thread.segment_number,
        "label": thread.segment_label,
        "surface_mm": thread.surface_mm,
        "is_gone": not thread.segment_is_there,  # type: ignore[attr-defined]  selectors.complete
    }


def threads_json(rows: Iterable[Thread], user: Any) -> list[dict[str, Any]]:
    """Threads of one study with their texts, opened in two queries."""
    threads = list(rows)
    if not threads:
        return []
    masks = sealing.masks(user, threads[0].study_id)
    comments = [comment for thread in threads for comment in thread.comments.all()]
    texts = dict(zip([one.pk for one in comments], texts_of(comments, threads[0].study_id), strict=True))
    return [
        {
            "id": str(thread.pk),
            "study_id": str(thread.study_id),
            "series_id": str(thread.series_id),
            "version": thread.version,
            "point_mm": thread.point_mm,
            "segment": segment_json(thread),
            "view": thread.view,
            "state": str(thread.state),
            "is_private": thread.audience is not None,
            "author": masks.author(thread.author, thread.audience),
            "created_at": time_json(masks, thread.created_at, thread),
            "resolved_by": masks.author(thread.resolved_by, thread.audience),
            "resolved_at": time_json(masks, thread.resolved_at, thread),
            "comments": [comment_json(user, masks, thread, one, texts[one.pk]) for one in thread.comments.all()],
        }
        for thread in threads
    ]


def thread_json(thread: Thread, user: Any) -> dict[str, Any]:
    return threads_json([thread], user)[0]


def address_of(study_id: UUID, thread_id: UUID) -> str:
    """Where the page opens at this thread. Nothing in it says more than ids do."""
    return f"/studies/{study_id}/#v=1&thread={thread_id}"


def notice_json(notice: Notice, user: Any) -> dict[str, Any]:
    thread = notice.thread
    masks = sealing.masks(user, thread.study_id)
    return {
        "id": str(notice.pk),
        "kind": str(notice.kind),
        "actor": masks.author(notice.actor, thread.audience),
        "study_id": str(thread.study_id),
        "thread_id": str(thread.pk),
        "pseudonym": thread.study.pseudonym,
        "address": address_of(thread.study_id, thread.pk),
        "created_at": time_json(masks, notice.created_at, thread),
        "is_read": notice.read_at is not None,
    }
