"""Who may sign, what holds a signature back, and what has been signed."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.accounts.selectors import may
from server.approvals.models.signatures import Meaning, Reopening, Signature
from server.approvals.signing import manifest as manifests
from server.core.secrets import open_text
from server.discussions.selectors import open_threads_of
from server.readings.cases.states import LIVE, CaseStage, CaseState, ReadingKind, ReadingState
from server.readings.models import Case
from server.reconstructions.selectors import segmentations_visible_to
from server.studies import sealing


def may_sign(case: Case, user: Any, meaning: str) -> bool:
    """Authored: who submitted a read. Reviewed: whoever draws in the project. Approved: adjudicator or admin; where the
    reads agreed also their readers. While the case is blind only its adjudicator and admins."""
    if sealing.is_sealed(user, case.study_id) or not may(user, case.project_id, "annotate"):
        return False
    own = case.readings.filter(reader_id=user.pk, state__in=LIVE).first()
    leads = may(user, case.project_id, "manage")
    adjudicates = own is not None and own.kind == ReadingKind.ADJUDICATION
    if case.is_blind and not (adjudicates or (leads and own is None)):
        return False
    if meaning == Meaning.AUTHORED:
        return own is not None and own.state == ReadingState.SUBMITTED
    if meaning == Meaning.REVIEWED:
        return True
    return adjudicates or leads or own is not None


def blocking(case: Case, user: Any, meaning: str) -> list[dict[str, Any]]:
    """What has to happen first, each with a sentence. A derivation that is not ready never blocks."""
    reasons = []
    if case.final_id is None:
        reasons.append({"code": "no_final", "sentence": _("Choose first which outlines are signed.")})
    count = open_threads_of(case.study, user).count()
    if count and meaning == Meaning.APPROVED:
        words = ngettext("Approve wakes up when %d comment is resolved.", "Approve wakes up when %d comments are resolved.", count)  # fmt: skip  # noqa: E501
        reasons.append({"code": "open_threads", "sentence": words % count, "count": count})
    return reasons


def approval_json(case: Case, user: Any, *, whole: bool = False) -> dict[str, Any]:
    """What holds a signature back and who has signed; with `whole` what would be signed, and its digest, too.

    The manifest hashes every voxel, so it is made for who is about to sign, not for each look at the panel.
    """
    can = [one for one in Meaning.values if may_sign(case, user, one)]
    is_open = case.stage == CaseStage.APPROVAL and case.state != CaseState.COMPLETED
    made = manifests.build(case) if whole and is_open and case.final is not None and can else None
    masks = sealing.masks(user, case.study_id)
    rows = Signature.objects.filter(case=case).select_related("person").order_by("signed_at")
    return {
        "stage": str(case.stage),
        "state": str(case.state),
        "version": case.version,
        "may": can if is_open else [],
        "blocking": {meaning: blocking(case, user, meaning) for meaning in can} if is_open else {},
        "digest": manifests.digest_of(made) if made else None,
        "manifest": made,
        "final": str(case.final_id) if segmentations_visible_to(user).filter(pk=case.final_id).exists() else None,
        "signatures": [signature_json(one, (masks.author(one.person) or {}).get("name", one.name)) for one in rows],
        "reopenings": [_reopening(one, case) for one in case.reopenings.select_related("person").order_by("version")],
    }


def signature_json(signature: Signature, name: str | None = None) -> dict[str, Any]:
    return {
        "id": str(signature.pk),
        "version": signature.version,
        "name": name if name is not None else signature.name,
        "meaning": signature.meaning,
        "signed_at": signature.signed_at.isoformat(),
        "digest": signature.digest,
    }


def _reopening(row: Reopening, case: Case) -> dict[str, Any]:
    return {
        "version": row.version,
        "name": row.person.display_name,
        "at": row.created_at.isoformat(),
        "reason": open_text(case.study_id, bytes(row.reason_sealed)),
    }


def signatures_of(case: Case) -> list[Signature]:
    """Of the case's present version, oldest first."""
    return list(Signature.objects.filter(case=case, version=case.version).order_by("signed_at"))
