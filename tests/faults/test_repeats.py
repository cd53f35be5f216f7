"""F27: the same request a thousand times has one effect."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from server.jobs import services
from server.jobs.models import Job
from server.jobs.services import retry_job, submit_job
from server.realtime.models import StreamEvent
from tests.faults import app

POSTS, THREADS = 1000, 8


@pytest.fixture
def owner(transactional_db: None, monkeypatch: pytest.MonkeyPatch, make_user: Any, make_project: Any) -> Any:
    from django.db import connection

    app.register()
    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "pool", raising=False)
    monkeypatch.setattr(services, "hint", lambda queue: True)
    user = make_user("Ada")
    return make_project(admin=user), user


def in_parallel(act: Callable[[], Any], times: int) -> list[Any]:
    from django.db import connection

    answers: list[Any] = []

    def several() -> None:
        try:
            answers.extend(act() for _ in range(times // THREADS))
        finally:
            connection.close()

    threads = [threading.Thread(target=several) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return answers


def submit(owner: Any, owner_id: uuid.UUID, key: str | None) -> Job:
    project, user = owner
    return submit_job(
        "test_work",
        owner_kind="test",
        owner_id=owner_id,
        project_id=project.pk,
        stream=f"test:{owner_id}",
        requested_by=user,
        parameters={"seconds": 1},
        idempotency_key=key,
    )


def test_a_thousand_posts_with_one_key_make_one_job(owner: Any) -> None:
    owner_id = uuid.uuid4()
    answers = in_parallel(lambda: submit(owner, owner_id, "key-1"), POSTS)
    assert len(answers) == POSTS
    assert len({job.pk for job in answers}) == 1
    assert sum(not job.is_repeat for job in answers) == 1
    assert Job.objects.filter(owner_id=owner_id).count() == 1
    assert StreamEvent.objects.filter(stream=f"test:{owner_id}").count() == 1


def test_without_the_key_every_post_makes_a_job(owner: Any) -> None:
    owner_id = uuid.uuid4()
    in_parallel(lambda: submit(owner, owner_id, None), 16)
    assert Job.objects.filter(owner_id=owner_id).count() == 16
    numbers = StreamEvent.objects.filter(stream=f"test:{owner_id}").order_by("seq").values_list("seq", flat=True)
    assert list(numbers) == list(range(1, 17))


def test_a_key_used_for_something_else_is_refused(owner: Any) -> None:
    from server.core.errors import LaminaError

    submit(owner, uuid.uuid4(), "key-2")
    with pytest.raises(LaminaError, match="another job"):
        submit(owner, uuid.uuid4(), "key-2")


def test_pressing_retry_many_times_makes_one_new_job(owner: Any) -> None:
    job = submit(owner, uuid.uuid4(), None)
    services.cancel_job(job, owner[1])
    answers = in_parallel(lambda: retry_job(job, owner[1]), 80)
    assert len({new.pk for new in answers}) == 1
    assert Job.objects.filter(retry_of=job).count() == 1


def test_retrying_over_http_with_one_key_answers_the_same_job(owner: Any, api_client: Any) -> None:
    job = submit(owner, uuid.uuid4(), None)
    services.cancel_job(job, owner[1])

    def post() -> Any:
        return api_client(owner[1]).post(f"/api/jobs/{job.pk}/retry/", headers={"Idempotency-Key": "again"})

    answers = in_parallel(post, 40)
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Job.objects.filter(retry_of=job).count() == 1
