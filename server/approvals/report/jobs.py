"""The kind of job that makes a report: on the interactive queue, so that it works with every other worker off."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from server.approvals.models.reports import Report
from server.approvals.report import services
from server.approvals.report.content import content_of
from server.approvals.report.selectors import may_have_report
from server.core import storage
from server.core.errors import LaminaError
from server.jobs.kinds import JobKind, Limits, register_kind
from server.jobs.models import Job


def _report(job: Job) -> Report:
    rows = Report.objects.select_related("study__project", "study__patient", "author")
    return rows.get(pk=job.parameters["report_id"])


def prepare(job: Job, folder: Path) -> None:
    """Nothing for the engine to do."""


def store(job: Job, folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Read what is known now, write it down twice. A seal that closed in the meantime ends it."""
    from server.approvals.report.pdf import make_pdf  # the web process needs no PDF library

    report = _report(job)
    if report.author is None or not may_have_report(report.author, report.study):
        message = _("The report opens when nothing of this case is sealed any more.")
        raise LaminaError("result_sealed", message, 409)
    content = content_of(report)
    pdf, pages = make_pdf(content, storage.read)
    put = (report.study_id, report.study.project_id)
    return {
        "content_ref": storage.put(*put, io.BytesIO(json.dumps(content, ensure_ascii=False).encode())),
        "pdf_ref": storage.put(*put, io.BytesIO(pdf)),
        "pdf_sha256": services.sha256_of(pdf),
        "pages": pages,
    }


def finish(job: Job, folder: Path, result: Mapping[str, Any], stored: dict[str, Any]) -> dict[str, Any]:
    report = _report(job)
    services.finish_report(report=report, **stored)
    return {"report_id": str(report.pk), "pages": stored["pages"]}


def follow(job: Job) -> None:
    """A person pressed retry: the report waits for the new job."""
    Report.objects.filter(pk=job.parameters["report_id"]).update(job=job)


register_kind(
    JobKind(
        name="report",
        queue="interactive",
        prepare=prepare,
        store=store,
        finish=finish,
        retried=follow,
        act="view",
        limits=Limits(seconds=300),
        quiet=True,
    )
)
