"""Annotations as operations: who may, what is refused, what a second sending does, and what others are told (F28)."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connections

from server.core.models import AuditEntry
from server.readings.models import Annotation, AnnotationOperation
from server.realtime.models import StreamEvent
from server.realtime.selectors import events_after
from server.studies import services as studies

pytestmark = pytest.mark.django_db

LESION = {"value": "52988006", "scheme": "SCT", "meaning": "Lesion"}
LENGTH = {"points": [[0.0, 0.0, 2.0], [3.0, 4.0, 2.0]], "plane_normal": [0.0, 0.0, 1.0], "value": 5.0, "unit": "mm"}
REGION = {
    "points": [[0.0, 0.0, 2.0], [4.0, 0.0, 2.0], [4.0, 3.0, 2.0], [0.0, 3.0, 2.0]],
    "plane_normal": [0.0, 0.0, 1.0],
    "value": 12.0,
    "unit": "mm2",
    "statistics": {"mean": 10.0, "sd": 2.0, "min": 5.0, "max": 15.0, "count": 12, "unit": "HU"},
}


@pytest.fixture
def site(make_user: Any, make_project: Any, make_study: Any, api_client: Any) -> Any:
    class Site:
        reader, second = make_user("reader"), make_user("second")
        viewer, stranger, admin = make_user("viewer"), make_user("stranger"), make_user("boss")
        project = make_project(admin=admin, reader=[reader, second], viewer=viewer)
        study = make_study(project)
        address = f"/api/studies/{study.pk}/annotations/"

        def client(self, person: Any = None) -> Any:
            return api_client(person)

        def send(self, person: Any, act: str, annotation: Any = None, base: int = 0, **more: Any) -> Any:
            body = {"id": str(more.pop("id", uuid.uuid4())), "annotation": str(annotation or uuid.uuid4()), "act": act,
                    "base_version": base}  # fmt: skip
            if act == "add":
                body |= {"series": str(self.study.series.get().pk), "kind": "length", "number": 1, "values": LENGTH}
            return api_client(person).post(self.address, body | more, format="json")

        def added(self, **more: Any) -> dict[str, Any]:
            answer = self.send(self.reader, "add", **more)
            assert answer.status_code == 201, answer.content
            return answer.json()

    return Site()


def test_row_operation_audit_and_event_in_one(site: Any) -> None:
    made = site.added(name="  Kidney right,\n width ")
    assert (made["value"], made["unit"], made["name"], made["version"]) == (5.0, "mm", "Kidney right, width", 1)
    assert made["author"] == {"id": str(site.reader.pk), "name": "reader", "colour": site.reader.colour}
    assert made["concept"] == {"value": "410668003", "scheme": "SCT", "meaning": "Length"}
    assert made["tracking_uid"] == f"2.25.{uuid.UUID(made['id']).int}"
    assert (
        AuditEntry.objects.filter(act="annotation.added", target_id=made["id"], project_id=site.project.pk).count() == 1
    )
    [event] = [e for e in events_after(f"result:{site.study.pk}", 0).events if e["type"] == "annotation.added"]
    assert event["payload"]["annotation"] == {key: value for key, value in made.items() if key != "name"}
    assert site.client(site.viewer).get(f"/api/annotations/{made['id']}/").json() == made


def test_what_a_person_typed_lies_sealed_and_is_not_in_events_or_audit(site: Any) -> None:
    made = site.added(name="Mr Planted")
    site.send(site.reader, "change", made["id"], 1, name="Mrs Planted")
    rows = [bytes(row.name_sealed) for row in (*Annotation.objects.all(), *AnnotationOperation.objects.all())]
    assert len(rows) == 3
    assert all(b"Planted" not in row for row in rows)
    kept = [*StreamEvent.objects.values_list("payload", flat=True), *AuditEntry.objects.values_list("facts", flat=True)]
    kept += AnnotationOperation.objects.values_list("values", flat=True)
    assert "Planted" not in str(kept)
    history = site.client(site.viewer).get(f"/api/annotations/{made['id']}/operations/").json()
    assert [one["name"] for one in history] == ["Mr Planted", "Mrs Planted"]


def test_who_may(site: Any) -> None:
    made = site.added()
    for person, expected in ((site.viewer, 403), (site.stranger, 404), (None, 401)):
        assert site.send(person, "add").status_code == expected
        assert site.send(person, "delete", made["id"], 1).status_code == expected
    assert site.client(site.stranger).get(f"/api/annotations/{made['id']}/").status_code == 404
    # Another reader may change it, and may not delete it; the project's admin may.
    assert site.send(site.second, "change", made["id"], 1, values={"colour": "#90A6FF"}).status_code == 201
    assert site.send(site.second, "delete", made["id"], 2).status_code == 403
    assert site.send(site.admin, "delete", made["id"], 2).status_code == 201
    assert site.send(site.second, "restore", made["id"], 3).status_code == 403
    assert site.send(site.reader, "restore", made["id"], 3).status_code == 201


def test_a_study_in_the_bin_takes_none(site: Any) -> None:
    studies.bin_study(study=site.study, by=site.admin)
    answer = site.send(site.admin, "add")
    assert (answer.status_code, answer.json()["code"]) == (409, "study_in_bin")


def test_sending_again_is_harmless(site: Any) -> None:
    operation, annotation = uuid.uuid4(), uuid.uuid4()
    answers = [site.send(site.reader, "add", annotation, id=operation) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert answers[0].json() == answers[2].json()
    move = {"values": {**LENGTH, "points": [[0.0, 0.0, 2.0], [0.0, 4.0, 2.0]], "value": 4.0}, "id": uuid.uuid4()}
    moves = [site.send(site.reader, "change", annotation, 1, **move) for _ in range(2)]
    assert [answer.status_code for answer in moves] == [201, 200]
    assert [answer.json()["version"] for answer in moves] == [2, 2]
    assert AnnotationOperation.objects.count() == 2
    types = [event["type"] for event in events_after(f"result:{site.study.pk}", 0).events]
    assert (types.count("annotation.added"), types.count("annotation.changed")) == (1, 1)
    # The same id for something else, or by somebody else, is no repeat.
    assert site.send(site.reader, "delete", annotation, 2, id=operation).json()["code"] == "operation_id_reused"
    assert site.send(site.second, "add", annotation, id=operation).json()["code"] == "operation_id_reused"


def test_a_conflict_shows_both_sides_and_overwrites_nothing(site: Any) -> None:
    made = site.added()
    site.send(site.reader, "change", made["id"], 1, values={"colour": "#90A6FF"})
    late = site.send(site.second, "change", made["id"], 1, values={"colour": "#FB9202"}, name="mine")
    body = late.json()
    assert (late.status_code, body["code"]) == (409, "annotation_conflict")
    assert (body["theirs"]["version"], body["theirs"]["colour"]) == (2, "#90A6FF")
    assert body["yours"] == {"act": "change", "base_version": 1, "values": {"colour": "#FB9202"}, "name": "mine"}
    assert site.client(site.viewer).get(site.address).json()[0]["colour"] == "#90A6FF"
    # Deleted in between: a conflict too, for a change and for a second delete.
    site.send(site.reader, "delete", made["id"], 2)
    for act, base in (("change", 2), ("change", 3), ("delete", 2), ("delete", 3)):
        answer = site.send(
            site.reader, act, made["id"], base, **({"values": {"colour": "#FB9202"}} if act == "change" else {})
        )
        assert (answer.status_code, answer.json()["theirs"]["is_deleted"]) == (409, True), (act, base)


def test_a_delete_is_an_operation_and_comes_back(site: Any) -> None:
    made = site.added(name="Cyst")
    site.send(site.reader, "delete", made["id"], 1)
    assert site.client(site.viewer).get(site.address).json() == []
    back = site.send(site.reader, "restore", made["id"], 2).json()
    assert (back["version"], back["is_deleted"], back["name"], back["points"]) == (3, False, "Cyst", made["points"])


def reduce(annotations: list[dict[str, Any]], events: Any, ask: Any) -> list[dict[str, Any]]:
    """What a browser does with the events: a name is asked for only when its version is news."""
    known = {one["id"]: one for one in annotations}
    names = {one["id"]: (one["name_version"], one["name"]) for one in annotations}
    for event in events:
        payload = event["payload"]
        if event["type"] == "annotation.deleted":
            known.pop(payload["annotation_id"], None)
        elif event["type"].startswith("annotation."):
            one = payload["annotation"]
            if one["name_version"] != names.get(one["id"], (0, ""))[0]:
                names[one["id"]] = (one["name_version"], ask(one["id"])["name"])
            known[one["id"]] = {**one, "name": names.get(one["id"], (0, ""))[1]}
    return sorted(known.values(), key=lambda one: (one["created_at"], one["id"]))


def test_state_before_and_events_make_the_new_state(site: Any) -> None:
    first, second = site.added(), site.added(name="To be deleted")
    client = site.client(site.viewer)
    before = client.get(f"/api/studies/{site.study.pk}/").json()
    assert [one["name"] for one in before["annotations"]] == ["", "To be deleted"]
    site.send(site.second, "change", first["id"], 1, values={"finding": LESION}, name="Lesion 1")
    site.send(site.reader, "delete", second["id"], 1)
    third = site.added(kind="rectangle", values=REGION)
    site.send(site.reader, "delete", third["id"], 1)
    site.send(site.reader, "restore", third["id"], 2)
    events = events_after(f"result:{site.study.pk}", before["streams"][f"result:{site.study.pk}"]).events
    after = client.get(f"/api/studies/{site.study.pk}/").json()["annotations"]
    assert reduce(before["annotations"], events, lambda key: client.get(f"/api/annotations/{key}/").json()) == after
    assert [one["name"] for one in after] == ["Lesion 1", ""]
    assert after[0]["finding"]["meaning"] == "Lesion"
    assert after[1]["statistics"]["count"] == 12


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": 5.2}, "value"),
        ({"value": None, "unit": ""}, "value"),
        ({"unit": "mm2"}, "unit"),
        ({"unit": "inch"}, "unit"),
        ({"points": [[0.0, 0.0, 2.0]]}, "points"),
        ({"points": [[0.0, 0.0, 2.0], [3.0, 4.0, 9.0]]}, "points"),  # leaves its plane
        ({"points": [[0.0, 0.0, 2.0], [300.0, 400.0, 2.0]], "value": 500.0}, "points"),  # outside the images
        ({"points": [[0.0, 0.0, "2"], [3.0, 4.0, 2.0]]}, "points"),
        ({"points": "here"}, "points"),
        ({"plane_normal": [0.0, 0.0, 2.0]}, "plane_normal"),
        ({"colour": "red"}, "colour"),
        ({"finding": {"value": "1", "scheme": "SCT", "meaning": "Anything"}}, "finding"),
        ({"statistics": {"mean": 1.0}}, "statistics"),
        ({"author": "someone"}, "author"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(site: Any, change: Any, field: str) -> None:
    answer = site.send(site.reader, "add", values={**LENGTH, **change})
    assert answer.status_code == 422, answer.content
    assert answer.json()["field"] == field
    assert Annotation.objects.count() == 0


def test_regions_need_a_plane_and_honest_statistics(site: Any) -> None:
    def refused(change: Any) -> str:
        answer = site.send(site.reader, "add", kind="rectangle", values={**REGION, **change})
        assert answer.status_code == 422, answer.content
        return answer.json()["field"]

    assert refused({"plane_normal": None}) == "plane_normal"
    assert refused({"value": 13.0}) == "value"
    assert refused({"statistics": {**REGION["statistics"], "mean": 20.0}}) == "statistics"
    assert refused({"statistics": {**REGION["statistics"], "count": 0}}) == "statistics"
    made = site.added(kind="rectangle", values=REGION)
    # A change of points is judged with everything that stays.
    moved = site.send(
        site.reader, "change", made["id"], 1, values={"points": [[1.0, *p[1:]] for p in REGION["points"]]}
    )
    assert moved.json()["field"] == "value"


def test_without_spacing_there_are_no_millimetres(site: Any) -> None:
    series = site.study.series.get()
    series.spacing_mm = None
    series.save()
    assert site.send(site.reader, "add").json()["field"] == "value"
    made = site.added(values={**LENGTH, "value": None, "unit": ""})
    assert (made["value"], made["unit"]) == (None, "")


def test_another_studys_ids_tell_nothing(site: Any, make_study: Any) -> None:
    made = site.added()
    other = make_study(site.project)
    address = f"/api/studies/{other.pk}/annotations/"
    client = site.client(site.reader)
    body = {"id": str(uuid.uuid4()), "annotation": made["id"], "act": "delete", "base_version": 1}
    assert client.post(address, body, format="json").status_code == 404
    body |= {"act": "add", "series": str(site.study.series.get().pk), "kind": "length", "values": LENGTH}
    assert client.post(address, body, format="json").json()["code"] == "annotation_id_taken"
    assert client.post(address, {**body, "annotation": str(uuid.uuid4())}, format="json").json()["field"] == "series"


def test_codes_carry_scheme_meaning_and_the_readers_words(site: Any) -> None:
    lists = site.client(site.viewer).get("/api/annotation-codes/").json()
    assert LESION | {"label": "Lesion"} in lists["finding"]
    assert {"value": "7771000", "scheme": "SCT", "meaning": "Left", "label": "Left"} in lists["laterality"]
    for entries in lists.values():
        assert len({(one["value"], one["scheme"]) for one in entries}) == len(entries)


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_no_silent_overwrite(site: Any) -> None:
    made = site.added()
    outcomes: list[tuple[int, str]] = []

    def change(person: Any, colour: str) -> None:
        try:
            for base in range(1, 6):
                answer = site.send(person, "change", made["id"], base, values={"colour": colour})
                outcomes.append((answer.status_code, colour))
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=change, args=pair) for pair in ((site.reader, "#90A6FF"), (site.second, "#FB9202"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in outcomes} <= {201, 409}
    # Every accepted change has its own version, and the last accepted one is what stands.
    rows = list(AnnotationOperation.objects.order_by("version").values_list("version", "base_version"))
    assert rows == [(version, version - 1) for version in range(1, len(rows) + 1)]
    assert len(rows) - 1 == sum(status == 201 for status, _ in outcomes)
    last = AnnotationOperation.objects.order_by("version").last()
    assert Annotation.objects.get().colour == last.values["colour"]
