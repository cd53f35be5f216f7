"""Comparisons: who may ask, what a worker makes of them, what is kept, and which segment is which."""

from __future__ import annotations

import gzip
import json
import struct
from typing import Any

import numpy as np
import pytest

from server.jobs import guard
from server.jobs.models import Job
from server.jobs.slot import Slot
from server.realtime.selectors import events_after
from server.reconstructions.comparing import pairs, selectors, services
from server.reconstructions.comparing.models import Comparison
from tests.server.reconstructions.conftest import box, bytes_of, text_of

ALL = slice(None)


def row(number: int, label: str, code: str = "1", encloses: tuple[int, ...] = ()) -> Any:
    named = {"value": code, "scheme": "SCT", "meaning": label}
    return {"number": number, "label": label, "colour": "#FB9202", "category": named, "type": named,
            "encloses": list(encloses)}  # fmt: skip


def test_segments_find_each_other_by_number_then_name_then_type():
    left = [row(1, "Liver", "L"), row(2, "Tumour", "T"), row(3, "Left kidney", "K"), row(4, "Skin", "S", (1, 2))]
    right = [row(1, "liver ", "X"), row(5, "Tumour", "T2"), row(6, "Kidney, left", "K"), row(7, "Spleen", "P")]
    found, alone = pairs.paired(left, right, related=False)
    assert [(one["number"], one["left"], one["right"]) for one in found] == [
        (1, [1], [1]), (2, [2], [5]), (3, [3], [6])
    ]  # fmt: skip
    assert alone == [
        {"side": "a", "number": 4, "label": "Skin"},
        {"side": "b", "number": 7, "label": "Spleen"},
    ]


def test_equal_types_pair_only_where_no_other_has_them_and_enclosed_labels_come_along():
    found, alone = pairs.paired(
        [row(1, "Kidney 1", "K"), row(2, "Kidney 2", "K"), row(9, "Skin", "S", (1, 2))],
        [row(3, "Right", "K"), row(4, "Left", "K"), row(9, "Skin", "S", (3, 4))],
        related=False,
    )
    assert [(one["left"], one["right"]) for one in found] == [([9, 1, 2], [9, 3, 4])]
    assert len(alone) == 4


def test_states_of_one_base_compare_what_was_added_too():
    found, alone = pairs.paired([row(1, "Liver")], [row(1, "Liver, mended", "2"), row(2, "Lesion", "3")], related=True)
    assert [(one["number"], one["left"], one["right"]) for one in found] == [(1, [1], [1]), (2, [], [2])]
    assert alone == []


# --- asking -------------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db(transaction=True)


def asked(client: Any, left: Any, right: Any, **more: Any) -> Any:
    body = {"left": str(left.pk), "right": str(right.pk), **more}
    return client.post("/api/comparisons/", body, format="json")


def test_a_worker_compares_a_working_copy_with_its_result(room: Any, slot: Slot) -> None:
    """Voxels are 2 x 1 x 1 mm. Segment 1 is k 1-3, j 1-4, i 1-3; one slice more of it is 2 mm in the working copy."""
    heard: list[Comparison] = []
    services.on_ready(heard.append)
    hand = room.hand(room.anna)
    hand.paint(1, box(slice(4, 5), slice(1, 5), slice(1, 4)), over=[0])  # operation 1
    # Operation 2: two voxels of segment 2 go.
    hand.send("erase", {"spans": text_of(box(slice(5, 7), slice(2, 3), slice(0, 1))), "over": [2]})
    answer = asked(hand.client, room.result, room.made)
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["state"], body["left"]["seq"], body["right"]["seq"], body["result"]) == ("queued", 0, 2, None)
    assert asked(hand.client, room.result, room.made).json()["id"] == body["id"]
    assert Job.objects.filter(kind="comparison").count() == 1
    ben = room.client(room.ben)
    assert asked(ben, room.result, room.made).json()["id"] == body["id"]  # he waits for the same one

    guard.work_queue(slot, "interactive")
    try:
        assert [one.pk for one in heard] == [Comparison.objects.get().pk]
    finally:
        services._listeners.remove(heard.append)
    ready = hand.client.get(f"/api/comparisons/{body['id']}/").json()
    assert ready["state"] == "succeeded", ready["error"]
    one, two = ready["result"]["segments"]
    assert (one["number"], one["voxels_a"], one["voxels_b"]) == (1, 36, 48)
    assert one["dice"] == pytest.approx(2 * 36 / 84)
    assert one["volume_difference_percent"] == pytest.approx(12 / 36 * 100)
    assert (two["voxels_a"], two["voxels_b"]) == (18, 16)
    assert len(ready["result"]["regions"]) == 2, ready["result"]["regions"]
    grown, gone = ready["result"]["regions"]
    assert (grown["side"], grown["number"], grown["voxels"]) == ("b_only", 1, 12)
    assert grown["max_mm"] == pytest.approx(2.0, abs=1.3)  # boxes of four voxels have round corners
    assert (gone["side"], gone["number"], gone["voxels"]) == ("a_only", 2, 2)
    assert gone["max_mm"] < 0
    for person in (room.anna, room.ben):
        types = [e["type"] for e in events_after(f"user:{person.pk}", 0).events]
        assert types.count("comparison.ready") == 1

    comparison = selectors.ready(room.result, 0, room.made, 2)
    starts, lengths = selectors.region_spans(comparison, grown["n"])
    voxels = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)])
    assert np.array_equal(np.sort(voxels), box(slice(4, 5), slice(1, 5), slice(1, 4)))
    assert selectors.region(comparison, 2) == gone
    assert selectors.first_voxels(comparison)[grown["n"]] == voxels.min()
    assert selectors.left_labels(comparison, 1) == (1,)
    assert selectors.state_of(comparison) == ("ready", "")
    assert selectors.of(left_id=room.result.pk, left_seq=0, right_id=room.made.pk) == comparison
    for side in "ab":
        glb = bytes_of(hand.client.get(ready["urls"][f"surfaces_{side}"]))
        (length,) = struct.unpack_from("<I", glb, 12)
        head = json.loads(glb[20 : 20 + length])
        assert head["asset"]["extras"]["side"] == side
        assert all("_DISTANCE_MM" in mesh["primitives"][0]["attributes"] for mesh in head["meshes"])

    labels = np.frombuffer(gzip.decompress(bytes_of(hand.client.get(ready["urls"]["labels_b"]))), np.uint8)
    assert np.array_equal(np.bincount(labels, minlength=3)[1:], [48, 16])

    # An older state of the working copy is another comparison; one that is ready is answered at once.
    older = asked(hand.client, room.result, room.made, right_seq=1)
    assert (older.status_code, older.json()["state"]) == (201, "queued")
    assert asked(hand.client, room.result, room.made).status_code == 200
    guard.work_queue(slot, "interactive")
    older = hand.client.get(f"/api/comparisons/{older.json()['id']}/").json()
    assert [segment["voxels_b"] for segment in older["result"]["segments"]] == [48, 18]

    # Each person hears of the own jobs only; nobody else's line tells that there is something to compare.
    assert not any(job["kind"] == "comparison" for job in ben.get("/api/jobs/").json()["results"])
    stream = [event["type"] for event in events_after(room.study.stream, 0).events]
    assert "comparison.ready" not in stream


