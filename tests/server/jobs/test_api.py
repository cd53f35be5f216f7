"""/api/jobs/: who sees what, keyset pages, cancel and retry by role."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from server.jobs import services
from server.jobs.api import JobSerializer
from server.jobs.models import Job
from server.jobs.selectors import job_json, place_in_line


def test_the_json_has_exactly_the_documented_fields(submit: Any) -> None:
    assert set(job_json(submit())) == set(JobSerializer().fields)


def test_members_see_jobs_and_strangers_find_nothing(team: Any, submit: Any, api_client: Any) -> None:
    job = submit()
    missing = api_client(team.reader).get(f"/api/jobs/{uuid.uuid4()}/")
    for person in (team.admin, team.reader, team.viewer):
        assert api_client(person).get(f"/api/jobs/{job.pk}/").json()["id"] == str(job.pk)
    foreign = api_client(team.stranger).get(f"/api/jobs/{job.pk}/")
    assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert api_client(team.stranger).get("/api/jobs/").json()["results"] == []
    assert api_client(team.stranger).post(f"/api/jobs/{job.pk}/cancel/").status_code == 404
    assert api_client().get("/api/jobs/").status_code in {401, 403}


def test_who_runs_the_site_may_end_any_job_and_sees_no_result(
    team: Any, submit: Any, api_client: Any, make_user: Any
) -> None:
    job = submit()
    Job.objects.filter(pk=job.pk).update(result={"found": 1})
    client = api_client(make_user("Root", is_site_admin=True))
    seen = client.get(f"/api/jobs/{job.pk}/").json()
    assert (seen["can_cancel"], seen["result"]) == (True, None)
    assert api_client(team.reader).get(f"/api/jobs/{job.pk}/").json()["result"] == {"found": 1}
    assert client.get("/api/jobs/").json()["results"] == []
    assert client.post(f"/api/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"


def test_a_job_told_to_one_person_is_hidden_from_the_others(team: Any, submit: Any, api_client: Any) -> None:
    job = submit(stream=f"user:{team.reader.pk}")
    assert api_client(team.reader).get(f"/api/jobs/{job.pk}/").status_code == 200
    assert api_client(team.admin).get(f"/api/jobs/{job.pk}/").status_code == 404


def test_a_viewer_may_neither_cancel_nor_retry(team: Any, submit: Any, api_client: Any) -> None:
    job = submit()
    seen = api_client(team.viewer).get(f"/api/jobs/{job.pk}/").json()
    assert (seen["can_cancel"], seen["can_retry"]) == (False, False)
    assert api_client(team.viewer).post(f"/api/jobs/{job.pk}/cancel/").status_code == 403
    assert api_client(team.reader).get(f"/api/jobs/{job.pk}/").json()["can_cancel"] is True
    assert api_client(team.reader).post(f"/api/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"
    answer = api_client(team.reader).post(f"/api/jobs/{job.pk}/retry/")
    assert answer.status_code == 201
    assert answer.json()["retry_of"] == str(job.pk)
    assert api_client(team.reader).post(f"/api/jobs/{job.pk}/retry/").json()["id"] == answer.json()["id"]


def test_cancelling_what_has_ended_is_a_conflict(team: Any, submit: Any, api_client: Any) -> None:
    submit()
    job = services.claim_next("recon", worker="w/0")
    services.finish_job(job, dict)
    answer = api_client(team.reader).post(f"/api/jobs/{job.pk}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_ended")


def test_pages_follow_each_other_without_overlap(team: Any, submit: Any, api_client: Any) -> None:
    jobs = [str(submit().pk) for _ in range(7)]
    seen, after = [], ""
    for _ in range(10):
        page = api_client(team.reader).get("/api/jobs/", {"limit": 3, **({"after": after} if after else {})}).json()
        seen += [job["id"] for job in page["results"]]
        after = page["next"]
        if after is None:
            break
    assert seen == jobs[::-1]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"after": "x"}, {"state": "resting"}, {"project": "x"}]
)
def test_wrong_queries_say_what_is_wrong(team: Any, api_client: Any, query: dict[str, str]) -> None:
    answer = api_client(team.reader).get("/api/jobs/", query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_filters(team: Any, submit: Any, api_client: Any) -> None:
    first, _ = submit(), submit()
    services.cancel_job(first, team.reader)
    answer = api_client(team.reader).get("/api/jobs/", {"state": "cancelled", "project": str(team.project.pk)}).json()
    assert [job["id"] for job in answer["results"]] == [str(first.pk)]
    assert api_client(team.reader).get("/api/jobs/", {"project": str(uuid.uuid4())}).json()["results"] == []


def test_a_longer_list_needs_no_more_queries(team: Any, submit: Any, api_client: Any) -> None:
    client = api_client(team.reader)
    client.get("/api/jobs/")  # the first request of a session also notes the device
    counts = []
    for more in (2, 18):
        for _ in range(more):
            submit()
        with CaptureQueriesContext(connection) as queries:
            rows = client.get("/api/jobs/").json()["results"]
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert [row["place"] for row in rows] == list(range(20, 0, -1))
    assert place_in_line(Job.objects.get(pk=rows[0]["id"])) == 20
