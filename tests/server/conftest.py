"""Studies and results made by the product's own services, without the engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.making import prepared_series, result_folder

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def warm_engine() -> Iterator[Any]:
    """One engine process for all tests that only use it: a fresh one loads its libraries for seconds."""
    from server.jobs.process import EngineProcess

    process = EngineProcess()
    yield process
    process.stop()


@pytest.fixture
def slot(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, warm_engine: Any) -> Iterator[Any]:
    """A worker's slot for interactive jobs, in this process; `guard.work_queue(slot, "interactive")` works them off."""
    from server.jobs import guard
    from server.jobs.process import EngineProcess
    from server.jobs.slot import Slot

    settings.LAMINA_BEAT_SECONDS = 0.5
    monkeypatch.setattr(guard.services, "hint", lambda queue: True)
    made = Slot("test/0", ["interactive"], "cpu")
    made.engine = warm_engine
    yield made
    made.engine = EngineProcess()  # closing a slot ends its engine
    made.close()


@pytest.fixture
def import_series(tmp_path: Path) -> Callable[..., Any]:
    """import_series(project, study="a", content=1, ...) -> Imported, through store_prepared and write_prepared."""
    from server.studies import identity, importing

    def run(project: Any, *, by: Any = None, patient_key: str | None = None, **values: Any) -> Any:
        folder = tmp_path / f"prepared-{next(_numbers)}"
        folder.mkdir()
        prepared = prepared_series(folder, **values)
        origin = f"study:{prepared['study_instance_uid']}"
        patient = identity.patient_for(project, origin, patient_key)
        study_id = identity.study_id_for(project.pk, origin)
        target = importing.Target(project, patient, study_id, by)
        return importing.write_prepared(target, importing.store_prepared(target, folder, [prepared]))

    return run


@pytest.fixture
def make_study(import_series: Callable[..., Any]) -> Callable[..., Any]:
    """make_study(project, ...) -> a Study with one CT volume."""
    from server.studies.models import Study

    def make(project: Any, **values: Any) -> Any:
        number = next(_numbers)
        values.setdefault("study", f"study {number}")
        values.setdefault("content", number % 30_000)
        done = import_series(project, **values)
        return Study.objects.select_related("project").get(pk=done.study_ids[0])

    return make


@pytest.fixture
def make_segmentation(tmp_path: Path) -> Callable[..., Any]:
    """make_segmentation(study, by=user) -> the result of a job that a worker claimed and finished."""
    from server.jobs import services as jobs
    from server.reconstructions import services

    def make(study: Any, *, by: Any = None, **values: Any) -> Any:
        series = study.series.get()
        job = services.request_reconstruction(series=series, by=by, algorithm="bone-ct")
        claimed = jobs.claim_next("recon", worker="test", device="cpu")
        assert claimed.pk == job.pk
        folder = tmp_path / f"result-{next(_numbers)}"
        result = result_folder(folder, version=job.parameters["version"], **values)
        stored = services.store_result(series=series, folder=folder, result=result)
        made: list[Any] = []

        def finish() -> dict[str, Any]:
            made.append(services.finish_reconstruction(job=claimed, result=result, stored=stored))
            return {"segmentation_id": str(made[0].pk)}

        jobs.finish_job(claimed, finish)
        return made[0]

    return make
