"""A consensus offered: one labelmap of all submitted reads, looked at first and then taken as a shared working copy."""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from server.core import audit, storage
from server.core.errors import LaminaError
from server.jobs.kinds import EngineCall, JobKind, Limits, register_kind
from server.jobs.models import Job
from server.jobs.services import submit_job
from server.jobs.states import FINAL, JobState
from server.readings.agreement.adjudication import layers_of
from server.readings.agreement.settling import submitted_reads
from server.readings.cases.events import CaseMoved
from server.readings.cases.holding import hold_case
from server.readings.cases.states import CaseStage, CaseState
from server.readings.models.agreement import Consensus, Method
from server.readings.models.cases import Case
from server.realtime.services import publish
from server.reconstructions.comparing import states
from server.reconstructions.editing import services as editing
from server.reconstructions.editing import table
from server.reconstructions.editing.steps import Step
from server.reconstructions.editing.working import write_piece
from server.reconstructions.models import Segmentation

KIND = "consensus"


@transaction.atomic
def propose(*, case: Case, by: Any, method: str) -> Consensus:
    """Have the submitted reads joined, once per method. Raises LaminaError while the case is not open for it."""
    if method not in Method.values:
        raise LaminaError("no_such_method", _("Choose union, majority or STAPLE."), 422)
    if case.is_blind or case.stage != CaseStage.APPROVAL:
        raise LaminaError("not_open", _("A consensus is offered when all reads are in and agree."), 409)
    if len([read for read in submitted_reads(case) if read.segmentation_id]) < 2:
        raise LaminaError("too_few_reads", _("There are not two reads to join."), 409)
    proposal, is_new = Consensus.objects.select_for_update().get_or_create(case=case, method=method)
    job = proposal.job
    if not is_new and (proposal.voxels is not None or (job is not None and job.state not in FINAL)):
        return proposal
    proposal.job = submit_job(
        KIND,
        owner_kind="study",
        owner_id=case.study_id,
        project_id=case.project_id,
        stream=f"user:{by.pk}",
        requested_by=by,
        parameters={"consensus_id": str(proposal.pk)},
        priority=1,
    )
    proposal.save(update_fields=["job", "modified_at"])
    audit.record(by, "consensus.asked", proposal, project_id=case.project_id, method=method)
    return proposal


@transaction.atomic
def take(*, proposal: Consensus, by: Any) -> Segmentation:
    """Make the proposal the shared working copy of the case, as one operation, and what will be signed.

    Anybody of the project who may draw can go on from it; taking another proposal later is one operation more.
    """
    case = hold_case(proposal.case_id)
    if proposal.voxels is None:
        raise LaminaError("not_ready", _("The proposal is not ready yet."), 409)
    if case.stage != CaseStage.APPROVAL or case.state == CaseState.COMPLETED:
        raise LaminaError("not_open", _("This case is not open for a consensus."), 409)
    protocol = getattr(case.project, "protocol", None)
    rows = [table.Row(**{**row, "encloses": []}) for row in protocol.segments] if protocol is not None else []
    working, _made = editing.begin_empty(series=case.series, by=by, rows=rows)
    flat = labels_of(proposal)
    numbers = sorted(segment.number for segment in working.segments.all())
    done = editing.settle(
        segmentation=working, by=by, client_id=uuid4(), name=_("Consensus: %(method)s") % {"method": proposal.method},
        step=Step(layers_of(flat, numbers)), number=numbers[0] if numbers else None, params={"method": proposal.method},
    )  # fmt: skip
    case.final, case.final_seq = working, done.operation.seq
    case.save(update_fields=["final", "final_seq", "modified_at"])
    audit.record(by, "consensus.taken", proposal, project_id=case.project_id, method=proposal.method)
    publish(CaseMoved(case_id=case.pk), stream=case.study.stream)
    return working


def labels_of(proposal: Consensus) -> NDArray:
    """Flat uint8 on the grid of the case's series."""
    return np.frombuffer(gzip.decompress(storage.read(proposal.labelmap_ref)), np.uint8)


# --- what a worker does -------------------------------------------------------------------------------------------


def _proposal(job: Job) -> Consensus:
    rows = Consensus.objects.select_related("case__study", "case__series")
    return rows.get(pk=job.parameters["consensus_id"])


def prepare(job: Job, folder: Path) -> EngineCall:
    proposal = _proposal(job)
    paths = []
    for read in submitted_reads(proposal.case):
        if read.segmentation is None:
            continue
        labels = states.labels_at(read.segmentation, read.final_seq or 0)
        path = folder / f"read-{read.letter}"
        write_piece(read.segmentation, labels, (0, 0, 0, *labels.shape), path)
        paths.append(str(path))
    protocol = getattr(proposal.case.project, "protocol", None)
    numbers = [row["number"] for row in protocol.segments] if protocol is not None else []
    request = {"labelmaps": paths, "method": proposal.method, "out": str(folder / "result"), "segments": numbers}
    return EngineCall("combine", request)


def store(job: Job, folder: Path, result: Mapping[str, Any]) -> str:
    proposal = _proposal(job)
    packed = gzip.compress((folder / "result" / "labelmap.u8").read_bytes(), 1)
    return storage.put(proposal.case.study_id, proposal.case.project_id, io.BytesIO(packed))


def finish(job: Job, folder: Path, result: Mapping[str, Any], stored: str) -> dict[str, Any]:
    proposal = Consensus.objects.select_for_update().get(pk=job.parameters["consensus_id"])
    proposal.labelmap_ref, proposal.voxels = stored, dict(result["voxels"])
    proposal.performances = list(result["performances"])
    proposal.save()
    return {"consensus_id": str(proposal.pk)}


def is_failed(proposal: Consensus) -> bool:
    job = proposal.job
    return proposal.voxels is None and (job is None or job.state in (JobState.FAILED, JobState.CANCELLED))


register_kind(
    JobKind(
        name=KIND,
        queue="interactive",
        prepare=prepare,
        store=store,
        finish=finish,
        act="annotate",
        quiet=True,
        limits=Limits(memory_mib=8 * 1024, cpu_seconds=600, file_mib=2 * 1024, seconds=600),
    )
)
