"""The kind of job that sends a letter. It holds a link and nothing else: no text, no patient, no name of a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from server.core.errors import LaminaError
from server.discussions.models import Notice, NoticeKind
from server.discussions.selectors import notices_of
from server.discussions.serializers import address_of
from server.jobs.kinds import JobKind, Limits, register_kind
from server.jobs.models import Job


def letter_for(notice: Notice, base: str) -> EmailMessage:
    """The letter in the person's language."""
    person = notice.person
    with translation.override(person.language):
        words = {
            NoticeKind.MENTION: _("You were mentioned in Lamina."),
            NoticeKind.REPLY: _("There is an answer in one of your threads in Lamina."),
        }[NoticeKind(notice.kind)]
        link = base.rstrip("/") + address_of(notice.thread.study_id, notice.thread_id)
        body = f"{words}\n\n{link}\n\n{_('Sign in to read it. Not for clinical use.')}\n"
        return EmailMessage(subject=words, body=body, to=[person.email])


def prepare(job: Job, folder: Path) -> None:
    """Nothing for the engine to do."""


def store(job: Job, folder: Path, result: Mapping[str, Any]) -> bool:
    """Send it. Who may no longer see the thread, or has read the notice already, gets none."""
    notice = Notice.objects.select_related("person", "thread").filter(pk=job.parameters["notice_id"]).first()
    if notice is None or notice.read_at is not None or not settings.EMAIL_URL:
        return False
    if not notice.person.is_active or not notices_of(notice.person).filter(pk=notice.pk).exists():
        return False
    try:
        letter_for(notice, job.parameters["base"]).send(fail_silently=False)
    except OSError as error:
        # smtplib's errors are OSErrors; their words may hold the address.
        message = _("The mail server did not take the letter. Try again or check EMAIL_URL.")
        raise LaminaError("mail_refused", message, 502, exception=type(error).__name__) from None
    return True


def finish(job: Job, folder: Path, result: Mapping[str, Any], sent: bool) -> dict[str, Any]:
    return {"sent": sent}


register_kind(
    JobKind(
        name="mail",
        queue="io",
        prepare=prepare,
        store=store,
        finish=finish,
        act="manage",
        limits=Limits(seconds=60),
        quiet=True,
    )
)
