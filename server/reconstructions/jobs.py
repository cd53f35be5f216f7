"""The kind of job that turns a series into a segmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from server.jobs.kinds import EngineCall, JobKind, Limits, register_kind
from server.jobs.models import Job
from server.reconstructions import services
from server.studies.models import Series
from server.studies.prepared import materialise_series
from server.studies.sealing import sealed_among


def _series(job: Job) -> Series:
    return Series.objects.select_related("study").get(pk=job.parameters["series_id"])


def prepare(job: Job, folder: Path) -> EngineCall:
    """Write the series' volume into the workspace and say what to run on it."""
    series = _series(job)
    source = materialise_series(series, folder / "series")
    request = {
        "algorithm": job.parameters["algorithm"],
        "version": job.parameters["version"],
        "inputs": {series.modality: str(source)},
        "out": str(folder / "result"),
        "parameters": job.parameters["values"],
        "device": job.device,
    }
    return EngineCall("reconstruct", request)


def store(job: Job, folder: Path, result: Mapping[str, Any]) -> services.StoredResult:
    return services.store_result(series=_series(job), folder=folder / "result", result=result)


def finish(job: Job, folder: Path, result: Mapping[str, Any], stored: services.StoredResult) -> dict[str, Any]:
    segmentation = services.finish_reconstruction(job=job, result=result, stored=stored)
    return {"segmentation_id": str(segmentation.pk), "segments": len(result["segments"])}


def held_streams(job: Job) -> list[str]:
    """What finishing publishes to, in the order every other writer takes: the study, then whose work it is."""
    own = job.stream if job.stream.startswith("reading:") else f"result:{job.owner_id}"
    return [f"study:{job.owner_id}", own]


def open_results(user: Any, jobs: Sequence[Job]) -> set[UUID]:
    """Ids of those jobs whose result the person may know of: not while the study is sealed, but of the own work."""
    sealed = sealed_among(user, [job.owner_id for job in jobs])
    return {job.pk for job in jobs if job.owner_id not in sealed or job.stream.startswith("reading:")}


register_kind(
    JobKind(
        name="reconstruction",
        queue="recon",
        prepare=prepare,
        store=store,
        finish=finish,
        failed=lambda job: services.note_failed_reconstruction(job=job),
        act="reconstruct",
        holds=held_streams,
        open_to=open_results,
        limits=Limits(file_mib=8 * 1024),
    )
)
