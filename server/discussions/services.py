"""Asking, answering, resolving. Row, notices, audit entry and event happen together or not at all.

Ids are made by the browser: the same id again changes nothing and answers what is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied

from server.accounts.models import User
from server.core import audit
from server.core.errors import LaminaError
from server.core.secrets import derive, seal_text
from server.discussions import content, notices
from server.discussions.events import CommentAdded, CommentEdited, ThreadOpened, ThreadReopened, ThreadResolved
from server.discussions.models import Comment, CommentVersion, NoticeKind, Thread, ThreadState
from server.discussions.selectors import people_for, texts_of
from server.realtime.events import Event
from server.realtime.services import lock_stream, publish
from server.reconstructions.models import Segmentation
from server.reconstructions.selectors import segmentations_visible_to
from server.studies import sealing
from server.studies.models import Series, Study, StudyState

MOST_THREADS = 2000  # of one study
MOST_COMMENTS = 500  # of one thread


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One comment as a browser sends it."""

    id: UUID
    text: str
    mentions: Sequence[UUID] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """A question as a browser sends it. Points are LPS mm; `surface_mm` lies on the named segment's surface."""

    id: UUID
    series: UUID
    point_mm: list[Any]
    comment: Said
    segmentation: UUID | None = None
    segment: int | None = None
    surface_mm: list[Any] | None = None
    view: str = ""


@transaction.atomic
def open_thread(*, study: Study, by: Any, pin: Pin, base: str = "") -> tuple[Thread, bool]:
    """Pin a question at a place. Returns the thread and whether it was there already.

    `base` is the address of this site for links in mail ("" sends none). Raises LaminaError: study_in_bin and what
    sealing.check_write refuses (409); invalid_thread, empty_comment, comment_too_long, unknown_mention, id_reused
    (422).
    """
    audience = sealing.audience_for(by, study.pk)
    thread = Thread(study=study, audience=audience)
    lock_stream(thread.stream)
    known = Thread.objects.select_related("study").filter(pk=pin.id).first()
    if known is not None:
        first = _repeat(known, by, pin.comment)
        if first is None or known.study_id != study.pk:
            raise _reused()
        return known, True
    _check_writable(study, by, audience)
    if Thread.objects.filter(study=study).count() >= MOST_THREADS:
        raise LaminaError("too_many_threads", _("This study has as many threads as it can hold."), 409)
    series = Series.objects.filter(pk=pin.series, study=study).first()
    if series is None:
        message = _("The series of this thread does not belong to the study.")
        raise LaminaError("invalid_thread", message, 422, field="series")
    thread.id, thread.series, thread.author = pin.id, series, by
    thread.point_mm = content.checked_point("point_mm", pin.point_mm)
    thread.view = content.checked_view(pin.view)
    _anchor(thread, by, pin)
    thread.save(force_insert=True)
    audit.record(by, "thread.opened", thread, study_id=study.pk, audience=audience)
    comment = _write(thread, by, pin.comment)
    notices.tell(thread, comment, by=by, kind=NoticeKind.MENTION, people=comment.mentioned.all(), base=base)
    publish(ThreadOpened(thread_id=thread.pk, version=thread.version), stream=thread.stream)
    return thread, False


@transaction.atomic
def add_comment(*, thread: Thread, by: Any, said: Said, base: str = "") -> tuple[Comment, bool]:
    """Answer in a thread. Raises LaminaError as `open_thread` does, and too_many_comments (409)."""
    thread = _held(thread)
    known = Comment.objects.filter(pk=said.id).first()
    if known is not None:
        first = _repeat(thread, by, said)
        if first is None:
            raise _reused()
        return first, True
    _check_writable(thread.study, by, thread.audience)
    if thread.comments.count() >= MOST_COMMENTS:
        raise LaminaError("too_many_comments", _("This thread is full. Pin a new question."), 409)
    comment = _write(thread, by, said)
    _advance(thread)
    mentioned = list(comment.mentioned.all())
    notices.tell(thread, comment, by=by, kind=NoticeKind.MENTION, people=mentioned, base=base)
    others = [one for one in notices.people_in(thread) if one not in mentioned]
    notices.tell(thread, comment, by=by, kind=NoticeKind.REPLY, people=others, base=base)
    publish(CommentAdded(thread_id=thread.pk, version=thread.version), stream=thread.stream)
    return comment, False


@transaction.atomic
def edit_comment(
    *, comment: Comment, by: Any, text: str, base_version: int, mentions: Sequence[UUID] = (), base: str = ""
) -> Comment:
    """Say it better. What it said before is kept. Only its author may.

    Raises LaminaError comment_conflict (409, with `theirs` and `yours`) where it was edited in between.
    """
    thread = _held(comment.thread)
    comment = Comment.objects.select_for_update(of=("self",)).select_related("author").get(pk=comment.pk)
    if comment.author_id != by.pk:
        raise PermissionDenied(_("Only its author may edit a comment."))
    _check_writable(thread.study, by, thread.audience)
    plain = content.checked_text(text)
    [now] = texts_of([comment], thread.study_id)
    if comment.version != base_version:
        # Sending the same edit again is harmless: it is what stands there.
        if comment.version == base_version + 1 and now == plain:
            return comment
        message = _("This comment was edited in the meantime. Nothing was overwritten.")
        theirs = {"version": comment.version, "text": now}
        raise LaminaError("comment_conflict", message, 409, theirs=theirs, yours={"text": plain})
    CommentVersion.objects.create(
        comment=comment,
        version=comment.version,
        text_sealed=comment.text_sealed,
        written_at=comment.edited_at or comment.created_at,
    )
    before = {one.pk for one in comment.mentioned.all()}
    people = _mentioned(thread, by, mentions)
    comment.text_sealed = seal_text(thread.study_id, thread.study.project_id, plain)
    comment.version += 1
    comment.edited_at = timezone.now()
    comment.save()
    comment.mentioned.set(people)
    _advance(thread)
    audit.record(
        by, "comment.edited", comment, project_id=thread.project_id, thread_id=thread.pk, version=comment.version
    )
    fresh = [one for one in people if one.pk not in before]
    notices.tell(thread, comment, by=by, kind=NoticeKind.MENTION, people=fresh, base=base)
    publish(CommentEdited(thread_id=thread.pk, version=thread.version), stream=thread.stream)
    return comment


