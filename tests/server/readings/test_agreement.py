"""From the last submitted read to what follows, with a real worker: open within the limits, else to an adjudicator.

Segment 1 is drawn as runs of flat voxels, so that Dice is known: two reads of 100 voxels that share n have Dice n/100.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from server.accounts.models import Membership
from server.core.errors import LaminaError
from server.jobs import guard
from server.jobs.slot import Slot
from server.readings.agreement import relying
from server.readings.agreement.project import project_agreement
from server.readings.cases import opening, services
from server.readings.models import Agreement, Case, Reading, ReadingState, Reliance
from server.realtime.selectors import events_after
from server.reconstructions.comparing import states
from server.reconstructions.models import Segmentation
from server.studies import sealing
from tests.server.reconstructions.conftest import ABNORMAL, CODE, Hand, make_result  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

ROW = {"number": 1, "label": "Lesion", "colour": "#E14B09", "category": ABNORMAL, "type": CODE}
QUESTION = {"key": "mass", "text": "Is there a mass?", "kind": "yes_no", "required": True}


@pytest.fixture
def reads(make_user: Any, make_project: Any, make_study: Any, api_client: Any, slot: Slot) -> Any:
    """A sealed case that two readers read, and somebody who adjudicates."""

    class Reads:
        boss, anna, ben, judge = (make_user(name) for name in ("boss", "anna", "ben", "judge"))
        project = make_project(admin=boss, reader=[anna, ben, judge])
        study = make_study(project)
        client = staticmethod(api_client)

        def open(self, **protocol: Any) -> Case:
            Membership.objects.filter(user=self.judge).update(is_adjudicator=True)
            values = {"segments": [ROW], "form": [QUESTION], "dice_limit": 0.80, **protocol}
            opening.set_protocol(project=self.project, by=self.boss, values=values)
            [case] = opening.open_cases(project=self.project, studies=[self.study], by=self.boss)
            return case

        def read(self, person: Any, voxels: range, mass: bool = True) -> Reading:
            """The whole read: begin, draw, commit, submit."""
            reading = Reading.objects.get(reader=person, kind="first")
            reading = services.begin_reading(reading=reading, by=person)
            painted = Hand(api_client(person), reading.segmentation).paint(1, np.array(voxels))
            assert painted.status_code == 201, painted.json()
            answers = {"mass": mass}
            services.commit_reading(reading=reading, by=person, answers=answers, seq=1)
            return services.submit_reading(reading=reading, by=person, answers=answers, seq=1)

        def work(self) -> None:
            guard.work_queue(slot, "interactive")

        def get(self, person: Any, path: str) -> Any:
            return api_client(person).get(f"/api/cases/{self.case.pk}/{path}")

        def post(self, who: Any, path: str, **body: Any) -> Any:
            return api_client(who).post(f"/api/cases/{self.case.pk}/{path}", body, format="json")

        @property
        def case(self) -> Case:
            return Case.objects.get(study=self.study)

    return Reads()


def labels_of(segmentation: Any, seq: int) -> set[int]:
    made = Segmentation.objects.select_related("series", "study").get(pk=getattr(segmentation, "pk", segmentation))
    return set(np.flatnonzero(states.labels_at(made, seq).reshape(-1) == 1).tolist())


@pytest.mark.parametrize(("shared", "stage"), [(79, "adjudication"), (80, "approval"), (81, "approval")])
def test_the_limit_decides_where_a_case_goes(reads: Any, shared: int, stage: str) -> None:
    reads.open()
    reads.read(reads.anna, range(100))
    assert reads.case.stage == "reading"
    assert reads.get(reads.anna, "agreement/").json()["pairs"] == []  # nothing of ben's, not even that he reads
    assert reads.get(reads.ben, "agreement/").status_code == 409
    reads.read(reads.ben, range(100 - shared, 200 - shared))
    assert (reads.case.stage, reads.case.is_blind) == ("reading", True)  # no worker has compared them yet
    reads.work()
    case = reads.case
    assert (case.stage, case.state, case.is_blind) == (stage, "new", stage == "adjudication")
    [pair] = Agreement.objects.filter(case=case)
    assert pair.segments[0]["dice"] == pytest.approx(shared / 100)
    told = reads.get(reads.anna, "agreement/").json()
    assert told["pairs"][0]["is_within"] is (shared >= 80)
    assert told["pairs"][0]["segments"][0]["dice"] == pytest.approx(shared / 100)
    # The comparison itself, with its surfaces, only once the case is open to both.
    assert (told["pairs"][0]["comparison"] is None) is (shared < 80)
    adjudications = Reading.objects.filter(case=case, kind="adjudication")
    assert [one.reader_id for one in adjudications] == ([reads.judge.pk] if shared < 80 else [])
    heard = [event["type"] for event in events_after(f"user:{reads.judge.pk}", 0).events]
    assert heard.count("reading.assigned") == (1 if shared < 80 else 0)
    assert sealing.together(reads.anna, reads.study.pk) is (shared >= 80)


def test_a_segment_one_reader_removed_is_a_disagreement(reads: Any) -> None:
    reads.open(segments=[ROW, {**ROW, "number": 2, "label": "Rim"}])
    reading = Reading.objects.get(reader=reads.anna, kind="first")
    reading = services.begin_reading(reading=reading, by=reads.anna)
    hand = Hand(reads.client(reads.anna), reading.segmentation)
    hand.paint(1, np.arange(100))
    assert hand.send("segment-remove", {"number": 2}).status_code == 201
    services.commit_reading(reading=reading, by=reads.anna, answers={"mass": True}, seq=2)
    services.submit_reading(reading=reading, by=reads.anna, answers={"mass": True}, seq=2)
    reading = Reading.objects.get(reader=reads.ben, kind="first")
    reading = services.begin_reading(reading=reading, by=reads.ben)
    Hand(reads.client(reads.ben), reading.segmentation).paint(2, np.arange(100, 150))
    Hand(reads.client(reads.ben), reading.segmentation).paint(1, np.arange(100))
    services.commit_reading(reading=reading, by=reads.ben, answers={"mass": True}, seq=2)
    services.submit_reading(reading=reading, by=reads.ben, answers={"mass": True}, seq=2)
    reads.work()
    assert reads.case.stage == "adjudication"
    assert [(one["metric"], one["number"], one["value"]) for one in Agreement.objects.get().excesses] == [
        ("dice", 2, 0.0)
    ]


def test_answers_that_must_agree_send_a_case_to_adjudication(reads: Any) -> None:
    reads.open(categories_must_agree=True)
    reads.read(reads.anna, range(100))
    reads.read(reads.ben, range(100), mass=False)
    reads.work()
    assert reads.case.stage == "adjudication"
    assert [one["key"] for one in Agreement.objects.get().excesses] == ["mass"]


def test_an_adjudicator_picks_and_mixes_without_names(reads: Any) -> None:
    """A has voxels 0 to 99, B 60 to 159: two places. A's is left out, B's is taken."""
    reads.open()
    mine = {person.pk: reads.read(person, voxels) for person, voxels in
            ((reads.anna, range(100)), (reads.ben, range(60, 160)))}  # fmt: skip
    reads.work()
    anna, ben = mine[reads.anna.pk].letter, mine[reads.ben.pk].letter
    assert reads.get(reads.anna, "adjudication/").status_code == 403
    assert reads.get(reads.boss, "adjudication/").status_code == 403
    shown = reads.get(reads.judge, "adjudication/")
    assert {one["name"] for one in shown.json()["reads"]} == {"Reader A", "Reader B"}
    text = shown.content.decode()
    for person in (reads.anna, reads.ben):
        assert person.display_name not in text
        assert str(person.pk) not in text
    assert {one["submitted_at"][11:19] for one in shown.json()["reads"]} == {"00:00:00"}  # the day alone
    [pair] = shown.json()["agreement"]["pairs"]
    assert pair["comparison"] is not None
    comparison = reads.client(reads.judge).get(f"/api/comparisons/{pair['comparison']}/").json()
    places = {one["side"]: one["n"] for one in comparison["result"]["regions"]}
    assert reads.post(reads.judge, "adjudication/picks/", agreement=pair["id"], n=1, choice=ben).status_code == 409

    begun = reads.post(reads.judge, "adjudication/", base=anna)
    assert begun.status_code == 200, begun.json()
    assert reads.case.state == "in_progress"
    own = begun.json()["segmentation"]
    assert labels_of(own, 1) == set(range(100))
    anna_only, ben_only = ("a_only", "b_only") if anna < ben else ("b_only", "a_only")
    for side, choice in ((anna_only, ben), (ben_only, ben)):
        picked = reads.post(reads.judge, "adjudication/picks/", agreement=pair["id"], n=places[side], choice=choice)
        assert picked.status_code == 200, picked.json()
    assert labels_of(own, 3) == set(range(60, 160))
    # Thought better of: the first place as A drew it after all.
    reads.post(reads.judge, "adjudication/picks/", agreement=pair["id"], n=places[anna_only], choice=anna)
    state = reads.get(reads.judge, "adjudication/").json()
    assert state["open_places"] == 0
    segmentation = Segmentation.objects.select_related("edit").get(pk=own)
    assert labels_of(own, segmentation.edit.head) == set(range(160))
    refused = reads.post(
        reads.judge, "adjudication/submit/", seq=segmentation.edit.head, reason=" ", answers={"mass": True}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_needed")
    done = reads.post(
        reads.judge, "adjudication/submit/", seq=segmentation.edit.head, reason="Both parts enhance.",
        answers={"mass": True},
    )  # fmt: skip
    assert done.status_code == 200, done.json()
    case = reads.case
    assert (case.stage, case.state, str(case.final_id), case.is_blind) == ("approval", "new", own, True)
    assert Reading.objects.get(kind="adjudication").state == ReadingState.SUBMITTED
    again = reads.post(reads.judge, "adjudication/picks/", agreement=pair["id"], n=1, choice=anna)
    assert (again.status_code, again.json()["code"]) == (409, "reading_submitted")


def test_a_place_left_open_holds_the_ruling_back(reads: Any) -> None:
    reads.open()
    first = reads.read(reads.anna, range(100))
    reads.read(reads.ben, range(60, 160))
    reads.work()
    begun = reads.post(reads.judge, "adjudication/", base=first.letter).json()
    assert begun["open_places"] == 2
    refused = reads.post(reads.judge, "adjudication/submit/", seq=1, reason="So.", answers={"mass": True})
    assert (refused.status_code, refused.json()["code"], refused.json()["places"]) == (409, "places_undecided", 2)
    # Redrawn from nothing the outline itself is the decision.
    begun = reads.post(reads.judge, "adjudication/", base="nothing").json()
    assert (begun["open_places"], labels_of(begun["segmentation"], 2)) == (0, set())


def test_without_an_adjudicator_the_case_waits_and_says_so(reads: Any) -> None:
    reads.open()
    reads.read(reads.anna, range(100))
    reads.read(reads.ben, range(100, 200))
    Membership.objects.filter(user=reads.judge).update(is_adjudicator=False)
    reads.work()
    assert (reads.case.stage, reads.case.state) == ("adjudication", "new")
    assert not Reading.objects.filter(kind="adjudication").exists()


def test_a_consensus_is_looked_at_then_taken(reads: Any) -> None:
    """Union 0 to 109, majority of two the shared 10 to 99."""
    reads.open()
    reads.read(reads.anna, range(100))
    blind = reads.post(reads.anna, "consensus/", method="union")
    assert (blind.status_code, blind.json()["code"]) == (409, "case_sealed")
    reads.read(reads.ben, range(10, 110))
    reads.work()
    assert reads.case.stage == "approval"
    wanted = {"union": set(range(110)), "majority": set(range(10, 100))}
    for method, voxels in wanted.items():
        asked = reads.post(reads.anna, "consensus/", method=method).json()
        assert asked["state"] == "working"
        reads.work()
        ready = reads.get(reads.ben, f"consensus/{asked['id']}/").json()
        assert (ready["state"], ready["voxels"]) == ("ready", {"1": len(voxels)})
        seen = reads.get(reads.ben, f"consensus/{asked['id']}/labelmap/").content
        assert set(np.flatnonzero(np.frombuffer(seen, np.uint8)).tolist()) == voxels
        before = reads.case
        assert before.final is None or labels_of(before.final, before.final_seq) != voxels  # looking changes nothing
        taken = reads.post(reads.ben, f"consensus/{asked['id']}/")
        assert taken.status_code == 200, taken.json()
        assert labels_of(reads.case.final, reads.case.final_seq) == voxels
    # Both are one shared working copy, one operation each.
    assert Segmentation.objects.filter(study=reads.study, audience=None).count() == 1


def test_reliance_is_judged_by_what_was_signed(reads: Any, make_result: Any) -> None:  # noqa: F811
    """The result has k 1-3, j 1-4, i 1-3 (36 voxels). anna drew elsewhere, kept; the ruling has the result's."""
    result = make_result(reads.study, by=reads.boss)
    reads.open(readers_per_case=1, segments=[{**ROW, "label": "Bone 1"}])
    reading = Reading.objects.get(kind="first")
    person = reading.reader
    reading = services.begin_reading(reading=reading, by=person)
    Hand(reads.client(person), reading.segmentation).paint(1, np.arange(240, 270))
    services.commit_reading(reading=reading, by=person, answers={"mass": True}, seq=1)
    client = reads.client(person)
    asked = client.post(f"/api/readings/{reading.pk}/differences/")
    assert asked.status_code in (200, 201, 202), asked.json()
    reads.work()
    told = client.get(f"/api/readings/{reading.pk}/differences/").json()
    places = told["places"]
    assert len(places) == 2, (asked.json(), told)
    with pytest.raises(LaminaError, match="undecided"):
        services.submit_reading(reading=reading, by=person, answers={"mass": True}, seq=1)
    seq = 1
    for place in places:
        act = "take" if place["side"] == "b_only" else "keep"
        body = {"key": place["key"], "act": act, "reason": "I see it.", "seconds": 8}
        assert client.post(f"/api/readings/{reading.pk}/verdicts/", body, format="json").status_code == 200
        seq += act == "take"
    services.submit_reading(reading=reading, by=person, answers={"mass": True}, seq=seq)
    case = reads.case
    assert case.stage == "approval"
    # What is signed here is the algorithm's: taking it over was right, keeping the own wrong.
    Case.objects.filter(pk=case.pk).update(final=result, final_seq=0)
    relying.ask_for_reliance(reads.case, reads.boss)
    reads.work()
    counts = Reliance.objects.get(reading=reading)
    assert (counts.changed_right, counts.changed_wrong, counts.kept_right, counts.kept_wrong) == (1, 0, 1, 0)
    [row] = reads.client(reads.boss).get(f"/api/projects/{reads.project.pk}/reliance/").json()["rows"]
    assert row["under_reliance"]["value"] == 0.5
    assert row["over_reliance"]["why"] == "too_few_cases"
    assert row["median_seconds"] == 8
    assert (row["cases"], row["seconds_to_change"]["value"], row["seconds_to_change"]["n"]) == (1, 8, 1)
    assert reads.client(person).get(f"/api/projects/{reads.project.pk}/reliance/").json()["rows"] == [row]
    other = reads.ben if person == reads.anna else reads.anna
    assert reads.client(other).get(f"/api/projects/{reads.project.pk}/reliance/").json()["rows"] == []