def test_only_who_sees_both_may_ask_and_read(room: Any, make_project: Any, make_study: Any, make_result: Any) -> None:
    stranger = room.client(room.stranger)
    assert asked(stranger, room.result, room.made).status_code == 404
    viewer = room.client(room.viewer)
    made = asked(viewer, room.result, room.made)
    assert made.status_code == 201
    assert stranger.get(f"/api/comparisons/{made.json()['id']}/").status_code == 404
    assert stranger.get(f"/api/comparisons/{made.json()['id']}/surfaces/").status_code == 404
    elsewhere = make_result(make_study(make_project(reader=room.stranger)))
    assert asked(stranger, elsewhere, room.result).status_code == 404
    assert asked(room.client(room.anna), room.result, elsewhere).status_code == 404


def test_seal_a_comparison_with_somebody_elses_private_work_is_hidden(room: Any) -> None:
    """A private working copy (an audience nobody opened) hides the comparison as a whole, even one made before."""
    import uuid

    anna = room.client(room.anna)
    made = asked(anna, room.result, room.made).json()
    assert anna.get(f"/api/comparisons/{made['id']}/").status_code == 200
    type(room.made).objects.filter(pk=room.made.pk).update(audience=uuid.uuid4())
    assert anna.get(f"/api/comparisons/{made['id']}/").status_code == 404
    assert asked(anna, room.result, room.made).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"right_seq": 1}, 422, "no_such_version"),
        ({"right_seq": -1}, 400, None),
        ({"right": "left"}, 422, "same_version"),
    ],
)
def test_what_cannot_be_compared_is_refused(room: Any, change: Any, status: int, code: str | None) -> None:
    body = {"left": str(room.result.pk), "right": str(room.made.pk), **change}
    if body["right"] == "left":
        body["right"] = body["left"]
    answer = room.client(room.anna).post("/api/comparisons/", body, format="json")
    assert answer.status_code in {status, 422}
    assert code is None or answer.json()["code"] == code


def test_other_frames_need_a_transform(room: Any, make_study: Any, make_result: Any) -> None:
    other = make_result(make_study(room.project), by=room.anna)  # another patient
    answer = asked(room.client(room.anna), room.result, other)
    assert (answer.status_code, answer.json()["code"]) == (422, "other_patient")


def test_a_failed_comparison_is_asked_for_again(room: Any) -> None:
    client = room.client(room.anna)
    made = asked(client, room.result, room.made).json()
    Job.objects.filter(pk=made["job_id"]).update(state="running", fence=1)
    Job.objects.filter(pk=made["job_id"]).update(state="failed", error_code="worker_lost", error_message="Lost.")
    told = client.get(f"/api/comparisons/{made['id']}/").json()
    assert (told["state"], told["error"]["code"]) == ("failed", "worker_lost")
    failed = Comparison.objects.get(pk=made["id"])
    assert (selectors.state_of(failed), selectors.has_failed(failed)) == (("failed", "Lost."), True)
    again = asked(client, room.result, room.made).json()
    assert (again["id"], again["state"]) == (made["id"], "queued")
    assert again["job_id"] != made["job_id"]