@transaction.atomic
def resolve_thread(*, thread: Thread, by: Any, base: str = "") -> Thread:
    """The question is settled. Resolving twice changes nothing."""
    return _turn(thread, by, ThreadState.RESOLVED, base)


@transaction.atomic
def reopen_thread(*, thread: Thread, by: Any, base: str = "") -> Thread:
    """It is not settled after all. Reopening twice changes nothing."""
    return _turn(thread, by, ThreadState.OPEN, base)


def _turn(thread: Thread, by: Any, state: ThreadState, base: str) -> Thread:
    thread = _held(thread)
    if thread.state == state:
        return thread
    _check_writable(thread.study, by, thread.audience)
    resolved = state == ThreadState.RESOLVED
    thread.state = state
    thread.resolved_by, thread.resolved_at = (by, timezone.now()) if resolved else (None, None)
    thread.version += 1
    thread.save()
    audit.record(by, "thread.resolved" if resolved else "thread.reopened", thread, study_id=thread.study_id)
    kind = NoticeKind.RESOLVED if resolved else NoticeKind.REOPENED
    notices.tell(thread, None, by=by, kind=kind, people=notices.people_in(thread), base=base)
    event: Event = (ThreadResolved if resolved else ThreadReopened)(thread_id=thread.pk, version=thread.version)
    publish(event, stream=thread.stream)
    return thread


# --- inside the transactions above --------------------------------------------------------------------------------


def _held(thread: Thread) -> Thread:
    """The thread as it is now, with its stream's counter held first."""
    lock_stream(thread.stream)
    return Thread.objects.select_for_update(of=("self",)).select_related("study", "author").get(pk=thread.pk)


def _advance(thread: Thread) -> None:
    thread.version += 1
    thread.save(update_fields=["version", "modified_at"])


def _check_writable(study: Study, by: Any, audience: UUID | None) -> None:
    state = Study.objects.filter(pk=study.pk).values_list("state", flat=True).get()
    if state != StudyState.ACTIVE:
        raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
    sealing.check_write(by, study.pk, audience)


def _anchor(thread: Thread, by: Any, pin: Pin) -> None:
    """The segment it is about. A result the person may not see is no result: the same refusal as for an unknown one."""
    if pin.segmentation is None:
        return
    rows = segmentations_visible_to(by).filter(study_id=thread.study_id, series_id=pin.series)
    segmentation: Segmentation | None = rows.filter(pk=pin.segmentation).first()
    if segmentation is None:
        message = _("The segmentation of this thread does not belong to the series.")
        raise LaminaError("invalid_thread", message, 422, field="segmentation")
    thread.segmentation = segmentation
    edit = getattr(segmentation, "edit", None)
    thread.segmentation_seq = edit.head if edit else 0
    if pin.segment is None:
        return
    segment = segmentation.segments.filter(number=pin.segment).first()
    if segment is None:
        raise LaminaError("invalid_thread", _("There is no such segment."), 422, field="segment")
    thread.segment_number, thread.segment_label = segment.number, segment.label
    if pin.surface_mm is not None:
        thread.surface_mm = content.checked_point("surface_mm", pin.surface_mm)


def _write(thread: Thread, by: Any, said: Said) -> Comment:
    if Comment.objects.filter(pk=said.id).exists():
        raise _reused()
    people = _mentioned(thread, by, said.mentions)
    study = thread.study
    comment = Comment.objects.create(
        id=said.id,
        thread=thread,
        author=by,
        text_sealed=seal_text(study.pk, study.project_id, content.checked_text(said.text)),
        digest=_digest(study, said),
    )
    comment.mentioned.set(people)
    audit.record(by, "comment.added", comment, project_id=study.project_id, thread_id=thread.pk, mentions=len(people))
    return comment


def _mentioned(thread: Thread, by: Any, ids: Iterable[UUID]) -> list[User]:
    """Everybody named must be able to read the thread. Raises LaminaError unknown_mention otherwise."""
    wanted = set(ids)
    if not wanted:
        return []
    people = [one for one in people_for(thread.study, by, thread.audience) if one.pk in wanted]
    if len(people) < len(wanted - {by.pk}):
        message = _("Only people who may see this thread can be mentioned.")
        raise LaminaError("unknown_mention", message, 422, field="mentions")
    return people


def _digest(study: Study, said: Said) -> str:
    """Keyed, because a bare hash of a short text could be guessed."""
    text = json.dumps([str(said.id), said.text, sorted(str(one) for one in said.mentions)])
    return hmac.new(derive("comment", study.project_id), text.encode(), hashlib.sha256).hexdigest()


def _repeat(thread: Thread, by: Any, said: Said) -> Comment | None:
    """The comment this is a second sending of; None where the id belongs to something else."""
    known = Comment.objects.filter(pk=said.id, thread=thread, author_id=by.pk).first()
    return known if known is not None and known.digest == _digest(thread.study, said) else None


def _reused() -> LaminaError:
    return LaminaError("id_reused", _("This id was used for something else. Make a new one."), 422)
