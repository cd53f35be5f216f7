"""Editing: operations, undo by person, conflicts, versions, rights (ARCHITECTURE, events and operations)."""

from __future__ import annotations

import base64
import gzip
import uuid
from typing import Any

import numpy as np
import pytest

from server.core.errors import LaminaError
from server.core.models import AuditEntry
from server.core.secrets import Box
from server.jobs.models import Job
from server.realtime.selectors import events_after, last_numbers
from server.reconstructions.editing import labelmaps, services, steps, writing
from server.reconstructions.models import Edit, Operation, Segment, Segmentation, Surface
from server.reconstructions.selectors import complete
from server.reconstructions.serializers import segmentation_json
from server.studies.services import bin_study, erase_study
from tests.server.making import SHAPE
from tests.server.reconstructions.conftest import Hand, apply_effects, box, grid, text_of

pytestmark = pytest.mark.django_db
ALL = slice(None)


def now(room: Any) -> np.ndarray:
    with labelmaps.at_head(room.made) as (flat, _seq):
        return flat.copy()


# --- beginning ----------------------------------------------------------------------------------------------------


def test_the_first_edit_makes_one_working_copy(room: Any) -> None:
    answer = Hand(room.client(room.ben), room.result).client.post(f"/api/segmentations/{room.result.pk}/edit/")
    body = answer.json()
    assert (answer.status_code, body["id"]) == (200, str(room.made.pk))
    assert (body["kind"], body["based_on"]["id"], body["job_id"]) == ("edited", str(room.result.pk), None)
    assert (body["author"]["name"], body["seq"]) == ("anna", 0)
    assert [s["voxels"] for s in body["segments"]] == [36, 18]
    assert body["urls"]["surfaces"]
    assert body["segments"][0]["surface_url"] is None
    itself = room.client(room.ben).post(f"/api/segmentations/{room.made.pk}/edit/")
    assert itself.json()["id"] == body["id"]
    assert (Hand(room.client(room.ben), room.made).labelmap()[0] == grid().ravel()).all()


@pytest.mark.parametrize("which", ["result", "made"])
def test_one_slice_of_labels_at_a_time(room: Any, which: str) -> None:
    """For browsers that cannot hold the labelmap: cut along each axis, as it is after the newest stroke."""
    truth = grid()
    base = f"/api/segmentations/{getattr(room, which).pk}/slices"
    if which == "made":
        Hand(room.client(room.anna), room.made).send("paint", {"label": 2, "spans": text_of([0]), "over": None})
        truth[0, 0, 0] = 2
    client = room.client(room.ben)
    for axis, name in enumerate("kji"):
        for number in (0, 2):
            answer = client.get(f"{base}/{name}/{number}/")
            assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
            assert gzip.decompress(answer.content) == np.take(truth, number, axis).tobytes()
    assert answer.headers["Lamina-Seq"] == ("1" if which == "made" else "0")
    assert client.get(f"{base}/k/{SHAPE[0]}/").status_code == 404
    assert client.get(f"{base}/q/0/").status_code == 404


def test_a_series_without_a_result_begins_empty(room: Any) -> None:
    client = room.client(room.anna)
    first = client.post(f"/api/series/{room.series.pk}/segmentations/")
    again = room.client(room.ben).post(f"/api/series/{room.series.pk}/segmentations/")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert (first.json()["segments"], first.json()["based_on"], first.json()["urls"]["surfaces"]) == ([], None, None)
    hand = Hand(client, first.json())
    added = hand.add("Tumour").json()
    assert added["operation"]["number"] == 1
    painted = hand.paint(1, box(slice(2, 4), slice(0, 3), slice(0, 2))).json()
    assert painted["segments"][0]["voxels"] == 12
    assert painted["segments"][0]["volume_ml"] == pytest.approx(0.024)
    labels, seq = hand.labelmap()
    assert (labels.sum(), seq) == (12, 2)


def test_who_may_edit(room: Any) -> None:
    for person, status in ((room.viewer, 403), (room.stranger, 404), (None, 401)):
        hand = Hand(room.client(person), room.made)
        assert hand.paint(1, [0]).status_code == status
        assert hand.undo().status_code == status
        assert hand.client.post(f"/api/segmentations/{room.result.pk}/edit/").status_code == status
    assert Hand(room.client(room.viewer), room.made).get("operations/").status_code == 200
    assert Operation.objects.count() == 0


