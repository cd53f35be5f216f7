"""How each way to end reaches the row. The engine is a real process; the slot beats in its thread."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from server.jobs import guard, kinds, worker
from server.jobs.models import Job, Worker
from server.jobs.services import submit_job
from server.jobs.slot import Slot
from server.jobs.states import JobState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(transactional_db: None, settings: Any) -> Iterator[Slot]:
    settings.LAMINA_BEAT_SECONDS = 0.1
    settings.LAMINA_CANCEL_GRACE_SECONDS = 0.5
    settings.LAMINA_ENGINE_MODULE = "tests.server.jobs.noisy_door"
    made = Slot("test/0", ["recon"], "cpu")
    yield made
    made.close()


@pytest.fixture
def do(slot: Slot, make_user: Any, make_project: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """do({"do": "echo"}, finish=...) -> the job's row after the guard has done it."""
    monkeypatch.setattr(guard.services, "hint", lambda queue: True)
    user = make_user("Ada")
    project = make_project(admin=user)

    def run(request: dict[str, Any], **values: Any) -> Job:
        name = f"kind_{uuid.uuid4().hex[:8]}"
        prepare = values.pop("prepare", lambda job, folder: kinds.EngineCall("do", request))
        finish = values.pop("finish", lambda job, folder, result: {"echo": result.get("echo")})
        kinds.register_kind(kinds.JobKind(name=name, queue="recon", prepare=prepare, finish=finish, **values))
        job = submit_job(
            name,
            owner_kind="test",
            owner_id=uuid.uuid4(),
            project_id=project.pk,
            stream=f"user:{user.pk}",
            requested_by=user,
            parameters={},
        )
        guard.work_queue(slot, "recon", until_job=job.pk)
        job.refresh_from_db()
        return job

    return run


def test_a_result_is_stored_then_finished(do: Any) -> None:
    order = []

    def store(job: Job, folder: Any, result: dict[str, Any]) -> str:
        assert folder.stat().st_mode & 0o777 == 0o700
        order.append("store")
        return "ref"

    def finish(job: Job, folder: Any, result: dict[str, Any], stored: str) -> dict[str, Any]:
        order.append("finish")
        return {"ref": stored}

    job = do({"do": "echo"}, store=store, finish=finish)
    assert (job.state, job.result, order) == (JobState.SUCCEEDED, {"ref": "ref"}, ["store", "finish"])
    assert job.peak_memory_mib > 5
    assert (job.fraction, job.seconds_left) == (1.0, 0.0)


def test_a_refusal_keeps_the_engines_words_or_neutral_ones(do: Any) -> None:
    job = do({"do": "refuse"})
    assert (job.error_code, job.error_message) == ("not_a_volume", "This is no volume. Send another.")
    job = do({"do": "refuse"}, neutral_message=lambda code: f"neutral words for {code}")
    assert (job.error_message, job.error_facts) == ("neutral words for not_a_volume", {"slices": 2})


def test_the_failed_hook_runs_and_its_mistake_does_not_matter(do: Any) -> None:
    told: list[str] = []
    assert do({"do": "refuse"}, failed=lambda job: told.append(job.error_code)).state == "failed"
    assert told == ["not_a_volume"]
    assert do({"do": "refuse"}, failed=lambda job: 1 / 0).state == "failed"


def test_a_mistake_in_a_hook_is_internal_and_quotes_nothing(do: Any) -> None:
    def finish(*_: Any) -> dict[str, Any]:
        raise ValueError("Doe^Jane")

    job = do({"do": "echo"}, finish=finish)
    assert (job.state, job.error_code) == ("failed", "internal")
    assert "Doe" not in f"{job.error_message} {job.error_facts}"


def test_a_job_over_its_time_fails_by_name(do: Any) -> None:
    begun = time.monotonic()
    job = do({"do": "wait"}, limits=kinds.Limits(seconds=0.8))
    assert (job.state, job.error_code) == ("failed", "time_limit")
    assert time.monotonic() - begun < 5


def test_memory_over_the_limit_fails_by_name(do: Any) -> None:
    job = do({"do": "hold", "mib": 400}, limits=kinds.Limits(memory_mib=100))
    assert (job.state, job.error_code) == ("failed", "out_of_memory")


def test_a_fresh_kind_leaves_no_engine_and_a_warm_one_does(do: Any, slot: Slot) -> None:
    do({"do": "echo"})
    assert slot.engine.pid is not None
    do({"do": "echo"}, fresh=True)
    assert slot.engine.pid is None


def test_a_slot_writes_itself_down_and_takes_itself_away(slot: Slot) -> None:
    deadline = time.monotonic() + 5
    while not Worker.objects.filter(name="test/0").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    row = Worker.objects.get(name="test/0")
    assert (row.queues, row.device, row.is_silent) == (["recon"], "cpu", False)
    slot.close()
    assert not Worker.objects.filter(name="test/0").exists()


def test_a_command_works_the_queue_until_its_job_has_ended(do: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "work_queue", lambda *args, **values: 0)
    job = do({"do": "echo", "text": "hello"})  # submitted, not worked
    assert job.state == "queued"
    monkeypatch.undo()
    monkeypatch.setattr(guard.services, "hint", lambda queue: True)
    from django.test import override_settings

    with override_settings(LAMINA_ENGINE_MODULE="tests.server.jobs.noisy_door"):
        assert worker.work("recon", until_job=job.pk).result == {"echo": "hello"}
