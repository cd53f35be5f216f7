"""Automatic registration as a job: who may ask, what is refused, what is proposed and what a person makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from server.core.models import AuditEntry
from server.jobs.models import Job
from server.jobs.selectors import latest_by_owner
from server.realtime.models import StreamEvent
from server.studies.models import Series, StudyState, Transform

pytestmark = pytest.mark.django_db
FOUND = {
    "matrix": [[1.0, 0, 0, 4.0], [0, 1.0, 0, -5.0], [0, 0, 1.0, 3.0], [0, 0, 0, 1.0]],
    "algorithm": "Lamina rigid registration", "version": "1.0", "seed": 0, "runs": 12, "error_mm": 0.31,
    "repeat_mm": 0.31, "inverse_mm": 0.12, "farthest_mm": 0.8, "similarity_before": 0.4, "similarity_after": 0.9,
    "overlap": 0.97, "rotation_degrees": 0.0, "shift_mm": 7.07, "working_mm": [3.0, 2.0, 2.0],
}  # fmt: skip


@pytest.fixture
def people(make_user: Callable[..., Any], make_project: Callable[..., Any]) -> dict[str, Any]:
    made = {name: make_user(name) for name in ("admin", "reader", "viewer", "stranger")}
    made["project"] = make_project(admin=made["admin"], reader=[made["reader"]], viewer=[made["viewer"]])
    return made


@pytest.fixture
def dates(people: dict[str, Any], import_series: Callable[..., Any]) -> tuple[Series, Series]:
    """(later, earlier): two CT of one patient, two frames of reference."""
    made = [
        import_series(people["project"], patient_key="one", study=day, content=n, study_date=day)
        for n, day in enumerate(("2024-04-10", "2024-01-10"), start=1)
    ]
    later, earlier = (Series.objects.select_related("study").get(study_id=one.study_ids[0]) for one in made)
    return later, earlier


def address(pair: tuple[Series, Series], more: str = "") -> str:
    return f"/api/series/{pair[0].pk}/registration/{pair[1].pk}/{more}"


def finish(job_id: str, found: dict[str, Any] = FOUND) -> None:
    from server.jobs import services
    from server.studies import registration

    claimed = services.claim_next("interactive", worker="test", device="cpu")
    assert str(claimed.pk) == job_id
    services.finish_job(claimed, lambda: registration.finish(claimed, found))


def test_a_reader_asks_a_worker_proposes_and_a_person_accepts(
    people: dict[str, Any], dates: tuple[Series, Series], api_client: Callable[..., Any]
) -> None:
    reader = api_client(people["reader"])
    assert reader.get(address(dates)).json() == {"job": None, "transform": None}
    asked = reader.post(address(dates), {}, format="json")
    assert asked.status_code == 201, asked.json()
    job = asked.json()["job"]
    assert (job["kind"], job["state"], job["study_id"]) == ("registration", "queued", str(dates[0].study_id))
    # Asking again while it is under way is the same job; a row of the worklist does not speak of it.
    assert reader.post(address(dates), {}, format="json").json()["job"]["id"] == job["id"]
    assert latest_by_owner("study", [dates[0].study_id], people["reader"]) == {}
    early = reader.post(address(dates, "accept/"), {}, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "not_registered")

    finish(job["id"])
    there = reader.get(address(dates)).json()
    assert (there["job"]["state"], there["transform"]) == ("succeeded", None)
    assert there["job"]["result"]["matrix"] == FOUND["matrix"]
    assert reader.get(f"/api/series/{dates[0].pk}/fusion/{dates[1].pk}/").json()["allowed"] is False

    # A matrix that is sent along is not looked at: what is stored is what the worker found.
    made = reader.post(address(dates, "accept/"), {"matrix": np.eye(4).tolist(), "error_mm": 0}, format="json")
    assert made.status_code == 201, made.json()
    assert (made.json()["matrix"], made.json()["method"]) == (FOUND["matrix"], "registration")
    assert made.json()["facts"]["error_mm"] == 0.31
    again = reader.post(address(dates, "accept/"), {}, format="json")
    assert again.json()["id"] == made.json()["id"]
    assert Transform.objects.count() == 1

    answer = reader.get(f"/api/series/{dates[0].pk}/fusion/{dates[1].pk}/").json()
    day = Transform.objects.get().created_at.date().isoformat()
    assert answer["sentence"] == (f"By Lamina rigid registration 1.0 of {day}, accepted by reader, error 0.3\u202fmm.")
    assert AuditEntry.objects.filter(act="transform.added").get().facts["error_mm"] == 0.31
    told = StreamEvent.objects.filter(type="transform.added").values_list("stream", flat=True)
    assert set(told) == {dates[0].study.stream, dates[1].study.stream}
    # Taken away, it can be accepted anew.
    assert reader.delete(f"/api/transforms/{made.json()['id']}/").status_code == 204
    assert reader.get(address(dates)).json()["transform"] is None


def test_who_may_not_ask_is_told_so(
    people: dict[str, Any], dates: tuple[Series, Series], api_client: Callable[..., Any]
) -> None:
    for name, status in (("viewer", 403), ("stranger", 404)):
        assert api_client(people[name]).post(address(dates), {}, format="json").status_code == status
    assert not Job.objects.exists()


def test_every_pair_that_cannot_be_registered_is_refused_by_name(
    people: dict[str, Any],
    dates: tuple[Series, Series],
    import_series: Callable[..., Any],
    api_client: Callable[..., Any],
) -> None:
    later, earlier = dates
    reader = api_client(people["reader"])

    def code(fixed: Series, moving: Series) -> str:
        answer = reader.post(address((fixed, moving)), {}, format="json")
        return f"{answer.status_code} {answer.json()['code']}"

    def series(**values: Any) -> Series:
        done = import_series(people["project"], **values)
        return Series.objects.select_related("study").get(study_id=done.study_ids[0])

    assert code(later, later) == "422 same_series"
    assert code(later, series(patient_key="two", study="x", content=7)) == "422 other_patient"
    assert code(later, series(patient_key="one", study="y", content=8, modality="MR")) == "422 other_modality"
    assert code(later, series(patient_key="one", study="z", content=9, verdict="refuse")) == "422 no_volume"
    Series.objects.filter(pk=earlier.pk).update(spacing_mm=None)
    assert code(later, earlier) == "422 spacing_unknown"
    Series.objects.filter(pk=earlier.pk).update(
        spacing_mm=[2.0, 1.0, 1.0], frame_of_reference_uid=later.frame_of_reference_uid
    )
    assert code(later, earlier) == "422 same_frame"
    later.study.state = StudyState.BINNED
    later.study.save()
    assert code(later, earlier) == "404 not_found"
    assert not Job.objects.exists()


def test_what_a_worker_is_given_is_what_the_engine_reads(
    people: dict[str, Any], dates: tuple[Series, Series], api_client: Callable[..., Any], tmp_path: Path
) -> None:
    """The series here hold one value everywhere: read, and refused by name."""
    from server.engine import VERBS, EngineError
    from server.studies import registration_jobs

    api_client(people["reader"]).post(address(dates), {}, format="json")
    call = registration_jobs.prepare(Job.objects.get(), tmp_path)
    assert call.verb == "register"
    with pytest.raises(EngineError) as refused:
        VERBS[call.verb](call.request, lambda progress: None)
    assert refused.value.code == "nothing_there"