def test_a_projects_numbers_stand_on_settled_cases(reads: Any) -> None:
    reads.open()
    reads.read(reads.anna, range(100))
    assert project_agreement(reads.project.pk, reads.boss)["cases"] == 0
    reads.read(reads.ben, range(10, 110))
    reads.work()
    told = reads.client(reads.boss).get(f"/api/projects/{reads.project.pk}/agreement/").json()
    assert told["cases"] == 1
    [segment] = told["segments"]
    assert segment["dice"]["value"] == pytest.approx(0.9)
    assert (segment["dice"]["low"], segment["dice"]["n"]) == (None, 1)  # one pair has no interval
    assert told["questions"][0]["kappa"]["why"] == "too_few_cases"
    [pair] = told["pairs"]
    assert [one["name"] for one in pair["people"]] == sorted([reads.anna.display_name, reads.ben.display_name])
    assert (pair["cases"], pair["within"]["value"], told["within"]["n"]) == (1, 1.0, 1)
    [point] = pair["segments"][0]["volume"]["points"]
    assert point["study"] == str(reads.study.pk)
    # 100 voxels of 2 mm³ each, by both.
    assert (point["mean_ml"], point["difference_ml"]) == pytest.approx((0.2, 0.0))


def test_an_admin_gives_a_waiting_case_to_an_adjudicator(reads: Any, make_user: Any) -> None:
    """Nobody was free: the admin names somebody who had no read of it, then somebody else; the first hands it over."""
    dana = make_user("dana")
    Membership.objects.create(project=reads.project, user=dana, role="reader")
    reads.open(excluded=[dana.pk])
    reads.read(reads.anna, range(100))
    reads.read(reads.ben, range(100, 200))
    Membership.objects.filter(user=reads.judge).update(is_adjudicator=False)
    reads.work()
    assert (reads.case.stage, reads.case.state) == ("adjudication", "new")
    row = reads.get(reads.boss, "").json()
    assert "assign_adjudicator" in row["may"]
    assert "assign_adjudicator" not in reads.get(reads.anna, "").json()["may"]
    # Who read it may not settle it, and who does not lead the project may not choose.
    assert {one["name"] for one in reads.get(reads.boss, "adjudicator/").json()["results"]} == {
        reads.judge.display_name, dana.display_name,
    }  # fmt: skip
    assert reads.post(reads.anna, "adjudicator/", person=str(reads.judge.pk)).status_code == 403
    for person, code in ((reads.anna, "already_reads"), (reads.boss, "not_a_reader"), (None, "no_adjudicator")):
        refused = reads.post(reads.boss, "adjudicator/", person=str(person.pk) if person else None)
        assert refused.json()["code"] == code
    assert not Reading.objects.filter(kind="adjudication").exists()

    given = reads.post(reads.boss, "adjudicator/", person=str(dana.pk))
    assert given.status_code == 200, given.json()
    begun = reads.post(dana, "adjudication/", base="nothing")
    assert (begun.status_code, reads.case.state) == (200, "in_progress")
    drawn = Reading.objects.get(kind="adjudication").segmentation_id

    Membership.objects.filter(user=reads.judge).update(is_adjudicator=True)
    again = reads.post(reads.boss, "adjudicator/", person=None)
    assert again.status_code == 200, again.json()
    old, new = Reading.objects.filter(kind="adjudication").order_by("created_at")
    assert (old.reader_id, old.state, old.segmentation_id) == (dana.pk, "withdrawn", drawn)
    assert (new.reader_id, new.state) == (reads.judge.pk, "assigned")
    assert reads.post(dana, "adjudication/", base="nothing").status_code == 403
    assert reads.post(reads.judge, "adjudication/", base="nothing").status_code == 200
    assert (reads.case.stage, reads.case.state) == ("adjudication", "in_progress")
    submitted = reads.post(reads.judge, "adjudication/submit/", seq=0, reason="Neither.", answers={"mass": True})
    assert submitted.status_code == 200, submitted.json()
    late = reads.post(reads.boss, "adjudicator/", person=str(dana.pk))
    assert (late.status_code, late.json()["code"]) == (409, "case_moved")
    assert "assign_adjudicator" not in reads.get(reads.boss, "").json()["may"]


def test_an_admin_who_reads_the_case_does_not_choose_its_judge(reads: Any) -> None:
    """Whom one may not choose would tell who the other reader is."""
    reads.open()
    reads.read(reads.anna, range(100))
    reads.read(reads.ben, range(100, 200))
    reads.work()
    Membership.objects.filter(user=reads.anna).update(role="admin")
    assert "assign_adjudicator" not in reads.get(reads.anna, "").json()["may"]
    assert reads.get(reads.anna, "adjudicator/").json() == {"results": []}
    refused = reads.post(reads.anna, "adjudicator/", person=str(reads.ben.pk))
    assert (refused.status_code, refused.json()["code"]) == (409, "own_case")
