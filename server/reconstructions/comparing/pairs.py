"""Which segment of one segmentation is which of the other. Pure: two lists of segments in, pairs out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from server.reconstructions.editing.table import Row

Pair = dict[str, Any]


def paired(left: Sequence[Row], right: Sequence[Row], *, related: bool) -> tuple[list[Pair], list[dict[str, Any]]]:
    """(pairs as the engine takes them, segments that only one side knows).

    Equal numbers count when name or type agree as well; then equal names; then equal types where no other has them.
    `related` states come from one another: there, a segment only one of them has was added or removed, and is a pair
    with nothing on the other side.
    """
    rest_left, rest_right = list(left), list(right)
    found: list[tuple[Row | None, Row | None]] = []

    def take(same: Callable[[Row, Row], bool], alone: bool = False) -> None:
        for one in list(rest_left):
            fitting = [other for other in rest_right if same(one, other)]
            rivals = [other for other in rest_left if alone and fitting and same(other, fitting[0])]
            if not fitting or (alone and (len(fitting) > 1 or len(rivals) > 1)):
                continue
            found.append((one, fitting[0]))
            rest_left.remove(one)
            rest_right.remove(fitting[0])

    take(lambda a, b: a["number"] == b["number"] and (_name(a) == _name(b) or _code(a) == _code(b) or related))
    take(lambda a, b: _name(a) == _name(b))
    take(lambda a, b: _code(a) == _code(b), alone=True)
    unpaired = []
    if related:
        found += [(one, None) for one in rest_left] + [(None, other) for other in rest_right]
    else:
        unpaired = [_alone("a", row) for row in rest_left] + [_alone("b", row) for row in rest_right]
    places = {row["number"]: place for place, row in enumerate(left)}
    found.sort(key=lambda pair: places[pair[0]["number"]] if pair[0] else len(places))
    taken = {one["number"] for one, _other in found if one}
    pairs = []
    for one, other in found:
        shown = one or other
        assert shown is not None
        number = shown["number"]
        if one is None and number in taken:
            number = next(n for n in range(1, 256) if n not in taken)
        taken.add(number)
        pairs.append(
            {
                "number": number,
                "label": shown["label"],
                "colour": shown["colour"],
                "left": _labels(one),
                "right": _labels(other),
            }
        )
    return pairs, unpaired


def _labels(row: Row | None) -> list[int]:
    return [row["number"], *row["encloses"]] if row else []


def _name(row: Row) -> str:
    return row["label"].strip().casefold()


def _code(row: Row) -> tuple[str, str]:
    return row["type"]["scheme"], row["type"]["value"]


def _alone(side: str, row: Row) -> dict[str, Any]:
    return {"side": side, "number": row["number"], "label": row["label"]}
