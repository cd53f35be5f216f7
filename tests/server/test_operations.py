"""The operations page's workers as the site admin sees them; a project's audit, filtered and verified."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from server.accounts.services import add_member, create_project
from server.core import audit
from server.core.models import AuditEntry
from server.jobs.models import Worker
from server.operations.health import workers
from server.readings.models import Case, Verdict
from server.studies.services import bin_study, restore_study

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


@pytest.fixture
def audited(make_user):
    """(project, boss, reader): boss made the project and let the reader in."""
    boss, reader = make_user("boss"), make_user("reader")
    project = create_project(name="Audited", by=boss)
    add_member(project=project, user=reader, role="reader", by=boss)
    return project, boss, reader


def test_a_project_admin_looks_through_the_audit_and_takes_it_away(audited, api_client):
    project, boss, _reader = audited
    admin = api_client(boss)
    address = f"/api/projects/{project.pk}/audit/"
    page = admin.get(address).json()
    entries = page["entries"]
    assert len(entries) >= 2
    assert entries[0]["actor"] == boss.display_name
    act = entries[0]["act"]
    assert act in page["acts"]
    assert page["people"] == [{"id": str(boss.pk), "name": boss.display_name}]
    assert {one["act"] for one in admin.get(address, {"act": act}).json()["entries"]} == {act}
    later = admin.get(address, {"before": entries[0]["id"]}).json()
    assert [one["id"] for one in later["entries"]] == [one["id"] for one in entries[1:]]
    assert (later["acts"], later["people"]) == ([], [])
    assert admin.get(address, {"before": "x"}).status_code == 400
    exported = admin.get(f"{address}export/")
    assert exported.headers["Cache-Control"] == "private, no-store"
    assert audit.verify_export(exported.json()) == []
    assert [one["id"] for one in exported.json()["entries"]] == [one["id"] for one in entries[::-1]]


def test_the_audit_is_filtered_by_person_study_and_day(audited, make_study, api_client):
    project, boss, reader = audited
    study, other = make_study(project, by=reader), make_study(project, by=reader)
    bin_study(study=study, by=boss)
    restore_study(study=study, by=boss)
    case = Case.objects.create(study=study, series=study.series.get(), project=project, number=1, is_blind=False)
    audit.record(reader, "reading.begun", None, project_id=project.pk, case_id=case.pk)
    admin, address = api_client(boss), f"/api/projects/{project.pk}/audit/"

    def acts(**given):
        answer = admin.get(address, given)
        assert answer.status_code == 200, answer.json()
        return [one["act"] for one in answer.json()["entries"]]

    about = admin.get(address, {"study": study.pk}).json()["entries"]
    assert {one["act"] for one in about} == {
        "study.created", "series.imported", "study.binned", "study.restored", "reading.begun",
    }  # fmt: skip
    assert {(one["study"]["id"], one["study"]["pseudonym"]) for one in about} == {(str(study.pk), study.pseudonym)}
    assert set(acts(person=reader.pk)) == {"study.created", "series.imported", "reading.begun"}
    assert acts(person=reader.pk, study=other.pk, act="study.created") == ["study.created"]
    # Days are the project's: 23:30 on the 1st in Shanghai is still the 1st, though it is 15:30 there in UTC.
    project.time_zone = "Asia/Shanghai"
    project.save()
    late = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    AuditEntry.objects.filter(act="study.binned").update(at=late)
    AuditEntry.objects.filter(act="study.restored").update(at=late + timedelta(hours=1))
    assert acts(since="2026-03-01", until="2026-03-01") == ["study.binned"]
    assert acts(since="2026-03-02", until="2026-03-02") == ["study.restored"]
    assert admin.get(address, {"since": "yesterday"}).status_code == 422
    # A study of nobody and of another project are the same: not there.
    assert admin.get(address, {"study": uuid.uuid4()}).status_code == 404
    elsewhere = create_project(name="Elsewhere", by=reader)
    assert admin.get(address, {"study": make_study(elsewhere).pk}).status_code == 404


@pytest.mark.parametrize(
    ("kind", "state"), [("first", "assigned"), ("first", "committed"), ("adjudication", "assigned")]
)
def test_the_audit_is_sealed_for_an_admin_with_a_part_in_a_blind_case(audited, make_study, api_client, kind, state):
    """A reader who is made admin, committed or not, and an adjudicator: the chain would name the other readers."""
    project, boss, _reader = audited
    study = make_study(project)
    case = Case.objects.create(study=study, series=study.series.get(), project=project, number=1, is_blind=True)
    kept = {"first_seq": 0, "first_answers": {}, "committed_at": timezone.now()} if state == "committed" else {}
    case.readings.create(reader=boss, letter="A", kind=kind, state=state, **kept)
    admin, address = api_client(boss), f"/api/projects/{project.pk}/audit/"

    def answers():
        asked = [admin.get(address), admin.get(f"{address}verify/"), admin.get(f"{address}export/")]
        return [(one.status_code, one.json().get("code")) for one in asked]

    assert answers() == [(409, "case_sealed")] * 3
    Case.objects.filter(pk=case.pk).update(is_blind=False)
    assert answers() == [(200, None)] * 3


def test_what_was_deleted_is_found_by_the_case_in_its_facts(audited, make_study, api_client):
    project, boss, reader = audited
    study = make_study(project)
    case = Case.objects.create(study=study, series=study.series.get(), project=project, number=1, is_blind=False)
    reading = case.readings.create(reader=reader, letter="A")
    verdict = Verdict.objects.create(reading=reading, key="1:0", act="keep", region={})
    audit.record(reader, "verdict.withdrawn", verdict, case_id=case.pk)
    verdict.delete()
    [entry] = (
        api_client(boss)
        .get(f"/api/projects/{project.pk}/audit/", {"study": study.pk, "person": reader.pk})
        .json()["entries"]
    )
    assert (entry["act"], entry["study"]["id"]) == ("verdict.withdrawn", str(study.pk))


def test_verifying_names_the_entry_that_was_changed(audited, api_client):
    project, boss, reader = audited
    for number in range(5):
        audit.record(reader, "thing.done", None, project_id=project.pk, number=number)
    admin, address = api_client(boss), f"/api/projects/{project.pk}/audit/verify/"
    whole = admin.get(address).json()
    count = AuditEntry.objects.filter(project_id=project.pk).count()
    assert (whole["problems"], whole["position"], whole["entries"], whole["waiting"]) == ([], None, count, 0)
    assert whole["head"] == audit.export_chain(project.pk)["head"]["hash"]
    AuditEntry.objects.filter(project_id=project.pk, position=4).update(act="thing.undone")
    broken = admin.get(address).json()
    assert (broken["problems"], broken["position"]) == (["entry 4 was changed after it was sealed"], 4)
    AuditEntry.objects.filter(project_id=project.pk, position=3).delete()
    assert admin.get(address).json()["problems"] == ["entry 3 is missing or out of place"]
    assert api_client(reader).get(address).status_code == 403


def test_a_chain_cut_at_its_end_is_not_whole(audited, api_client):
    project, boss, _reader = audited
    audit.seal_pending()
    last = AuditEntry.objects.filter(project_id=project.pk).order_by("-position").first()
    last.delete()
    broken = api_client(boss).get(f"/api/projects/{project.pk}/audit/verify/").json()
    assert (broken["problems"], broken["position"]) == (["the chain does not end at its signed head"], None)
