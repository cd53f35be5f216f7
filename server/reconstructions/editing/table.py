"""The list of segments, as the operations that count leave it. Pure: rows and operations in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict


class Row(TypedDict):
    """A segment without its numbers. `encloses`: labels inside it, which its voxels and its surface include."""

    number: int
    label: str
    colour: str
    category: dict[str, str]
    type: dict[str, str]
    encloses: list[int]


FIELDS = ("label", "colour", "category", "type")
TABLE_KINDS = frozenset(
    {
        "segment-add",
        "segment-change",
        "segment-order",
        "segment-merge",
        "segment-split",
        "segment-remove",
        "restore",
    }
)


def fold(base: Sequence[Row], operations: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Row]:
    """`operations` are (kind, params) in order; a change to a segment that is not there any more does nothing."""
    rows: list[Row] = [{**row} for row in base]
    for kind, params in operations:
        rows = _after(rows, kind, params)
    return rows


def _after(rows: list[Row], kind: str, params: Mapping[str, Any]) -> list[Row]:
    match kind:
        case "segment-add":
            place = params.get("place")
            at = len(rows) if place is None else min(int(place), len(rows))
            return [*rows[:at], _new(params), *rows[at:]]
        case "segment-change":
            changed = {name: params[name] for name in FIELDS if name in params}
            return [{**row, **changed} if row["number"] == params["number"] else row for row in rows]  # type: ignore[typeddict-item]
        case "segment-order":
            wanted = {number: place for place, number in enumerate(params["numbers"])}
            return sorted(rows, key=lambda row: wanted.get(row["number"], len(wanted)))
        case "segment-merge" | "segment-remove":
            gone = params["number"]
            kept = [row for row in rows if row["number"] != gone]
            return [{**row, "encloses": [n for n in row["encloses"] if n != gone]} for row in kept]
        case "segment-split":
            at = next((place for place, row in enumerate(rows) if row["number"] == params["number"]), len(rows) - 1)
            return [*rows[: at + 1], *(_new(row) for row in params["added"]), *rows[at + 1 :]]
        case "restore":
            return [{**row} for row in params["table"]]
    return rows


def _new(params: Mapping[str, Any]) -> Row:
    return Row(
        number=params["number"],
        label=params["label"],
        colour=params["colour"],
        category=params["category"],
        type=params["type"],
        encloses=[],
    )


def voxels_of(row: Row, counts: Mapping[str, int]) -> int:
    """Voxels of a segment and of what it encloses."""
    own = counts.get(str(row["number"]), 0)
    return own + sum(counts.get(str(n), 0) for n in row["encloses"]) if own else 0


def touched(row: Row, pairs: Iterable[tuple[int, int]]) -> bool:
    """Whether voxels went in or out of the segment, by (old label, new label)."""
    group = {row["number"], *row["encloses"]}
    return any((old in group) != (new in group) for old, new in pairs)
