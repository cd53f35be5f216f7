"""The operations page's workers: working, idle, silent, as the site admin sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from server.accounts.services import add_member, create_project
from server.core import audit
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


def test_a_project_admin_looks_through_the_audit_and_takes_it_away(make_user, api_client):
    boss, reader = make_user("boss"), make_user("reader")
    project = create_project(name="Audited", by=boss)
    add_member(project=project, user=reader, role="reader", by=boss)
    admin = api_client(boss)
    address = f"/api/projects/{project.pk}/audit/"
    page = admin.get(address, {"verify": "1"}).json()
    assert page["problems"] == []
    entries = page["entries"]
    assert len(entries) >= 2
    assert entries[0]["actor"] == boss.display_name
    act = entries[0]["act"]
    assert act in page["acts"]
    assert {one["act"] for one in admin.get(address, {"act": act}).json()["entries"]} == {act}
    later = admin.get(address, {"before": entries[0]["id"]}).json()
    assert [one["id"] for one in later["entries"]] == [one["id"] for one in entries[1:]]
    assert later["problems"] is None
    assert admin.get(address, {"before": "x"}).status_code == 400
    exported = admin.get(f"{address}export/")
    assert exported.headers["Cache-Control"] == "private, no-store"
    assert audit.verify_export(exported.json()) == []
    assert [one["id"] for one in exported.json()["entries"]] == [one["id"] for one in entries[::-1]]