def test_a_result_never_changes(room: Any) -> None:
    answer = Hand(room.client(room.anna), room.result).paint(1, [0])
    assert (answer.status_code, answer.json()["code"]) == (409, "not_editable")


def test_a_study_in_the_bin_refuses(room: Any) -> None:
    bin_study(study=room.study, by=room.project.memberships.get(role="admin").user)
    assert room.hand(room.anna).paint(1, [0]).status_code == 404  # nobody sees it there
    sent = writing.Sent(uuid.uuid4(), "paint", "Brush", 0, {"label": 1, "spans": text_of([0])})
    with pytest.raises(LaminaError, match="bin"):
        services.apply_operation(segmentation=room.made, by=room.anna, sent=sent)  # a request that was on its way
    with pytest.raises(LaminaError, match="bin"):
        services.undo(segmentation=room.made, by=room.anna, client_id=uuid.uuid4())


def test_erasing_the_study_leaves_no_operation(room: Any) -> None:
    hand = room.hand(room.anna)
    hand.paint(1, range(50))
    hand.client.post(f"{hand.base}/versions/", {"name": "Mine"}, format="json")
    admin = room.project.memberships.get(role="admin").user
    erase_study(study=bin_study(study=room.study, by=admin), by=admin)
    assert not Operation.objects.exists()
    assert not Edit.objects.exists()
    assert not Segmentation.objects.exists()


# --- one operation more -------------------------------------------------------------------------------------------


def test_painting_changes_voxels_rows_and_tells_everybody(room: Any) -> None:
    before = last_numbers([room.made.stream])[room.made.stream]
    answer = room.hand(room.anna).paint(1, box(slice(5, 7), ALL, ALL), over=[0], name="Brush")
    body = answer.json()
    assert answer.status_code == 201, body
    # Slices 5 and 6 hold 60 voxels, 18 of them of segment 2, which stay.
    assert (body["operation"]["seq"], body["operation"]["changed"]) == (1, 42)
    assert body["operation"]["box"] == [5, 0, 0, 7, 6, 5]
    assert {s["number"]: s["voxels"] for s in body["segments"]} == {1: 36 + 42}
    assert body["steps"] == {"undo": {"seq": 1, "kind": "paint", "name": "Brush"}, "redo": None}
    after = grid().ravel()
    apply_effects(after, [body["operation"]])
    assert (after == now(room)).all()
    assert (after.reshape(SHAPE)[5:7] == np.where(grid()[5:7] == 2, 2, 1)).all()
    [event, *_others] = [
        e for e in events_after(room.made.stream, before).events if e["type"] == "segmentation.edited"
    ]
    assert event["payload"]["operation"]["effect"] == ""
    assert event["payload"]["segments"] == body["segments"]
    assert AuditEntry.objects.filter(act="segmentation.edited", actor_id=room.anna.pk).count() == 1


def test_what_is_stored_of_voxels_is_sealed(room: Any) -> None:
    body = room.hand(room.anna).paint(1, range(0, 300, 3)).json()
    plain = base64.b64decode(body["operation"]["effect"])
    row = Operation.objects.get()
    assert len(plain) > 100
    for sealed in (row.effect, row.before, row.step):
        assert plain not in bytes(sealed)
    moved = bytes(row.effect)
    Operation.objects.update(effect=bytes(row.before), before=moved)  # sealed values do not open in another place
    assert room.hand(room.anna).get("operations/").status_code == 410


def test_sending_again_is_harmless(room: Any) -> None:
    hand, key = room.hand(room.anna), str(uuid.uuid4())
    answers = [hand.paint(1, [0, 1, 2], key=key) for _ in range(3)]
    assert [a.status_code for a in answers] == [201, 200, 200]
    assert len({a.json()["operation"]["effect"] for a in answers}) == 1
    assert Edit.objects.get(pk=room.made.pk).head == 1
    other = hand.paint(1, [0, 1, 2, 3], key=key)
    assert (other.status_code, other.json()["code"]) == (409, "id_used")


