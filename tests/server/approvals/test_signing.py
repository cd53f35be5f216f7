"""Signing exactly what was seen, what holds it back, read-only afterwards, opening it again."""

from __future__ import annotations

import hashlib
import re
import threading
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from server.approvals.models import Reopening, Signature
from server.approvals.signing import manifest as manifests
from server.approvals.signing import services
from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.jobs.guard import work_queue
from server.jobs.models import Job
from server.jobs.slot import Slot
from server.readings.cases.holding import hold_case, move_case
from server.readings.models import Case, Reading
from server.reconstructions.comparing import states
from tests.server.approvals.test_report import texts_of
from tests.server.readings.conftest import ReadingRoom, reading_room, room, voxels  # noqa: F401
from tests.server.reconstructions.conftest import bytes_of

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery staple"


@pytest.fixture
def signed_up(room: ReadingRoom) -> ReadingRoom:  # noqa: F811
    for person in (room.anna, room.lead):
        person.set_password(PASSWORD)
        person.save()
    return room


def case_of(room: ReadingRoom) -> Case:  # noqa: F811
    """A case with one reader that stands at approval: anna's read is what will be signed."""
    from server.readings.cases import opening

    others = [str(room.ben.pk), str(room.judy.pk)]
    opening.set_protocol(project=room.project, by=room.lead, values={"readers_per_case": 1, "excluded": others})
    case = room.case()
    reading = room.begin(case, room.anna)
    assert room.hand(reading, room.anna).paint(1, voxels(0, 1, 2, 5)).status_code == 201
    reading = room.commit(reading, room.anna)
    room.submit(reading, room.anna)
    case = Case.objects.get(pk=case.pk)
    assert (case.stage, case.state) == ("approval", "new")
    return case


def shown(room: ReadingRoom, case: Case, person: Any) -> dict[str, Any]:  # noqa: F811
    return room.client(person).get(f"/api/cases/{case.pk}/approval/?whole=1").json()


def sign(room: ReadingRoom, case: Case, person: Any, **body: Any) -> Any:  # noqa: F811
    body = {"meaning": "approved", "password": PASSWORD, "digest": shown(room, case, person)["digest"], **body}
    return room.client(person).post(f"/api/cases/{case.pk}/approval/", body, format="json")


def test_a_signature_covers_exactly_the_signed_bytes(signed_up: ReadingRoom) -> None:
    case = case_of(signed_up)
    made = shown(signed_up, case, signed_up.anna)
    final = case.final
    labels = states.labels_at(final, case.final_seq)
    assert made["manifest"]["segmentation"]["labelmap_sha256"] == hashlib.sha256(labels.tobytes()).hexdigest()
    assert int((labels == 1).sum()) == 4
    assert made["manifest"]["readings"][0]["final"]["sha256"] == hashlib.sha256(labels.tobytes()).hexdigest()
    assert made["manifest"]["sources"][0]["voxels_sha256"]

    looked = signed_up.client(signed_up.anna).get(f"/api/cases/{case.pk}/approval/").json()
    assert (looked["manifest"], looked["digest"]) == (None, None)  # a look at the panel hashes no voxel
    answer = sign(signed_up, case, signed_up.anna)
    assert answer.status_code == 201, answer.json()
    [signature] = answer.json()["signatures"]
    assert (signature["name"], signature["meaning"]) == (signed_up.anna.display_name, "approved")
    assert signature["digest"] == made["digest"]
    signed = signed_up.client(signed_up.anna).get(f"/api/cases/{case.pk}/signatures/{signature['id']}/")
    assert hashlib.sha256(signed.content).hexdigest() == signature["digest"]  # without this server
    entry = AuditEntry.objects.get(act="case.signed")
    assert entry.facts == {"version": 1, "meaning": "approved", "digest": made["digest"]}
    case.refresh_from_db()
    assert (case.state, case.is_blind) == ("completed", False)
    assert Job.objects.filter(kind="reliance").count() == 1


