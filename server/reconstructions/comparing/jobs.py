"""How a worker compares: both labelmaps as plain files for the engine, on the queue of what takes seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.jobs.kinds import EngineCall, JobKind, Limits, register_kind
from server.jobs.models import Job
from server.reconstructions.comparing import services, states
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.editing.working import write_piece


def _comparison(job: Job) -> Comparison:
    rows = Comparison.objects.select_related("study", "left__series__study", "left__study", "right__series__study")
    return rows.get(pk=job.parameters["comparison_id"])


def prepare(job: Job, folder: Path) -> EngineCall:
    comparison = _comparison(job)
    sides = {"left": (comparison.left, comparison.left_seq), "right": (comparison.right, comparison.right_seq)}
    for side, (segmentation, seq) in sides.items():
        labels = states.labels_at(segmentation, seq)
        write_piece(segmentation, labels, (0, 0, 0, *labels.shape), folder / side)
    request = {
        "left": str(folder / "left"),
        "right": str(folder / "right"),
        "right_to_left": job.parameters.get("right_to_left"),
        "pairs": comparison.pairs,
        "out": str(folder / "result"),
    }
    return EngineCall("compare", request)


def store(job: Job, folder: Path, result: Mapping[str, Any]) -> services.Stored:
    return services.store(_comparison(job), folder / "result", result)


def finish(job: Job, folder: Path, result: Mapping[str, Any], stored: services.Stored) -> dict[str, Any]:
    return services.keep(job.parameters["comparison_id"], result, stored)


register_kind(
    JobKind(
        name=services.KIND,
        queue="interactive",
        prepare=prepare,
        store=store,
        finish=finish,
        holds=services.streams_told,
        act="view",
        quiet=True,
        limits=Limits(memory_mib=12 * 1024, cpu_seconds=600, file_mib=2 * 1024, seconds=600),
    )
)
