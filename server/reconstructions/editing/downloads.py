"""The files of an edited segmentation that people keep, made when somebody asks for them."""

from __future__ import annotations

import time
from typing import Any

from django.utils.translation import gettext as _

from server.core.errors import LaminaError
from server.jobs.models import Job
from server.jobs.states import FINAL, JobState
from server.reconstructions.editing import derivation
from server.reconstructions.models import Edit, Segmentation

PATIENCE_SECONDS = 45.0
LOOK_EVERY_SECONDS = 0.15


class BeingMade(LaminaError):
    """The files are not ready yet; asking again later gets them."""

    def __init__(self) -> None:
        message = _("The file is being made. Try again in a few seconds.")
        super().__init__("being_made", message, 503)


def with_current_files(segmentation: Segmentation, by: Any) -> Segmentation:
    """The segmentation with downloads that carry its newest operation, made by a worker and waited for.

    Raises BeingMade where no worker does it in time, LaminaError with the reason where it fails.
    """
    head, made = _state(segmentation)
    if made is not None and made >= head:
        return segmentation
    job = derivation.ask(
        segmentation, segmentation.study, by, derivation.FILES, {"seq": head}, key=f"{segmentation.pk}:{head}"
    )
    if job.state in FINAL and job.state != JobState.SUCCEEDED:  # an earlier attempt with this key ended badly
        job = derivation.ask(segmentation, segmentation.study, by, derivation.FILES, {"seq": head})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        _head, made = _state(segmentation)
        if made is not None and made >= head:
            return Segmentation.objects.select_related("study").get(pk=segmentation.pk)
        now = Job.objects.get(pk=job.pk)
        if now.state in FINAL and now.state != JobState.SUCCEEDED:
            raise LaminaError(now.error_code or "cancelled", now.error_message or _("Nothing was made."), 503)
        time.sleep(LOOK_EVERY_SECONDS)
    raise BeingMade


def _state(segmentation: Segmentation) -> tuple[int, int | None]:
    return Edit.objects.values_list("head", "files_seq").get(pk=segmentation.pk)
