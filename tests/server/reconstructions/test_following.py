"""What became of the segments between two dates: numbers from counted voxels, refusals by name, and the seal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from server.reconstructions.following.growth import growth
from server.reconstructions.models import Segment, Segmentation
from server.studies.models import Series

pytestmark = pytest.mark.django_db


def test_growth_of_a_ball_from_20_to_26_mm() -> None:
    volumes = [math.pi / 6 * diameter**3 / 1000 for diameter in (20, 26)]
    grown = growth(volumes[0], volumes[1], 91)
    assert grown.change_ml == pytest.approx(5.014, abs=0.001)
    assert grown.percent == pytest.approx(119.7)
    assert grown.doubling_days == pytest.approx(91 * math.log(2) / (3 * math.log(1.3)))
    assert growth(volumes[1], volumes[0], 91).doubling_days == pytest.approx(-grown.doubling_days)


def test_growth_says_nothing_that_cannot_be_said() -> None:
    assert growth(None, 1.0, 91).change_ml is None
    assert (growth(0.0, 1.0, 91).percent, growth(0.0, 1.0, 91).doubling_days) == (None, None)
    assert growth(1.0, 2.0, None).doubling_days is None
    assert growth(1.0, 2.0, 0).doubling_days is None
    assert growth(1.0, 1.0005, 91).doubling_days is None


@pytest.fixture
def world(
    make_user: Callable[..., Any], make_project: Callable[..., Any], make_study: Any, make_result: Any, monkeypatch: Any
) -> dict[str, Any]:
    """A patient on two dates, 91 days apart; segment 1 is a lesion and has doubled."""
    from server import engine

    monkeypatch.setattr(engine, "encloses", lambda algorithm: {})
    made = {name: make_user(name) for name in ("admin", "reader", "stranger")}
    made["project"] = make_project(admin=made["admin"], reader=[made["reader"]])
    for name, day, volume in (("earlier", "2024-01-10", 4.0), ("later", "2024-04-10", 8.0)):
        study = make_study(made["project"], patient_key="one", study=name, study_date=day)
        made[name] = make_result(study, by=made["admin"])
        code = {"value": "49755003", "scheme": "SCT", "meaning": "Morphologically Abnormal Structure"}
        Segment.objects.filter(segmentation=made[name], number=1).update(volume_ml=volume, category=code)
        Segment.objects.filter(segmentation=made[name], number=2).update(volume_ml=10.0)
    return made


def asked(client: Any, opened: Segmentation, other: Segmentation) -> Any:
    return client.get(f"/api/segmentations/{opened.pk}/change/{other.pk}/")


def test_volumes_go_from_the_earlier_to_the_later_date_whichever_is_open(
    world: dict[str, Any], api_client: Callable[..., Any]
) -> None:
    reader = api_client(world["reader"])
    for opened, other, side in (("later", "earlier", "later"), ("earlier", "later", "earlier")):
        body = asked(reader, world[opened], world[other]).json()
        assert (body["opened"], body["days"]) == (side, 91)
        assert (body["earlier"]["study_date"], body["later"]["study_date"]) == ("2024-01-10", "2024-04-10")
        lesion, organ = body["segments"]
        assert (lesion["earlier_ml"], lesion["later_ml"], lesion["change_ml"]) == (4.0, 8.0, 4.0)
        assert lesion["change_percent"] == pytest.approx(100.0)
        assert lesion["doubling_days"] == pytest.approx(91.0)
        assert (organ["change_ml"], organ["doubling_days"]) == (0.0, None)  # no lesion, and it stood still
        assert (body["relation"]["allowed"], body["relation"]["reason"]) == (False, "other_frame")
        assert body["comparison_id"] is None


def test_what_cannot_be_compared_is_refused_by_name(
    world: dict[str, Any], make_study: Any, make_result: Any, api_client: Callable[..., Any]
) -> None:
    reader = api_client(world["reader"])
    later, earlier = world["later"], world["earlier"]

    def code(other: Segmentation) -> str:
        answer = asked(reader, later, other)
        return f"{answer.status_code} {answer.json()['code']}"

    assert code(later) == "422 same_study"
    assert code(make_result(make_study(world["project"], patient_key="two"))) == "422 other_patient"
    Series.objects.filter(pk=earlier.series_id).update(modality="MR")
    assert code(earlier) == "422 other_modality"
    Series.objects.filter(pk=earlier.series_id).update(modality="CT", spacing_mm=None)
    assert code(earlier) == "422 spacing_unknown"
    assert asked(api_client(world["stranger"]), later, earlier).status_code == 404


def test_a_sealed_result_is_as_missing_on_either_date(world: dict[str, Any], api_client: Callable[..., Any]) -> None:
    """A reader who has not committed sees neither side's volumes, not even by the other's open id."""
    from server.readings.cases import opening

    values = {"segments": [], "form": [], "readers_per_case": 1}
    opening.set_protocol(project=world["project"], by=world["admin"], values=values)
    opening.open_cases(project=world["project"], studies=[world["later"].study], by=world["admin"])
    reader, admin = api_client(world["reader"]), api_client(world["admin"])
    assert asked(admin, world["later"], world["earlier"]).status_code == 200
    for opened, other in (("later", "earlier"), ("earlier", "later")):
        answer = asked(reader, world[opened], world[other])
        assert answer.status_code == 404
        assert b"4.0" not in answer.content


def test_distances_are_measured_anew_when_another_transform_counts(
    world: dict[str, Any], api_client: Callable[..., Any]
) -> None:
    """What was measured through a transform that was replaced or taken away is told to nobody."""
    from server.reconstructions.comparing.models import Comparison
    from server.studies.transforms import add_transform, remove_transform

    reader = api_client(world["reader"])
    later, earlier = world["later"], world["earlier"]

    def joined(shift: float) -> Any:
        matrix = [[1.0, 0, 0, shift], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]]
        given = {"moving": earlier.series, "fixed": later.series, "method": "manual", "by": world["reader"]}
        return add_transform(matrix=matrix, **given)

    def compared() -> str:
        answer = reader.post("/api/comparisons/", {"left": str(later.pk), "right": str(earlier.pk)}, format="json")
        return str(answer.json()["state"])

    def told() -> Any:
        return asked(reader, later, earlier).json()["comparison_id"]

    first = joined(2.0)
    assert compared() == "queued"
    comparison = Comparison.objects.get()
    assert comparison.job is not None
    assert comparison.job.parameters["right_to_left"][0] == [1.0, 0, 0, 2.0]
    Comparison.objects.update(result={"segments": [], "regions": []})
    assert (told(), compared()) == (str(comparison.pk), "succeeded")
    second = joined(5.0)
    assert (told(), compared()) == (None, "queued")
    assert Comparison.objects.get().job.parameters["right_to_left"][0] == [1.0, 0, 0, 5.0]
    Comparison.objects.update(result={"segments": [], "regions": []})
    assert told() == str(comparison.pk)
    for one in (first, second):
        remove_transform(transform=one, by=world["reader"])
    assert told() is None
