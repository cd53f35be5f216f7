"""Each service writes row, event and audit together, and under the right fence only.

For all of them: state before + events = state after.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction

from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.jobs import services
from server.jobs.models import Job
from server.jobs.selectors import job_json
from server.jobs.services import CancelRequested, FenceLost
from server.realtime.models import StreamEvent

TOLD = ("id", "kind", "state", "attempt", "worker", "error", "result", "retry_of", "requested_by", "algorithm")


def applied(jobs: dict[str, dict[str, Any]], event: StreamEvent) -> None:
    """What a page does with a job's event."""
    payload = event.payload
    if event.type == "job.queued":
        jobs[payload["job"]["id"]] = {name: payload["job"][name] for name in TOLD}
        return
    job = jobs[payload["job_id"]]
    match event.type:
        case "job.started":
            job |= {"state": "running", "attempt": payload["attempt"], "worker": payload["worker"]}
        case "job.requeued":
            job |= {"state": "queued", "worker": ""}
        case "job.succeeded":
            job |= {"state": "succeeded", "result": payload["result"]}
        case "job.failed":
            job |= {"state": "failed", "error": payload["error"]}
        case "job.cancelled":
            job |= {"state": "cancelled"}


class Page:
    """Follows a stream from a state it was given."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.last = 0
        self.jobs: dict[str, dict[str, Any]] = {}

    def agrees(self) -> bool:
        for event in StreamEvent.objects.filter(stream=self.stream, seq__gt=self.last).order_by("seq"):
            assert event.seq == self.last + 1
            applied(self.jobs, event)
            self.last = event.seq
        rows = Job.objects.filter(stream=self.stream).select_related("requested_by")
        truth = {str(job.pk): {name: job_json(job)[name] for name in TOLD} for job in rows}
        assert self.jobs == truth
        return True


@pytest.fixture
def page(team: Any) -> Page:
    return Page(f"test:{team.project.pk}")


def claim() -> Job:
    job = services.claim_next("recon", worker="w/0", device="cpu")
    assert job is not None
    return job


def test_state_before_plus_events_is_state_after_for_every_service(team: Any, submit: Any, page: Page) -> None:
    first = submit(parameters={"algorithm": "bone-ct", "version": "1.0.0", "title": "Bone"})
    assert page.agrees()
    running = claim()
    assert running.pk == first.pk
    assert page.agrees()
    services.release_job(running.pk, running.fence, reason="worker stopped (signal 9)", exit_signal=9)
    assert page.agrees()
    running = claim()
    services.finish_job(running, lambda: {"segmentation_id": "x"}, peak_memory_mib=12.5)
    assert page.agrees()
    submit()
    failing = claim()
    services.fail_job(failing, code="not_found", message="Nothing there. Look elsewhere.", facts={"n": 1})
    assert page.agrees()
    services.retry_job(failing, team.reader)
    assert page.agrees()
    retried = claim()
    services.cancel_job(retried, team.admin)
    assert page.agrees()
    services.end_cancelled(retried)
    assert page.agrees()
    waiting = submit()
    services.cancel_job(waiting, team.admin)
    assert page.agrees()
    submit()
    for _ in range(3):
        lost = claim()
        services.release_job(lost.pk, lost.fence, reason="worker lost")
        assert page.agrees()
    assert Job.objects.get(pk=lost.pk).error_code == "worker_lost"


def test_a_persons_acts_are_audited(team: Any, submit: Any) -> None:
    job = submit()
    services.cancel_job(job, team.admin)
    services.retry_job(job, team.reader)
    acts = AuditEntry.objects.filter(act__startswith="job.").order_by("at").values_list("act", "actor_id")
    assert list(acts) == [
        ("job.submitted", team.reader.pk),
        ("job.cancelled", team.admin.pk),
        ("job.submitted", team.reader.pk),
    ]


def test_an_old_fence_writes_nothing(submit: Any) -> None:
    submit()
    old = claim()
    services.release_job(old.pk, old.fence, reason="worker lost")
    new = claim()
    assert (new.pk, new.attempt) == (old.pk, 2)
    assert new.fence > old.fence
    before = Job.objects.values().get(pk=old.pk)
    events = StreamEvent.objects.count()
    for write in (
        lambda: services.beat(old.pk, old.fence),
        lambda: services.write_progress(old, phase="infer", fraction=0.9, detail="", seconds_left=1),
        lambda: services.finish_job(old, dict),
        lambda: services.fail_job(old, code="x", message="y"),
        lambda: services.end_cancelled(old),
        lambda: services.release_job(old.pk, old.fence, reason="worker lost"),
    ):
        with pytest.raises(FenceLost), transaction.atomic():
            write()
    assert Job.objects.values().get(pk=old.pk) == before
    assert StreamEvent.objects.count() == events


def test_a_beat_between_look_and_release_saves_the_job(submit: Any) -> None:
    submit()
    job = claim()
    services.beat(job.pk, job.fence)
    with pytest.raises(FenceLost):
        services.release_job(job.pk, job.fence, reason="worker lost", beat=0)
    assert Job.objects.get(pk=job.pk).state == "running"


def test_a_cancel_that_came_first_keeps_the_result_out(team: Any, submit: Any) -> None:
    submit()
    job = claim()
    services.cancel_job(job, team.reader)
    assert services.beat(job.pk, job.fence) is True
    made = []
    with pytest.raises(CancelRequested):
        services.finish_job(job, lambda: made.append(1) or {})
    assert made == []
    services.fail_job(job, code="internal", message="too late")
    assert Job.objects.get(pk=job.pk).state == "cancelled"


def test_what_has_ended_is_neither_cancelled_nor_tried_again(team: Any, submit: Any) -> None:
    job = submit()
    services.finish_job(claim(), dict)
    with pytest.raises(LaminaError, match="ended already"):
        services.cancel_job(job, team.reader)
    with pytest.raises(LaminaError, match="failed or cancelled"):
        services.retry_job(job, team.reader)


def test_a_failed_finish_leaves_the_job_running_and_nothing_else(submit: Any) -> None:
    submit()
    job = claim()

    def half() -> dict[str, Any]:
        submit()
        raise LaminaError("storage_full", "No space. Free some.", 507)

    with pytest.raises(LaminaError):
        services.finish_job(job, half)
    assert Job.objects.count() == 1
    assert Job.objects.get(pk=job.pk).state == "running"


def test_the_line_goes_by_priority_then_age(submit: Any) -> None:
    late, early = submit(), submit(priority=5)
    last = submit()
    files = submit(kind="test_files")
    assert [claim().pk for _ in range(3)] == [early.pk, late.pk, last.pk]
    assert services.claim_next("recon", worker="w/0") is None
    assert Job.objects.get(pk=files.pk).state == "queued"


def test_all_open_jobs_of_an_owner_are_cancelled(team: Any, submit: Any) -> None:
    owner_id = uuid.uuid4()
    running, waiting, other = submit(owner_id=owner_id), submit(owner_id=owner_id), submit()
    claim()
    assert services.cancel_jobs_of("test", owner_id, team.admin) == 2
    assert Job.objects.get(pk=waiting.pk).state == "cancelled"
    assert Job.objects.get(pk=running.pk).cancel_requested_at is not None
    assert Job.objects.get(pk=other.pk).state == "queued"


def test_an_unknown_kind_is_refused(submit: Any) -> None:
    with pytest.raises(LaminaError, match="no kind"):
        submit(kind="dreaming")
