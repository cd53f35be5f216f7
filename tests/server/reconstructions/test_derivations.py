"""What follows from edits, by a real worker slot and a real engine process; and two people at the same moment."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import threading
import uuid
from typing import Any

import numpy as np
import pytest
from django.db import connections

from server.jobs import guard
from server.jobs.models import Job
from server.jobs.slot import Slot
from server.jobs.states import JobState
from server.realtime.selectors import events_after
from server.reconstructions.editing import derivation, downloads, labelmaps, refining, services, writing
from server.reconstructions.models import Operation, Segment, Segmentation, Surface
from server.reconstructions.serializers import segmentation_json
from tests.server.making import SHAPE
from tests.server.reconstructions.conftest import Hand, apply_effects, box, bytes_of, grid

pytestmark = pytest.mark.django_db(transaction=True)
ALL = slice(None)


def work(slot: Slot) -> None:
    guard.work_queue(slot, "interactive")


def refine(hand: Hand, prompt: dict[str, Any], **more: Any) -> Any:
    body = {"id": str(uuid.uuid4()), "name": "Tool", "base_seq": 0, "prompt": prompt, **more}
    return hand.client.post(f"{hand.base}/refine/", body, format="json")


def test_a_worker_makes_what_follows_from_edits(room: Any, slot: Slot) -> None:
    """Surfaces, tools, previews, split and downloads in one go: the engine process is warmed up once."""
    hand = room.hand(room.anna)

    # The surface of the touched segment, and only of it.
    hand.add("Tumour")
    hand.paint(3, box(slice(6, 10), slice(0, 4), slice(1, 5)), over=None)
    work(slot)
    rows = {row["number"]: row for row in hand.get().json()["segments"]}
    tumour = rows[3]
    assert (tumour["voxels"], tumour["volume_ml"]) == (64, pytest.approx(0.128))
    assert (tumour["surface_seq"], tumour["touched_seq"]) == (2, 2)
    assert rows[1]["surface_url"] is None
    # Voxels are 2 x 1 x 1 mm; x runs along i, y along j, z along k. The box reaches half a voxel past its middles.
    assert tumour["bounds_mm"] == pytest.approx([0.5, 4.5, -0.5, 3.5, 11.0, 19.0], abs=1.0)
    assert tumour["centroid_mm"] == pytest.approx([2.5, 1.5, 15.0], abs=1e-6)
    answer = hand.client.get(tumour["surface_url"])
    glb = bytes_of(answer)
    assert (answer.status_code, glb[:4]) == (200, b"glTF")
    (length,) = struct.unpack_from("<I", glb, 12)
    nodes = json.loads(glb[20 : 20 + length])["nodes"]
    assert [node.get("extras", {}).get("SegmentNumber") for node in nodes] == [None, 3]
    events = [e for e in events_after(room.made.stream, 0).events if e["type"] == "surface.remade"]
    assert events[-1]["payload"]["segments"][-1] == tumour
    assert Hand(room.client(room.viewer), room.made).get("segments/3/surface/").status_code == 200
    assert Hand(room.client(room.stranger), room.made).get("segments/3/surface/").status_code == 404
    assert hand.get("segments/1/surface/").json()["code"] == "no_surface"

    # A tool: its answer is an operation of whoever asked, and undone like one.
    before = room_labels(room)
    asked = refine(hand, {"kind": "margin", "segment": 3, "mm": -1.5})
    assert asked.status_code == 201, asked.json()
    work(slot)
    job = Job.objects.get(pk=asked.json()["id"])
    assert job.state == JobState.SUCCEEDED, job.error_message
    made = Operation.objects.get(seq=job.result["seq"])
    assert (made.kind, made.author_id, made.number) == ("refine", room.anna.pk, 3)
    inner = room_labels(room).reshape(SHAPE) == 3
    assert 0 < inner.sum() == 64 - made.changed
    assert refine(hand, {"kind": "margin", "segment": 3, "mm": -1.5}, id=str(made.client_id)).status_code == 200
    assert hand.undo().json()["operation"]["target"] == made.seq
    assert (room_labels(room) == before).all()

    # A preview changes nothing.
    asked = refine(hand, {"kind": "margin", "segment": 3, "mm": 2.0, "over": [0]}, preview=True)
    work(slot)
    preview = hand.get(f"previews/{asked.json()['id']}/").json()
    assert (room_labels(room) == before).all()
    shown = before.copy()
    apply_effects(shown, [preview])
    assert int((shown == 3).sum()) == 64 + preview["changed"]
    assert ((shown != before) <= (before == 0)).all()
    assert Hand(room.client(room.stranger), room.made).get(f"previews/{asked.json()['id']}/").status_code == 404
    assert refining.remove_old_previews(older_than=-refining.timedelta(seconds=1)) == 1
    assert hand.get(f"previews/{asked.json()['id']}/").json()["code"] == "no_preview"

    # Growing looks at the image, which is the same everywhere here: everything empty within reach.
    asked = refine(hand, {"kind": "grow", "segment": 3, "seeds_mm": [[0.0, 5.0, 0.0]], "radius_mm": 4.0})
    work(slot)
    assert Job.objects.get(pk=asked.json()["id"]).state == JobState.SUCCEEDED
    grown = room_labels(room).reshape(SHAPE)
    assert grown[0, 5, 0] == 3
    assert (grown[before.reshape(SHAPE) > 0] == before[before > 0]).all()
    hand.undo()

    # Nothing to do is said in words.
    asked = refine(hand, {"kind": "split", "segment": 3})
    work(slot)
    job = Job.objects.get(pk=asked.json()["id"])
    assert (job.state, job.error_code, job.error_message) == ("failed", "nothing_to_do", "The segment is in one piece.")
    hand.paint(3, [0, 1])
    asked = refine(hand, {"kind": "split", "segment": 3})
    work(slot)
    rows = hand.get().json()["segments"]
    assert [(r["number"], r["label"], r["voxels"]) for r in rows][2:] == [(3, "Tumour", 64), (4, "Tumour 2", 2)]

    # Downloads carry the edit.
    bodies: dict[str, Any] = {}

    def download() -> None:
        for name in ("labelmap.nii.gz", "surfaces.glb"):
            bodies[name] = hand.get(name)
        connections.close_all()

    thread = threading.Thread(target=download)
    thread.start()
    while thread.is_alive():
        work(slot)
        thread.join(0.1)
    nifti = gzip.decompress(bytes_of(bodies["labelmap.nii.gz"]))
    voxels = np.frombuffer(nifti, np.uint8, offset=352)
    assert (voxels == room_labels(room)).all()
    assert b"Tumour 2" in bytes_of(bodies["surfaces.glb"])
    assert Surface.objects.filter(segment__number=4).get().ref

    # What was there while nobody worked is said, not waited for.
    downloads.PATIENCE_SECONDS, patience = 0.2, downloads.PATIENCE_SECONDS
    hand.paint(3, [7])
    assert hand.get("surfaces.glb").json()["code"] == "being_made"
    downloads.PATIENCE_SECONDS = patience


def room_labels(room: Any) -> np.ndarray:
    with labelmaps.at_head(room.made) as (flat, _seq):
        return flat.copy()


def test_a_stroke_during_the_making_of_a_surface_asks_again(room: Any, slot: Slot) -> None:
    hand = room.hand(room.anna)
    hand.paint(1, [0])

    def paint_meanwhile(step: str, **_: Any) -> None:
        if step == "answered" and Operation.objects.count() == 1:
            hand.paint(1, [1])

    guard.guard_step.connect(paint_meanwhile)
    try:
        work(slot)
    finally:
        guard.guard_step.disconnect(paint_meanwhile)
    surface = Surface.objects.get(segment__segmentation=room.made, segment__number=1)
    assert surface.seq == 2
    assert not derivation.behind(room.made).exists()
    assert Job.objects.filter(kind="derivation").count() == 2
    assert derivation.remove_old_jobs() == 0
    assert derivation.remove_old_jobs(older_than=-derivation.timedelta(seconds=1)) == 2


def test_a_skin_includes_what_it_encloses(make_result: Any, make_study: Any, make_project: Any, make_user: Any) -> None:
    """bone-ct's skin (2) runs round the bones (1): its voxels are both, and a stroke inside does not touch it."""
    anna = make_user("anna")
    study = make_study(make_project(reader=anna))
    made, _new = services.begin_edit(segmentation=make_result(study, by=anna), by=anna)

    def paint(label: int, indices: Any) -> dict[int, tuple[int, int]]:
        payload = {"label": label, "spans": _text(indices), "over": None}
        sent = writing.Sent(uuid.uuid4(), "paint", "Brush", 0, payload)
        services.apply_operation(segmentation=made, by=anna, sent=sent)
        rows = Segment.objects.filter(segmentation=made)
        return {segment.number: (segment.voxels, segment.touched_seq) for segment in rows}

    inside = np.flatnonzero(grid().ravel() == 2)[:5]
    assert paint(1, inside) == {1: (41, 1), 2: (54, 0)}
    assert paint(1, [0]) == {1: (42, 2), 2: (55, 2)}
    # The browser counts strokes by itself and is told whose voxels belong together.
    assert segmentation_json(Segmentation.objects.get(pk=made.pk), anna)["encloses"] == {"2": [1]}


