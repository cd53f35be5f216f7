"""How a worker registers two series: both volumes as plain files, and a matrix comes back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.jobs.kinds import EngineCall, JobKind, Limits, register_kind
from server.jobs.models import Job
from server.studies import registration
from server.studies.models import Series
from server.studies.prepared import materialise_series


def prepare(job: Job, folder: Path) -> EngineCall:
    request = {}
    for side in ("fixed", "moving"):
        series = Series.objects.select_related("study").get(pk=job.parameters[f"{side}_series_id"])
        request[side] = str(materialise_series(series, folder / side))
    return EngineCall("register", request)


def finish(job: Job, folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    return registration.finish(job, result)


register_kind(
    JobKind(
        name=registration.KIND,
        queue="interactive",
        prepare=prepare,
        finish=finish,
        act="annotate",
        news=False,
        limits=Limits(memory_mib=12 * 1024, cpu_seconds=900, file_mib=1024, seconds=900),
    )
)
