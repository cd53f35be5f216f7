"""Who sees which threads and notices, and who may be called into one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from server.accounts.models import Membership, User
from server.core.secrets import open_texts
from server.discussions.models import Comment, CommentVersion, Notice, Thread, ThreadState
from server.reconstructions.models import Segment
from server.studies import sealing
from server.studies.models import Study
from server.studies.selectors import studies_visible_to


def _open_to(user: Any) -> QuerySet[Thread]:
    """Shared threads where nothing is sealed for the person, and those of readings open to the person."""
    return sealing.unsealed(Thread.objects.filter(study__in=studies_visible_to(user)), user)


def threads_visible_to(user: Any) -> QuerySet[Thread]:
    return complete(_open_to(user))


def complete(rows: QuerySet[Thread]) -> QuerySet[Thread]:
    """With everything their JSON needs, oldest first."""
    comments = Comment.objects.select_related("author").prefetch_related("mentioned").order_by("created_at", "id")
    there = Segment.objects.filter(segmentation=OuterRef("segmentation"), number=OuterRef("segment_number"))
    return (
        rows.select_related("study", "author", "resolved_by")
        .annotate(segment_is_there=Exists(there))
        .prefetch_related(Prefetch("comments", comments))
        .order_by("created_at", "id")
    )


def threads_of(study: Study, user: Any) -> QuerySet[Thread]:
    """The threads of one study as the person may see them, oldest first."""
    return threads_visible_to(user).filter(study=study)


def open_threads_of(study: Study, user: Any) -> QuerySet[Thread]:
    """What still waits for an answer, as the person may see it. Open threads block approval."""
    return threads_of(study, user).filter(state=ThreadState.OPEN)


def comments_visible_to(user: Any) -> QuerySet[Comment]:
    rows = Comment.objects.filter(thread__in=_open_to(user))
    return rows.select_related("thread__study", "author")


def versions_of(comment: Comment) -> QuerySet[CommentVersion]:
    return comment.versions.order_by("version")


def texts_of(rows: Iterable[Comment | CommentVersion], study_id: UUID) -> list[str]:
    """What people wrote, opened with the study's key in two queries, however many rows."""
    return open_texts(study_id, [row.text_sealed for row in rows])


def may_see_thread(user: Any, thread: Thread) -> bool:
    return _open_to(user).filter(pk=thread.pk).exists()


def people_for(study: Study, asker: Any, audience: UUID | None) -> list[User]:
    """Who may be mentioned there: members who would see it, the asker left out. Nobody while the case is blind."""
    if not sealing.together(asker, study.pk):
        return []
    rows = Membership.objects.filter(project_id=study.project_id, user__is_active=True).exclude(user_id=asker.pk)
    people = [row.user for row in rows.select_related("user").order_by("user__display_name", "user_id")]
    return [one for one in people if hears(one, study, audience)]


def hears(user: Any, study: Study, audience: UUID | None) -> bool:
    """Would the person see a thread of this audience?"""
    if audience is None:
        return not sealing.is_sealed(user, study.pk)
    return sealing.open_audience_ids(user).filter(pk=audience).exists()


def notices_of(person: Any) -> QuerySet[Notice]:
    """Newest first. One whose thread the person may not see (any more) is not there, not even as a number."""
    rows = Notice.objects.filter(person_id=person.pk, thread__in=_open_to(person))
    return rows.select_related("thread__study", "actor").order_by("-created_at", "id")


def unread_count(person: Any) -> int:
    return notices_of(person).filter(read_at__isnull=True).count()