def test_nobody_signs_without_proof(signed_up: ReadingRoom) -> None:
    case = case_of(signed_up)
    for body, code in (
        ({"password": ""}, "no_proof"),
        ({"password": "not this one"}, "wrong_password"),
        ({"password": "", "code": "123456"}, "wrong_code"),
    ):
        refused = sign(signed_up, case, signed_up.anna, **body)
        assert refused.json()["code"] == code
        assert refused.status_code in (403, 422)
    assert not Signature.objects.exists()


def test_what_changed_since_it_was_seen_is_not_signed(signed_up: ReadingRoom) -> None:
    """anna's submitted read no longer changes, so the lead chooses other outlines in between."""
    case = case_of(signed_up)
    seen = shown(signed_up, case, signed_up.anna)["digest"]
    services.choose_final(case=case, by=signed_up.lead, segmentation=case.final, seq=0)
    refused = sign(signed_up, case, signed_up.anna, digest=seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "approval_changed")
    assert refused.json()["yours"] == seen
    assert refused.json()["theirs"] == shown(signed_up, case, signed_up.anna)["digest"] != seen


def test_a_signature_racing_with_an_edit_covers_what_stands(signed_up: ReadingRoom) -> None:
    """F29: many strokes on the shared copy while it is signed; whatever wins, digest and voxels fit together."""
    case = case_of(signed_up)
    from server.reconstructions.editing.services import begin_empty

    shared, _ = begin_empty(series=case.series, by=signed_up.lead)
    hand_of = hand_of_lead(signed_up, shared)
    hand_of.add("Lesion")
    services.choose_final(case=case, by=signed_up.lead, segmentation=shared, seq=None)
    stop, statuses, refusals = threading.Event(), [], set()

    def paint() -> None:
        try:
            for n in range(60):
                if stop.is_set():
                    break
                statuses.append(hand_of.paint(1, voxels(n, n + 40)).status_code)
        finally:
            connections.close_all()

    painter = threading.Thread(target=paint)
    painter.start()
    signature = None
    for _try in range(30):
        digest = shown(signed_up, case, signed_up.anna)["digest"]
        try:
            signature = services.sign(case=case, by=signed_up.anna, meaning="approved", digest=digest)
            break
        except LaminaError as error:
            refusals.add(error.code)
    stop.set()
    painter.join()
    if signature is None:  # every look was overtaken; now it is quiet
        digest = shown(signed_up, case, signed_up.anna)["digest"]
        signature = services.sign(case=case, by=signed_up.anna, meaning="approved", digest=digest)
    case.refresh_from_db()
    covered = signature.manifest["segmentation"]
    labels = states.labels_at(case.final, case.final_seq)
    assert covered["seq"] == case.final_seq == manifests.final_seq_of(case)  # no stroke came after it
    assert covered["labelmap_sha256"] == hashlib.sha256(labels.tobytes()).hexdigest()
    refused = hand_of.paint(1, voxels(299))
    assert (refused.status_code, refused.json()["code"]) == (409, "case_signed")
    assert set(statuses) <= {201, 409}
    assert refusals <= {"approval_changed"}


def hand_of_lead(room: ReadingRoom, segmentation: Any) -> Any:  # noqa: F811
    from tests.server.reconstructions.conftest import Hand

    return Hand(room.client(room.lead), segmentation)


def test_open_comments_hold_an_approval_back(signed_up: ReadingRoom) -> None:
    from server.discussions.models import Thread

    case = case_of(signed_up)
    thread = Thread.objects.create(
        study=case.study, series=case.series, author=signed_up.lead, point_mm=[0.0, 0.0, 0.0]
    )
    made = shown(signed_up, case, signed_up.anna)
    assert [one["code"] for one in made["blocking"]["approved"]] == ["open_threads"]
    assert "1 comment is resolved" in made["blocking"]["approved"][0]["sentence"]
    refused = sign(signed_up, case, signed_up.anna)
    assert (refused.status_code, refused.json()["code"]) == (409, "approval_blocked")
    assert sign(signed_up, case, signed_up.anna, meaning="authored").status_code == 201  # that may stand open
    Thread.objects.filter(pk=thread.pk).update(state="resolved", resolved_at=timezone.now())
    assert sign(signed_up, case, signed_up.anna).status_code == 201


