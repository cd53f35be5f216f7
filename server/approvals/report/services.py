"""Keeping a key image, asking for a report, and storing what the job made."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied

from server.accounts.selectors import may
from server.approvals.models.reports import KeyImage, Report
from server.approvals.report.events import KeyImageKept, KeyImageRemoved, ReportReady
from server.approvals.report.pictures import clean_png
from server.approvals.report.selectors import may_have_report
from server.core import audit, storage
from server.core.errors import LaminaError
from server.discussions.content import checked_view
from server.jobs.services import submit_job
from server.realtime.services import lock_stream, publish
from server.studies import sealing
from server.studies.models import Series, Study, StudyState

VIEWPORTS = ("axial", "coronal", "sagittal", "surfaces")
MOST_IMAGES = 60  # of one study


def keep_key_image(
    *, study: Study, by: Any, id: UUID, series: UUID, viewport: str, png: str, view: str = ""
) -> tuple[KeyImage, bool]:
    """Keep a picture (base64 of a PNG) of what somebody sees. Returns it and whether it was there already.

    Raises LaminaError not_a_picture and invalid_key_image (422), too_many_key_images, study_in_bin and what
    sealing.check_write refuses (409).
    """
    known = KeyImage.objects.filter(pk=id).first()
    if known is not None:
        return _same(known, study, by), True
    try:
        picture, width, height = clean_png(base64.b64decode(png, validate=True))
    except binascii.Error:
        raise LaminaError("not_a_picture", _("The picture did not arrive whole. Send it again."), 422) from None
    row = Series.objects.filter(pk=series, study=study).first()
    if row is None or viewport not in VIEWPORTS:
        raise LaminaError("invalid_key_image", _("This picture does not belong to the study."), 422)
    # The bytes first: a crash before the row leaves an object that no row names.
    ref = storage.put(study.pk, study.project_id, io.BytesIO(picture))
    with transaction.atomic():
        audience = sealing.audience_for(by, study.pk)
        image = KeyImage(id=id, study=study, series=row, audience=audience, viewport=viewport, author=by)
        lock_stream(image.stream)
        known = KeyImage.objects.filter(pk=id).first()
        if known is not None:
            return _same(known, study, by), True
        if Study.objects.filter(pk=study.pk).values_list("state", flat=True).get() != StudyState.ACTIVE:
            raise LaminaError("study_in_bin", _("The study lies in the bin. Restore it first."), 409)
        sealing.check_write(by, study.pk, audience)
        if KeyImage.objects.filter(study=study).count() >= MOST_IMAGES:
            message = _("A study keeps up to %(most)d key images. Remove one first.") % {"most": MOST_IMAGES}
            raise LaminaError("too_many_key_images", message, 409)
        image.picture_ref, image.width, image.height = ref, width, height
        image.view = checked_view(view)
        image.save(force_insert=True)
        audit.record(by, "key_image.kept", image, study_id=study.pk, viewport=viewport)
        publish(KeyImageKept(key_image_id=image.pk), stream=image.stream)
    return image, False


def _same(known: KeyImage, study: Study, by: Any) -> KeyImage:
    if known.study_id != study.pk or known.author_id != by.pk:
        raise LaminaError("id_reused", _("This id was used for something else. Make a new one."), 422)
    return known


@transaction.atomic
def remove_key_image(*, image: KeyImage, by: Any) -> None:
    """Its author, or who runs the project, takes it away."""
    if image.author_id != by.pk and not may(by, image.study.project_id, "delete"):
        raise PermissionDenied(_("Only its author or a project admin may remove a key image."))
    lock_stream(image.stream)
    sealing.check_write(by, image.study_id, image.audience)
    audit.record(by, "key_image.removed", image, project_id=image.study.project_id, study_id=image.study_id)
    publish(KeyImageRemoved(key_image_id=image.pk), stream=image.stream)
    image.delete()


@transaction.atomic
def request_report(*, study: Study, by: Any, language: str, idempotency_key: str | None = None) -> Report:
    """Have a report made. Raises LaminaError result_sealed (409) while anything of the case is closed."""
    if language not in dict(settings.LANGUAGES):
        raise LaminaError("unknown_language", _("There is no report in this language."), 422)
    if not may_have_report(by, study):
        message = _("The report opens when nothing of this case is sealed any more.")
        raise LaminaError("result_sealed", message, 409)
    report_id = uuid4()
    job = submit_job(
        "report",
        owner_kind="study",
        owner_id=study.pk,
        project_id=study.project_id,
        stream=f"user:{by.pk}",
        requested_by=by,
        parameters={"report_id": str(report_id), "language": language},
        idempotency_key=idempotency_key,
    )
    report = Report.objects.create(id=report_id, study=study, job=job, language=language, author=by)
    audit.record(by, "report.requested", report, study_id=study.pk, language=language)
    return report


def finish_report(*, report: Report, content_ref: str, pdf_ref: str, pdf_sha256: str, pages: int) -> None:
    """Inside the transaction that ends the job."""
    report.content_ref, report.pdf_ref, report.pdf_sha256, report.pages = content_ref, pdf_ref, pdf_sha256, pages
    report.save()
    audit.record(report.author, "report.made", report, study_id=report.study_id, sha256=pdf_sha256, pages=pages)
    event = ReportReady(report_id=report.pk, study_id=report.study_id)
    publish(event, stream=f"user:{report.author_id}")


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
