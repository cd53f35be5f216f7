"""Choosing what will be signed, signing it, opening it again. Row, audit entry and event together or not at all."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from server.accounts.selectors import may
from server.approvals.models.signatures import Meaning, Reopening, Signature
from server.approvals.signing import manifest as manifests
from server.approvals.signing.selectors import blocking, may_sign
from server.core import audit
from server.core.errors import LaminaError
from server.core.secrets import seal_text
from server.readings.agreement.relying import ask_for_reliance
from server.readings.cases.events import CaseMoved
from server.readings.cases.holding import hold_case, move_case
from server.readings.cases.states import CaseStage, CaseState
from server.readings.models import Case
from server.realtime.services import publish
from server.reconstructions.comparing.states import checked_seq
from server.reconstructions.models import Segmentation
from server.studies.sealing import together

LONGEST_REASON = 2000


@transaction.atomic
def choose_final(*, case: Case, by: Any, segmentation: Segmentation, seq: int | None) -> Case:
    """Say which outlines of the case will be signed. An adjudicated case keeps its ruling's.

    Raises LaminaError where the case is not open for it or the outlines are not of its series.
    """
    case = hold_case(case.pk)
    _must_be_open(case)
    if not together(by, case.study_id):
        raise LaminaError("case_sealed", _("The ruling's outlines are signed; the reads open afterwards."), 409)
    if segmentation.series_id != case.series_id:
        raise LaminaError("other_series", _("These outlines belong to another series."), 422)
    case.final, case.final_seq = segmentation, checked_seq(segmentation, seq)
    case.save(update_fields=["final", "final_seq", "modified_at"])
    facts = {"segmentation_id": segmentation.pk, "seq": case.final_seq}
    audit.record(by, "case.final_chosen", case, project_id=case.project_id, **facts)
    publish(CaseMoved(case_id=case.pk), stream=case.study.stream)
    return case


def sign(*, case: Case, by: Any, meaning: str, digest: str) -> Signature:
    """Sign exactly what the person saw: `digest` must be that of the case as it is under its lock.

    With "approved" the case is completed, read-only and open to everybody in the project. The person must have
    proved who they are just before. Raises LaminaError 409: approval_changed (with the new digest), not_open,
    approval_blocked (with `reasons`), signed_before; 403 not_yours_to_sign.
    """
    _warm(case)
    with transaction.atomic():
        case = hold_case(case.pk)
        _must_be_open(case)
        if not may_sign(case, by, meaning):
            raise LaminaError("not_yours_to_sign", _("This case is not yours to sign."), 403)
        if reasons := blocking(case, by, meaning):
            raise LaminaError("approval_blocked", " ".join(one["sentence"] for one in reasons), 409, reasons=reasons)
        made = manifests.build(case)
        now_digest = manifests.digest_of(made)
        if now_digest != digest:
            message = _("Something changed since you looked. Look again, then sign.")
            raise LaminaError("approval_changed", message, 409, theirs=now_digest, yours=digest)
        own = Signature.objects.filter(case=case, version=case.version, person=by, meaning=meaning)
        if own.exists():
            raise LaminaError("signed_before", _("You have signed this before."), 409)
        signature = Signature.objects.create(
            case=case, version=case.version, person=by, name=by.display_name, meaning=meaning,
            signed_at=timezone.now(), digest=digest, manifest=made,
        )  # fmt: skip
        facts = {"version": case.version, "meaning": meaning, "digest": digest}
        audit.record(by, "case.signed", case, project_id=case.project_id, **facts)
        if case.state == CaseState.NEW:
            case = move_case(case=case, to=(CaseStage.APPROVAL, CaseState.IN_PROGRESS), by=by)
        if meaning == Meaning.APPROVED:
            values = {"final": case.final, "final_seq": made["segmentation"]["seq"], "is_blind": False}
            case = move_case(case=case, to=(CaseStage.APPROVAL, CaseState.COMPLETED), by=by, **values)
            ask_for_reliance(case, by)
        return signature


def _warm(case: Case) -> None:
    """Read the voxels' hashes before others have to wait for the case's lock."""
    for series in case.study.series.exclude(voxels_ref=""):
        manifests.plain_sha256(series.voxels_ref)


@transaction.atomic
def reopen(*, case: Case, by: Any, reason: str) -> Case:
    """Open a signed case again as its next version; what was signed stays as it is. Raises LaminaError."""
    case = hold_case(case.pk)
    if not may(by, case.project_id, "manage"):
        raise LaminaError("not_yours_to_sign", _("Only a project admin opens a signed case again."), 403)
    if case.state != CaseState.COMPLETED:
        raise LaminaError("not_signed", _("This case is not signed."), 409)
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise LaminaError("reason_needed", _("Say in up to 2,000 characters why."), 422)
    case = move_case(case=case, to=(CaseStage.APPROVAL, CaseState.NEW), by=by)
    sealed = seal_text(case.study_id, case.project_id, reason)
    row = Reopening.objects.create(case=case, version=case.version, person=by, reason_sealed=sealed)
    audit.record(by, "case.reopened", row, project_id=case.project_id, case_id=case.pk, version=case.version)
    return case


def _must_be_open(case: Case) -> None:
    if case.stage != CaseStage.APPROVAL:
        raise LaminaError("not_open", _("This case is not ready for approval yet."), 409)
    if case.state == CaseState.COMPLETED:
        raise LaminaError("case_signed", _("This case is signed."), 409)
