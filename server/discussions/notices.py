"""The bell: who has to hear of what, in the page and, where mail is set up, by a letter that holds a link only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from server.accounts.models import User
from server.discussions.events import NoticeAdded, NoticesRead
from server.discussions.models import Comment, Notice, NoticeKind, Thread
from server.discussions.selectors import hears, notices_of
from server.jobs.services import submit_job
from server.realtime.services import publish
from server.studies import sealing

# A thread that closes is news for the page, not for the letter box.
MAILED = frozenset({NoticeKind.MENTION, NoticeKind.REPLY})


def people_in(thread: Thread) -> list[User]:
    """Who asked or answered there, in a steady order."""
    ids = set(thread.comments.values_list("author_id", flat=True)) | {thread.author_id}
    return list(User.objects.filter(pk__in=[one for one in ids if one], is_active=True).order_by("pk"))


def tell(
    thread: Thread, comment: Comment | None, *, by: Any, kind: NoticeKind, people: Iterable[User], base: str
) -> list[Notice]:
    """A notice for each who may see the thread, the one who did it left out. Nobody hears while the case is blind.

    Belongs inside the transaction of the act. People are taken in the order of their ids, so that two acts lock the
    counters of their streams in the same order.
    """
    made = []
    for person in sorted(people, key=lambda one: one.pk):
        if person.pk == by.pk or not hears(person, thread.study, thread.audience):
            continue
        if not sealing.together(person, thread.study_id):
            continue
        notice = Notice.objects.create(person=person, kind=kind, thread=thread, comment=comment, actor=by)
        publish(NoticeAdded(notice_id=notice.pk), stream=f"user:{person.pk}")
        if base and settings.EMAIL_URL and kind in MAILED:
            _mail(notice, thread, base)
        made.append(notice)
    return made


def _mail(notice: Notice, thread: Thread, base: str) -> None:
    submit_job(
        "mail",
        owner_kind="user",
        owner_id=notice.person_id,
        project_id=thread.study.project_id,
        stream=f"user:{notice.person_id}",
        requested_by=None,
        parameters={"notice_id": str(notice.pk), "base": base},
        idempotency_key=f"notice:{notice.pk}",
    )


@transaction.atomic
def mark_read(*, person: Any, ids: Sequence[UUID] | None = None) -> int:
    """The bell was looked at. Returns how many were new."""
    unread = notices_of(person).filter(read_at__isnull=True)
    if ids is not None:
        unread = unread.filter(pk__in=list(ids))
    keys = list(unread.values_list("pk", flat=True))
    count = Notice.objects.filter(pk__in=keys, read_at__isnull=True).update(read_at=timezone.now())
    if count:
        publish(NoticesRead(count=count), stream=f"user:{person.pk}")
    return count