WRONG = (
    ("paint", {"label": 9, "spans": "", "over": None}, "segment_gone"),
    ("paint", {"label": 0, "spans": "", "over": None}, "segment_gone"),
    ("paint", {"label": 1, "spans": "***", "over": None}, "invalid_operation"),
    ("paint", {"label": 1, "spans": text_of([10_000]), "over": None}, "invalid_operation"),
    ("paint", {"label": 1, "spans": text_of([1]), "over": [300]}, "invalid_operation"),
    ("paint", {"label": True, "spans": text_of([1])}, "invalid_operation"),
    ("segment-add", {"label": "", "colour": "#E14B09"}, "invalid_operation"),
    ("segment-add", {"label": "x", "colour": "red"}, "invalid_operation"),
    ("segment-change", {"number": 1}, "invalid_operation"),
    ("segment-merge", {"number": 1, "into": 1}, "invalid_operation"),
    ("segment-order", {"numbers": "1"}, "invalid_operation"),
    ("melt", {}, "invalid"),
)


def test_what_cannot_be_done_is_refused(room: Any) -> None:
    hand = room.hand(room.anna)
    for kind, payload, code in WRONG:
        answer = hand.send(kind, payload)
        assert answer.json()["code"] == code, (kind, payload, answer.json())
    assert Operation.objects.count() == 0


def test_segments_are_added_renamed_ordered_merged_and_removed(room: Any) -> None:
    hand = room.hand(room.anna)
    assert hand.add("Tumour").json()["segments"][0]["number"] == 3
    hand.paint(3, box(slice(8, 10), ALL, ALL))
    hand.send("segment-change", {"number": 3, "label": "Cyst", "colour": "#90a6ff"})
    hand.send("segment-order", {"numbers": [3, 1]})
    rows = hand.get().json()["segments"]
    assert [(r["number"], r["label"], r["colour"]) for r in rows] == [
        (3, "Cyst", "#90A6FF"), (1, "Bone 1", "#FB9202"), (2, "Bone 2", "#FB9202"),
    ]  # fmt: skip
    merged = hand.send("segment-merge", {"number": 3, "into": 1}).json()
    assert (merged["removed"], merged["operation"]["changed"]) == ([3], 60)
    assert {s["number"]: s["voxels"] for s in merged["segments"]}[1] == 96
    assert hand.add("New").json()["operation"]["number"] == 4  # 3 is not used again
    removed = hand.send("segment-remove", {"number": 2}).json()
    assert removed["removed"] == [2]
    assert not (now(room) == 2).any()
    hand.undo()  # the removal
    hand.undo()  # the new segment
    hand.undo()  # the merge
    rows = hand.get().json()["segments"]
    assert [(r["number"], r["voxels"]) for r in rows] == [(3, 60), (1, 36), (2, 18)]


# --- undo ---------------------------------------------------------------------------------------------------------


def test_undo_takes_back_ones_own_last_step_and_names_it(room: Any) -> None:
    anna, ben = room.hand(room.anna), room.hand(room.ben)
    anna.paint(1, box(slice(8, 9), ALL, slice(0, 4)), name="Brush")
    ben.paint(2, box(slice(8, 9), ALL, slice(2, 5)), name="Scissors")  # half over it
    anna.send("segment-change", {"number": 1, "label": "Pelvis"}, name="Rename")
    assert anna.get("steps/").json()["undo"]["name"] == "Rename"
    assert ben.get("steps/").json()["undo"]["name"] == "Scissors"
    assert anna.undo().json()["operation"]["name"] == "Rename"
    taken = anna.undo().json()
    assert (taken["operation"]["name"], taken["operation"]["target"]) == ("Brush", 1)
    assert taken["steps"]["undo"] is None
    assert taken["steps"]["redo"]["name"] == "Brush"
    slice8 = now(room).reshape(SHAPE)[8]
    assert (slice8[:, :2] == 0).all()
    assert (slice8[:, 2:] == 2).all()  # Ben's stays whole
    assert anna.undo().json()["code"] == "nothing_to_undo"
    assert anna.redo().json()["operation"]["changed"] == 12  # its old place: under Ben's
    slice8 = now(room).reshape(SHAPE)[8]
    assert (slice8[:, :2] == 1).all()
    assert (slice8[:, 2:] == 2).all()
    assert anna.get().json()["segments"][0]["label"] == "Bone 1"
    anna.redo()
    assert anna.get().json()["segments"][0]["label"] == "Pelvis"
    assert anna.redo().json()["code"] == "nothing_to_redo"
    anna.undo()
    anna.paint(1, [0])  # a new step ends what could be done again
    assert anna.redo().json()["code"] == "nothing_to_redo"


