"""The operations page's workers: working, idle, silent, as the site admin sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from server.jobs.models import Worker
from server.operations.health import workers

pytestmark = pytest.mark.django_db


def test_a_worker_that_stopped_beating_is_silent_and_its_queue_uncovered(make_user, api_client):
    now = timezone.now()
    for name, age in (("awake", 0), ("asleep", 3600)):
        Worker.objects.create(
            name=name, host="h", pid=1, queues=[name], started_at=now, last_beat_at=now - timedelta(seconds=age)
        )
    answer = api_client(make_user("root", is_site_admin=True)).get("/api/operations/").json()
    assert {w["name"]: w["state"] for w in answer["workers"]} == {"awake": "idle", "asleep": "silent"}
    assert workers().state == "caution"
    assert "recon" in workers().cure
    assert len(answer["facts"]) == 4
