"""Is a pair of reads within the project's limits? Pure: numbers of one comparison in, what is over a limit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DICE, HD95, VOLUME, CATEGORY = "dice", "hd95_mm", "volume_difference_percent", "category"
CODED = frozenset({"choice", "yes_no"})  # kinds of question whose answers are categories


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """None is no limit. Dice is a floor, the others are ceilings; exactly at the limit is within it."""

    dice: float | None = None
    hd95_mm: float | None = None
    volume_percent: float | None = None
    categories: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Excess:
    """One number over its limit. `value` is None where one of both has nothing there, so no distance exists."""

    metric: str
    value: float | None
    limit: float | None
    number: int | None = None  # the segment
    key: str = ""  # the question

    def as_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric, "value": self.value, "limit": self.limit, "number": self.number, "key": self.key,
        }  # fmt: skip


def symmetric_volume_percent(a: float, b: float) -> float:
    """|a - b| over their mean, in percent: neither of two readers is the reference. Both empty: 0."""
    return 0.0 if a == b else abs(a - b) / ((a + b) / 2) * 100


def over_limits(segments: Sequence[Mapping[str, Any]], limits: Limits) -> list[Excess]:
    """What is over, segment by segment. `segments` are rows of a comparison (contract.SegmentAgreement as JSON).

    A segment neither reader has anything in agrees. One that a single reader has is over every limit but volume's
    own number, for there is no distance to measure: absence is the largest disagreement there is. Voxel counts stand
    in for mL, so that the volume limit holds on images of unknown spacing too.
    """
    found: list[Excess] = []
    for row in segments:
        a, b, number = row["voxels_a"], row["voxels_b"], row["number"]
        if not a and not b:
            continue
        if limits.dice is not None and row["dice"] < limits.dice:
            found.append(Excess(metric=DICE, value=row["dice"], limit=limits.dice, number=number))
        lonely = not a or not b
        distance = row["hd95_mm"]
        # Without spacing no distance is known; with it, only an empty side leaves it out.
        far = distance > limits.hd95_mm if distance is not None and limits.hd95_mm is not None else lonely
        if limits.hd95_mm is not None and far:
            found.append(Excess(metric=HD95, value=distance, limit=limits.hd95_mm, number=number))
        percent = symmetric_volume_percent(a, b)
        if limits.volume_percent is not None and percent > limits.volume_percent:
            found.append(Excess(metric=VOLUME, value=percent, limit=limits.volume_percent, number=number))
    return found


def differing_answers(
    form: Sequence[Mapping[str, Any]], first: Mapping[str, Any], second: Mapping[str, Any]
) -> list[Excess]:
    """Coded questions the two answered differently; one left open by both agrees."""
    return [
        Excess(metric=CATEGORY, value=None, limit=None, key=question["key"])
        for question in form
        if question["kind"] in CODED and first.get(question["key"]) != second.get(question["key"])
    ]