def _text(indices: Any) -> str:
    from tests.server.reconstructions.conftest import text_of

    return text_of(indices)


# --- at the same moment -------------------------------------------------------------------------------------------


def together(*calls: Any) -> None:
    """Run the calls in threads of their own that begin at the same moment."""
    barrier, failed = threading.Barrier(len(calls)), []

    def one(call: Any) -> None:
        barrier.wait()
        try:
            call()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_two_people_painting_at_once_lose_nothing(room: Any) -> None:
    """Real threads and connections: every operation is kept, numbers have no gap, and both pages end up equal."""
    strokes = 8
    accepted: list[int] = []

    def painter(person: Any, label: int, offset: int) -> Any:
        hand = room.hand(person)

        def paint() -> None:
            for n in range(strokes):
                answer = hand.paint(label, range(offset + n, 300, 7))
                assert answer.status_code == 201, answer.json()
                accepted.append(answer.json()["operation"]["seq"])
                if n % 5 == 4:
                    hand.undo()

        return paint

    start = room_labels(room)
    together(painter(room.anna, 1, 0), painter(room.ben, 2, 3))
    page = room.hand(room.anna).get("operations/?limit=500").json()
    assert [o["seq"] for o in page["operations"]] == list(range(1, 2 * strokes + 2 * (strokes // 5) + 1))
    assert len(set(accepted)) == 2 * strokes
    apply_effects(start, page["operations"])
    assert (start == room_labels(room)).all()
    assert (labelmaps.at_seq(room.made, page["seq"]) == start).all()
    counts = {s.number: s.voxels for s in Segment.objects.filter(segmentation=room.made)}
    assert counts == {1: int((start == 1).sum()), 2: int((start == 2).sum())}


def test_one_stroke_sent_twice_at_once_counts_once(room: Any) -> None:
    key = str(uuid.uuid4())
    answers: list[Any] = []
    hands = [room.hand(room.anna) for _ in range(3)]
    together(*[lambda hand=hand: answers.append(hand.paint(1, range(50), key=key)) for hand in hands])
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    assert Operation.objects.count() == 1
    assert len({base64.b64decode(a.json()["operation"]["effect"]) for a in answers}) == 1


def test_two_who_begin_at_once_land_in_the_same(room: Any) -> None:
    answers: list[Any] = []
    clients = [room.client(room.anna), room.client(room.ben)]
    address = f"/api/series/{room.series.pk}/segmentations/"
    together(*[lambda client=client: answers.append(client.post(address)) for client in clients])
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Segmentation.objects.filter(kind="edited", based_on=None).count() == 1
