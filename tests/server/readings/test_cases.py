"""Cases from opening to submission: what is frozen, who is dealt what, what is refused by name."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.models import Count
from django.db.utils import IntegrityError

from server.accounts import services as people
from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.readings.cases import opening, services
from server.readings.cases.states import LIVE
from server.readings.cases.words import answers_of
from server.readings.models import Case, Reading
from server.realtime.selectors import events_after
from server.reconstructions.models import Segmentation

pytestmark = pytest.mark.django_db


def test_a_read_is_frozen_as_it_was_committed(room: Any) -> None:
    case = room.case()
    reading = room.begin(case, room.anna)
    hand, api = room.hand(reading, room.anna), room.client(room.anna)
    assert [(s.number, s.label, s.voxels) for s in reading.segmentation.segments.order_by("number")] == [
        (1, "Liver", 0),
        (2, "Lesion", 0),
    ]
    assert hand.paint(1, range(10, 20)).status_code == 201
    labels, seq = hand.labelmap()
    body = {"answers": {"seen": True, "kind": "367643001", "note": "left lobe"}, "seq": seq, "seconds": 12.5}
    answer = api.post(f"/api/readings/{reading.pk}/commit/", body, format="json")
    assert answer.status_code == 200, answer.content
    mine = answer.json()["mine"]
    assert (mine["state"], mine["first_seq"], mine["answers"], mine["seconds"]) == (
        "committed", seq, body["answers"], 12.5,
    )  # fmt: skip
    kept = Reading.objects.get(pk=reading.pk)
    assert kept.first_digest == hashlib.sha256(labels.tobytes()).hexdigest()
    assert "left lobe" not in str(kept.first_answers)  # what was typed lies sealed
    assert answers_of(kept, "first")["note"] == "left lobe"
    # More strokes do not touch it, and the database refuses a change.
    assert hand.paint(2, range(30, 40)).status_code == 201
    room.submit(reading, room.anna)
    kept.refresh_from_db()
    assert (kept.first_seq, kept.final_seq, kept.state) == (seq, seq + 1, "submitted")
    assert kept.first_digest != kept.final_digest
    for values in ({"first_seq": 0}, {"first_digest": "x"}, {"final_seq": 9}, {"state": "in_progress"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reading.objects.filter(pk=kept.pk).update(**values)
    assert hand.paint(1, [1]).json()["code"] == "reading_submitted"
    acts = AuditEntry.objects.filter(target_id=str(kept.pk)).order_by("at").values_list("act", flat=True)
    assert list(acts) == ["reading.begun", "reading.committed", "reading.submitted"]
    told = [event["type"] for event in events_after(reading.stream, 0).events]
    assert [one for one in told if one.startswith("reading.")] == list(acts)


def test_answers_are_checked_against_the_form(room: Any) -> None:
    reading = room.begin(room.case(), room.anna)
    api = room.client(room.anna)
    for answers, code, questions in (
        ({}, "answers_missing", ["seen"]),
        ({"seen": "yes"}, "invalid_answers", ["seen"]),
        ({"seen": True, "kind": "1"}, "invalid_answers", ["kind"]),
        ({"seen": True, "size": True}, "invalid_answers", ["size"]),
        ({"seen": True, "other": 1}, "invalid_answers", ["other"]),
    ):
        body = api.post(f"/api/readings/{reading.pk}/commit/", {"answers": answers, "seq": 0}, format="json").json()
        assert (body["code"], body["questions"]) == (code, questions)
    # A draft may lack some, survives a reload, and goes with the commit.
    draft = {"size": 4.5, "note": "so far"}
    assert api.put(f"/api/readings/{reading.pk}/answers/", {"answers": draft}, format="json").status_code == 204
    assert api.get(f"/api/studies/{reading.case.study_id}/").json()["case"]["mine"]["answers"] == draft
    room.commit(reading, room.anna)
    assert api.get(f"/api/cases/{reading.case_id}/").json()["mine"]["answers"] == {"seen": True}


def test_a_stale_commit_shows_both(room: Any) -> None:
    reading = room.begin(room.case(), room.anna)
    room.hand(reading, room.anna).paint(1, [1, 2, 3])
    api = room.client(room.anna)
    body = {"answers": {"seen": True}, "seq": 0}
    refused = api.post(f"/api/readings/{reading.pk}/commit/", body, format="json")
    assert refused.status_code == 409
    assert (refused.json()["code"], refused.json()["theirs"], refused.json()["yours"]) == (
        "reading_changed", {"seq": 1}, {"seq": 0},
    )  # fmt: skip
    assert api.post(f"/api/readings/{reading.pk}/commit/", body | {"seq": 1}, format="json").status_code == 200
    # The same again is a lost answer; other content is a conflict.
    assert api.post(f"/api/readings/{reading.pk}/commit/", body | {"seq": 1}, format="json").status_code == 200
    other = api.post(f"/api/readings/{reading.pk}/commit/", {"answers": {"seen": False}, "seq": 1}, format="json")
    assert (other.status_code, other.json()["code"]) == (409, "reading_committed")
    assert other.json()["theirs"]["answers"] == {"seen": True}


def test_cases_are_dealt_by_load(room: Any, make_user: Any) -> None:
    cara = make_user("cara")
    people.add_member(project=room.project, user=cara, role="reader", by=room.lead)
    opening.set_protocol(project=room.project, by=room.lead, values={"excluded": [room.ben.pk]})
    studies = [room.make_study(room.project) for _ in range(4)]
    opening.open_cases(project=room.project, studies=studies, by=room.lead)
    load = dict(Reading.objects.order_by().values_list("reader").annotate(n=Count("id")))
    assert load == {room.anna.pk: 4, cara.pk: 4}  # never the excluded, the adjudicator only where nobody else is left
    opening.set_protocol(project=room.project, by=room.lead, values={"excluded": [], "readers_per_case": 1})
    room.case()
    assert Reading.objects.filter(reader=room.ben).count() == 1  # whoever has least to do
    opening.set_protocol(project=room.project, by=room.lead, values={"readers_per_case": 9})
    with pytest.raises(LaminaError) as refused:
        room.case()
    assert (refused.value.code, refused.value.facts) == ("not_enough_readers", {"needed": 9, "there": 4})
    letters = {tuple(case.readings.order_by("letter").values_list("letter", flat=True)) for case in Case.objects.all()}
    assert letters == {("A", "B"), ("A",)}


def test_numbers_due_dates_and_refusals_of_opening(room: Any, monkeypatch: Any) -> None:
    room.project.time_zone = "Pacific/Auckland"
    room.project.save()
    late = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # the 2nd of March there
    monkeypatch.setattr("server.readings.cases.holding.timezone.now", lambda: late)
    first, practice = room.case(), room.case(is_practice=True)
    assert (first.number, practice.number, first.due_on.isoformat()) == (1, 2, "2026-03-09")
    assert (practice.is_practice, first.is_practice) == (True, False)
    lead = room.client(room.lead)
    address = f"/api/projects/{room.project.pk}/cases/"
    again = lead.post(address, {"studies": [str(first.study_id)]}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "study_has_case")
    assert again.json()["studies"] == [str(first.study_id)]
    assert room.client(room.anna).post(address, {"studies": [str(first.study_id)]}, format="json").status_code == 403
    rows = lead.get(address).json()["results"]
    assert [row["number"] for row in rows] == [2, 1]
    assert {one["name"] for one in rows[0]["readings"]} == {"anna", "ben"}


def test_a_commit_on_a_case_given_away_a_second_ago(room: Any) -> None:
    case = room.case()
    reading = room.begin(case, room.anna)
    hand = room.hand(reading, room.anna)
    hand.paint(1, [1, 2, 3])
    lead, api = room.client(room.lead), room.client(room.anna)
    body = {"reading": str(reading.pk), "reader": str(room.judy.pk)}
    answer = lead.post(f"/api/cases/{case.pk}/reassign/", body, format="json")
    assert answer.status_code == 200, answer.content
    refused = api.post(f"/api/readings/{reading.pk}/commit/", {"answers": {"seen": True}, "seq": 1}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "reading_withdrawn")
    assert (hand.paint(1, [9]).status_code, hand.paint(1, [9]).json()["code"]) == (409, "reading_withdrawn")
    assert hand.labelmap()[0].sum() == 3  # nothing is lost
    new = room.of(case, room.judy)
    assert (new.letter, new.replaces_id, new.state) == (reading.letter, reading.pk, "assigned")
    twice = lead.post(f"/api/cases/{case.pk}/reassign/", body, format="json")
    assert (twice.status_code, twice.json()["code"]) == (409, "reading_replaced")
    room.commit(room.begin(case, room.ben), room.ben)
    kept = lead.post(f"/api/cases/{case.pk}/reassign/", {"reading": str(room.of(case, room.ben).pk)}, format="json")
    assert (kept.status_code, kept.json()["code"]) == (409, "reading_committed")


def test_a_reader_removed_while_painting_loses_nothing(room: Any) -> None:
    case = room.case()
    reading = room.begin(case, room.anna)
    hand = room.hand(reading, room.anna)
    hand.paint(1, [1, 2, 3])
    committed = room.commit(room.begin(case, room.ben), room.ben)
    membership = room.project.memberships.get(user=room.anna)
    people.change_member(membership=membership, role="viewer", is_adjudicator=False, by=room.lead)
    answer = hand.paint(1, [5])
    assert (answer.status_code, answer.json()["code"]) == (409, "reading_withdrawn")
    people.remove_member(membership=room.project.memberships.get(user=room.anna), by=room.lead)
    assert hand.paint(1, [5]).status_code == 404
    assert Segmentation.objects.get(audience=reading.pk).operations.count() == 1
    # A committed read of who leaves is kept as it was committed.
    people.remove_member(membership=room.project.memberships.get(user=room.ben), by=room.lead)
    committed.refresh_from_db()
    assert (committed.state, committed.final_seq, committed.final_digest) == (
        "submitted", committed.first_seq, committed.first_digest,
    )  # fmt: skip
    case.refresh_from_db()
    assert case.stage == "reading"  # anna's place is empty
    services.reassign_reading(reading=Reading.objects.get(pk=reading.pk), by=room.lead, reader=room.judy)
    assert room.of(case, room.judy).state == "assigned"


def test_one_reader_goes_straight_to_approval(reading_room: Any) -> None:
    room = reading_room(readers_per_case=1)
    case = room.case()
    reading = room.begin(case, reader := case.readings.get().reader)
    room.commit(reading, reader)
    room.submit(reading, reader)
    case.refresh_from_db()
    assert (case.stage, case.state, case.is_blind) == ("approval", "new", False)
    assert (case.final_id, case.final_seq) == (reading.segmentation_id, 0)


def test_the_last_submit_tells_whoever_compares(room: Any, monkeypatch: Any) -> None:
    complete: list[Any] = []
    monkeypatch.setattr(
        "server.readings.cases.holding._when_complete", [lambda case, by: complete.append((case.pk, by))]
    )
    case = room.case()
    for person in (room.anna, room.ben):
        reading = room.begin(case, person)
        room.commit(reading, person)
        assert complete == []
        room.submit(reading, person)
    assert complete == [(case.pk, room.ben)]


def test_the_worklist_costs_the_same_for_many(room: Any, django_assert_num_queries: Any) -> None:
    from django.test.utils import CaptureQueriesContext

    room.case()
    api = room.client(room.anna)
    counts = []
    for _ in range(2):
        api.get("/api/worklist/")
        with CaptureQueriesContext(connections["default"]) as queries:
            body = api.get("/api/worklist/").json()
        counts.append(len(queries))
        for _ in range(3):
            room.case()
    assert counts[0] == counts[1], counts
    first = body["results"][0]
    assert body["next"] == first["reading"]["id"]
    assert (first["reading"]["state"], first["case"]["sealed"], first["study"]["segments_count"]) == (
        "assigned",
        True,
        0,
    )
    assert first["case"]["readings"] == []


@pytest.mark.django_db(transaction=True)
def test_two_commits_at_once(room: Any) -> None:
    """Real connections, real locks: one stands, the other is told with both versions."""
    reading = room.begin(room.case(), room.anna)
    gate, outcomes = threading.Barrier(2), []

    def commit(seen: bool) -> None:
        try:
            gate.wait(10)
            services.commit_reading(reading=reading, by=room.anna, answers={"seen": seen}, seq=0)
            outcomes.append(("stands", seen))
        except LaminaError as error:
            outcomes.append((error.code, error.facts["theirs"]["answers"]["seen"]))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=commit, args=(seen,)) for seen in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    words = dict(outcomes)
    assert set(words) == {"stands", "reading_committed"}, outcomes
    assert words["stands"] == words["reading_committed"] == Reading.objects.get(pk=reading.pk).first_answers["seen"]
    assert Reading.objects.filter(state__in=LIVE).count() == 2
