"""Places where the first read and the result differ: what is taken over, kept, taken back, and who may ask."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from server.core import storage
from server.core.models import AuditEntry
from server.readings.models import Case, Protocol, Reading, ReadingState, Verdict
from server.readings.verdicts.selectors import undecided_count
from server.reconstructions.comparing.models import Comparison
from server.reconstructions.editing import labelmaps, services
from server.reconstructions.models import Operation
from tests.server.reconstructions.conftest import ABNORMAL, CODE, Hand, box, grid, make_result  # noqa: F401

pytestmark = pytest.mark.django_db

ROW = {"number": 1, "label": "Lesion", "colour": "#E14B09", "category": ABNORMAL, "type": CODE}
# The result has segment 1 in slices 1 to 3 (grid); the reader draws slices 2 to 4 of the same columns.
MINE = (slice(2, 5), slice(1, 5), slice(1, 4))
THEIRS_ONLY = box(slice(1, 2), slice(1, 5), slice(1, 4))
MINE_ONLY = box(slice(4, 5), slice(1, 5), slice(1, 4))


def runs_of(n: int, indices: np.ndarray) -> list[tuple[int, int, int]]:
    """Rows (start, length, n) of flat indices."""
    breaks = np.flatnonzero(np.diff(indices) != 1) + 1
    return [(int(part[0]), len(part), n) for part in np.split(indices, breaks)]


def region(n: int, side: str, indices: np.ndarray) -> dict[str, Any]:
    signed = 2.0 if side == "b_only" else -2.0
    return {
        "n": n, "key": f"1:{indices[0]}", "number": 1, "label": "Lesion", "side": side, "voxels": len(indices),
        "volume_ml": len(indices) * 0.002, "max_mm": signed, "centroid_mm": [2.0, 2.5, 8.0],
        "point_mm": [2.0, 2.5, 8.0], "middle_mm": [2.0, 2.5, 8.0], "bounds_mm": [1.0, 3.0, 1.0, 4.0, 2.0, 2.0],
    }  # fmt: skip


@pytest.fixture
def desk(make_user: Any, make_project: Any, make_study: Any, make_result: Any, api_client: Any) -> Any:  # noqa: F811
    """A committed first read of anna's that is compared with a result: two places."""

    class Desk:
        anna, ben, boss = make_user("anna"), make_user("ben"), make_user("boss")
        project = make_project(reader=[anna, ben], admin=boss)
        study = make_study(project)
        series = study.series.get()
        Protocol.objects.create(project=project, segments=[ROW], dice_limit=0.8)
        result = make_result(study, by=boss)
        case = Case.objects.create(study=study, series=series, project=project, number=1, is_blind=True)
        reading = Reading.objects.create(case=case, reader=anna, letter="A", state=ReadingState.IN_PROGRESS)
        client = staticmethod(api_client)

        def post(self, key: str, act: str, reason: str = "", **more: Any) -> Any:
            body = {"key": key, "act": act, "reason": reason, **more}
            return self.client(self.anna).post(f"/api/readings/{self.reading.pk}/verdicts/", body, format="json")

        def withdraw(self, key: str) -> Any:
            return self.client(self.anna).delete(f"/api/readings/{self.reading.pk}/verdicts/{key}/")

        def now(self) -> np.ndarray:
            with labelmaps.at_head(self.made) as (flat, _seq):
                return flat.copy()

    found = Desk()
    found.made, _ = services.begin_empty(series=found.series, by=found.anna, rows=[{**ROW, "encloses": []}])
    found.hand = Hand(api_client(found.anna), found.made)
    assert found.hand.paint(1, box(*MINE)).status_code == 201
    found.first = found.now()
    Reading.objects.filter(pk=found.reading.pk).update(
        state=ReadingState.COMMITTED, segmentation=found.made, first_seq=1, first_digest="9f41c07a" + "0" * 56,
        first_answers={}, committed_at=timezone.now(),
    )  # fmt: skip
    found.reading.refresh_from_db()
    places = runs_of(1, MINE_ONLY) + runs_of(2, THEIRS_ONLY)
    packed = io.BytesIO(gzip.compress(np.array(places, "<i8").tobytes()))
    found.comparison = Comparison.objects.create(
        study=found.study, left=found.made, left_seq=1, right=found.result, right_seq=0,
        pairs=[{"number": 1, "label": "Lesion", "colour": "#E14B09", "left": [1], "right": [1]}],
        places_ref=storage.put(found.study.pk, found.study.project_id, packed),
        result={
            "segments": [{"number": 1, "label": "Lesion", "dice": 2 / 3, "hd95_mm": 2.0}],
            "regions": [region(1, "a_only", MINE_ONLY), region(2, "b_only", THEIRS_ONLY)],
            "regions_left_out": 0, "voxels_left_out": 0, "definitions": {},
        },
    )  # fmt: skip
    found.mine, found.theirs = (one["key"] for one in found.comparison.result["regions"])
    return found