def test_many_people_many_steps_is_what_a_plain_replay_says(room: Any) -> None:
    """Random strokes, merges, undos and redos of two people: the base and every step that counts, in order."""
    chance = np.random.default_rng(7)
    hands = [room.hand(room.anna), room.hand(room.ben)]
    joined, joined_at = hands[0].labelmap()
    for _ in range(20):
        hand = hands[int(chance.integers(2))]
        act = chance.integers(10)
        if act < 5:
            label = int(chance.choice(Segment.objects.filter(segmentation=room.made).values_list("number", flat=True)))
            over = None if act < 3 else [0, 1]
            hand.paint(label, chance.integers(0, 300, 40), over)
        elif act == 5:
            numbers = list(Segment.objects.filter(segmentation=room.made).values_list("number", flat=True))
            if len(numbers) > 2:
                a, b = chance.choice(numbers, 2, replace=False)
                hand.send("segment-merge", {"number": int(a), "into": int(b)})
            else:
                hand.add("More")
        elif act < 9:
            hand.undo()
        else:
            hand.redo()
        active = Operation.objects.filter(segmentation=room.made, undone_by=None).order_by("seq")
        sealed = Box(room.study.pk)
        plain = [
            steps.unpack_step(sealed.open(bytes(o.step), labelmaps.context_of(room.made.pk, o.seq, "step")), 300)
            for o in active
            if o.step
        ]
        truth = steps.replay(grid().ravel(), plain)
        assert (now(room) == truth).all()
        counts = {s.number: s.voxels for s in Segment.objects.filter(segmentation=room.made)}
        assert all(voxels == int((truth == number).sum()) for number, voxels in counts.items())
        assert set(np.unique(truth)) - {0} <= set(counts)
    page = hands[1].get(f"operations/?after={joined_at}&limit=500").json()
    assert [o["seq"] for o in page["operations"]] == list(range(1, page["seq"] + 1))
    apply_effects(joined, page["operations"])
    assert (joined == truth).all()  # who was there from the start
    late, seq = hands[1].labelmap()
    assert seq == page["seq"]
    assert (late == truth).all()  # who came late
    labelmaps._held.clear()
    assert (now(room) == truth).all()  # another process
    assert (labelmaps.at_seq(room.made, page["seq"]) == truth).all()


def test_an_added_segment_stays_while_others_use_it(room: Any) -> None:
    anna, ben = room.hand(room.anna), room.hand(room.ben)
    anna.add("Tumour")
    ben.paint(3, [0, 1, 2])
    refused = anna.undo()
    assert (refused.status_code, refused.json()["code"], refused.json()["numbers"]) == (409, "used_by_others", [3])
    ben.undo()
    assert anna.undo().json()["removed"] == [3]


# --- conflicts ----------------------------------------------------------------------------------------------------


def test_two_names_at_once_is_shown_not_overwritten(room: Any) -> None:
    anna, ben = room.hand(room.anna), room.hand(room.ben)
    anna.send("segment-change", {"number": 1, "label": "Left hip"}, base_seq=0)
    late = ben.send("segment-change", {"number": 1, "label": "Right hip"}, base_seq=0)
    assert (late.status_code, late.json()["code"]) == (409, "edit_conflict")
    assert late.json()["current"]["label"] == "Left hip"
    assert ben.send("segment-change", {"number": 1, "colour": "#123456"}, base_seq=0).status_code == 201
    assert ben.send("segment-change", {"number": 1, "label": "Right hip"}, base_seq=1).status_code == 201


def test_painting_in_a_segment_that_went_says_so(room: Any) -> None:
    room.hand(room.ben).send("segment-merge", {"number": 2, "into": 1})
    refused = room.hand(room.anna).paint(2, [0])
    assert (refused.status_code, refused.json()["code"]) == (409, "segment_gone")


def test_strokes_over_others_are_counted(room: Any) -> None:
    anna, ben = room.hand(room.anna), room.hand(room.ben)
    anna.send("segment-change", {"number": 1, "label": "Hip"})
    ben.paint(2, range(200, 230))
    stroke = anna.paint(1, range(220, 240), base_seq=1).json()
    assert (stroke["operation"]["changed"], stroke["operation"]["contested"]) == (20, 10)


