"""What is over a limit, at and around it."""

from __future__ import annotations

from typing import Any

import pytest

from server.readings.agreement.decision import Limits, differing_answers, over_limits, symmetric_volume_percent


def row(
    number: int = 1, *, a: int = 1000, b: int = 1000, dice: float = 1.0, hd95: float | None = 0.0
) -> dict[str, Any]:
    return {"number": number, "voxels_a": a, "voxels_b": b, "dice": dice, "hd95_mm": hd95}


@pytest.mark.parametrize(("dice", "over"), [(0.79, ["dice"]), (0.80, []), (0.81, [])])
def test_dice_around_its_limit(dice, over):
    assert [one.metric for one in over_limits([row(dice=dice)], Limits(dice=0.80))] == over


def test_one_limit_may_fail_while_another_passes():
    """Dice of 0.96 passes while the distance fails: that is why both limits exist."""
    limits = Limits(dice=0.80, hd95_mm=3.0, volume_percent=10)
    [far] = over_limits([row(dice=0.96, hd95=7.9, b=1020)], limits)
    assert (far.metric, far.value, far.limit, far.number) == ("hd95_mm", 7.9, 3.0, 1)


def test_no_limit_no_excess():
    assert over_limits([row(dice=0.0, hd95=None, b=0)], Limits()) == []


def test_a_segment_only_one_reader_has():
    limits = Limits(dice=0.8, hd95_mm=3.0, volume_percent=20)
    found = over_limits([row(dice=0.0, hd95=None, b=0)], limits)
    assert [(one.metric, one.value) for one in found] == [
        ("dice", 0.0), ("hd95_mm", None), ("volume_difference_percent", 200.0),
    ]  # fmt: skip
    # What neither has, both agree on.
    assert over_limits([row(a=0, b=0, dice=1.0, hd95=None)], limits) == []


def test_unknown_spacing_leaves_the_distance_out():
    assert over_limits([row(dice=0.9, hd95=None)], Limits(dice=0.8, hd95_mm=3.0)) == []


def test_volume_favours_neither_reader():
    assert symmetric_volume_percent(90, 110) == symmetric_volume_percent(110, 90) == pytest.approx(20)
    assert symmetric_volume_percent(0, 0) == 0
    limits = Limits(volume_percent=20)
    assert over_limits([row(a=90, b=110)], limits) == []
    assert [one.metric for one in over_limits([row(a=90, b=111)], limits)] == ["volume_difference_percent"]


def test_answers_that_differ():
    form = [
        {"key": "mass", "kind": "yes_no"},
        {"key": "side", "kind": "choice"},
        {"key": "words", "kind": "text"},
        {"key": "grade", "kind": "number"},
    ]
    first = {"mass": True, "side": "24028007", "words": "round", "grade": 2}
    second = {"mass": False, "side": "24028007", "words": "oval", "grade": 3}
    # Free words and numbers are no categories.
    assert [one.key for one in differing_answers(form, first, second)] == ["mass"]
    assert differing_answers(form, {}, {}) == []