def test_the_reader_sees_the_places_with_both_hashes(desk: Any) -> None:
    body = desk.client(desk.anna).get(f"/api/readings/{desk.reading.pk}/differences/").json()
    assert (body["state"], body["comparison"]) == ("ready", str(desk.comparison.pk))
    assert [(one["n"], one["side"], one["verdict"]) for one in body["places"]] == [
        (1, "a_only", None), (2, "b_only", None),
    ]  # fmt: skip
    assert (body["first"]["digest"][:8], body["other"]["segmentation"]) == ("9f41c07a", str(desk.result.pk))
    assert body["segments"][0]["dice"] == pytest.approx(2 / 3)
    assert undecided_count(desk.reading) == 2


def test_taking_theirs_makes_the_place_theirs_in_one_step(desk: Any) -> None:
    assert desk.post(desk.theirs, "take").status_code == 200
    grown = desk.first.copy()
    grown[THEIRS_ONLY] = 1
    assert (desk.now() == grown).all()
    assert desk.post(desk.mine, "take").status_code == 200
    assert (desk.now() == (grid() == 1).ravel()).all(), "all of theirs taken is their outline"
    kinds = list(Operation.objects.filter(segmentation=desk.made).order_by("seq").values_list("kind", flat=True))
    assert kinds == ["paint", "take-theirs", "take-theirs"]
    with labelmaps.base(desk.made):
        assert (labelmaps.at_seq(desk.made, 1) == desk.first).all(), "the first read is as it was"
    assert undecided_count(desk.reading) == 0


def test_a_decision_is_taken_back_whatever_was_drawn_since(desk: Any) -> None:
    desk.post(desk.theirs, "take")
    elsewhere = box(slice(8, 9), slice(0, 2), slice(0, 2))
    assert desk.hand.paint(1, elsewhere).status_code == 201
    assert desk.withdraw(desk.theirs).status_code == 204
    assert desk.withdraw(desk.theirs).status_code == 204, "twice is harmless"
    wanted = desk.first.copy()
    wanted[elsewhere] = 1
    assert (desk.now() == wanted).all()
    assert undecided_count(desk.reading) == 2
    acts = AuditEntry.objects.filter(project_id=desk.project.pk, act__startswith="verdict.")
    assert list(acts.order_by("at").values_list("act", flat=True)) == ["verdict.given", "verdict.withdrawn"]


def test_undo_of_a_stroke_leaves_decisions_alone(desk: Any) -> None:
    desk.post(desk.theirs, "take")
    assert desk.hand.undo().json()["operation"]["name"] == "paint"
    assert Verdict.objects.get().act == "take"
    assert (desk.now()[THEIRS_ONLY] == 1).all()


def test_rejecting_needs_a_reason_and_gives_back_what_was_taken(desk: Any) -> None:
    desk.post(desk.theirs, "take")
    refused = desk.post(desk.theirs, "keep", "  ")
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_needed")
    kept = desk.post(desk.theirs, "keep", "a vessel, no tumour", seconds=12)
    assert (kept.status_code, kept.json()["act"], kept.json()["reason"]) == (200, "keep", "a vessel, no tumour")
    assert (desk.now() == desk.first).all()
    row = Verdict.objects.get()
    assert (row.seconds, row.operation_seq, row.region["n"]) == (12, None, 2)
    assert b"vessel" not in bytes(row.reason_sealed)
    shown = desk.client(desk.anna).get(f"/api/readings/{desk.reading.pk}/differences/").json()["places"][1]
    assert shown["verdict"]["reason"] == "a vessel, no tumour"
    assert desk.post("1:999999", "take").json()["code"] == "no_such_place"


def test_nobody_else_and_nobody_too_early(desk: Any) -> None:
    address = f"/api/readings/{desk.reading.pk}"
    for person in (desk.ben, desk.boss):
        assert desk.client(person).get(f"{address}/differences/").status_code == 404
        body = {"key": desk.mine, "act": "take"}
        assert desk.client(person).post(f"{address}/verdicts/", body, format="json").status_code == 404
    early = Reading.objects.create(case=desk.case, reader=desk.ben, letter="B", state=ReadingState.IN_PROGRESS)
    assert desk.client(desk.ben).get(f"/api/readings/{early.pk}/differences/").status_code == 404
    assert desk.client(desk.ben).post(f"/api/readings/{early.pk}/differences/").status_code == 404
    Reading.objects.filter(pk=desk.reading.pk).update(
        state=ReadingState.SUBMITTED, final_seq=1, final_answers={}, submitted_at=timezone.now()
    )
    late = desk.post(desk.mine, "take")
    assert (late.status_code, late.json()["code"]) == (409, "reading_submitted")
    assert desk.client(desk.anna).get(f"{address}/differences/").status_code == 200


def test_a_comparison_that_is_not_there_blocks_nobody(desk: Any) -> None:
    Comparison.objects.update(result=None)
    assert undecided_count(desk.reading) == 0
    body = desk.client(desk.anna).get(f"/api/readings/{desk.reading.pk}/differences/").json()
    assert (body["state"], body["places"]) == ("failed", [])
    Comparison.objects.all().delete()
    body = desk.client(desk.anna).get(f"/api/readings/{desk.reading.pk}/differences/").json()
    assert body["state"] == "waiting"