# --- versions -----------------------------------------------------------------------------------------------------


def test_versions_are_listed_compared_and_restored(room: Any) -> None:
    anna, ben = room.hand(room.anna), room.hand(room.ben)
    anna.paint(1, box(slice(8, 9), ALL, ALL))
    saved = anna.client.post(f"{anna.base}/versions/", {"name": "Before the margin"}, format="json")
    assert (saved.status_code, saved.json()["seq"]) == (201, 1)
    at_one = now(room)
    ben.add("Tumour")
    ben.paint(3, box(slice(8, 10), ALL, ALL))
    listed = anna.get("versions/").json()["versions"]
    assert [(v["kind"], v["seq"], v["name"], v["operations"], v["authors"]) for v in listed] == [
        ("now", 3, "", 2, ["ben"]),
        ("named", 1, "Before the margin", 1, ["anna"]),
        ("begin", 0, "", 0, []),
    ]
    compared = anna.get("compare/?a=1").json()
    assert (compared["a"], compared["b"]) == (1, 3)
    by_number = {s["number"]: s for s in compared["segments"]}
    assert (by_number[1]["voxels_a"], by_number[1]["voxels_b"]) == (66, 36)
    assert by_number[1]["dice"] == pytest.approx(2 * 36 / (66 + 36), abs=1e-6)
    assert (by_number[3]["voxels_a"], by_number[3]["voxels_b"], by_number[3]["dice"]) == (0, 60, 0.0)
    assert by_number[3]["ml_b"] == pytest.approx(0.12)
    body = {"id": str(uuid.uuid4()), "seq": 1, "name": "Restore"}
    restored = anna.client.post(f"{anna.base}/restore/", body, format="json").json()
    assert (restored["operation"]["kind"], restored["operation"]["target"]) == ("restore", 1)
    assert (now(room) == at_one).all()
    assert restored["removed"] == [3]
    anna.undo()
    assert int((now(room) == 3).sum()) == 60
    assert [s["number"] for s in anna.get().json()["segments"]] == [1, 2, 3]
    assert anna.get("compare/?a=99").status_code == 422


# --- state and events ---------------------------------------------------------------------------------------------


def test_state_and_events_are_the_new_state(room: Any) -> None:
    """What a page starts from, brought up to date by events alone, is what a page opened now starts from."""

    def state() -> Any:
        return segmentation_json(complete(Segmentation.objects.filter(pk=room.made.pk)).get())

    mirror, number = state(), last_numbers([room.made.stream])[room.made.stream]
    anna, ben = room.hand(room.anna), room.hand(room.ben)
    anna.add("Tumour")
    anna.paint(3, range(100))
    ben.send("segment-order", {"numbers": [3]})
    ben.send("segment-merge", {"number": 2, "into": 3})
    anna.undo()
    ben.send("segment-change", {"number": 1, "label": "Hip"})
    for event in events_after(room.made.stream, number).events:
        if event["type"] != "segmentation.edited":
            continue
        rows = {row["number"]: row for row in mirror["segments"]}
        rows |= {row["number"]: row for row in event["payload"]["segments"]}
        kept = [row for key, row in rows.items() if key not in event["payload"]["removed"]]
        mirror["segments"] = sorted(kept, key=lambda row: (row["place"], row["number"]))
        mirror["seq"] = event["payload"]["operation"]["seq"]
    assert mirror == state()


def test_quick_strokes_ask_for_surfaces_once(room: Any) -> None:
    hand = room.hand(room.anna)
    for n in range(5):
        hand.paint(1, [n])
    assert Job.objects.filter(kind="derivation").count() == 1
    study = room.client(room.anna).get(f"/api/studies/{room.study.pk}/").json()
    assert [job["kind"] for job in study["jobs"]] == ["reconstruction"]
    assert [made["kind"] for made in study["segmentations"]] == ["algorithm", "edited"]
    assert study["segments_count"] == 2  # of the result; its working copy is no second one
    assert room.client(room.anna).get("/api/studies/facts/").json()["reconstructions_week"] == 1
    assert Surface.objects.filter(segment__segmentation=room.made).count() == 2
