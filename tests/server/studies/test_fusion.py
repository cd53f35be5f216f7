"""What may lie over what: same frame, stored transform, refusals; who may store one; what the page is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from server.core.models import AuditEntry
from server.realtime.models import StreamEvent
from server.studies.models import Series, Transform

pytestmark = pytest.mark.django_db

QUARTER_TURN = [[0.0, -1.0, 0.0, 10.0], [1.0, 0.0, 0.0, -20.0], [0.0, 0.0, 1.0, 5.0], [0.0, 0.0, 0.0, 1.0]]


@pytest.fixture
def people(make_user: Callable[..., Any], make_project: Callable[..., Any]) -> dict[str, Any]:
    made = {name: make_user(name) for name in ("admin", "reader", "second", "viewer", "stranger")}
    made["project"] = make_project(
        admin=made["admin"], reader=[made["reader"], made["second"]], viewer=[made["viewer"]]
    )
    return made


@pytest.fixture
def pair(people: dict[str, Any], import_series: Callable[..., Any]) -> tuple[Series, Series]:
    """A CT and an MR of one patient in two studies: two frames of reference."""
    studies = [
        import_series(people["project"], patient_key="one patient", study=name, content=number, modality=modality)
        for number, (name, modality) in enumerate((("ct", "CT"), ("mr", "MR")), start=1)
    ]
    ct, mr = (Series.objects.select_related("study").get(study_id=done.study_ids[0]) for done in studies)
    assert ct.study.patient_id == mr.study.patient_id
    assert ct.frame_of_reference_uid != mr.frame_of_reference_uid
    return ct, mr


def body_of(ct: Series, mr: Series, **more: Any) -> dict[str, Any]:
    return {
        "moving_series": str(mr.pk),
        "fixed_series": str(ct.pk),
        "matrix": QUARTER_TURN,
        "method": "landmarks",
        **more,
    }


def test_another_frame_is_refused_until_a_transform_is_stored(
    people: dict[str, Any], pair: tuple[Series, Series], api_client: Callable[..., Any]
) -> None:
    ct, mr = pair
    reader = api_client(people["reader"])
    answer = reader.get(f"/api/series/{ct.pk}/fusion/{mr.pk}/").json()
    assert (answer["allowed"], answer["reason"], answer["matrix"]) == (False, "other_frame", None)
    assert "another frame of reference" in answer["sentence"]

    made = reader.post(
        f"/api/studies/{ct.study_id}/transforms/", body_of(ct, mr, landmark_error_mm=1.23), format="json"
    )
    assert made.status_code == 201, made.content
    there = reader.get(f"/api/series/{ct.pk}/fusion/{mr.pk}/").json()
    assert (there["how"], there["matrix"]) == ("transform", QUARTER_TURN)
    day = Transform.objects.get().created_at.date().isoformat()
    assert there["sentence"] == f"By transform of {day}, reader (Landmarks), landmark error 1.2\u202fmm."
    back = reader.get(f"/api/series/{mr.pk}/fusion/{ct.pk}/").json()
    assert back["transform"]["inverted"] is True
    assert np.allclose(np.asarray(back["matrix"]) @ np.asarray(QUARTER_TURN), np.eye(4))


def test_the_same_frame_needs_no_transform_and_gets_none(
    people: dict[str, Any], pair: tuple[Series, Series], api_client: Callable[..., Any]
) -> None:
    ct, mr = pair
    Series.objects.filter(pk=mr.pk).update(frame_of_reference_uid=ct.frame_of_reference_uid)
    client = api_client(people["reader"])
    answer = client.get(f"/api/series/{ct.pk}/fusion/{mr.pk}/").json()
    assert (answer["how"], answer["matrix"]) == ("same_frame", np.eye(4).tolist())
    refused = client.post(f"/api/studies/{ct.study_id}/transforms/", body_of(ct, mr), format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "same_frame")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"spacing_mm": None}, "spacing_unknown"),
        ({"is_volume": False}, "no_volume"),
        ({"frame_of_reference_uid": None}, "frame_unknown"),
    ],
)
def test_a_refusal_says_why(
    change: dict[str, Any], reason: str, people: dict[str, Any], pair: tuple[Series, Series], api_client: Any
) -> None:
    ct, mr = pair
    Series.objects.filter(pk=mr.pk).update(**change)
    answer = api_client(people["viewer"]).get(f"/api/series/{ct.pk}/fusion/{mr.pk}/").json()
    assert (answer["allowed"], answer["reason"]) == (False, reason)
    assert answer["sentence"].endswith(".")
    assert "MR" in answer["sentence"]


def test_a_series_without_a_frame_stands_for_itself(
    people: dict[str, Any], pair: tuple[Series, Series], api_client: Callable[..., Any]
) -> None:
    ct, mr = pair
    Series.objects.update(frame_of_reference_uid=None)
    client = api_client(people["reader"])
    made = client.post(f"/api/studies/{mr.study_id}/transforms/", body_of(ct, mr), format="json").json()
    assert (made["moving_frame_of_reference_uid"], made["fixed_frame_of_reference_uid"]) == (None, None)
    assert client.get(f"/api/series/{ct.pk}/fusion/{mr.pk}/").json()["allowed"] is True


def test_one_question_answers_for_all_series_of_the_patient(
    people: dict[str, Any], pair: tuple[Series, Series], import_series: Any, make_study: Any, api_client: Any
) -> None:
    ct, mr = pair
    import_series(people["project"], patient_key="one patient", study="ct", name="series-001", content=7)
    second = ct.study.series.exclude(pk=ct.pk).get()
    make_study(people["project"])
    rows = api_client(people["reader"]).get(f"/api/series/{ct.pk}/fusion/").json()["results"]
    assert [(one["series_id"], one["how"]) for one in rows] == [(str(second.pk), "same_frame"), (str(mr.pk), "refused")]


def test_another_patient_and_another_project(
    people: dict[str, Any], pair: tuple[Series, Series], make_study: Any, make_project: Any, api_client: Any
) -> None:
    ct, _ = pair
    other = make_study(people["project"]).series.get()
    client = api_client(people["reader"])
    assert client.get(f"/api/series/{ct.pk}/fusion/{other.pk}/").json()["reason"] == "other_patient"
    foreign = make_study(make_project()).series.get()
    assert client.get(f"/api/series/{ct.pk}/fusion/{foreign.pk}/").status_code == 404
    assert client.post(f"/api/studies/{ct.study_id}/transforms/", body_of(ct, other), format="json").status_code == 404


@pytest.mark.parametrize(
    ("matrix", "code"),
    [
        (np.diag([-1.0, 1, 1, 1]).tolist(), "mirrored"),
        (np.diag([10.0, 10, 10, 1]).tolist(), "bad_matrix"),
        (np.diag([0.0, 1, 1, 1]).tolist(), "bad_matrix"),
        ([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]], "bad_matrix"),
        ([[1.0, 0, 0, 1e9], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "bad_matrix"),
    ],
)
def test_a_matrix_that_cannot_be_true_is_refused(
    matrix: list[list[float]], code: str, people: dict[str, Any], pair: tuple[Series, Series], api_client: Any
) -> None:
    ct, mr = pair
    body = body_of(ct, mr, matrix=matrix)
    answer = api_client(people["reader"]).post(f"/api/studies/{ct.study_id}/transforms/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Transform.objects.exists()


def test_who_may_store_and_remove(
    people: dict[str, Any], pair: tuple[Series, Series], api_client: Callable[..., Any]
) -> None:
    ct, mr = pair
    address = f"/api/studies/{ct.study_id}/transforms/"
    assert api_client(people["viewer"]).post(address, body_of(ct, mr), format="json").status_code == 403
    made = [api_client(people["reader"]).post(address, body_of(ct, mr), format="json").json()["id"] for _ in range(2)]
    listed = api_client(people["viewer"]).get(address).json()["results"]
    assert [one["id"] for one in listed] == made[::-1]
    assert api_client(people["second"]).delete(f"/api/transforms/{made[0]}/").status_code == 403
    assert api_client(people["reader"]).delete(f"/api/transforms/{made[0]}/").status_code == 204
    assert api_client(people["admin"]).delete(f"/api/transforms/{made[1]}/").status_code == 204
    acts = list(AuditEntry.objects.filter(act__startswith="transform.").order_by("at").values_list("act", flat=True))
    assert acts == ["transform.added", "transform.added", "transform.removed", "transform.removed"]


def test_both_studies_hear_of_it_and_state_plus_events_is_the_new_state(
    people: dict[str, Any], pair: tuple[Series, Series], api_client: Callable[..., Any]
) -> None:
    ct, mr = pair
    client = api_client(people["reader"])
    before = client.get(f"/api/studies/{ct.study_id}/").json()
    made = client.post(f"/api/studies/{ct.study_id}/transforms/", body_of(ct, mr), format="json").json()
    for study in (ct.study, mr.study):
        event = StreamEvent.objects.filter(stream=study.stream).latest("seq")
        assert (event.type, event.payload["transform"]["id"]) == ("transform.added", made["id"])
        assert [event.payload["transform"], *before["transforms"]] == client.get(f"/api/studies/{study.pk}/").json()[
            "transforms"
        ]


def test_priors_are_the_patients_other_studies_newest_first(
    people: dict[str, Any], import_series: Callable[..., Any], make_study: Any, api_client: Callable[..., Any]
) -> None:
    dates = {"now": "2021-05-01", "before": "2020-02-03", "long ago": None, "after": "2022-01-01"}
    ids = {
        name: import_series(people["project"], patient_key="p", study=name, content=n, study_date=date).study_ids[0]
        for n, (name, date) in enumerate(dates.items(), start=1)
    }
    make_study(people["project"])
    answer = api_client(people["viewer"]).get(f"/api/studies/{ids['now']}/").json()
    assert [one["id"] for one in answer["priors"]] == [str(ids[name]) for name in ("after", "before", "long ago")]
    assert answer["priors"][1]["study_date"] == "2020-02-03"
    assert answer["priors"][1]["series"][0]["volume"]["shape"]
