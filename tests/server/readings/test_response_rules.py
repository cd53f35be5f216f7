"""RECIST 1.1 at its edges, by hand-made sums."""

from __future__ import annotations

import pytest

from server.readings.response.rules import (
    Category,
    Target,
    Visit,
    count_breaches,
    has_decreased,
    has_progressed,
    is_measurable,
    judged,
)

A, B, NODE = Target(name="a", organ="liver"), Target(name="b", organ="lung"), Target(name="n", is_node=True, organ="ln")


def visit(*, new: tuple[str, ...] = (), **sizes: float) -> Visit:
    return Visit(sizes=sizes, new_lesions=new)


def categories(targets: list[Target], *visits: Visit) -> list[Category | None]:
    return [one.category for one in judged(targets, visits)]


@pytest.mark.parametrize(
    ("later", "category"),
    [(70.0, "PR"), (70.1, "SD"), (69.9, "PR"), (100.0, "SD"), (119.9, "SD"), (120.0, "PD"), (0.0, "CR")],
)
def test_against_a_baseline_of_100_mm(later: float, category: str) -> None:
    """29.9 % is stable, 30 % partial; 19.9 % is stable, 20 % progressive."""
    first, second = judged([A], [visit(a=100.0), visit(a=later)])
    assert (first.category, first.reason) == (None, "baseline")
    assert second.category == category
    assert second.from_baseline is not None
    assert second.from_baseline.percent == pytest.approx(later - 100)


def test_a_decrease_of_decimals_that_is_30_percent_on_paper() -> None:
    """33.3 + 16.7 = 50; 35 is 30 % less, whatever binary makes of it."""
    assert categories([A, B], visit(a=33.3, b=16.7), visit(a=23.3, b=11.7)) == [None, "PR"]
    assert has_decreased(0.7 * 42.9, 42.9)


def test_twenty_percent_needs_five_millimetres_as_well() -> None:
    assert not has_progressed(24.9, 20.0)  # 24.5 %, 4.9 mm
    assert has_progressed(25.0, 20.0)
    assert not has_progressed(59.9, 50.0)  # 9.9 mm, 19.8 %
    assert has_progressed(60.0, 50.0)
    assert categories([A], visit(a=20.0), visit(a=24.9)) == [None, "SD"]
    assert categories([A], visit(a=20.0), visit(a=25.0)) == [None, "PD"]


def test_progress_is_held_against_the_smallest_sum_not_the_baseline() -> None:
    rows = judged([A], [visit(a=100.0), visit(a=60.0), visit(a=71.9), visit(a=72.0), visit(a=100.0)])
    assert [one.category for one in rows] == [None, "PR", "SD", "PD", "PD"]
    assert [one.nadir_mm for one in rows] == [None, 100.0, 60.0, 60.0, 60.0]
    assert rows[3].from_nadir is not None
    assert (rows[3].from_nadir.mm, rows[3].from_nadir.percent) == (pytest.approx(12.0), pytest.approx(20.0))
    # Still 28 % below the baseline: progress goes before.
    assert rows[3].from_baseline is not None
    assert rows[3].from_baseline.percent == pytest.approx(-28.0)
    # The baseline is the smallest sum where nothing ever shrank.
    assert categories([A], visit(a=50.0), visit(a=55.0), visit(a=60.0)) == [None, "SD", "PD"]


def test_complete_response_lets_nodes_below_10_mm_stay() -> None:
    targets = [A, NODE]
    baseline = visit(a=30.0, n=18.0)
    assert categories(targets, baseline, visit(a=0.0, n=9.9)) == [None, "CR"]
    assert categories(targets, baseline, visit(a=0.0, n=10.0)) == [None, "PR"]
    assert categories(targets, baseline, visit(a=5.0, n=9.9)) == [None, "PR"]  # too small to measure is not gone
    assert categories([A], visit(a=30.0), visit(a=0.0), visit(a=3.0)) == [None, "CR", "PD"]
    assert judged([A], [visit(a=30.0), visit(a=0.0), visit(a=3.0)])[2].reason == "reappeared"


def test_a_new_lesion_is_progress_whatever_the_sum_says() -> None:
    assert categories([A], visit(a=30.0), visit(a=0.0, new=("x",))) == [None, "PD"]
    assert categories([A, B], visit(a=30.0, b=20.0), visit(a=10.0, new=("x",))) == [None, "PD"]


def test_a_target_that_was_not_measured_leaves_nothing_to_evaluate() -> None:
    rows = judged([A, B], [visit(a=30.0, b=20.0), visit(a=15.0), visit(a=15.0, b=20.0), visit(b=60.0)])
    assert [one.category for one in rows] == [None, "NE", "PR", "PD"]
    assert (rows[1].sum_mm, rows[1].missing, rows[1].from_nadir) == (None, ("b",), None)
    assert rows[2].nadir_mm == 50.0  # the sum with a gap is no nadir
    # What was measured alone is past the limit: the missing one could only add to it.
    assert (rows[3].reason, rows[3].sum_mm) == ("increase_of_some", None)
    incomplete = judged([A, B], [visit(a=30.0), visit(a=30.0, b=10.0), visit(a=9.0, b=9.0, new=("x",))])
    assert [(one.category, one.reason) for one in incomplete] == [
        (None, "baseline_incomplete"), ("NE", "baseline_incomplete"), ("PD", "new_lesion"),
    ]  # fmt: skip


def test_five_targets_and_two_of_an_organ_are_the_most() -> None:
    five = [Target(name=str(n), organ=f"o{n}") for n in range(5)]
    assert count_breaches(five) == []
    six = [*five, Target(name="5")]
    assert count_breaches(six) == [("too_many_targets", None)]
    crowded = [Target(name=str(n), organ="liver") for n in range(3)]
    assert count_breaches(crowded) == [("too_many_in_organ", "liver")]
    rows = judged(crowded, [Visit(sizes=dict.fromkeys("012", 20.0)), Visit(sizes=dict.fromkeys("012", 40.0))])
    assert [(one.category, one.reason, one.sum_mm) for one in rows] == [
        (None, "too_many_targets", 60.0), (None, "too_many_targets", 120.0),
    ]  # fmt: skip


def test_the_size_a_target_has_at_baseline() -> None:
    assert is_measurable(A, 10.0)
    assert not is_measurable(A, 9.9)
    assert is_measurable(NODE, 15.0)
    assert not is_measurable(NODE, 14.9)
