"""Pages of studies: every row once, in order, at a constant number of queries; one shape for what may not be seen."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from server.studies import services
from server.studies.models import Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(make_user: Any) -> Any:
    return make_user("reader")


@pytest.fixture
def project(make_project: Any, reader: Any) -> Any:
    return make_project(reader=reader)


def pages(client: Any, **query: Any) -> list[dict[str, Any]]:
    rows, mark = [], ""
    for _ in range(50):
        body = client.get("/api/studies/", {**query, **({"after": mark} if mark else {})}).json()
        rows.extend(body["results"])
        mark = body["next"]
        if mark is None:
            return rows
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("order", ["-created", "created", "pseudonym", "-pseudonym", "study_date", "-study_date"])
def test_every_row_comes_once_and_in_order(
    project: Any, reader: Any, make_study: Any, api_client: Any, order: str
) -> None:
    dates = itertools.cycle(["2020-01-01", None, "2019-05-05", "2020-01-01"])
    studies = [make_study(project, study_date=next(dates)) for _ in range(7)]
    rows = pages(api_client(reader), order=order, limit=2)
    assert sorted(row["id"] for row in rows) == sorted(str(study.pk) for study in studies)
    name = {"created": "created_at", "pseudonym": "pseudonym", "study_date": "study_date"}[order.lstrip("-")]
    values = [row[name] for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=order.startswith("-"))
    assert values[: len(known)] == known, "rows without a date come last"


def test_a_row_that_comes_in_between_moves_nothing(project: Any, reader: Any, make_study: Any, api_client: Any) -> None:
    first = [make_study(project) for _ in range(4)]
    client = api_client(reader)
    page = client.get("/api/studies/", {"limit": 2}).json()
    make_study(project)
    rest = client.get("/api/studies/", {"limit": 2, "after": page["next"]}).json()
    assert [row["id"] for row in page["results"] + rest["results"]] == [str(study.pk) for study in reversed(first)]


def test_queries_do_not_grow_with_rows(
    project: Any, reader: Any, make_study: Any, make_segmentation: Any, api_client: Any
) -> None:
    client = api_client(reader)
    client.get("/api/studies/")  # the first request of a session notes the session
    counts = []
    for _ in range(2):
        for _ in range(3):
            make_segmentation(make_study(project))
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/studies/").status_code == 200
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/studies/", {"q": "thorax", "order": "pseudonym"}).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[2]
    assert counts[1] == counts[3]
    assert max(counts) <= 16


def _fields(row: Any) -> dict[str, Any]:
    """The row's values without its keys."""
    names = (field.name for field in row._meta.concrete_fields if field.name not in {"id", "segmentation"})
    return {name: getattr(row, name) for name in names}


def test_a_row_says_what_the_table_shows(
    project: Any, reader: Any, make_study: Any, make_segmentation: Any, api_client: Any
) -> None:
    study = make_study(project, study_description="CT Thorax")
    segmentation = make_segmentation(study)
    segmentation.segments.create(**{**_fields(segmentation.segments.first()), "number": 9, "voxels": 0})
    body = api_client(reader).get("/api/studies/").json()
    [row] = body["results"]
    assert row["project"] == {"id": str(project.pk), "name": project.name}
    assert (row["pseudonym"], row["slices"], row["series_count"], row["segments_count"]) == ("LAM-0001", 10, 1, 2)
    assert (row["job"]["state"], row["state"], row["modalities"]) == ("succeeded", "active", ["CT"])
    assert row["may"] == ["annotate", "import", "reconstruct", "view"]
    assert row["thumbnail"] == f"/api/series/{study.series.get().pk}/thumbnail/"
    assert body["streams"] == {study.stream: 5}


def test_filters(project: Any, reader: Any, make_study: Any, make_project: Any, api_client: Any) -> None:
    other = make_project(reader=reader)
    ct, mr = make_study(project), make_study(other, modality="MR")
    client = api_client(reader)
    found = lambda **query: {row["id"] for row in pages(client, **query)}  # noqa: E731
    assert found() == {str(ct.pk), str(mr.pk)}
    assert found(project=str(other.pk)) == {str(mr.pk)}
    assert found(modality="mr") == {str(mr.pk)}
    assert found(modality="PT") == set()
    assert found(q="mr") == {str(mr.pk)}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"order": "name"}, "unknown_order"),
        ({"after": "x"}, "bad_cursor"),
        ({"after": "W251bGwsIDFd"}, "bad_cursor"),
        ({"state": "erased"}, "unknown_state"),
        ({"project": "x"}, "bad_id"),
    ],
)
def test_a_wrong_question_is_answered_with_a_problem(
    reader: Any, api_client: Any, query: dict[str, str], code: str
) -> None:
    answer = api_client(reader).get("/api/studies/", query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_missing_and_foreign_look_the_same(
    project: Any, make_user: Any, make_study: Any, make_segmentation: Any, api_client: Any
) -> None:
    study = make_study(project)
    segmentation = make_segmentation(study)
    series = study.series.get()
    site_admin = make_user("site admin", is_site_admin=True)
    addresses = [
        f"/api/studies/{study.pk}/",
        f"/api/series/{series.pk}/",
        *(f"/api/series/{series.pk}/{part}/" for part in ("voxels", "preview", "thumbnail", "algorithms")),
        f"/api/series/{series.pk}/pictures/0/",
        f"/api/segmentations/{segmentation.pk}/",
        *(f"/api/segmentations/{segmentation.pk}/{part}/" for part in ("labelmap", "surfaces", "manifest")),
        f"/api/segmentations/{segmentation.pk}/surfaces.glb",
        f"/api/segmentations/{segmentation.pk}/labelmap.nii.gz",
    ]
    for person in (make_user("stranger"), site_admin):
        client = api_client(person)
        for address in addresses:
            foreign = client.get(address, HTTP_RANGE="bytes=0-1")
            one = address.split("/")[3]
            missing = client.get(address.replace(one, str(uuid.uuid4())))
            assert (foreign.status_code, foreign.content) == (404, missing.content), address
            assert foreign.headers["Content-Type"] == missing.headers["Content-Type"] == "application/problem+json"
        for act in ("restore", "erase"):
            assert client.post(f"/api/studies/{study.pk}/{act}/").status_code == 404
        assert client.delete(f"/api/studies/{study.pk}/").status_code == 404
        assert client.get("/api/studies/").json()["results"] == []
        assert client.get("/api/studies/", {"q": "LAM-0001"}).json()["results"] == []
    signed_out = api_client()
    assert all(signed_out.get(address).status_code == 401 for address in addresses)


def test_a_member_who_left_sees_nothing(project: Any, reader: Any, make_study: Any, api_client: Any) -> None:
    study = make_study(project)
    client = api_client(reader)
    assert client.get(f"/api/studies/{study.pk}/").status_code == 200
    project.memberships.filter(user=reader).delete()
    assert client.get(f"/api/studies/{study.pk}/").status_code == 404


def test_the_facts_at_the_foot(
    project: Any, reader: Any, make_study: Any, make_segmentation: Any, api_client: Any
) -> None:
    first, second = make_study(project), make_study(project)
    make_segmentation(first)
    services.bin_study(study=second, by=None)
    facts = api_client(reader).get("/api/studies/facts/").json()
    assert facts == {"studies": 1, "reconstructions_week": 1, "running_jobs": 0, "binned": 0}
    admin = project.memberships.get(role="admin").user
    assert api_client(admin).get("/api/studies/facts/").json()["binned"] == 1
    assert Study.objects.count() == 2