def test_a_signed_case_is_read_only_until_it_is_opened_again(signed_up: ReadingRoom) -> None:
    case = case_of(signed_up)
    first = sign(signed_up, case, signed_up.anna).json()["signatures"][0]["digest"]
    address = f"/api/cases/{case.pk}/reopen/"
    assert signed_up.client(signed_up.anna).post(address, {"reason": "x"}, format="json").status_code == 403
    lead = signed_up.client(signed_up.lead)
    assert lead.post(address, {"reason": "  "}, format="json").json()["code"] == "reason_needed"
    opened = lead.post(address, {"reason": "The left margin was overlooked."}, format="json").json()
    assert (opened["version"], opened["state"]) == (2, "new")
    assert opened["reopenings"][0]["reason"] == "The left margin was overlooked."
    assert bytes(Reopening.objects.get().reason_sealed).find(b"margin") == -1
    again = sign(signed_up, case, signed_up.lead)
    assert again.status_code == 201, again.json()
    digests = [one["digest"] for one in again.json()["signatures"]]
    assert digests[0] == first != digests[1]  # the version is signed too


def test_a_blind_case_is_signed_by_its_adjudicator_or_an_admin_only(signed_up: ReadingRoom) -> None:
    from server.approvals.signing.selectors import may_sign

    case = signed_up.case()
    for person in (signed_up.anna, signed_up.ben):
        reading = signed_up.begin(case, person)
        signed_up.submit(signed_up.commit(reading, person), person)
    Reading.objects.create(case=case, reader=signed_up.judy, kind="adjudication", letter="Z", state="submitted",
                           first_seq=0, first_answers={}, committed_at=case.created_at, final_seq=0, final_answers={},
                           submitted_at=case.created_at)  # fmt: skip
    for to in (("adjudication", "new"), ("adjudication", "in_progress"), ("approval", "new")):
        from django.db import transaction

        with transaction.atomic():
            move_case(case=hold_case(case.pk), to=to, by=signed_up.lead)
    case.refresh_from_db()
    assert case.is_blind
    can = {person.display_name: may_sign(case, person, "approved")
           for person in (signed_up.anna, signed_up.judy, signed_up.lead, signed_up.viewer)}  # fmt: skip
    assert list(can.values()) == [False, True, True, False]
    told = shown(signed_up, case, signed_up.anna)
    assert (told["may"], told["manifest"], told["final"]) == ([], None, None)


def test_the_report_of_a_signed_case_holds_its_signatures(signed_up: ReadingRoom) -> None:
    """As a page and as a PDF, in both languages: who signed, as what, when, and the whole hash that was signed."""
    case, anna = case_of(signed_up), signed_up.anna
    client = signed_up.client(anna)
    assert "Signatures" not in report_of(client, case, "en")["page"]
    assert sign(signed_up, case, anna).status_code == 201
    signature = Signature.objects.get(case=case)
    assert len(signature.digest) == 64
    for language, title, meaning in (("en", "Signatures", "Approved"), ("zh-hans", "签名", "批准")):
        report = report_of(client, case, language)
        row = re.search(rf"<tr>((?:(?!</tr>).)*{signature.digest}(?:(?!</tr>).)*)</tr>", report["page"], flags=re.S)
        assert row is not None, "the page holds no signature"
        pdf = "".join("".join(texts_of(report["pdf"])).split())
        for said in (anna.display_name, meaning, signature.signed_at.strftime("%Y-%m-%d %H:%M"), signature.digest):
            assert said in row[1], said
            assert "".join(said.split()) in pdf, said
        assert title in report["page"]
        assert title in pdf


def report_of(client: Any, case: Case, language: str) -> dict[str, Any]:
    """{"page": HTML, "pdf": bytes} of a report made now."""
    asked = client.post(f"/api/studies/{case.study_id}/reports/", {"language": language}, format="json")
    assert asked.status_code == 202, asked.content
    slot = Slot("test/0", ["interactive"])
    try:
        work_queue(slot, "interactive")
    finally:
        slot.close()
    made = client.get(f"/api/reports/{asked.json()['id']}/").json()
    assert made["state"] == "succeeded", made
    return {"page": client.get(made["page_url"]).content.decode(), "pdf": bytes_of(client.get(made["pdf_url"]))}
